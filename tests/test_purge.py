"""Purging: issuing a token deletes expired rows; no other request does."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.client import Client
from tests.clock import MovableClock
from tests.conftest import Start


class Stored:
    """A database, read by another connection."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def count(self, table: str) -> int:
        with closing(sqlite3.connect(self.path)) as connection:
            return int(connection.execute(f'SELECT COUNT(*) FROM {table}').fetchone()[0])


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    return Stored(tmp_path / 'purged.db')


@pytest.fixture
def ada(start: Start, stored: Stored, clock: MovableClock) -> Client:
    """Ada, whose token expires in one second, at a server with three expired tokens."""
    anonymous = Client(start(DATABASE_URL=f'sqlite:///{stored.path}'))
    anonymous.register('ada')
    for _ in range(3):
        anonymous.sign_in('ada')
    clock.move(seconds=2)
    ada = anonymous.sign_in('ada')
    clock.move(seconds=3599)
    return ada


def test_a_sign_in_deletes_expired_tokens(ada: Client, stored: Stored) -> None:
    ada.sign_in('ada')
    assert stored.count('tokens') == 2


def test_a_renewal_deletes_expired_tokens(ada: Client, stored: Stored) -> None:
    assert ada.post(ada.entry().href('hc:tokens')).status == 200
    assert stored.count('tokens') == 2  # the renewed token stays valid for 30 seconds


def test_other_requests_delete_nothing(ada: Client, stored: Stored) -> None:
    ada.entry()
    ada.request('HEAD', '/api')
    ada.request('OPTIONS', '/api')
    ada.publish('Hello')
    assert Client(ada.app).post('/api/tokens', {'username': 'ada', 'password': 'wrong'}).status == 401
    assert stored.count('tokens') == 4


def test_a_sign_in_deletes_expired_idempotency_keys_and_attempts(
    ada: Client, stored: Stored, clock: MovableClock
) -> None:
    ada.post('/api/posts', {'body': 'Hello'}, headers={'Idempotency-Key': '"k"'})
    assert stored.count('idempotency_keys') == 1
    assert stored.count('tries') > 0
    clock.move(seconds=24 * 3600 + 1)
    ada.sign_in('ada')
    assert (stored.count('idempotency_keys'), stored.count('tries')) == (0, 0)


def test_deletion_continues_when_the_clock_steps_back(
    ada: Client, stored: Stored, clock: MovableClock
) -> None:
    clock.move(seconds=-80000)
    ada.sign_in('ada')
    clock.move(seconds=83700)
    ada.sign_in('ada')
    assert stored.count('tokens') == 1


def test_a_backlog_is_deleted_in_batches_by_the_next_sign_ins(
    start: Start, stored: Stored, clock: MovableClock
) -> None:
    anonymous = Client(start(DATABASE_URL=f'sqlite:///{stored.path}'))
    names = ('ada', 'bob', 'cleo')
    for name in names:
        anonymous.register(name)
    for number in range(250):
        anonymous.sign_in(names[number % 3])
    clock.move(seconds=3601)
    remaining = []
    for _ in range(3):
        anonymous.sign_in('ada')
        remaining.append(stored.count('tokens'))
    assert remaining == [151, 52, 3]
