"""Demo data for benchmarks: all users follow the celebrity, and the reader follows 199 more users.

There is a store with ten items for every ten users.
"""

from collections.abc import Iterable

from service.database.clock import system_clock
from service.database.session import Session
from service.domain.demo.generator import CELEBRITY, PASSWORD, DemoData, load
from service.domain.errors import Conflict
from service.domain.follows import follow_all
from service.domain.tokens import find_viewer, sign_in

READER, WRITER, NEIGHBOUR, VISITOR = range(CELEBRITY + 1, CELEBRITY + 5)
FOLLOWED_BY_READER = 200
MIN_USERS = 2 * FOLLOWED_BY_READER
POSTS_EACH = 5


def plan_data(users: int, posts_each: int) -> DemoData:
    """Return demo data with enough users for the reader to follow, and an item for each user."""
    users = max(users, MIN_USERS)
    return DemoData(users, 1, posts_each, stores=users // 10, items=10, now=system_clock())


def sign_in_users(db: Session, data: DemoData, numbers: Iterable[int]) -> list[tuple[str, int]]:
    """Sign users in, and return the token and the id of each."""
    tokens = []
    for number in numbers:
        token = sign_in(db, username=data.username(number), password=PASSWORD, user_agent=None)
        tokens.append((token.secret, data.user_id(number)))
    db.close()
    return tokens


def load_data(db: Session, data: DemoData) -> None:
    """Load the data into an empty database, and let the reader follow more users."""
    try:
        for _ in load(db, data):
            pass
    except Conflict as error:
        raise SystemExit(str(error)) from None
    token = sign_in(db, username=data.username(READER), password=PASSWORD, user_agent=None)
    reader = find_viewer(db, token.secret)
    step = (data.users - NEIGHBOUR) // (FOLLOWED_BY_READER - 1)  # spread over all users
    followed = (data.user_id(NEIGHBOUR + step * n) for n in range(FOLLOWED_BY_READER - 1))
    follow_all(db, reader.user_id, followed, by=reader, precondition=lambda user: None)
