"""The engines: how SQLite, PostgreSQL and MariaDB are opened, and what each does in its own way."""

import contextlib
import os
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, unquote

import peewee
import psycopg
import pymysql
from psycopg.conninfo import conninfo_to_dict
from pymysql.constants import CLIENT

from service.config import SettingError, Settings
from service.domain.pool import Pool

LOCK_SECONDS = 10  # how long a write waits for the writes before it
CONNECT_SECONDS = 5
# Of a SQLite file, read where the system has it anyway and not copied: all that SQLite can map. It saves
# more than half of what a feed costs among 1,000,000 users, whose authors lie far apart.
MAPPED_BYTES = 0x7FFF0000

# A server that vanished without a word is noticed by these, not after the hours that TCP takes by itself.
POSTGRESQL_DEFAULTS = {
    'connect_timeout': CONNECT_SECONDS,
    'tcp_user_timeout': 10_000,
    'keepalives_idle': 10,
    'keepalives_interval': 5,
    'keepalives_count': 3,
    'application_name': 'halcyon',
}
MARIADB_DEFAULTS = {'connect_timeout': CONNECT_SECONDS, 'read_timeout': 60, 'write_timeout': 60}
MARIADB_NUMBERS = frozenset(('connect_timeout', 'read_timeout', 'write_timeout'))
MARIADB_SWITCHES = frozenset(('ssl_disabled', 'ssl_verify_cert', 'ssl_verify_identity'))
MARIADB_TEXTS = frozenset(('ssl_ca', 'ssl_cert', 'ssl_key', 'ssl_key_password', 'unix_socket'))
MARIADB_PORT = 3306
MARIADB_UNKNOWN_VARIABLE = 1193


