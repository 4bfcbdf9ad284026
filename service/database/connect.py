"""The engine that DATABASE_URL names."""

import logging

from service.config import Settings
from service.database.engine import Engine
from service.database.errors import ErrorKind, Unavailable
from service.database.mariadb import open_mariadb
from service.database.postgresql import open_postgresql
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
    cause = '. '.join(str(error.__cause__ or error).split('\n\t'))  # libpq's hint is a line of its own
    line = f'DATABASE_URL: cannot use {settings.database}: {cause}{"" if cause.endswith(("?", ".")) else "."}'
    if error.kind is ErrorKind.FORBIDDEN:
        return (
            f'{line.splitlines()[0].rstrip(".")}. Grant this user SELECT, INSERT, UPDATE and DELETE on all'
            ' tables, or make it the owner of the database, as creating or upgrading the tables requires.'
        )
    if settings.database_url.startswith('sqlite') or cause.endswith('?'):
        return line
    return f'{line} Is the server running, does the database exist, and may this user use it?'
