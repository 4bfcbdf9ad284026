"""The drivers for MariaDB: PyMySQL, which is pure Python, and mysqlclient, which uses MariaDB's C library."""

import contextlib
import importlib
import importlib.util
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import pymysql

from service.config import SettingError

DRIVERS = ('pymysql', 'mysqlclient')
_LOST_CONNECTION = 2013


class MariadbDriver(ABC):
    """A driver as PEP 249 describes it, with the parameters of `pymysql.connect`."""

    Error: type[Exception]
    OperationalError: type[Exception]

    @abstractmethod
    def connect(self, **parameters: Any) -> Any:
        """Return a new connection; raises Error, or OSError if a certificate cannot be read."""

    @abstractmethod
    def is_timeout(self, error: BaseException) -> bool:
        """Return whether the error of the driver means that the database did not respond in time."""


class Pymysql(MariadbDriver):
    """PyMySQL, which is installed with the server."""

    Error = pymysql.Error
    OperationalError = pymysql.OperationalError

    def connect(self, **parameters: Any) -> Any:
        """Return a new connection."""
        return pymysql.connect(**parameters)

    def is_timeout(self, error: BaseException) -> bool:
        """Return whether a socket timed out."""
        return isinstance(error.__context__, TimeoutError)


class Mysqlclient(MariadbDriver):
    """mysqlclient, which takes a third of PyMySQL's time for a row, but is compiled when it is installed."""

    def __init__(self) -> None:
        mysqlclient: Any = importlib.import_module('MySQLdb')
        self.Error = mysqlclient.Error
        self.OperationalError = mysqlclient.OperationalError
        self._connect = _timed_connections(importlib.import_module('MySQLdb.connections').Connection)

    def connect(self, **parameters: Any) -> Any:
        """Return a new connection."""
        return self._connect(**_of_mysqlclient(parameters))

    def is_timeout(self, error: BaseException) -> bool:
        """Return whether a statement, or connecting, took as long as its timeout."""
        return isinstance(error.__cause__, TimeoutError)


def open_driver(name: str) -> MariadbDriver:
    """Return the driver that `driver` in DATABASE_URL names; by default mysqlclient if it is installed.

    Raises SettingError if it is not installed.
    """
    is_installed = importlib.util.find_spec('MySQLdb') is not None
    if name == 'mysqlclient' and not is_installed:
        raise SettingError('DATABASE_URL: driver=mysqlclient: the package mysqlclient is not installed')
    return Mysqlclient() if is_installed and name != 'pymysql' else Pymysql()


def _timed_connections(connection_class: Any) -> Callable[..., Any]:
    """Return the class, with a TimeoutError as the cause of errors that are timeouts.

    The C library has one error number for a timeout and for a connection that broke.
    """

    class TimedConnection(connection_class):  # type: ignore[misc]
        def __init__(self, *, read_timeout: int, **parameters: Any) -> None:
            self._seconds = read_timeout
            with self._timed():
                super().__init__(read_timeout=read_timeout, **parameters)

        def query(self, query: Any) -> None:
            with self._timed():
                super().query(query)

        def commit(self) -> None:
            with self._timed():
                super().commit()

        @contextlib.contextmanager
        def _timed(self) -> Iterator[None]:
            started = time.monotonic()
            try:
                yield
            except connection_class.OperationalError as error:
                if error.args[0] == _LOST_CONNECTION and time.monotonic() - started >= self._seconds:
                    raise error from TimeoutError()
                raise

    return TimedConnection


def _of_mysqlclient(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters under mysqlclient's names."""
    values = {name: value for name, value in parameters.items() if value is not None}
    # The C library would connect to `localhost` through a socket in the file system, whatever the port.
    if values.get('host') == 'localhost' and 'unix_socket' not in values:
        values['host'] = 'LOCALHOST'
    is_disabled = values.pop('ssl_disabled', False)
    verifications = [values.pop(f'ssl_verify_{subject}', False) for subject in ('cert', 'identity')]
    files = {name: values.pop(f'ssl_{name}') for name in ('ca', 'cert', 'key') if f'ssl_{name}' in values}
    if is_disabled:
        mode = 'DISABLED'
    elif any(verifications):
        mode = 'VERIFY_IDENTITY'
    else:
        mode = 'REQUIRED' if files else 'PREFERRED'
    return values | {'multi_statements': False, 'ssl': files, 'ssl_mode': mode}