class _InsertsMany:
    """Inserts many rows by one statement that is prepared once; PyMySQL makes a few long ones of it."""

    param: str
    cursor: Any

    def insert_all(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows, with values for the columns."""
        coming = iter(rows)
        first = next(coming, None)
        if first is None:  # which PyMySQL does not stand
            return
        places = ', '.join([self.param] * len(columns))
        self.cursor().executemany(
            f'INSERT INTO {table} ({", ".join(columns)}) VALUES ({places})',  # noqa: S608  # names are ours
            chain((first,), coming),
        )


class SqliteEngine(_InsertsMany, peewee.SqliteDatabase):
    """One file on one machine; a thread keeps its connection."""

    name = 'sqlite'
    begin_arguments = ('IMMEDIATE',)  # what begins by reading can be refused when it comes to write
    answers_get_lost = False
    schema_is_transactional = True
    before_use = ('PRAGMA journal_mode = wal',)  # kept in the file, but not in a copy by VACUUM INTO
    before_schema = before_use
    before_bulk = ('PRAGMA wal_autocheckpoint = 50000',)  # else pages go into the file time and again
    lock_schema = ''
    unlock_schema = ''

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn = threading.Lock()

    @contextlib.contextmanager
    def turn_to_write(self) -> Iterator[None]:
        """Let the threads of this process write in turn; raises OperationalError where that takes too long.

        SQLite lets one write at a time and has all others try again and again, which costs more than
        waiting, and more the more there are.
        """
        if not self._turn.acquire(timeout=LOCK_SECONDS):
            raise peewee.OperationalError('database is locked')
        try:
            yield
        finally:
            self._turn.release()

    def watch(self, lent: Callable[[int], None]) -> None:
        """Tell nothing: no connection is lent."""

    def is_there(self) -> bool:
        """Whether there is such a file; connecting would make it."""
        return os.path.exists(self.database)

    def release(self) -> None:
        """Keep the connection: making one costs more than most requests."""

    def discard(self) -> None:
        """Close this thread's connection."""
        self.close()

    def close_all(self) -> None:
        """Close this thread's connection; the others' close with their threads."""
        self.close()


class PostgresqlEngine(Pool, peewee.PostgresqlDatabase):
    """PostgreSQL, at whichever of its hosts takes writes."""

    name = 'postgresql'
    begin_arguments = ()
    answers_get_lost = True
    schema_is_transactional = True
    before_use = ()
    before_schema = ()
    before_bulk = ()
    lock_schema = 'SELECT pg_advisory_xact_lock(5147268395671)'
    unlock_schema = ''

    def _open(self) -> Any:
        connection = super(Pool, self)._connect()  # type: ignore[misc]  # peewee's, behind Pool
        try:
            connection.execute(
                'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED;'
                f"SET lock_timeout = '{LOCK_SECONDS}s'"
            )
        except BaseException:
            connection.close()
            raise
        return connection

    def _is_open(self, connection: Any) -> bool:
        return not connection.closed

    def insert_all(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows, with values for the columns, by COPY, which takes half the time of statements."""
        with self.cursor().copy(f'COPY {table} ({", ".join(columns)}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)


class _Connection(pymysql.connections.Connection):  # type: ignore[misc]  # the driver has no annotations
    """A connection that is encrypted where the server can, without a look at all certificates each time.

    Nothing is verified by them where the URL asks for nothing, and reading them takes longer than connecting.
    """

    _unverified: Any = None

    def _create_ssl_ctx(self, parameters: dict[str, Any]) -> Any:
        if parameters:
            return super()._create_ssl_ctx(parameters)
        if _Connection._unverified is None:
            _Connection._unverified = super()._create_ssl_ctx(parameters)
        return _Connection._unverified


class MariadbEngine(_InsertsMany, Pool, peewee.MySQLDatabase):
    """MariaDB, or a Galera cluster of it, at whichever of its hosts is ready.

    It starts at a random host, so that processes spread, and stays with the one that answered.
    """

    name = 'mysql'
    begin_arguments = ()
    answers_get_lost = True
    schema_is_transactional = False  # a statement that defines something commits what was before it
    before_use = ()
    before_bulk = ()
    before_schema = ('ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin',)
    lock_schema = f"SELECT GET_LOCK('halcyon.schema', {LOCK_SECONDS})"
    unlock_schema = "SELECT RELEASE_LOCK('halcyon.schema')"

    def __init__(self, database: str, *, hosts: list[dict[str, Any]], **parameters: Any) -> None:
        self._hosts = hosts
        self._good = random.randrange(len(hosts))
        super().__init__(database, **parameters)

    def _open(self) -> Any:
        start = self._good
        for turn in range(len(self._hosts)):
            host = (start + turn) % len(self._hosts)
            try:
                connection = self._open_at(self._hosts[host])
            except pymysql.Error:
                if turn == len(self._hosts) - 1:
                    raise
            else:
                self._good = host
                return connection
        raise AssertionError('unreachable')

    def _open_at(self, host: dict[str, Any]) -> Any:
        connection = _Connection(
            database=self.database,
            autocommit=True,
            collation='utf8mb4_nopad_bin',
            client_flag=CLIENT.FOUND_ROWS,  # as on the other engines, a row that stays as it is counts too
            sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO',
            init_command=f'SET SESSION innodb_lock_wait_timeout = {LOCK_SECONDS}',
            **host,
            **self.connect_params,
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED')
                _see_own_writes(cursor)
                cursor.execute('SELECT 1')  # a node that has left its cluster connects, and answers nothing
        except BaseException:
            connection.close()
            raise
        return connection

    def _is_open(self, connection: Any) -> bool:
        return bool(connection.open)


def _see_own_writes(cursor: Any) -> None:
    """On Galera, read no earlier state than that which any node has acknowledged."""
    try:
        cursor.execute('SET SESSION wsrep_sync_wait = 1')
    except pymysql.Error as error:
        if error.args[0] != MARIADB_UNKNOWN_VARIABLE:
            raise


Engine = SqliteEngine | PostgresqlEngine | MariadbEngine


def open_engine(settings: Settings) -> Engine:
    """Return the engine that DATABASE_URL names; it connects when it is used.

    Raises SettingError for a URL that names no usable database.
    """
    scheme, _, rest = settings.database_url.partition('://')
    if scheme == 'postgresql':
        return _open_postgresql(settings.database_url)
    if scheme == 'mysql':
        return _open_mariadb(rest)
    return _open_sqlite(rest, settings.sqlite_synchronous)


def _open_sqlite(rest: str, synchronous: str) -> SqliteEngine:
    path = rest.removeprefix('/')
    if path == rest or not path or ':memory:' in path:
        raise SettingError(
            'DATABASE_URL: must be sqlite:/// and a file: sqlite:///relative.db, or sqlite:////absolute/file.db'
        )
    folder = os.path.dirname(os.path.abspath(path))
    if not os.access(folder, os.W_OK) or os.path.isdir(path):
        raise SettingError(f'DATABASE_URL: {path!r} cannot be a file that this process writes')
    pragmas = {'foreign_keys': 1, 'mmap_size': MAPPED_BYTES, 'synchronous': synchronous}
    return SqliteEngine(path, timeout=LOCK_SECONDS, pragmas=pragmas)


def _open_postgresql(url: str) -> PostgresqlEngine:
    try:
        said = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise SettingError('DATABASE_URL: is no connection URI that libpq can read') from None
    if not said.get('dbname'):
        raise SettingError('DATABASE_URL: must name a database: postgresql://user:password@host/database')
    several = {'target_session_attrs': 'read-write'} if ',' in str(said.get('host', '')) else {}
    return PostgresqlEngine(
        said.pop('dbname'), **(POSTGRESQL_DEFAULTS | several | said), encoding='UTF8', prefer_psycopg3=True
    )


def _open_mariadb(rest: str) -> MariadbEngine:
    place, _, query = rest.partition('?')
    authority, _, database = place.partition('/')
    user, _, hosts = authority.rpartition('@')
    name, _, password = user.partition(':')
    if not database or not hosts:
        raise SettingError(
            'DATABASE_URL: must name hosts and a database: mysql://user:password@host,host:port/database'
        )
    return MariadbEngine(
        unquote(database),
        hosts=[_mariadb_host(host) for host in hosts.split(',')],
        user=unquote(name) or None,
        password=unquote(password),
        **(MARIADB_DEFAULTS | _mariadb_parameters(query)),
    )


def _mariadb_host(text: str) -> dict[str, Any]:
    host, colon, port = text.rpartition(':') if not text.endswith(']') else (text, '', '')
    if not colon:
        host, port = text, str(MARIADB_PORT)
    if not port.isdigit() or not 0 < int(port) < 65536 or not host:
        raise SettingError('DATABASE_URL: a host is a name or an address, and :port if need be')
    return {'host': unquote(host.strip('[]')), 'port': int(port)}


def _mariadb_parameters(query: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in MARIADB_NUMBERS and value.isdigit() and int(value):
            values[name] = int(value)
        elif name in MARIADB_SWITCHES and value.lower() in ('1', 'true', '0', 'false'):
            values[name] = value.lower() in ('1', 'true')
        elif name in MARIADB_TEXTS and value:
            values[name] = value
        else:
            known = ', '.join(sorted(MARIADB_NUMBERS | MARIADB_SWITCHES | MARIADB_TEXTS))
            raise SettingError(f'DATABASE_URL: the parameter {name} cannot be used: there are {known}')
    return values
