"""A bounded pool of connections, which blocks when it is exhausted."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from service.database.errors import ErrorKind

STALL_SECONDS = 3.0  # without a connection checked out or returned, after which waiting ends


class PoolTimeout(Exception):
    """No connection became available in time."""


class ConnectionFactory(Protocol):
    """The part of an engine that a pool needs."""

    def open_connection(self) -> Any: ...

    def is_open(self, connection: Any) -> bool: ...

    def classify(self, error: BaseException) -> ErrorKind: ...


class ConnectionPool:
    """Checks each connection out to one thread until it is released.

    Unlike playhouse.pool it does not ping on checkout, and no thread waits while another connects: a dead
    connection is found by using it, and `invalidate` replaces it. `on_change` is called with 1 for each
    checkout, and with -1 when it ends.

    If the database did not respond in time, one thread at a time tries again, and the others fail at once.
    """

    def __init__(self, factory: ConnectionFactory, size: int, timeout: float) -> None:
        self._factory = factory
        self._size = size
        self._timeout = timeout
        self._changed = threading.Condition()
        self._idle: deque[Any] = deque()
        self._in_use = 0
        self._last_change = time.monotonic()
        self.is_unresponsive = False
        self.on_change: Callable[[int], None] = lambda change: None

    def acquire(self) -> Any:
        """Return the connection that was used last, or a new one.

        While the server accepts no more connections, it waits for one of the pool. Raises PoolTimeout if none
        becomes available in time, and what opening one raises.
        """
        can_open = True
        while True:
            connection = self._reserve(can_open=can_open)
            if connection is not None:
                return connection
            try:
                return self._factory.open_connection()
            except BaseException as error:
                kind = self._factory.classify(error)
                self._free(is_unresponsive=kind is ErrorKind.TIMED_OUT)
                if kind is not ErrorKind.FULL or not self._has_connections():
                    raise
            can_open = False

    def _reserve(self, *, can_open: bool) -> Any:
        """Return an idle connection, or None if the caller may open one."""
        with self._changed:
            deadline = time.monotonic() + self._timeout
            while True:
                if self.is_unresponsive and self._in_use:
                    raise PoolTimeout('The database does not respond.')
                if self._idle or (self._in_use < self._size and (can_open or not self._in_use)):
                    self._in_use += 1
                    self._last_change = time.monotonic()
                    self.on_change(1)
                    return self._idle.pop() if self._idle else None
                remaining = min(deadline, self._last_change + STALL_SECONDS) - time.monotonic()
                if remaining <= 0:
                    raise PoolTimeout('No connection became available in time.')
                self._changed.wait(remaining)

    def _has_connections(self) -> bool:
        with self._changed:
            return bool(self._in_use or self._idle)

    def release(self, connection: Any) -> None:
        """Make the connection available to other threads, if it is still open."""
        is_open = self._factory.is_open(connection)
        with self._changed:
            if is_open:
                self._idle.append(connection)
        self._free(is_unresponsive=self.is_unresponsive and not is_open)

    def invalidate(self, connection: Any, *, is_unresponsive: bool = False) -> None:
        """Close the connection and all idle ones: the cause has most likely broken them, too."""
        _close(connection)
        self.close_idle()
        self._free(is_unresponsive=is_unresponsive or self.is_unresponsive)

    def close_idle(self) -> None:
        """Close the connections that no thread has checked out."""
        with contextlib.suppress(IndexError):
            while True:
                _close(self._idle.pop())

    def _free(self, *, is_unresponsive: bool) -> None:
        with self._changed:
            self._in_use -= 1
            self.is_unresponsive = is_unresponsive
            self._last_change = time.monotonic()
            self.on_change(-1)
            if is_unresponsive:
                self._changed.notify_all()
            else:
                self._changed.notify()


def _close(connection: Any) -> None:
    with contextlib.suppress(Exception):  # a broken connection may fail in any way
        connection.close()
