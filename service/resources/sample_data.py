"""Sample domain objects, from which the examples are built."""

from service.domain.follows import FollowRecord
from service.domain.posts import PostRecord
from service.domain.tokens import TokenRecord
from service.domain.users import UserRecord, avatar_hash_of
from service.domain.viewer import WRITE, Viewer

CREATED = 1_795_000_000_000
UPDATED = CREATED + 60_000

USER = UserRecord(
    id=7_400_000_000_000_001,
    username='ada',
    email='ada@example.org',
    avatar_hash=avatar_hash_of('ada@example.org'),
    about_me='Countess, and a programmer.',
    member_since=CREATED,
    last_seen=UPDATED,
    post_count=1,
    follower_count=1,
    following_count=0,
    email_verified_at=UPDATED,
    suspended_at=None,
    is_followed=True,
)
OWNER = Viewer(user_id=USER.id, username=USER.username, token_id=7_400_000_000_000_003)
OTHER_USER = Viewer(user_id=7_400_000_000_000_002, username='bob', token_id=7_400_000_000_000_005)
FOLLOW = FollowRecord(OTHER_USER.user_id, USER.id, UPDATED)
POST = PostRecord(7_400_000_000_000_004, 'The engine weaves patterns.', UPDATED, None, USER)
STORE_ID = 7_400_000_000_000_006
TOKEN = TokenRecord(
    id=OWNER.token_id,
    user_id=OWNER.user_id,
    created_at=CREATED,
    expires_at=CREATED + 3_600_000,
    signed_in_at=CREATED,
    last_used_at=UPDATED,
    user_agent='example/1.0',
    name='Laptop',
    scope=WRITE,
    lifetime=None,
    sign_in_id=OWNER.token_id,
    renewed_at=None,
)
