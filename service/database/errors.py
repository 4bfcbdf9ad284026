"""Database errors, classified by what the caller can do about them."""

import enum
from typing import Any

import peewee


class ErrorKind(enum.Enum):
    """The kinds of database errors, by what the caller can do."""

    BUG = 'the statement is wrong: it would fail again'
    CONFLICT = 'another transaction interfered: run the whole transaction again'
    DISCONNECTED = 'the connection is unusable: try again on a new one'
    TIMED_OUT = 'no response within DATABASE_TIMEOUT: the connection is unusable, and a new one may be, too'
    FULL = 'the server accepts no more connections'
    LOCKED = 'another connection holds the lock of the whole database'
    FORBIDDEN = 'the user of DATABASE_URL lacks the right'
    UNAVAILABLE = 'the engine cannot execute it now: out of memory, space or time'


READ_ONLY = 'The database is read-only.'
LOST = (ErrorKind.DISCONNECTED, ErrorKind.TIMED_OUT)  # kinds after which a connection is closed


def driver_error(error: Any) -> Any:
    """Return the driver's exception that peewee has wrapped; errors while connecting are wrapped twice."""
    while isinstance(error, peewee.PeeweeException) and hasattr(error, 'orig'):
        error = error.orig
    return error


class Unavailable(Exception):
    """The database cannot be reached, or cannot execute the statement now; the text is for clients."""

    def __init__(self, detail: str, kind: ErrorKind = ErrorKind.UNAVAILABLE) -> None:
        super().__init__(detail)
        self.kind = kind


class SchemaMismatch(Unavailable):
    """The database is available, but its schema is not the one that this code needs."""


class ConstraintViolation(peewee.IntegrityError):
    """A constraint rejected a row; `constraint` is its name in schema.sql, or '' if the engine names none."""

    def __init__(self, constraint: str) -> None:
        super().__init__(f'violates {constraint or "a constraint"}')
        self.constraint = constraint
