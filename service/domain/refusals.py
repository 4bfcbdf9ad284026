"""What it means when an engine refuses: the one page that knows each engine's error codes."""

import enum
import re
import sqlite3
from typing import Any

import peewee
import psycopg
import pymysql

from service.domain.schema import CONSTRAINTS


class Meaning(enum.Enum):
    """What an engine's error says about trying again."""

    MISTAKE = 'the statement is wrong: it stays wrong'
    CROSSED = 'another transaction was in the way: run the whole transaction again'
    LOST = 'the connection is of no use any more: try on a new one'
    UNABLE = 'the engine cannot do it now: no memory, no space, no time'


_SQLITE_MISTAKES = ('SQLITE_ERROR', 'SQLITE_RANGE', 'SQLITE_TOOBIG')
_SQLITE_UNABLE = ('SQLITE_NOTADB', 'SQLITE_CORRUPT')  # which sqlite3 takes for no matter of operation
_SQLITE_CROSSED = ('SQLITE_BUSY_SNAPSHOT', 'SQLITE_LOCKED')

# SQLSTATE, by its first characters (PostgreSQL's manual, appendix A).
_POSTGRESQL = (
    ('40', Meaning.CROSSED),  # serialization failure, deadlock
    ('08', Meaning.LOST),
    ('57P', Meaning.LOST),  # the server stops or starts, or ended this session
    ('25P03', Meaning.LOST),  # so did it here
    ('25006', Meaning.LOST),  # a standby by now: the one that takes writes is elsewhere
    ('0A000', Meaning.LOST),  # "cached plan must not change result type", after a migration
    ('53', Meaning.UNABLE),
    ('55', Meaning.UNABLE),  # a lock was waited for too long
    ('57', Meaning.UNABLE),
    ('58', Meaning.UNABLE),
)

# Error numbers (MariaDB's manual, "MariaDB Error Code Reference"); from 2000 on they are the client's own.
_MARIADB = {
    Meaning.CROSSED: (1020, 1180, 1205, 1213),
    Meaning.LOST: (0, 1040, 1047, 1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1184, 1290, 1836, 1927),
    Meaning.UNABLE: (
        *(1021, 1026, 1028, 1030, 1034, 1037, 1038, 1041, 1114, 1206),  # no space, no memory
        *(1044, 1045, 1049, 1129, 1130, 1203, 1226),  # no entry
        *(1317, 1637, 1969),  # stopped, or out of time
    ),
}
_MARIADB_MEANING = {number: meaning for meaning, numbers in _MARIADB.items() for number in numbers}
_MARIADB_NAME = re.compile(r"for key '(?:\w+\.)?(\w+)'$|CONSTRAINT `(\w+)` (?:failed for|FOREIGN KEY)")
_MARIADB_PRIMARY_KEY = 'PRIMARY'
_INSERT = re.compile(r'INSERT INTO \W?(\w+)')

_OF_COLUMNS = {
    ', '.join(f'{constraint.table}.{column}' for column in constraint.columns): constraint.name
    for constraint in CONSTRAINTS
}
_PRIMARY_KEYS = {constraint.table: constraint.name for constraint in CONSTRAINTS if constraint.is_primary}
# Keys that the application makes by chance or that one thread alone writes, never what a client chose.
_MADE_HERE = {constraint.name for constraint in CONSTRAINTS if constraint.columns == ('id',)} | {
    'commits_writer'
}


def meaning_of(error: BaseException | None) -> Meaning:
    """Return what peewee's or a driver's error says about trying again."""
    cause = getattr(error, 'orig', error)
    inner = getattr(cause, 'orig', cause)  # what connecting meets is wrapped twice
    if isinstance(inner, sqlite3.Error):
        return _meaning_of_sqlite(inner)
    if isinstance(cause, psycopg.Error):
        return _meaning_of_postgresql(cause)
    if isinstance(cause, pymysql.Error):
        return _meaning_of_mariadb(cause)
    return Meaning.UNABLE if isinstance(cause, peewee.OperationalError) else Meaning.MISTAKE


def is_busy(error: BaseException | None) -> bool:
    """Whether SQLite did not get to what somebody else has in hand."""
    return getattr(getattr(error, 'orig', None), 'sqlite_errorname', '') == 'SQLITE_BUSY'


def _meaning_of_sqlite(error: sqlite3.Error) -> Meaning:
    name = getattr(error, 'sqlite_errorname', '')
    if name in _SQLITE_CROSSED:
        return Meaning.CROSSED
    if name in _SQLITE_UNABLE or (
        isinstance(error, sqlite3.OperationalError) and name not in _SQLITE_MISTAKES
    ):
        return Meaning.UNABLE
    return Meaning.MISTAKE


def _meaning_of_postgresql(error: psycopg.Error) -> Meaning:
    if error.sqlstate is None:  # it is the driver that says it: there is no connection, or none any more
        is_ours = isinstance(error, psycopg.ProgrammingError | psycopg.DataError | psycopg.NotSupportedError)
        return Meaning.MISTAKE if is_ours else Meaning.LOST
    return next((said for start, said in _POSTGRESQL if error.sqlstate.startswith(start)), Meaning.MISTAKE)


def _meaning_of_mariadb(error: pymysql.Error) -> Meaning:
    number = error.args[0] if error.args else 0
    if not isinstance(number, int):
        return Meaning.MISTAKE
    return Meaning.LOST if 2000 <= number < 3000 else _MARIADB_MEANING.get(number, Meaning.MISTAKE)


def violated(error: BaseException) -> str:
    """Return the name of the constraint that refused a row, as schema.sql has it, or ''."""
    cause: Any = getattr(error, 'orig', error)
    if isinstance(cause, psycopg.Error):
        return cause.diag.constraint_name or ''
    if isinstance(cause, pymysql.Error):
        match = _MARIADB_NAME.search(str(cause.args[-1]))
        name = (match[1] or match[2]) if match else ''
        return _primary_key_of(getattr(error, 'statement', '')) if name == _MARIADB_PRIMARY_KEY else name
    named = str(cause).rpartition(': ')[2]  # SQLite names columns, never values
    return _OF_COLUMNS.get(named, named)


def _primary_key_of(statement: str) -> str:
    """Return the name of the primary key of the table inserted into: MariaDB calls them all PRIMARY."""
    table = _INSERT.match(statement)
    return _PRIMARY_KEYS.get(table[1], '') if table else ''


def has_collided(error: BaseException) -> bool:
    """Whether a row was refused for an id made here, in the same millisecond as another process's."""
    return violated(error) in _MADE_HERE
