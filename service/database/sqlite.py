"""SQLite: one file on one machine."""

import contextlib
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

import peewee

from service.config import SettingError, Settings
from service.database.engine import Engine
from service.database.errors import READ_ONLY, ErrorKind, Unavailable, driver_error
from service.database.schema import CONSTRAINTS

LOCK_SECONDS = 10  # that a transaction waits for the one that writes
# The first 2 GiB of the file, which is the most that SQLite maps into memory, are read without copying. With
# 1,000,000 users this more than halves the time for a feed, whose authors are far apart in the file.
MMAP_BYTES = 0x7FFF0000
SPARE_BYTES = 65536  # of free disk space, which a transaction may need

_BUGS = ('SQLITE_ERROR', 'SQLITE_RANGE', 'SQLITE_TOOBIG')
_UNAVAILABLE = ('SQLITE_NOTADB', 'SQLITE_CORRUPT')  # raised as DatabaseError, not OperationalError
_CONFLICTS = ('SQLITE_BUSY_SNAPSHOT', 'SQLITE_LOCKED')
# SQLite names the columns of a violated constraint.
_CONSTRAINT_OF_COLUMNS = {
    ', '.join(f'{constraint.table}.{column}' for column in constraint.columns): constraint.name
    for constraint in CONSTRAINTS
}


class SqliteEngine(Engine, peewee.SqliteDatabase):
    """A SQLite file; each thread keeps its connection, since opening one costs more than most requests."""

    name = 'sqlite'
    startup_sql = ('PRAGMA journal_mode = wal',)  # persistent, but not in a copy made by VACUUM INTO
    ddl_sql = startup_sql
    bulk_load_sql = ('PRAGMA wal_autocheckpoint = 50000',)  # else pages are written to the file repeatedly
    has_users = False
    commit_can_be_ambiguous = False

    def __init__(self, path: str, synchronous: str) -> None:
        self._write_lock = threading.Lock()
        pragmas = {'foreign_keys': 1, 'mmap_size': MMAP_BYTES, 'synchronous': synchronous}
        # SQLite's deferred transactions, which begin by reading, can fail when they write.
        super().__init__(path, timeout=LOCK_SECONDS, pragmas=pragmas, lock_type='IMMEDIATE')

    def ddl(self, statement: str) -> str:
        """Return the statement without what SQLite lacks: its migrations are applied as a whole anyway."""
        return statement.replace('ADD COLUMN IF NOT EXISTS', 'ADD COLUMN')

    @contextlib.contextmanager
    def write_lock(self) -> Iterator[None]:
        """Let one thread of this process write at a time; raises OperationalError after LOCK_SECONDS.

        SQLite itself admits one writer and makes all others poll, which takes longer than waiting for a lock.
        """
        if not self._write_lock.acquire(timeout=LOCK_SECONDS):
            raise peewee.OperationalError('database is locked')
        try:
            yield
        finally:
            self._write_lock.release()

    def exists(self) -> bool:
        """Return whether the file exists; connecting would create it."""
        return os.path.exists(self.database)

    def check_writable(self) -> None:
        """Raise Unavailable if this process may not write to the file or its folder, or the disk is full."""
        folder = os.path.dirname(os.path.abspath(self.database))
        if not all(os.access(path, os.W_OK) for path in (folder, self.database) if os.path.exists(path)):
            raise Unavailable(READ_ONLY)
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(SPARE_BYTES))
                file.flush()
        except OSError as error:
            raise Unavailable(
                f'Nothing can be written to the folder of the database: {error.strerror}. Check the disk.'
            ) from None

    def release(self) -> None:
        """Keep this thread's connection open."""

    def invalidate(self, kind: ErrorKind = ErrorKind.DISCONNECTED) -> None:
        """Close this thread's connection."""
        self.close()

    def classify(self, error: BaseException) -> ErrorKind:
        """Return the kind of the error, by SQLite's result code (sqlite.org/rescode.html)."""
        cause = driver_error(error)
        name = getattr(cause, 'sqlite_errorname', '')
        if name in _CONFLICTS:
            return ErrorKind.CONFLICT
        if name == 'SQLITE_BUSY':
            return ErrorKind.LOCKED
        is_operational = isinstance(cause, (sqlite3.OperationalError, peewee.OperationalError))
        return (
            ErrorKind.UNAVAILABLE
            if name in _UNAVAILABLE or (is_operational and name not in _BUGS)
            else ErrorKind.BUG
        )

    def violated_constraint(self, error: Any, sql: str) -> str | None:
        """Return the constraint that an IntegrityError reports."""
        if not isinstance(error, peewee.IntegrityError):
            return None
        columns = str(driver_error(error)).rpartition(': ')[2]  # never contains values
        return _CONSTRAINT_OF_COLUMNS.get(columns, columns)

    def column_type(self, full_type: str) -> str:
        """Return the declared type, which SQLite keeps unchanged."""
        return full_type


def open_sqlite(settings: Settings) -> SqliteEngine:
    """Return the engine for a URL such as sqlite:///relative.db or sqlite:////absolute/file.db.

    Raises SettingError.
    """
    rest = settings.database_url.partition('://')[2]
    path = rest.removeprefix('/')
    if path == rest or not path or ':memory:' in path:
        raise SettingError(
            'DATABASE_URL: must name a file: sqlite:///relative.db or sqlite:////absolute/file.db'
        )
    if '?' in path:
        raise SettingError('DATABASE_URL: SQLite takes no parameters; remove the ? and what follows')
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise SettingError(f'DATABASE_URL: the folder {folder!r} does not exist; create it')
    if os.path.isdir(path):
        raise SettingError(f'DATABASE_URL: {path!r} is a folder; name a file')
    if not os.access(folder, os.W_OK):
        raise SettingError(f'DATABASE_URL: this user may not create or write files in {folder!r}')
    return SqliteEngine(path, settings.sqlite_synchronous)
