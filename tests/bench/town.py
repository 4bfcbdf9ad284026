"""A town to measure: demo data in which everybody follows the celebrity, and the reader 199 more."""

from service.database.clock import system_clock
from service.database.session import Session
from service.domain.demo import CELEBRITY, PASSWORD, Town, settle
from service.domain.errors import Conflict
from service.domain.follows import follow_all
from service.domain.tokens import find_viewer, sign_in

READER, WRITER, NEIGHBOUR = range(CELEBRITY + 1, CELEBRITY + 4)
READ_BY_READER = 200
SMALLEST = 2 * READ_BY_READER
POSTS_EACH = 5


def planned_town(users: int, posts_each: int) -> Town:
    """Return a town of so many, in which the reader finds enough to follow."""
    return Town(max(users, SMALLEST), 1, posts_each, now=system_clock())


def move_in(db: Session, town: Town) -> None:
    """Put the town into an empty database."""
    try:
        for _ in settle(db, town):
            pass
    except Conflict as refused:
        raise SystemExit(str(refused)) from None
    session = sign_in(db, username=town.name(READER), password=PASSWORD, user_agent=None)
    reader = find_viewer(db, session.secret)
    step = (town.users - NEIGHBOUR) // (READ_BY_READER - 1)  # spread, as friends are
    followed = (town.user_id(NEIGHBOUR + step * n) for n in range(READ_BY_READER - 1))
    follow_all(db, reader.user_id, followed, by=reader, precondition=lambda user: None)
