"""The engine that DATABASE_URL names."""

import logging

from service.config import Settings
from service.database.engine import Engine
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
