"""Connections to PostgreSQL, and a cursor that runs prepared statements with little Python code."""

from __future__ import annotations

import re
import select
import time
from collections.abc import Generator, Iterator, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

R = TypeVar('R')
MAX_STATEMENTS = 300  # prepared on one connection; the server keeps a plan of each
MAX_SQL_LENGTH = 4000  # of a statement to prepare; a longer one inserts many rows
# Statements of a savepoint are not prepared, because each savepoint has a new name.
PREPARED = ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'BEGIN', 'COMMIT', 'ROLLBACK')
BIGINT = 20  # the OID of the type of every whole number in schema.sql
INFERRED = 0  # the server infers the type from the statement
BEGIN = 'BEGIN'

_PLACEHOLDER = re.compile('%[s%]')


class Connection(psycopg.Connection[Any]):
    """A connection that is closed if the server does not respond to a statement in `response_seconds`."""

    response_seconds: float | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.must_begin = False  # BEGIN is sent together with the first statement of the transaction
        self._queued: list[tuple[bytes, Sequence[bytes | None]]] = []  # until the next statement
        self.transformer = Transformer(self)
        self._statements: dict[str, bytes] = {}

    def wait(self, gen: Generator[Any, Any, R], interval: float = 0.1, timeout: float | None = None) -> R:
        """Wait for the server; raises ConnectionTimeout."""
        seconds = self.response_seconds if timeout is None else timeout
        began = time.monotonic()
        try:
            return super().wait(gen, interval, seconds)
        except psycopg.OperationalError as error:
            if seconds is None or error.sqlstate is not None or time.monotonic() < began + seconds:
                raise
            raise self._abandon(seconds) from error

    def statement(self, sql: str, parameters: Sequence[Any] = ()) -> bytes | None:
        """Return the name of the prepared statement, None if it should not be prepared."""
        name = self._statements.get(sql)
        if name is None and len(self._statements) < MAX_STATEMENTS and _can_be_prepared(sql):
            name = f'{sql.split(maxsplit=1)[0]}_{len(self._statements)}'.encode()  # for the server's log
            types = [BIGINT if type(value) is int else INFERRED for value in parameters]
            self.pgconn.send_prepare(name, _numbered(sql).encode(), types)
            self._receive()
            self._statements[sql] = name
        return name

    def run(self, name: bytes, values: Sequence[bytes | None]) -> Any:
        """Run a prepared statement with values in text format, and return the result of libpq.

        Queued statements run first, and their errors are raised, too.
        """
        if not self.must_begin and not self._queued:
            self.pgconn.send_query_prepared(name, values)
            return self._receive()
        begin = [(self.statement(BEGIN) or b'', ())] if self.must_begin else []
        statements = (*begin, *self._queued, (name, values))
        self.must_begin = False
        self._queued = []
        self.pgconn.enter_pipeline_mode()
        for statement in statements:
            self.pgconn.send_query_prepared(*statement)
        self.pgconn.pipeline_sync()
        return self._receive(is_pipeline=True)

    def queue(self, sql: str, parameters: Sequence[Any]) -> bool:
        """Queue a statement, to be sent together with the next one; return False if it is not prepared."""
        name = self._statements.get(sql)
        if name is not None:
            self._queued.append((name, [_dump(value) for value in parameters]))
        return name is not None

    def drop_queued(self) -> None:
        """Forget the queued statements, because they are rolled back."""
        self._queued = []

    def run_queued(self) -> None:
        """Run the queued statements."""
        if self._queued:
            self.run(*self._queued.pop())

    def _receive(self, *, is_pipeline: bool = False) -> Any:
        """Return the last result of what was sent; raises its error, or ConnectionTimeout."""
        pgconn = self.pgconn
        deadline = time.monotonic() + self.response_seconds if self.response_seconds else None
        while pgconn.flush():
            self._wait_until(select.POLLIN | select.POLLOUT, deadline)
            pgconn.consume_input()
        result = failed = None
        while True:
            while pgconn.is_busy():
                self._wait_until(select.POLLIN, deadline)
                pgconn.consume_input()
            received = pgconn.get_result()
            if received is None:
                if is_pipeline:
                    continue  # the end of one statement's results
                break
            if received.status == ExecStatus.PIPELINE_SYNC:
                pgconn.exit_pipeline_mode()
                break
            result = received
            if received.status == ExecStatus.FATAL_ERROR:
                failed = received
        if failed is not None:
            raise error_from_result(failed)
        return result

    def _wait_until(self, events: int, deadline: float | None) -> None:
        poll = select.poll()
        poll.register(self.pgconn.socket, events)
        if not poll.poll(None if deadline is None else max(0, deadline - time.monotonic()) * 1000):
            raise self._abandon(self.response_seconds or 0)

    def _abandon(self, seconds: float) -> psycopg.errors.ConnectionTimeout:
        self.close()
        return psycopg.errors.ConnectionTimeout(f'no response in {seconds:g} s')


class PreparingCursor:
    """The part of a DB-API cursor that peewee and Session use; each statement is prepared once.

    psycopg's own cursor prepares, too, but takes five times as long to run a statement.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.rowcount = -1

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement with `%s` for each parameter; raises what psycopg raises."""
        connection = self._connection
        if sql == BEGIN:
            connection.must_begin = True
            return
        if sql.startswith('ROLLBACK'):
            connection.drop_queued()
        name = connection.statement(sql, parameters)
        if name is None:
            self._execute_unprepared(sql, parameters)
            return
        result = connection.run(name, [_dump(value) for value in parameters])
        self.rowcount = result.command_tuples or 0
        if result.nfields:
            connection.transformer.set_pgresult(result)
            self._rows = connection.transformer.load_rows(0, result.ntuples, tuple)

    def _execute_unprepared(self, sql: str, parameters: Sequence[Any]) -> None:
        self._connection.run_queued()
        with self._connection.cursor() as cursor:
            if self._connection.must_begin:
                cursor.execute(BEGIN)
                self._connection.must_begin = False
            cursor.execute(sql, parameters or None)
            self.rowcount = cursor.rowcount
            self._rows = cursor.fetchall() if cursor.description else []

    def fetchall(self) -> list[Any]:
        """Return the rows."""
        return self._rows

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        return self._rows.pop(0) if self._rows else None

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)


def _can_be_prepared(sql: str) -> bool:
    return len(sql) <= MAX_SQL_LENGTH and sql.startswith(PREPARED) and ' TO SAVEPOINT ' not in sql


def _dump(value: Any) -> bytes | None:
    """Return the value in text format."""
    if value is None:
        return None
    if isinstance(value, str) and '\0' in value:  # libpq would truncate the text there
        raise psycopg.DataError('PostgreSQL text fields cannot contain NUL (0x00) bytes')
    return str(value).encode()


def _numbered(sql: str) -> str:
    """Return the statement with `$1`, `$2` … instead of each `%s`."""
    numbers = iter(range(1, sql.count('%s') + 1))
    return _PLACEHOLDER.sub(lambda match: '%' if match[0] == '%%' else f'${next(numbers)}', sql)
