"""The URL templates of the API."""

ROOT = '/'
ENTRY = '/api'

USERS = '/api/users'
USER = '/api/users/{user_id}'
PASSWORD = '/api/users/{user_id}/password'
FOLLOWERS = '/api/users/{user_id}/followers'
FOLLOWING = '/api/users/{user_id}/following'
USER_RELATIONSHIP = '/api/users/{user_id}/relationships/{name}'
FOLLOWERS_RELATIONSHIP = '/api/users/{user_id}/relationships/followers'
FOLLOWING_RELATIONSHIP = '/api/users/{user_id}/relationships/following'
POSTS_RELATIONSHIP = '/api/users/{user_id}/relationships/posts'
FEED_RELATIONSHIP = '/api/users/{user_id}/relationships/feed'
TOKENS_RELATIONSHIP = '/api/users/{user_id}/relationships/tokens'
FOLLOWED = '/api/users/{user_id}/followed'  # redirects to FOLLOWING, which had this URL in 2018
FOLLOW = '/api/users/{user_id}/following/{other_id}'
FOLLOW_RELATIONSHIP = '/api/users/{user_id}/following/{other_id}/relationships/{name}'
FOLLOWER_RELATIONSHIP = '/api/users/{user_id}/following/{other_id}/relationships/follower'
FOLLOWED_RELATIONSHIP = '/api/users/{user_id}/following/{other_id}/relationships/followed'
USER_POSTS = '/api/users/{user_id}/posts'
FEED = '/api/users/{user_id}/feed'

POSTS = '/api/posts'
POST = '/api/posts/{post_id}'
POST_AUTHOR = '/api/posts/{post_id}/author'
AUTHOR_RELATIONSHIP = '/api/posts/{post_id}/relationships/author'

TOKENS = '/api/tokens'
OTHER_TOKENS = '/api/tokens/others'
TOKEN = '/api/tokens/{token_id}'
KEYS = '/.well-known/jwks.json'

PASSWORD_RESETS = '/api/password-resets'
PASSWORD_RESET = '/api/password-resets/{secret}'
EMAIL_VERIFICATIONS = '/api/email-verifications'
EMAIL_VERIFICATION = '/api/email-verifications/{secret}'

STORES = '/api/stores'
STORE = '/api/stores/{store_id}'
STORE_OWNER = '/api/stores/{store_id}/owner'
OWNER_RELATIONSHIP = '/api/stores/{store_id}/relationships/owner'
STORE_ITEMS = '/api/stores/{store_id}/items'
ITEMS_RELATIONSHIP = '/api/stores/{store_id}/relationships/items'
ITEMS = '/api/items'
ITEM = '/api/items/{item_id}'
ITEM_STORE = '/api/items/{item_id}/store'
STORE_RELATIONSHIP = '/api/items/{item_id}/relationships/store'

RELATION = '/api/rels/{rel}'
PROBLEM = '/api/problems/{name}'

OPENAPI = '/api/openapi.json'
DOCS = '/api/docs'
API_CATALOG = '/.well-known/api-catalog'

AVATAR = 'https://www.gravatar.com/avatar/{avatar_hash}?d=identicon&s=128'

ASSET = '/static/{name}'

LIVE = '/health/live'
READY = '/health/ready'
METRICS = '/metrics'
