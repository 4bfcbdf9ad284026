"""What the tests of the domain share: a database of their own, and people who are signed in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from service.config import Settings
from service.domain.database import Database, open_database
from service.domain.tokens import find_viewer, sign_in
from service.domain.users import register_user
from service.domain.viewer import Viewer
from tests.clock import MovableClock

PASSWORD = 'correct horse'
Person = Callable[[str], Viewer]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    url = f'sqlite:///{tmp_path}/halcyon.db'
    return Settings(database_url=url, bcrypt_cost=4, sqlite_synchronous='off')


@pytest.fixture
def db(settings: Settings, clock: MovableClock) -> Database:
    return open_database(settings, clock)


@pytest.fixture
def person(db: Database) -> Person:
    """Return what registers somebody by name and signs them in."""

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
