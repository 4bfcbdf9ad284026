"""Shared fixtures: a database, nodes that open it, and signed-in users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from service.config import Settings
from service.database.session import Session
from service.domain.startup import open_session
from service.domain.viewer import Viewer
from tests.clock import MovableClock
from tests.domain.users import register


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, bcrypt_cost=4, sqlite_synchronous='off')


@pytest.fixture
def open_node(settings: Settings, clock: MovableClock) -> Iterator[Callable[[], Session]]:
    """Return a function that opens this test's database as another node does."""
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
def ada(db: Session) -> Viewer:
    return register(db, 'ada')


@pytest.fixture
def bob(db: Session) -> Viewer:
    return register(db, 'bob')
