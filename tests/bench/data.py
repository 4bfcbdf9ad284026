"""A data to measure: demo data in which everybody follows the celebrity, and the reader 199 more."""

from service.database.clock import system_clock
from service.database.session import Session
from service.domain.demo.generator import CELEBRITY, PASSWORD, DemoData, load
from service.domain.errors import Conflict
from service.domain.follows import follow_all
from service.domain.tokens import find_viewer, sign_in

READER, WRITER, NEIGHBOUR = range(CELEBRITY + 1, CELEBRITY + 4)
READ_BY_READER = 200
SMALLEST = 2 * READ_BY_READER
POSTS_EACH = 5


def plan_data(users: int, posts_each: int) -> DemoData:
    """Return a data of so many, in which the reader finds enough to follow."""
    return DemoData(max(users, SMALLEST), 1, posts_each, now=system_clock())


def load_data(db: Session, data: DemoData) -> None:
    """Put the data into an empty database."""
    try:
        for _ in load(db, data):
            pass
    except Conflict as refused:
        raise SystemExit(str(refused)) from None
    session = sign_in(db, username=data.username(READER), password=PASSWORD, user_agent=None)
    reader = find_viewer(db, session.secret)
    step = (data.users - NEIGHBOUR) // (READ_BY_READER - 1)  # spread, as friends are
    followed = (data.user_id(NEIGHBOUR + step * n) for n in range(READ_BY_READER - 1))
    follow_all(db, reader.user_id, followed, by=reader, precondition=lambda user: None)
