"""PostgreSQL."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import peewee
import psycopg
from psycopg.conninfo import conninfo_to_dict

from service.config import SettingError, Settings
from service.database.engine import PooledEngine
from service.database.errors import ErrorKind, driver_error
from service.database.postgresql_connection import Connection, PreparingCursor

PREPARED_STATEMENTS = 'prepared_statements'  # a parameter of the URL that libpq does not have
MAX_CONNECT_SECONDS = 5  # for one host
DEFAULTS = {
    'keepalives_idle': 10,  # a connection that the network dropped is noticed before it is used
    'keepalives_interval': 5,
    'keepalives_count': 3,
    'application_name': 'halcyon',
}

# libpq reports no SQLSTATE for an error while connecting. These are the messages of PostgreSQL and PgBouncer.
_IS_FULL = re.compile('too many (clients|connections)|slots are reserved|no more connections allowed')
_DRIVER_BUGS = (psycopg.ProgrammingError, psycopg.DataError, psycopg.NotSupportedError)
# A pooler switched to a server without this prepared statement, or to one with another statement of its name.
SWITCHED_BY_POOLER = ('26000', '42P05')
# Encodings that store every character; SQL_ASCII stores the bytes of UTF-8, which each connection uses.
_ENCODINGS = ('UTF8', 'SQL_ASCII')
# SQLSTATE, by its first characters (PostgreSQL manual, appendix A).
_KINDS = (
    ('40', ErrorKind.CONFLICT),  # serialization failure, deadlock
    ('08', ErrorKind.DISCONNECTED),
    *((state, ErrorKind.DISCONNECTED) for state in SWITCHED_BY_POOLER),
    ('57P', ErrorKind.DISCONNECTED),  # the server shuts down or starts, or an administrator ended the session
    ('25P03', ErrorKind.DISCONNECTED),  # idle_in_transaction_session_timeout ended the session
    ('25006', ErrorKind.DISCONNECTED),  # this host became a standby: another one accepts writes
    ('0A000', ErrorKind.DISCONNECTED),  # "cached plan must not change result type", after a migration
    ('42501', ErrorKind.FORBIDDEN),
    ('3F000', ErrorKind.FORBIDDEN),  # search_path names no schema that exists
    ('53', ErrorKind.UNAVAILABLE),
    ('55', ErrorKind.UNAVAILABLE),  # lock_timeout
    ('57', ErrorKind.UNAVAILABLE),
    ('58', ErrorKind.UNAVAILABLE),
)


class PostgresqlEngine(PooledEngine, peewee.PostgresqlDatabase):
    """A PostgreSQL database, at whichever of its hosts accepts writes.

    Without prepared statements, a pooler can run each transaction on any of its connections.
    """

    name = 'postgresql'
    read_only_sql = "SELECT current_setting('transaction_read_only') = 'on'"
    lock_schema_sql = 'SELECT pg_advisory_xact_lock(5147268395671)'
    bulk_loaded_sql = ('ANALYZE',)  # else plans are bad until autovacuum has collected statistics

    def __init__(
        self, settings: Settings, database: str, *, has_prepared_statements: bool, **parameters: Any
    ) -> None:
        self.has_prepared_statements = has_prepared_statements
        super().__init__(settings, database, **parameters)

    def open_connection(self) -> Any:
        """Return a new connection in READ COMMITTED."""
        connection = Connection.connect(dbname=self.database, autocommit=True, **self.connect_params)
        connection.response_seconds = self.timeout
        connection.prepare_threshold = None
        if not self.has_prepared_statements:
            return connection
        try:
            connection.execute(
                'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED;'
                f"SET lock_timeout = '{self.lock_seconds}s'"
            )
        except BaseException:
            connection.close()
            raise
        return connection

    def cursor(self, named_cursor: str | None = None) -> Any:
        """Return a cursor of this thread's connection."""
        if not self.has_prepared_statements or named_cursor:
            return super().cursor(named_cursor)
        return PreparingCursor(self.connection())

    def queue(self, sql: str, parameters: Sequence[Any]) -> bool:
        """Queue a statement of a transaction, to be sent together with the next one, if it is prepared."""
        if not self.has_prepared_statements or not self.in_transaction():
            return False
        is_queued: bool = self.connection().queue(sql, parameters)
        if is_queued:
            self._measure(sql, lambda: None)  # its time is part of the next statement's
        return is_queued

    def is_open(self, connection: Any) -> bool:
        """Return whether the connection is open as far as the client can tell."""
        return not connection.closed

    def may_create_tables(self) -> bool:
        """Return whether the user may create tables, False if there is no schema in which to create them."""
        sql = "SELECT has_schema_privilege(current_schema(), 'CREATE')"
        return bool(self.execute_sql(sql).fetchone()[0])

    def unsuitable_encoding(self) -> str:
        """Return the encoding of the database if it lacks characters, '' if it has all."""
        encoding = str(self.execute_sql('SHOW server_encoding').fetchone()[0])
        return '' if encoding in _ENCODINGS else encoding

    def get_primary_keys(self, table: str, schema: str | None = None) -> list[str]:
        """Return the columns of the primary key, from the system catalog, which every user can read."""
        sql = (
            'SELECT a.attname FROM pg_constraint c'
            ' CROSS JOIN unnest(c.conkey) WITH ORDINALITY k(attnum, position)'
            ' JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum'
            " WHERE c.contype = 'p' AND c.conrelid = to_regclass(quote_ident(%s)) ORDER BY k.position"
        )
        return [column for (column,) in self.execute_sql(sql, (table,)).fetchall()]

    def get_foreign_keys(self, table: str, schema: str | None = None) -> list[peewee.ForeignKeyMetadata]:
        """Return the foreign keys, from the system catalog, which every user can read."""
        sql = (
            'SELECT a.attname, t.relname, b.attname, %s, c.conname,'
            " CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'NO ACTION' END, NULL"
            ' FROM pg_constraint c JOIN pg_class t ON t.oid = c.confrelid'
            ' JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]'
            ' JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]'
            " WHERE c.contype = 'f' AND c.conrelid = to_regclass(quote_ident(%s))"
        )
        return [peewee.ForeignKeyMetadata(*row) for row in self.execute_sql(sql, (table, table)).fetchall()]

    def classify(self, error: BaseException) -> ErrorKind:
        """Return the kind of the error, by its SQLSTATE."""
        cause = driver_error(error)
        if not isinstance(cause, psycopg.Error):
            return ErrorKind.BUG
        if isinstance(cause, psycopg.errors.ConnectionTimeout):
            return ErrorKind.TIMED_OUT
        if cause.sqlstate is None:  # raised by the driver: there is no connection, or it was lost
            if isinstance(cause, _DRIVER_BUGS):
                return ErrorKind.BUG
            return ErrorKind.FULL if _IS_FULL.search(str(cause)) else ErrorKind.DISCONNECTED
        return next((kind for start, kind in _KINDS if cause.sqlstate.startswith(start)), ErrorKind.BUG)

    def violated_constraint(self, error: Any, sql: str) -> str | None:
        """Return the constraint that the server names."""
        if not isinstance(error, peewee.IntegrityError):
            return None
        return driver_error(error).diag.constraint_name or ''

    def column_type(self, full_type: str) -> str:
        """Return the type without PostgreSQL's long name for VARCHAR."""
        return full_type.replace('character varying', 'varchar').upper()


