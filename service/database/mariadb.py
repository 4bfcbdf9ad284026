"""MariaDB, and Galera clusters of it."""

import os
import random
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

import peewee
from pymysql.constants import CLIENT  # capability flags of the protocol, which both drivers use

from service.config import SettingError, Settings
from service.database.engine import PooledEngine
from service.database.errors import ErrorKind, driver_error
from service.database.mariadb_drivers import DRIVERS, MariadbDriver, open_driver
from service.database.schema import CONSTRAINTS

DEFAULT_PORT = 3306
MAX_CONNECT_SECONDS = 5  # for the TCP connection to one host
INTEGER_PARAMETERS = frozenset(('connect_timeout', 'read_timeout', 'write_timeout'))
BOOLEAN_PARAMETERS = frozenset(('ssl_disabled', 'ssl_verify_cert', 'ssl_verify_identity'))
TEXT_PARAMETERS = frozenset(('ssl_ca', 'ssl_cert', 'ssl_key', 'ssl_key_password', 'unix_socket'))

# Error numbers (MariaDB manual, "MariaDB Error Code Reference"); those from 2000 on are the driver's own.
_NUMBERS = {
    ErrorKind.CONFLICT: (1020, 1180, 1205, 1213),
    ErrorKind.DISCONNECTED: (
        *(0, 1047, 1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1184, 1290, 1792, 1836, 1927),
        *range(2000, 3000),
    ),
    ErrorKind.FULL: (1040, 1203, 1226),
    ErrorKind.FORBIDDEN: (1044, 1142, 1143, 1227),
    ErrorKind.UNAVAILABLE: (
        *(1021, 1026, 1028, 1030, 1034, 1037, 1038, 1041, 1114, 1206),  # no space, no memory
        *(1045, 1049, 1129, 1130),  # access denied
        *(1317, 1637, 1969),  # interrupted, or timed out
    ),
}
# What the statements rely on, whatever the defaults of the server are.
_SESSION_VARIABLES = (
    'foreign_key_checks = 1',
    'unique_checks = 1',
    "default_storage_engine = 'InnoDB'",  # others have no transactions and no foreign keys
    'sql_select_limit = 18446744073709551615',
    'sql_safe_updates = 0',
    'sql_auto_is_null = 0',
    "completion_type = 'NO_CHAIN'",
)
_KINDS = {number: kind for kind, numbers in _NUMBERS.items() for number in numbers}
_UNKNOWN_SYSTEM_VARIABLE = 1193
_UNKNOWN_COLLATION = 1273
_CANNOT_CONNECT = 2003
_CHECK_VIOLATED = 4025
_NAMED_KEY = re.compile(r"for key '(?:\w+\.)?(\w+)'$|CONSTRAINT `(\w+)` (?:failed for|FOREIGN KEY)")
_INSERT = re.compile(r'INSERT INTO \W?(\w+)')
_PRIMARY_KEYS = {constraint.table: constraint.name for constraint in CONSTRAINTS if constraint.is_primary}


class MariadbEngine(PooledEngine, peewee.MySQLDatabase):
    """A MariaDB database or Galera cluster, at whichever of its hosts is ready.

    A process starts with a random host, to spread the load, and stays with the one that responded.
    """

    name = 'mysql'
    ddl_sql = ('ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin',)
    has_transactional_ddl = False  # every DDL statement commits implicitly
    read_only_sql = 'SELECT @@read_only OR @@tx_read_only'
    unlock_schema_sql = "SELECT RELEASE_LOCK('halcyon.schema')"

    def __init__(
        self,
        settings: Settings,
        database: str,
        *,
        driver: MariadbDriver,
        hosts: list[dict[str, Any]],
        **parameters: Any,
    ) -> None:
        self.driver = driver
        self.hosts = hosts
        self._current = random.randrange(len(hosts))
        super().__init__(settings, database, **parameters)
        self.lock_schema_sql = f"SELECT GET_LOCK('halcyon.schema', {self.lock_seconds})"

    def open_connection(self) -> Any:
        """Return a new connection in READ COMMITTED, to the first host that is ready.

        The current host is tried first, but last if it did not respond in time.
        """
        start = self._current + self._pool.is_unresponsive
        for attempt in range(len(self.hosts)):
            index = (start + attempt) % len(self.hosts)
            try:
                connection = self._open_at(self.hosts[index])
            except self.driver.Error:
                if attempt == len(self.hosts) - 1:
                    raise
            else:
                self._current = index
                return connection
        raise AssertionError('unreachable')

    def _open_at(self, host: dict[str, Any]) -> Any:
        try:
            connection = self.driver.connect(
                database=self.database,
                autocommit=True,
                collation='utf8mb4_nopad_bin',
                client_flag=CLIENT.FOUND_ROWS,  # count matched rows, as other engines do, not changed ones
                sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO',
                **host,
                **self.connect_params,
            )
        except OSError as error:  # from certificate files, which are read again for each connection
            raise self.driver.OperationalError(_CANNOT_CONNECT, f'Cannot connect: {error}') from error
        except self.driver.Error as error:
            if error.args[0] == _UNKNOWN_COLLATION:
                raise self.driver.OperationalError(
                    1049, 'The server is MySQL or too old: MariaDB 10.2 or newer is required'
                ) from error
            raise
        try:
            with connection.cursor() as cursor:
                cursor.execute('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED')
                lock_timeout = f'innodb_lock_wait_timeout = {self.lock_seconds}'
                cursor.execute(f'SET {", ".join((*_SESSION_VARIABLES, lock_timeout))}')
                self._wait_for_cluster_writes(cursor)
                cursor.execute('SELECT 1')  # a node outside its cluster accepts connections, but no statement
        except BaseException:
            connection.close()
            raise
        return connection

    def _wait_for_cluster_writes(self, cursor: Any) -> None:
        """On Galera, make reads wait until every write that any node acknowledged is applied here."""
        try:
            cursor.execute('SET SESSION wsrep_sync_wait = 1')
        except self.driver.Error as error:
            if error.args[0] != _UNKNOWN_SYSTEM_VARIABLE:
                raise

    def is_open(self, connection: Any) -> bool:
        """Return whether the connection is open as far as the client can tell."""
        return bool(connection.open)

    def classify(self, error: BaseException) -> ErrorKind:
        """Return the kind of the error, by its number."""
        cause = driver_error(error)
        if not isinstance(cause, self.driver.Error):
            return ErrorKind.BUG
        if self.driver.is_timeout(cause):
            return ErrorKind.TIMED_OUT
        number = cause.args[0] if cause.args else 0
        return _KINDS.get(number, ErrorKind.BUG) if isinstance(number, int) else ErrorKind.BUG

    def violated_constraint(self, error: Any, sql: str) -> str | None:
        """Return the constraint that the message names; MariaDB calls every primary key PRIMARY."""
        arguments: Sequence[Any] = getattr(driver_error(error), 'args', ())
        if not isinstance(error, peewee.IntegrityError) and arguments[:1] != (_CHECK_VIOLATED,):
            return None
        match = _NAMED_KEY.search(str(arguments[-1]))
        name = (match[1] or match[2]) if match else ''
        if name != 'PRIMARY':
            return name
        table = _INSERT.match(sql)
        return _PRIMARY_KEYS.get(table[1], '') if table else ''

    def column_type(self, full_type: str) -> str:
        """Return the type without the display width of integers."""
        return re.sub(r'INT\(\d+\)', 'INT', full_type.upper())


