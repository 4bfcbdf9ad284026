"""Purging: writes take what has expired with them, a GET writes nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.client import Client
from tests.clock import MovableClock
from tests.conftest import Start


class Stored:
    """What is in the database, seen from outside."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def count(self, table: str) -> int:
        with closing(sqlite3.connect(self.path)) as connection:
            return int(connection.execute(f'SELECT COUNT(*) FROM {table}').fetchone()[0])


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    return Stored(tmp_path / 'purged.db')


@pytest.fixture
def visitor(start: Start, stored: Stored, clock: MovableClock) -> Client:
    """Somebody not signed in, at a server with three expired tokens that has just purged."""
    visitor = Client(start(DATABASE_URL=f'sqlite:///{stored.path}'))
    visitor.register('ada')
    for _ in range(3):
        visitor.sign_in('ada')
    clock.move(seconds=3601)
    return visitor


def test_a_write_deletes_expired_tokens(visitor: Client, stored: Stored) -> None:
    visitor.register('bob')
    assert stored.count('tokens') == 0


def test_a_read_deletes_nothing(visitor: Client, stored: Stored) -> None:
    visitor.entry()
    visitor.request('HEAD', '/api')
    visitor.request('OPTIONS', '/api')
    assert stored.count('tokens') == 3


def test_a_refused_write_deletes_expired_tokens_too(visitor: Client, stored: Stored) -> None:
    assert visitor.register('a b').status == 400
    assert stored.count('tokens') == 0


def test_a_write_right_after_another_purges_nothing(
    visitor: Client, stored: Stored, clock: MovableClock
) -> None:
    visitor.register('bob')
    visitor.sign_in('bob')
    clock.move(seconds=3601)
    visitor.register('cyd')
    assert stored.count('tokens') == 0
    visitor.sign_in('cyd')
    clock.move(seconds=30)
    visitor.register('dan')
    assert stored.count('tokens') == 1


def test_purging_goes_on_when_the_clock_steps_back(
    visitor: Client, stored: Stored, clock: MovableClock
) -> None:
    clock.move(seconds=86400)
    visitor.register('bob')
    clock.move(seconds=-80000)
    visitor.sign_in('bob')
    clock.move(seconds=3700)
    visitor.register('cyd')
    assert stored.count('tokens') == 0


def test_a_backlog_is_worked_off_by_the_next_writes(
    start: Start, stored: Stored, clock: MovableClock
) -> None:
    visitor = Client(start(DATABASE_URL=f'sqlite:///{stored.path}'))
    visitor.register('ada')
    for _ in range(250):
        visitor.sign_in('ada')
    clock.move(seconds=3601)
    left = []
    for name in ('bob', 'cyd', 'dan'):
        visitor.register(name)
        left.append(stored.count('tokens'))
    assert left == [150, 50, 0]
