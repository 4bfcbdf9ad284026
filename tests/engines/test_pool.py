"""The connection pool: waiting for a connection, a full server, and an unresponsive server."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import bcrypt
import psycopg
import pymysql
import pytest

from service.config import Settings
from service.database.connect import open_engine
from service.database.errors import ErrorKind
from service.database.instrumentation import Instrumentation
from service.database.pool import ConnectionPool, PoolTimeout
from service.database.session import Session
from service.domain.tokens import sign_in
from tests.client import PASSWORD
from tests.domain.users import register


class ConnectionRefused(Exception):
    """The server refused a connection; the first argument is the kind of error."""


class FakeConnection:
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


class FakeDriver:
    """A driver whose server accepts `limit` connections; opening more fails with this kind of error."""

    def __init__(self, limit: int, error: ErrorKind) -> None:
        self.limit = limit
        self.error = error
        self.open_count = 0

    def open_connection(self) -> Any:
        if self.open_count == self.limit:
            raise ConnectionRefused(self.error)
        self.open_count += 1
        return FakeConnection()

    def is_open(self, connection: Any) -> bool:
        return not connection.is_closed

    def classify(self, error: BaseException) -> ErrorKind:
        kind = error.args[0]
        assert isinstance(kind, ErrorKind)
        return kind


def test_a_pool_waits_for_its_own_connection_if_the_server_is_full() -> None:
    pool = ConnectionPool(FakeDriver(1, ErrorKind.FULL), 8, 10)
    first = pool.acquire()
    with ThreadPoolExecutor(1) as executor:
        second = executor.submit(pool.acquire)
        pool.release(first)
        assert second.result(10) is first


def test_postgresql_is_full_if_it_accepts_no_more_connections(postgresql: Session) -> None:
    """The driver has no SQLSTATE while connecting, so formerly requests failed that could have waited."""
    role = f'limited_{uuid4().hex}'
    parts = urlsplit(postgresql.settings.database_url)
    url = parts._replace(netloc=f'{role}:secret@{parts.netloc.rpartition("@")[2]}').geturl()
    postgresql.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret' CONNECTION LIMIT 1")
    try:
        engine = open_engine(Settings(database_url=url))
        with closing(engine.open_connection()), pytest.raises(psycopg.OperationalError) as error:
            engine.open_connection()
        assert engine.classify(error.value) is ErrorKind.FULL
    finally:
        postgresql.execute(f'DROP ROLE {role}')


def test_a_full_server_is_reported_if_there_is_no_connection_to_wait_for() -> None:
    pool = ConnectionPool(FakeDriver(0, ErrorKind.FULL), 8, 10)
    with pytest.raises(ConnectionRefused):
        pool.acquire()


def test_the_size_limits_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('service.database.pool.STALL_SECONDS', 0.05)
    driver = FakeDriver(9, ErrorKind.FULL)
    pool = ConnectionPool(driver, 2, 10)
    pool.acquire()
    pool.acquire()
    with pytest.raises(PoolTimeout):
        pool.acquire()
    assert driver.open_count == 2


def test_only_one_thread_at_a_time_tries_an_unresponsive_server() -> None:
    driver = FakeDriver(9, ErrorKind.TIMED_OUT)
    pool = ConnectionPool(driver, 8, 10)
    pool.invalidate(pool.acquire(), is_unresponsive=True)
    trial = pool.acquire()
    with pytest.raises(PoolTimeout, match='does not respond'):
        pool.acquire()
    pool.release(trial)
    assert pool.acquire() is trial
    assert pool.acquire() is not trial


def test_waiting_threads_fail_once_the_server_is_unresponsive() -> None:
    pool = ConnectionPool(FakeDriver(2, ErrorKind.TIMED_OUT), 2, 10)
    connection, _ = pool.acquire(), pool.acquire()
    is_waiting = threading.Event()

    def wait() -> None:
        is_waiting.set()
        with pytest.raises(PoolTimeout):
            pool.acquire()

    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(wait)
        is_waiting.wait()
        pool.invalidate(connection, is_unresponsive=True)
        waiting.result(10)


def test_a_connection_timeout_makes_the_server_unresponsive() -> None:
    driver = FakeDriver(0, ErrorKind.TIMED_OUT)
    pool = ConnectionPool(driver, 8, 10)
    with pytest.raises(ConnectionRefused):
        pool.acquire()
    assert pool.is_unresponsive
    driver.limit = 1
    pool.release(pool.acquire())
    assert not pool.is_unresponsive


@pytest.mark.parametrize(
    ('error', 'message'),
    [
        (pymysql.OperationalError(1273, 'Unknown collation'), 'The server is MySQL or too old'),
        (FileNotFoundError(2, 'No such file or directory', '/ca.pem'), 'ca.pem'),
    ],
)
def test_the_cause_of_a_failed_mariadb_connection_is_named(
    monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def connect(**parameters: Any) -> Any:
        raise error

    monkeypatch.setattr('pymysql.connect', connect)
    engine: Any = open_engine(Settings.from_environment({'DATABASE_URL': 'mysql://h/db?driver=pymysql'}))
    with pytest.raises(pymysql.OperationalError, match=message) as raised:
        engine.open_connection()
    assert engine.classify(raised.value) is not ErrorKind.BUG


class Connections(Instrumentation):
    """The number of connections that are checked out of the pool."""

    in_use = 0

    def connections_checked_out(self, change: int) -> None:
        self.in_use += change


def test_no_connection_is_held_while_a_password_is_hashed(
    postgresql: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(postgresql, 'ada')
    postgresql.release()
    connections, in_use = Connections(), []
    postgresql.engine.instrument(connections)

    def check(*_: bytes) -> bool:
        in_use.append(connections.in_use)
        return True

    monkeypatch.setattr(bcrypt, 'checkpw', check)
    sign_in(postgresql, username='ada', password=PASSWORD, user_agent=None)
    assert in_use == [0]
    assert connections.in_use == 1
