"""Running SQL on an engine, with the clock, ids and settings that domain functions need."""

import copy
import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, NoReturn

import peewee

from service.config import Settings
from service.database.clock import Clock, system_clock
from service.database.engine import Engine
from service.database.errors import LOST, ConstraintViolation, ErrorKind, Unavailable
from service.database.ids import IdGenerator
from service.database.instrumentation import NO_INSTRUMENTATION, Instrumentation
from service.database.pool import PoolTimeout

MAX_INSERTED_VALUES = 6000  # in one statement; SQLite accepts 32,766, PostgreSQL 65,535


class Writer(threading.local):
    """The identity under which a thread commits transactions, and how many it has begun."""

    def __init__(self) -> None:
        self.id = secrets.randbits(62)
        self.transactions = 0


class Session:
    """An engine with the clock, the id generator and the settings that domain functions need.

    `engine` is a peewee database, `now` returns UTC milliseconds, `new_id` a new id; `instrumentation`
    receives events. Threads share a session, and each uses its own connection. `autonomous` is the session
    for statements that must not join a deferred transaction of the request.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        clock: Clock = system_clock,
        instrumentation: Instrumentation = NO_INSTRUMENTATION,
    ) -> None:
        if instrumentation is not NO_INSTRUMENTATION:
            engine.instrument(instrumentation)
        self.engine = engine
        self.instrumentation = instrumentation
        self.settings = settings
        self.now = clock
        self.new_id = IdGenerator(clock)
        self.writer = Writer()
        self.autonomous = self
        self.is_schema_current = False  # set by check_schema
        self._deferred: ExitStack | None = None

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Run one SQL statement and return its cursor; raises Unavailable and ConstraintViolation.

        An idle connection may be dead. A SELECT outside a transaction is then retried once on a new one,
        since it has no effect.
        """
        try:
            return self.engine.execute_sql(sql, parameters)
        except (peewee.PeeweeException, PoolTimeout) as error:
            kind = self.engine.classify(error)
            if self.engine.in_transaction() or kind not in LOST:
                self._raise_from(error, sql)
            was_connected = not self.engine.is_closed()
            self.engine.invalidate(kind)
            if kind is ErrorKind.TIMED_OUT or not was_connected or not sql.startswith('SELECT'):
                self._raise_from(error, sql)
        with self.translating_errors():
            return self.engine.execute_sql(sql, parameters)

    def execute_later(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement whose result is not needed, at the latest before the next one or COMMIT.

        Raises what `execute` raises, or the next statement raises it.
        """
        if not self.engine.queue(sql, parameters):
            self.execute(sql, parameters)

    def insert_many(self, model: Any, rows: Iterable[Sequence[Any]], fields: Sequence[Any]) -> None:
        """Insert rows with values for the fields, many in each statement; raises as `execute` does."""
        columns = ', '.join(field.column_name for field in fields)
        row_of_parameters = f'({", ".join([self.engine.param] * len(fields))})'
        for batch in peewee.chunked(rows, MAX_INSERTED_VALUES // len(fields)):
            sql = (
                f'INSERT INTO {model._meta.table_name} ({columns})'  # noqa: S608  # the names are our own
                f' VALUES {", ".join([row_of_parameters] * len(batch))}'
            )
            self.execute(sql, [value for row in batch for value in row])

    @contextmanager
    def translating_errors(self) -> Iterator[None]:
        """Raise Unavailable for operational errors in the block; programming errors propagate unchanged."""
        try:
            yield
        except (peewee.PeeweeException, PoolTimeout) as error:
            self._raise_from(error)

    def _raise_from(self, error: Any, sql: str = '') -> NoReturn:
        if isinstance(error, PoolTimeout):
            raise Unavailable('The database is currently unavailable.') from error
        if isinstance(error, ConstraintViolation):
            raise error
        constraint = self.engine.violated_constraint(error, sql)
        if constraint is not None:
            raise ConstraintViolation(constraint) from error
        kind = self.engine.classify(error)
        if kind is ErrorKind.BUG:
            raise error
        raise Unavailable('The database is currently unavailable.', kind) from error

    def atomic(self) -> AbstractContextManager['Session']:
        """Run the block as a transaction, or as a savepoint of the current one.

        Raises Unavailable if it cannot begin or commit.
        """
        if self.engine.in_transaction() or self._deferred is None:
            return self._transaction()
        return self._first_of_deferred(self._deferred)

    @contextmanager
    def _first_of_deferred(self, deferred: ExitStack) -> Iterator['Session']:
        with ExitStack() as transaction:
            transaction.enter_context(self._transaction())
            yield self
            deferred.push(transaction.pop_all())

    @contextmanager
    def deferred(self) -> Iterator['Session']:
        """Provide a session that joins its transactions into one, which the end of the block commits.

        The first transaction begins it, so nothing is locked before. The others are savepoints; one that
        fails is rolled back alone and may be retried.
        """
        session = copy.copy(self)
        with ExitStack() as session._deferred:
            yield session

    @property
    def commit_can_be_ambiguous(self) -> bool:
        """Whether a transaction of this session can take effect although its COMMIT fails.

        An engine within this process always acknowledges a COMMIT. A deferred transaction has none itself.
        """
        return self.engine.commit_can_be_ambiguous and self._deferred is None

    @contextmanager
    def _transaction(self) -> Iterator['Session']:
        is_savepoint = self.engine.in_transaction()
        lock = nullcontext() if is_savepoint else self.engine.write_lock()
        failure: BaseException | None = None
        with self.translating_errors(), lock:
            try:
                with self.engine.atomic():
                    try:
                        yield self
                    except BaseException as error:
                        failure = error
                        raise
            except BaseException as error:
                # After an error that ends the transaction, rolling back to one of its savepoints fails, too.
                reason = error
                while reason is not failure and reason.__context__ and self._kind_of(reason) is ErrorKind.BUG:
                    if isinstance(reason, peewee.IntegrityError):
                        break  # a queued statement has failed at the end of the transaction or savepoint
                    reason = reason.__context__
                kind = self._kind_of(reason)
                if not is_savepoint and kind in LOST:
                    self.engine.invalidate(kind)
                raise reason from reason.__cause__

    def _kind_of(self, error: BaseException) -> ErrorKind:
        return error.kind if isinstance(error, Unavailable) else self.engine.classify(error)

    def release(self) -> None:
        """End this thread's use of its connection, at the end of a request."""
        self.engine.release()

    def close(self) -> None:
        """Close this thread's connection, and those that no thread uses."""
        self.engine.close_all()
