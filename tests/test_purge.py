"""Purging: requests that issue a token also delete expired rows, and no other requests do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.client import Client
from tests.clock import MovableClock
from tests.conftest import Start


class DatabaseFile:
    """A SQLite file, which is read by a connection of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def count(self, table: str) -> int:
        with closing(sqlite3.connect(self.path)) as connection:
            return int(connection.execute(f'SELECT COUNT(*) FROM {table}').fetchone()[0])


@pytest.fixture
def database_file(tmp_path: Path) -> DatabaseFile:
    return DatabaseFile(tmp_path / 'purged.db')


@pytest.fixture
def ada(start: Start, database_file: DatabaseFile, clock: MovableClock) -> Client:
    """Ada, whose token expires in one second, on a server with three expired tokens."""
    anonymous = Client(start(DATABASE_URL=f'sqlite:///{database_file.path}'))
    anonymous.register('ada')
    for _ in range(3):
        anonymous.sign_in('ada')
    clock.move(seconds=2)
    ada = anonymous.sign_in('ada')
    clock.move(seconds=3599)
    return ada


def test_a_sign_in_deletes_expired_tokens(ada: Client, database_file: DatabaseFile) -> None:
    ada.sign_in('ada')
    assert database_file.count('tokens') == 2


def test_a_renewal_deletes_expired_tokens(ada: Client, database_file: DatabaseFile) -> None:
    assert ada.post(ada.entry().href('hc:tokens')).status == 200
    assert database_file.count('tokens') == 2  # the renewed token stays valid for 30 seconds


def test_other_requests_delete_nothing(ada: Client, database_file: DatabaseFile) -> None:
    ada.entry()
    ada.request('HEAD', '/api')
    ada.request('OPTIONS', '/api')
    ada.publish('Hello')
    assert Client(ada.app).post('/api/tokens', {'username': 'ada', 'password': 'wrong'}).status == 401
    assert database_file.count('tokens') == 4


def test_a_sign_in_deletes_expired_idempotency_keys_and_attempts(
    ada: Client, database_file: DatabaseFile, clock: MovableClock
) -> None:
    ada.post('/api/posts', {'body': 'Hello'}, headers={'Idempotency-Key': '"k"'})
    assert database_file.count('idempotency_keys') == 1
    assert database_file.count('tries') > 0
    clock.move(seconds=24 * 3600 + 1)
    ada.sign_in('ada')
    assert (database_file.count('idempotency_keys'), database_file.count('tries')) == (0, 0)


def test_expired_tokens_are_deleted_after_the_clock_steps_back(
    ada: Client, database_file: DatabaseFile, clock: MovableClock
) -> None:
    clock.move(seconds=-80000)
    ada.sign_in('ada')
    clock.move(seconds=83700)
    ada.sign_in('ada')
    assert database_file.count('tokens') == 1


def test_a_backlog_is_deleted_in_batches_by_the_next_sign_ins(
    start: Start, database_file: DatabaseFile, clock: MovableClock
) -> None:
    anonymous = Client(start(DATABASE_URL=f'sqlite:///{database_file.path}'))
    names = ('ada', 'bob', 'cleo')
    for name in names:
        anonymous.register(name)
    for number in range(250):
        anonymous.sign_in(names[number % 3])
    clock.move(seconds=3601)
    remaining = []
    for _ in range(3):
        anonymous.sign_in('ada')
        remaining.append(database_file.count('tokens'))
    assert remaining == [151, 52, 3]
