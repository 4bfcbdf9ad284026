"""The interface of an engine: a peewee database, and what differs between SQLite, PostgreSQL and MariaDB."""

import contextlib
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import peewee

from service.config import Settings
from service.database.errors import ErrorKind
from service.database.instrumentation import Instrumentation
from service.database.pool import ConnectionPool


class Engine(peewee.Database):
    """A peewee database whose connections autocommit, with what Session needs beyond peewee."""

    name: str
    startup_sql: tuple[str, ...] = ()  # run when a process opens the database
    ddl_sql: tuple[str, ...] = ()  # run before the schema is created or migrated
    bulk_load_sql: tuple[str, ...] = ()  # run before many rows are inserted
    bulk_loaded_sql: tuple[str, ...] = ()  # run after that
    has_transactional_ddl = True
    has_users = True  # whose rights the server checks
    read_only_sql = ''  # returns whether the server rejects writes
    lock_schema_sql = ''  # locks the schema, waiting while another process migrates it
    unlock_schema_sql = ''
    commit_can_be_ambiguous = True  # the connection can break between COMMIT and its acknowledgement

    def instrument(self, instrumentation: Instrumentation) -> None:
        """Call the instrumentation for every statement and checkout from now on."""
        self.query_hooks.append(instrumentation.statement_executed)

    def begin(self, *options: Any) -> None:
        """Begin a transaction."""
        self._measure('BEGIN', super().begin)

    def commit(self) -> None:
        """Commit the transaction."""
        self._measure('COMMIT', super().commit)

    def rollback(self) -> None:
        """Roll the transaction back; if that fails, close the connection, which has the same effect."""
        try:
            super().rollback()
        except peewee.PeeweeException:
            self.invalidate()

    def _measure(self, sql: str, run: Callable[[], None]) -> None:
        """Run a statement that peewee does not send through `execute_sql`, and call the hooks as it does."""
        started = time.perf_counter()
        try:
            run()
        finally:
            for hook in self.query_hooks:
                hook(peewee.QueryEvent(sql, None, time.perf_counter() - started, None))

    def queue(self, sql: str, parameters: Sequence[Any]) -> bool:
        """Return whether a statement of a transaction is queued, to be sent together with the next one."""
        return False

    def ddl(self, statement: str) -> str:
        """Return the statement of a migration in the dialect of the engine."""
        return statement

    def write_lock(self) -> contextlib.AbstractContextManager[None]:
        """Return a context manager that is held for the duration of a transaction."""
        return contextlib.nullcontext()

    def exists(self) -> bool:
        """Return whether the database exists, or True if only connecting could show it."""
        return True

    def check_writable(self) -> None:
        """Raise Unavailable if it is known without connecting that the database cannot be written to."""

    def may_create_tables(self) -> bool:
        """Return whether the user may create tables; True if this cannot be checked in advance."""
        return True

    def unsuitable_encoding(self) -> str:
        """Return the encoding of the database if it lacks characters, '' if it has all."""
        return ''

    @abstractmethod
    def release(self) -> None:
        """End this thread's use of its connection."""

    @abstractmethod
    def invalidate(self, kind: ErrorKind = ErrorKind.DISCONNECTED) -> None:
        """Close this thread's connection, because it is or may be broken; `kind` is the kind of the error."""

    def close_all(self) -> None:
        """Close this thread's connection, and those that no thread uses."""
        self.invalidate()

    @abstractmethod
    def classify(self, error: BaseException) -> ErrorKind:
        """Return the kind of an error of peewee or the driver."""

    @abstractmethod
    def violated_constraint(self, error: Any, sql: str) -> str | None:
        """Return the name in schema.sql of the constraint that rejected the statement, None if none did."""

    @abstractmethod
    def column_type(self, full_type: str) -> str:
        """Return the type of a column as schema.sql spells it; `full_type` is what introspection returns."""


class PooledEngine(Engine):
    """An engine that is reached over a network: it pools its connections."""

    def __init__(self, settings: Settings, *args: Any, **parameters: Any) -> None:
        self.timeout = settings.database_timeout
        self.lock_seconds = max(1, self.timeout * 4 // 5)  # waiting for a lock fails before the timeout
        self._pool = ConnectionPool(self, settings.database_pool, self.timeout)
        self._acquired = threading.local()
        super().__init__(*args, **parameters)

    @abstractmethod
    def open_connection(self) -> Any:
        """Return a new connection of the driver, which autocommits."""

    @abstractmethod
    def is_open(self, connection: Any) -> bool:
        """Return whether the connection is open as far as the client can tell."""

    def instrument(self, instrumentation: Instrumentation) -> None:
        """Call the instrumentation for every statement and checkout from now on."""
        super().instrument(instrumentation)
        self._pool.on_change = instrumentation.connections_checked_out

    def connect(self, reuse_if_open: bool = False) -> bool:
        """Check a connection out for this thread.

        It is acquired here and not in `_connect`, which peewee calls with a lock that all threads share.
        """
        if self.is_closed():
            self._acquired.connection = self._pool.acquire()
        return bool(super().connect(reuse_if_open))

    def _connect(self) -> Any:
        return self._acquired.connection

    def close(self) -> bool:
        """Return this thread's connection to the pool."""
        return self._check_in(self._pool.release)

    def release(self) -> None:
        """Return this thread's connection to the pool."""
        self.close()

    def invalidate(self, kind: ErrorKind = ErrorKind.DISCONNECTED) -> None:
        """Close this thread's connection and all idle ones: the cause has most likely broken them, too."""
        is_unresponsive = kind is ErrorKind.TIMED_OUT
        if not self._check_in(partial(self._pool.invalidate, is_unresponsive=is_unresponsive)):
            self._pool.close_idle()

    def _check_in(self, end: Callable[[Any], None]) -> bool:
        """Take this thread's connection from peewee and end its use; return whether there was one."""
        if self.is_closed():
            return False
        connection = self.connection()
        self.dispose()
        end(connection)
        return True
