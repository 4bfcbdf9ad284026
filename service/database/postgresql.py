"""PostgreSQL."""

from typing import Any

import peewee
import psycopg
from psycopg.conninfo import conninfo_to_dict

from service.config import SettingError
from service.database.engine import PooledEngine
from service.database.errors import ErrorKind, driver_error

LOCK_SECONDS = 10  # how long a statement waits for a lock
# A server that stops answering is noticed by these, not after the hours that TCP takes by itself.
DEFAULTS = {
    'connect_timeout': 5,
    'tcp_user_timeout': 10_000,
    'keepalives_idle': 10,
    'keepalives_interval': 5,
    'keepalives_count': 3,
    'application_name': 'halcyon',
}

_DRIVER_BUGS = (psycopg.ProgrammingError, psycopg.DataError, psycopg.NotSupportedError)
# SQLSTATE, by its first characters (PostgreSQL manual, appendix A).
_KINDS = (
    ('40', ErrorKind.CONFLICT),  # serialization failure, deadlock
    ('08', ErrorKind.DISCONNECTED),
    ('57P', ErrorKind.DISCONNECTED),  # the server shuts down or starts, or an administrator ended the session
    ('25P03', ErrorKind.DISCONNECTED),  # idle_in_transaction_session_timeout ended the session
    ('25006', ErrorKind.DISCONNECTED),  # this host became a standby: another one accepts writes
    ('0A000', ErrorKind.DISCONNECTED),  # "cached plan must not change result type", after a migration
    ('53', ErrorKind.UNAVAILABLE),
    ('55', ErrorKind.UNAVAILABLE),  # lock_timeout
    ('57', ErrorKind.UNAVAILABLE),
    ('58', ErrorKind.UNAVAILABLE),
)


class PostgresqlEngine(PooledEngine, peewee.PostgresqlDatabase):
    """A PostgreSQL database, at whichever of its hosts accepts writes."""

    name = 'postgresql'
    lock_schema_sql = 'SELECT pg_advisory_xact_lock(5147268395671)'

    def open_connection(self) -> Any:
        """Return a new connection in READ COMMITTED."""
        connection = psycopg.connect(dbname=self.database, autocommit=True, **self.connect_params)
        try:
            connection.execute(
                'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED;'
                f"SET lock_timeout = '{LOCK_SECONDS}s'"
            )
        except BaseException:
            connection.close()
            raise
        return connection

    def is_open(self, connection: Any) -> bool:
        """Return whether the connection is open as far as this side knows."""
        return not connection.closed

    def classify(self, error: BaseException) -> ErrorKind:
        """Return the kind of the error, by its SQLSTATE."""
        cause = driver_error(error)
        if not isinstance(cause, psycopg.Error):
            return ErrorKind.BUG
        if cause.sqlstate is None:  # raised by the driver: there is no connection, or it was lost
            return ErrorKind.BUG if isinstance(cause, _DRIVER_BUGS) else ErrorKind.DISCONNECTED
        return next((kind for start, kind in _KINDS if cause.sqlstate.startswith(start)), ErrorKind.BUG)

    def violated_constraint(self, error: Any, sql: str) -> str | None:
        """Return the constraint that the server names."""
        if not isinstance(error, peewee.IntegrityError):
            return None
        return driver_error(error).diag.constraint_name or ''

    def column_type(self, full_type: str) -> str:
        """Return the type without PostgreSQL's long name for VARCHAR."""
        return full_type.replace('character varying', 'varchar').upper()


def open_postgresql(url: str) -> PostgresqlEngine:
    """Return the engine for a connection URI of libpq; raises SettingError."""
    try:
        parameters: dict[str, Any] = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise SettingError('DATABASE_URL: must be a connection URI of libpq') from None
    if not parameters.get('dbname'):
        raise SettingError('DATABASE_URL: must name a database: postgresql://user:password@host/database')
    if ',' in str(parameters.get('host', '')):
        parameters = {'target_session_attrs': 'read-write'} | parameters
    database = parameters.pop('dbname')
    return PostgresqlEngine(
        database, **(DEFAULTS | {'client_encoding': 'UTF8'} | parameters), prefer_psycopg3=True
    )
