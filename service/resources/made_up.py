"""Made-up people and things, of which the examples are made."""

from service.domain.follows import FollowRecord
from service.domain.posts import PostRecord
from service.domain.tokens import TokenRecord
from service.domain.users import UserRecord, avatar_hash_of
from service.domain.viewer import Viewer

MORNING = 1_795_000_000_000
LATER = MORNING + 60_000

USER = UserRecord(
    id=7_400_000_000_000_001,
    username='ada',
    email='ada@example.org',
    avatar_hash=avatar_hash_of('ada@example.org'),
    about_me='Countess, and a programmer.',
    member_since=MORNING,
    last_seen=LATER,
    post_count=1,
    follower_count=1,
    following_count=0,
    is_followed=True,
)
SELF = Viewer(user_id=USER.id, username=USER.username, token_id=7_400_000_000_000_003)
OTHER = Viewer(user_id=7_400_000_000_000_002, username='bob', token_id=7_400_000_000_000_005)
FOLLOW = FollowRecord(OTHER.user_id, USER.id, LATER)
POST = PostRecord(7_400_000_000_000_004, 'The engine weaves patterns.', LATER, None, USER)
STORE_ID = 7_400_000_000_000_006
TOKEN = TokenRecord(
    id=SELF.token_id,
    user_id=SELF.user_id,
    created_at=MORNING,
    expires_at=MORNING + 3_600_000,
    signed_in_at=MORNING,
    last_used_at=LATER,
    user_agent='example/1.0',
)
