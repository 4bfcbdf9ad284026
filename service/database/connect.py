"""The engine that DATABASE_URL names."""

import logging

from service.config import Settings
from service.database.engine import Engine
from service.database.errors import ErrorKind, Unavailable, driver_error
from service.database.mariadb import open_mariadb
from service.database.postgresql import SWITCHED_BY_POOLER, open_postgresql
from service.database.sqlite import open_sqlite


def open_engine(settings: Settings) -> Engine:
    """Return the engine that DATABASE_URL names; it connects when it is first used.

    Raises SettingError if the URL cannot name a database.
    """
    logging.getLogger('peewee').setLevel(logging.INFO)  # its debug output contains password hashes
    scheme = settings.database_url.partition('://')[0]
    if scheme == 'postgresql':
        return open_postgresql(settings)
    if scheme == 'mysql':
        return open_mariadb(settings)
    return open_sqlite(settings)


def describe_failure(settings: Settings, error: Unavailable) -> str:
    """Return one line for the operator: which database cannot be used, why, and what to check."""
    reason = '. '.join(str(error.__cause__ or error).split('\n\t'))  # libpq's hint is a line of its own
    cause = reason.partition('\n')[0]  # PostgreSQL's next lines quote the statement
    line = f'DATABASE_URL: cannot use {settings.database}: {cause}{"" if cause.endswith(("?", ".")) else "."}'
    if error.kind is ErrorKind.FORBIDDEN:
        return (
            f'{line.rstrip(".")}. Grant this user SELECT, INSERT, UPDATE and DELETE on all'
            ' tables, or make it the owner of the database, as creating or upgrading the tables requires.'
        )
    if getattr(driver_error(error.__cause__), 'sqlstate', None) in SWITCHED_BY_POOLER:
        return f'{line} Add prepared_statements=off if a pooler in transaction mode is in between.'
    if settings.database_url.startswith('sqlite') or cause.endswith('?'):
        return line
    return f'{line} Is the server running, does the database exist, and may this user use it?'
