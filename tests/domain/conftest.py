"""Shared fixtures: a database, nodes that open it, and signed-in users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from service.config import Settings
from service.database.session import Session
from service.domain.startup import open_session
from service.domain.tokens import find_viewer, sign_in
from service.domain.users import register_user
from service.domain.viewer import Viewer
from tests.clock import MovableClock

PASSWORD = 'correct horse'
Person = Callable[[str], Viewer]


def no_precondition(_: object) -> None:
    """Accept any state."""


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, bcrypt_cost=4, sqlite_synchronous='off')


@pytest.fixture
def open_node(settings: Settings, clock: MovableClock) -> Iterator[Callable[[], Session]]:
    """Return a function that opens this test's database as another node."""
    with ExitStack() as stack:

        def open_node() -> Session:
            db = open_session(settings, clock)
            stack.callback(db.close)
            return db

        yield open_node


@pytest.fixture
def db(open_node: Callable[[], Session]) -> Session:
    return open_node()


@pytest.fixture
def person(db: Session) -> Person:
    """Return a function that registers a user by name and signs them in."""

    def register(name: str) -> Viewer:
        register_user(db, username=name, email=f'{name}@example.org', password=PASSWORD)
        return find_viewer(db, sign_in(db, username=name, password=PASSWORD, user_agent='a test').secret)

    return register


@pytest.fixture
def ada(person: Person) -> Viewer:
    return person('ada')


@pytest.fixture
def bob(person: Person) -> Viewer:
    return person('bob')
