"""The test databases: one for each engine in each test process, emptied before each test."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pymysql

from service.config import Settings
from service.database.clock import Clock, system_clock
from service.database.connect import open_engine
from service.database.migrate import migrate
from service.database.schema import SCHEMA
from service.database.session import Session

# The tables of schema.sql, referenced tables first.
SCHEMA_TABLES = re.findall(r'CREATE TABLE IF NOT EXISTS (\w+)', SCHEMA.read_text())
ENGINES = ('sqlite', 'postgresql', 'mysql')
POSTGRESQL = os.environ.get('TEST_POSTGRESQL', 'postgres@127.0.0.1:5432')
MYSQL = os.environ.get('TEST_MYSQL', 'root@127.0.0.1:3306')
NAME = f'halcyon_test_{os.getpid()}'
# Default collations that differ from the schema's, so that no code can rely on them.
COLLATIONS = {
    'postgresql': "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8'",
    'mysql': 'CHARACTER SET latin1 COLLATE latin1_swedish_ci',
}
PARAMETERS = {
    'postgresql': 'options=-c%20synchronous_commit%3Doff',  # tests need no durability
    'mysql': 'driver=pymysql',
    'mysqlclient': 'driver=mysqlclient',
}


def engines_to_test() -> list[str]:
    """Return the engines in TEST_DATABASES; by default all in CI, and SQLite elsewhere.

    `mysqlclient` is MariaDB with its other driver.
    """
    names = os.environ.get('TEST_DATABASES', '').replace(',', ' ').split()
    return names or list(ENGINES if os.environ.get('CI') == 'true' else ENGINES[:1])


def administer(engine: str, statement: str) -> None:
    if engine == 'postgresql':
        with psycopg.connect(
            f'postgresql://{POSTGRESQL}/postgres', autocommit=True, connect_timeout=2
        ) as server:
            server.execute(statement)
        return
    credentials, _, server_address = MYSQL.rpartition('@')
    user, _, password = credentials.partition(':')
    host, _, port = server_address.partition(':')
    with pymysql.connect(
        user=user, password=password, host=host, port=int(port), connect_timeout=2, ssl_disabled=True
    ) as server:
        server.cursor().execute(statement)


@contextmanager
def temporary_database(engine: str, folder: Path, name: str = NAME) -> Iterator[str]:
    """Create an empty database for the duration of the block, and provide its URL."""
    if engine == 'sqlite':
        yield f'sqlite:///{folder}/{name}.db'
        return
    scheme, server = ('postgresql', POSTGRESQL) if engine == 'postgresql' else ('mysql', MYSQL)
    name = f'{name}_{engine}'
    administer(scheme, f'CREATE DATABASE {name} {COLLATIONS[scheme]}')
    try:
        yield f'{scheme}://{server}/{name}?{PARAMETERS[engine]}'
    finally:
        administer(scheme, f'DROP DATABASE {name}' + (' WITH (FORCE)' if scheme == 'postgresql' else ''))


def open_unchecked_session(url: str, clock: Clock = system_clock) -> Session:
    """Return a session on the database without checking its schema."""
    environment = {'DATABASE_URL': url, 'SQLITE_SYNCHRONOUS': 'off', 'BCRYPT_COST': '4'}
    settings = Settings.from_environment(environment)
    return Session(open_engine(settings), settings, clock)


Rows = tuple[tuple[str, tuple[tuple[Any, ...], ...]], ...]  # (table, its rows) for each table


class TestDatabase:
    """A database whose tables are emptied for each test, because creating them is slower."""

    __test__ = False

    def __init__(self, url: str) -> None:
        self.url = url
        self._db = open_unchecked_session(url)
        migrate(self._db)
        self._tables = [table for table in reversed(SCHEMA_TABLES) if table != 'migrations']

    def empty(self) -> str:
        """Delete every row, and return the URL."""
        with self._db.atomic():
            for table in self._tables:
                self._db.execute(f'DELETE FROM {table}')
        self._db.release()
        return self.url

    def rows(self) -> Rows:
        """Return every row except the signing keys, which an application writes when it starts."""
        with self._db.atomic():
            rows = tuple(
                (table, tuple(self._db.execute(f'SELECT * FROM {table}').fetchall()))
                for table in self._tables
                if table != 'signing_keys'
            )
        self._db.release()
        return rows

    def restore(self, rows: Rows) -> None:
        """Replace all rows, except the signing keys, with these."""
        with self._db.atomic():
            for table, _ in rows:
                self._db.execute(f'DELETE FROM {table}')
            for table, table_rows in reversed(rows):
                for row in table_rows:
                    placeholders = ', '.join([self._db.engine.param] * len(row))
                    self._db.execute(f'INSERT INTO {table} VALUES ({placeholders})', row)
        self._db.release()

    def close(self) -> None:
        self._db.close()
