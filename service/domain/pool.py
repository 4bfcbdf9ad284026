"""Connections that are kept and lent, for the engines that are reached over a network."""

import contextlib
import threading
from abc import abstractmethod
from collections import deque
from typing import Any

import peewee

CONNECTIONS = 8  # of one process: as many as gunicorn.conf.py gives it threads
WAIT_SECONDS = 5.0  # for a connection that another thread has


class Pool(peewee.Database):
    """A peewee database that keeps its connections and lends each to one thread, from use to `close`.

    peewee's own pool asks the server whenever it lends a connection whether it is alive, and has everybody
    wait while one thread connects. Here a dead one is found by using it, and `discard` replaces it.
    Who finds all of them lent waits, then gets OperationalError.
    """

    _state: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._places = threading.BoundedSemaphore(CONNECTIONS)
        self._idle: deque[Any] = deque()
        super().__init__(*args, **kwargs)
        self._lock = contextlib.nullcontext()  # all that it guards is each thread's own

    def _connect(self) -> Any:
        if not self._places.acquire(timeout=WAIT_SECONDS):
            raise peewee.OperationalError(f'All {CONNECTIONS} connections were in use for too long.')
        try:
            with contextlib.suppress(IndexError):
                while True:
                    connection = self._idle.pop()  # the last used, so that few are
                    if self._is_open(connection):
                        return connection
            return self._open()
        except BaseException:
            self._places.release()
            raise

    def _close(self, connection: Any) -> None:
        self._idle.append(connection)
        self._places.release()

    @abstractmethod
    def _open(self) -> Any:
        """Return a new connection."""

    @abstractmethod
    def _is_open(self, connection: Any) -> bool:
        """Whether this side has not closed it."""

    def turn_to_write(self) -> contextlib.AbstractContextManager[None]:
        """Let all write at the same time."""
        return contextlib.nullcontext()

    def release(self) -> None:
        """Give this thread's connection back."""
        self.close()

    def discard(self) -> None:
        """End this thread's connection, and all that nobody uses: what broke one has broken them."""
        connection = self._state.conn
        if connection is not None:
            self._state.reset()
            self._end(connection)
            self._places.release()
        with contextlib.suppress(IndexError):
            while True:
                self._end(self._idle.pop())

    def close_all(self) -> None:
        """End this thread's connection, and all that nobody uses."""
        self.discard()

    def _end(self, connection: Any) -> None:
        with contextlib.suppress(Exception):  # it may be anything by now
            connection.close()