def open_mariadb(settings: Settings) -> MariadbEngine:
    """Return the engine for mysql://user:password@host,host:port/database?name=value; raises SettingError."""
    url = settings.database_url
    location, _, query = url.partition('://')[2].partition('?')
    authority, _, database = location.partition('/')
    credentials, _, hosts = authority.rpartition('@')
    user, _, password = credentials.partition(':')
    if not database or not hosts:
        raise SettingError(
            'DATABASE_URL: must name hosts and a database: mysql://user:password@host,host:port/database'
        )
    timeouts = {
        'connect_timeout': min(MAX_CONNECT_SECONDS, settings.database_timeout),
        'read_timeout': settings.database_timeout,
        'write_timeout': settings.database_timeout,
    }
    parameters = timeouts | _parse_parameters(query)
    return MariadbEngine(
        settings,
        unquote(database),
        driver=_driver_for(parameters),
        hosts=[_parse_host(host) for host in hosts.split(',')],
        user=unquote(user) or None,
        password=unquote(password),
        **parameters,
    )


def _driver_for(parameters: dict[str, Any]) -> MariadbDriver:
    """Take `driver` out of the parameters of the URL, and return the driver."""
    name = parameters.pop('driver', '')
    if 'ssl_key_password' in parameters:
        if name == 'mysqlclient':
            raise SettingError('DATABASE_URL: ssl_key_password needs driver=pymysql')
        name = 'pymysql'
    return open_driver(name)


def _parse_host(text: str) -> dict[str, Any]:
    host, colon, port = text.rpartition(':') if not text.endswith(']') else (text, '', '')
    if not colon:
        host, port = text, str(DEFAULT_PORT)
    if not port.isdigit() or not 0 < int(port) < 65536 or not host:
        raise SettingError('DATABASE_URL: a host must be a name or an IP address, optionally with :port')
    return {'host': unquote(host.strip('[]')), 'port': int(port)}


def _parse_parameters(query: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in INTEGER_PARAMETERS and value.isdigit() and int(value):
            values[name] = int(value)
        elif name in BOOLEAN_PARAMETERS and value.lower() in ('1', 'true', '0', 'false'):
            values[name] = value.lower() in ('1', 'true')
        elif (name in TEXT_PARAMETERS and value) or (name == 'driver' and value in DRIVERS):
            values[name] = value
        elif name == 'driver':
            raise SettingError(f'DATABASE_URL: driver must be {" or ".join(DRIVERS)}')
        else:
            supported = ', '.join(
                sorted({'driver'} | INTEGER_PARAMETERS | BOOLEAN_PARAMETERS | TEXT_PARAMETERS)
            )
            raise SettingError(f'DATABASE_URL: unsupported parameter {name}; supported are {supported}')
    for name in ('ssl_ca', 'ssl_cert', 'ssl_key'):
        if name in values and not os.access(values[name], os.R_OK):
            raise SettingError(f'DATABASE_URL: {name}: cannot read the file {values[name]!r}')
    if 'ssl_ca' in values:  # which is used only to verify certificates
        values = {'ssl_verify_cert': True, 'ssl_verify_identity': True} | values
    return values
