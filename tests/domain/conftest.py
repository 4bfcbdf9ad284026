"""What the tests of the domain share: a database, and nodes that open it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from service.config import Settings
from service.domain.database import Database
from service.domain.opening import open_database
from tests.clock import MovableClock


@pytest.fixture
def open_node(tmp_path: Path, clock: MovableClock) -> Iterator[Callable[[], Database]]:
    """Return what opens this test's database as one more node does."""
    environment = {
        'DATABASE_URL': f'sqlite:///{tmp_path}/halcyon.db',
        'BCRYPT_COST': '4',
        'SQLITE_SYNCHRONOUS': 'off',
    }
    with ExitStack() as stack:

        def open_node() -> Database:
            db = open_database(Settings.from_environment(environment), clock)
            stack.callback(db.close)
            return db

        yield open_node


@pytest.fixture
def db(open_node: Callable[[], Database]) -> Database:
    return open_node()
