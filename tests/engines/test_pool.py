"""The pool of connections: waiting, a server that is full, and one that does not respond."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pymysql
import pytest

from service.config import Settings
from service.database.connect import open_engine
from service.database.errors import ErrorKind
from service.database.pool import ConnectionPool, PoolTimeout


class Refused(Exception):
    """The server refused a connection; the first argument is the kind of error."""


class Connection:
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


class Driver:
    """A server that accepts a number of connections; `error` is the kind of error beyond it."""

    def __init__(self, limit: int, error: ErrorKind) -> None:
        self.limit = limit
        self.error = error
        self.opened = 0

    def open_connection(self) -> Any:
        if self.opened == self.limit:
            raise Refused(self.error)
        self.opened += 1
        return Connection()

    def is_open(self, connection: Any) -> bool:
        return not connection.is_closed

    def classify(self, error: BaseException) -> ErrorKind:
        kind = error.args[0]
        assert isinstance(kind, ErrorKind)
        return kind


def test_a_pool_waits_for_its_own_connection_if_the_server_is_full() -> None:
    pool = ConnectionPool(Driver(1, ErrorKind.FULL), 8, 10)
    first = pool.acquire()
    with ThreadPoolExecutor(1) as executor:
        second = executor.submit(pool.acquire)
        pool.release(first)
        assert second.result(10) is first


def test_a_full_server_is_reported_if_there_is_no_connection_to_wait_for() -> None:
    pool = ConnectionPool(Driver(0, ErrorKind.FULL), 8, 10)
    with pytest.raises(Refused):
        pool.acquire()


def test_the_size_limits_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('service.database.pool.STALL_SECONDS', 0.05)
    driver = Driver(9, ErrorKind.FULL)
    pool = ConnectionPool(driver, 2, 10)
    held = [pool.acquire(), pool.acquire()]
    with pytest.raises(PoolTimeout):
        pool.acquire()
    assert driver.opened == len(held)


def test_only_one_thread_at_a_time_tries_an_unresponsive_server() -> None:
    driver = Driver(9, ErrorKind.TIMED_OUT)
    pool = ConnectionPool(driver, 8, 10)
    pool.invalidate(pool.acquire(), is_unresponsive=True)
    trial = pool.acquire()
    with pytest.raises(PoolTimeout, match='does not respond'):
        pool.acquire()
    pool.release(trial)
    assert pool.acquire() is trial
    assert pool.acquire() is not trial


def test_waiting_threads_fail_once_the_server_is_unresponsive() -> None:
    pool = ConnectionPool(Driver(2, ErrorKind.TIMED_OUT), 2, 10)
    held = [pool.acquire(), pool.acquire()]
    is_waiting = threading.Event()

    def wait() -> None:
        is_waiting.set()
        with pytest.raises(PoolTimeout):
            pool.acquire()

    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(wait)
        is_waiting.wait()
        pool.invalidate(held[0], is_unresponsive=True)
        waiting.result(10)


def test_a_connection_timeout_makes_the_server_unresponsive() -> None:
    driver = Driver(0, ErrorKind.TIMED_OUT)
    pool = ConnectionPool(driver, 8, 10)
    with pytest.raises(Refused):
        pool.acquire()
    assert pool.is_unresponsive
    driver.limit = 1
    pool.release(pool.acquire())
    assert not pool.is_unresponsive


@pytest.mark.parametrize(
    ('raised', 'text'),
    [
        (pymysql.OperationalError(1273, 'Unknown collation'), 'The server is MySQL or too old'),
        (FileNotFoundError(2, 'No such file or directory', '/ca.pem'), 'ca.pem'),
    ],
)
def test_the_cause_of_a_failed_mariadb_connection_is_named(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, text: str
) -> None:
    def connect(**parameters: Any) -> Any:
        raise raised

    monkeypatch.setattr('pymysql.connect', connect)
    engine: Any = open_engine(Settings.from_environment({'DATABASE_URL': 'mysql://h/db?driver=pymysql'}))
    with pytest.raises(pymysql.OperationalError, match=text) as error:
        engine.open_connection()
    assert engine.classify(error.value) is not ErrorKind.BUG