def open_postgresql(settings: Settings) -> PostgresqlEngine:
    """Return the engine for a connection URI of libpq; raises SettingError.

    An additional parameter is `prepared_statements=off`, for poolers that change the server connection
    between transactions.
    """
    url, has_prepared_statements = _split_own_parameter(settings.database_url)
    try:
        parameters: dict[str, Any] = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise SettingError('DATABASE_URL: must be a connection URI of libpq') from None
    authority, _, rest = url.partition('://')[2].partition('/')
    if authority.count('@') > 1 or '@' in rest.partition('?')[0]:  # else libpq takes part of it as the host
        raise SettingError('DATABASE_URL: the characters @ and / in a password must be percent-encoded')
    if not parameters.get('dbname'):
        raise SettingError('DATABASE_URL: must name a database: postgresql://user:password@host/database')
    if ',' in str(parameters.get('host', '')):
        parameters = {'target_session_attrs': 'read-write'} | parameters
    database = parameters.pop('dbname')
    timeouts = {
        'connect_timeout': min(MAX_CONNECT_SECONDS, settings.database_timeout),
        'tcp_user_timeout': settings.database_timeout * 1000,
    }
    return PostgresqlEngine(
        settings,
        database,
        has_prepared_statements=has_prepared_statements,
        **(DEFAULTS | timeouts | {'client_encoding': 'UTF8'} | parameters),
        prefer_psycopg3=True,
    )


def _split_own_parameter(url: str) -> tuple[str, bool]:
    location, _, query = url.partition('?')
    parameters = parse_qsl(query, keep_blank_values=True)
    values = [value.lower() for name, value in parameters if name == PREPARED_STATEMENTS]
    if not values:
        return url, True
    if values not in (['on'], ['off']):
        raise SettingError(f'DATABASE_URL: {PREPARED_STATEMENTS} must be on or off')
    others = urlencode([item for item in parameters if item[0] != PREPARED_STATEMENTS], quote_via=quote)
    return f'{location}?{others}' if others else location, values == ['on']
