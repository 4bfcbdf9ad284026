"""A bounded pool of connections, which blocks when it is exhausted."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

MAX_CONNECTIONS = 8  # of one process: as many as gunicorn.conf.py gives it threads
TIMEOUT_SECONDS = 5.0  # for a connection that another thread has checked out


class PoolTimeout(Exception):
    """No connection became available in time."""


class ConnectionPool:
    """Checks each connection out to one thread until it is released.

    Unlike playhouse.pool it does not ping on checkout, and no thread waits while another connects: a dead
    connection is found by using it, and `invalidate` replaces it. `connect` opens a connection, `is_open`
    tells whether one is usable as far as this side knows; `on_change` is called with 1 for each checkout, and
    with -1 when it ends.
    """

    def __init__(self, connect: Callable[[], Any], is_open: Callable[[Any], bool]) -> None:
        self._connect = connect
        self._is_open = is_open
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._idle: deque[Any] = deque()
        self.on_change: Callable[[int], None] = lambda change: None

    def acquire(self) -> Any:
        """Return the connection that was used last, or a new one.

        Raises PoolTimeout if none becomes available in TIMEOUT_SECONDS, and what `connect` raises.
        """
        if not self._slots.acquire(timeout=TIMEOUT_SECONDS):
            raise PoolTimeout(f'No connection became available in {TIMEOUT_SECONDS:g} s.')
        self.on_change(1)
        try:
            with contextlib.suppress(IndexError):
                return self._idle.pop()
            return self._connect()
        except BaseException:
            self._free_slot()
            raise

    def release(self, connection: Any) -> None:
        """Make the connection available to other threads, if it is still open."""
        if self._is_open(connection):
            self._idle.append(connection)
        self._free_slot()

    def invalidate(self, connection: Any) -> None:
        """Close the connection and all idle ones: what broke one has most likely broken them."""
        _close(connection)
        self._free_slot()
        self.close_idle()

    def close_idle(self) -> None:
        """Close the connections that no thread has checked out."""
        with contextlib.suppress(IndexError):
            while True:
                _close(self._idle.pop())

    def _free_slot(self) -> None:
        self.on_change(-1)
        self._slots.release()


def _close(connection: Any) -> None:
    with contextlib.suppress(Exception):  # a broken connection may fail in any way
        connection.close()
