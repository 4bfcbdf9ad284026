"""The database: what runs on it, and what one transaction is."""

import functools
import logging
import random
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Concatenate, Generic, NoReturn, ParamSpec, TypeVar

import peewee

from service.config import Settings
from service.domain.clock import Clock, Ids, system_clock
from service.domain.engines import Engine
from service.domain.errors import Unavailable
from service.domain.observer import Observer
from service.domain.refusals import Meaning, has_collided, meaning_of, violated

__all__ = ['Database', 'Statement', 'parameter', 'transaction', 'violated']

P = ParamSpec('P')
R = TypeVar('R')

TRIES = 7  # of one transaction
TRYING_SECONDS = 15.0  # after which no further try begins
BACKOFF_SECONDS = 0.02  # before the second try; doubled before each further one, with jitter
DAY = 86_400_000
NOBODY = Observer()

log = logging.getLogger(__name__)
logging.getLogger('peewee').setLevel(logging.INFO)  # what it says for debugging holds hashes


class _Thread(threading.local):
    """What a thread has of its own: its name as a writer of transactions, and the ids of the current one."""

    def __init__(self) -> None:
        self.writer = secrets.randbits(62)
        self.transactions = 0
        self.drawn: list[int] = []
        self.used = 0


# By the engine's name, as a Statement is made once for all databases of the process.
_COMPILED: dict[str, dict['Statement', tuple[str, tuple[Any, ...]]]] = defaultdict(dict)


class Database:
    """An engine with the clock, the ids and the settings that every domain function works with.

    `engine` is peewee's database, `now` returns UTC milliseconds, `observer` is told what happens.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        clock: Clock = system_clock,
        observer: Observer = NOBODY,
    ) -> None:
        engine.watch(observer.lent)
        self.engine = engine
        self.observer = observer
        self.settings = settings
        self.now = clock
        self.compiled = _COMPILED[engine.name]
        self.thread = _Thread()
        self._ids = Ids(clock)

    def new_id(self) -> int:
        """Return a fresh id; a transaction that is tried again gets the same ids again."""
        if not self.engine.in_transaction():
            return self._ids()
        mine = self.thread
        if mine.used == len(mine.drawn):
            mine.drawn.append(self._ids())
        mine.used += 1
        return mine.drawn[mine.used - 1]

    @property
    def apart(self) -> 'Database':
        """The database for what must not become part of a transaction that a request keeps open."""
        return self

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Run one SQL statement and return its cursor; raises Unavailable where the engine cannot take it.

        A kept connection may have died since it was last used. A read that finds it so is made again on a
        new one: outside a transaction it has no effect that could happen twice.
        """
        try:
            return self.observer.timed(self.engine.execute_sql, sql, parameters)
        except peewee.PeeweeException as error:
            vars(error)['statement'] = sql  # which says what MariaDB's words leave out
            if _meaning(error) is not Meaning.LOST or self.engine.in_transaction():
                _refuse(error)
            was_connected = not self.engine.is_closed()
            self.engine.discard()
            if not was_connected or not sql.startswith('SELECT'):
                _refuse(error)
        with _own_words():
            return self.observer.timed(self.engine.execute_sql, sql, parameters)

    def insert_all(self, table: Any, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows, with values for all the table's columns in order, within a transaction.

        They go the way in which the engine takes many. Raises Unavailable.
        """
        with _own_words(), peewee.__exception_wrapper__:  # type: ignore[attr-defined]
            self.engine.insert_all(table.__name__, table._columns, rows)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Say Unavailable for what the engine cannot do in the block; a mistake in SQL stays what it is."""
        with _own_words():
            yield

    def release(self) -> None:
        """Give back the connection that this thread used, at the end of what it did."""
        self.engine.release()

    def close(self) -> None:
        """Close every connection that nobody uses, and this thread's."""
        self.engine.close_all()

    @contextmanager
    def atomically(self) -> Iterator[None]:
        """Run the block as one transaction, or as a part of the one that has begun, which can fail alone.

        Raises Unavailable where it cannot begin or commit.
        """
        if self.engine.in_transaction():
            with _own_words(), self._part():
                yield
        else:
            with _own_words(), self.engine.turn_to_write(), self._whole():
                yield

    @contextmanager
    def _whole(self) -> Iterator[None]:
        engine, is_whole = self.engine, True
        try:
            self.observer.timed(engine.begin, *engine.begin_arguments)
            engine.push_transaction(engine.transaction())
            try:
                yield
                self.observer.timed(engine.commit)
            except BaseException:
                is_whole = self._rolled_back()
                raise
            finally:
                engine.pop_transaction()
        except BaseException as error:
            if not is_whole or _meaning(error) is Meaning.LOST:
                engine.discard()
            raise

    def _rolled_back(self) -> bool:
        try:
            self.engine.rollback()
        except peewee.PeeweeException:
            return False
        return True

    @contextmanager
    def _part(self) -> Iterator[None]:
        engine = self.engine
        name = f'part_{engine.transaction_depth()}'
        self.execute(f'SAVEPOINT {name}')
        engine.push_transaction(engine.transaction())
        try:
            yield
        except Unavailable:  # then the whole is lost, and so is the savepoint
            raise
        except BaseException:
            self.execute(f'ROLLBACK TO SAVEPOINT {name}')
            raise
        finally:
            engine.pop_transaction()
        self.execute(f'RELEASE SAVEPOINT {name}')


class Parameter:
    """A named place in a Statement, filled when it runs."""

    def __init__(self, name: str) -> None:
        self.name = name


def parameter(name: str) -> peewee.Value:
    """Return what stands for the named value in a query."""
    return peewee.Value(Parameter(name), converter=False, unpack=False)


class Statement:
    """A query that is compiled once for an engine, then run with parameters.

    Compiling costs peewee some 200 µs, running the compiled text 8 µs. With `lock=True` the rows it
    reads stay as they are until the transaction ends, on engines that do not lock all by themselves.
    """

    def __init__(self, query: Any, *, lock: bool = False) -> None:
        self._query = query
        self._lock = lock

    def _compile(self, db: Database) -> tuple[str, tuple[Any, ...]]:
        query = self._query.for_update() if self._lock and db.engine.for_update else self._query
        sql, values = db.engine.get_sql_context().sql(query).query()
        db.compiled[self] = compiled = (sql, tuple(values))
        return compiled

    def run(self, db: Database, **values: Any) -> Any:
        """Run it and return the cursor."""
        sql, places = db.compiled.get(self) or self._compile(db)
        return db.execute(
            sql, [values[place.name] if type(place) is Parameter else place for place in places]
        )

    def all(self, db: Database, **values: Any) -> list[Any]:
        """Run it and return every row, as tuples."""
        rows: list[Any] = self.run(db, **values).fetchall()
        return rows

    def all_of(self, db: Database, several: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Run it for each of several sets of parameters, all as one statement; the rows come in any order.

        Every column that it selects must have a name of its own.
        """
        sql, places = db.compiled.get(self) or self._compile(db)
        # A part with its own order and limit must be a derived table: SQLite takes it in no other way.
        parts = (f'SELECT * FROM ({sql}) AS part{number}' for number in range(len(several)))  # noqa: S608
        given = [
            values[place.name] if type(place) is Parameter else place
            for values in several
            for place in places
        ]
        rows: list[Any] = db.execute(' UNION ALL '.join(parts), given).fetchall() if several else []
        return rows

    def one(self, db: Database, **values: Any) -> Any:
        """Run it and return the first row, or None."""
        rows = self.all(db, **values)
        return rows[0] if rows else None

    def count(self, db: Database, **values: Any) -> int:
        """Run it and return how many rows it inserted, changed or deleted."""
        return int(self.run(db, **values).rowcount)


Commits: Any = peewee.Table('commits', ('writer', 'number', 'committed_at'))
_NUMBER = Statement(Commits.select(Commits.number).where(Commits.writer == parameter('writer')), lock=True)
_NOTE = Statement(
    Commits.update({Commits.number: parameter('number'), Commits.committed_at: parameter('now')}).where(
        Commits.writer == parameter('writer')
    )
)
_FIRST_NOTE = Statement(
    Commits.insert(writer=parameter('writer'), number=parameter('number'), committed_at=parameter('now'))
)
_FORGET = Statement(Commits.delete().where(Commits.committed_at < parameter('past')))


class Commit(Generic[R]):
    """The commit of one transaction: what it leads to, and whether it happened where nobody answered.

    A connection can break after COMMIT was sent and before it was answered, and then only the database
    knows. So the last thing that a transaction does is to note its number in the row of its writer, which is
    the thread that runs it, one transaction at a time. The note is committed with the effect or not at all,
    for inserts, changes and deletes alike. The next try asks for it first: where the number is there, the
    first try has happened and its result is the answer. The row's lock lets that question wait for a
    first try that the server still has in hand; where the row is new, its primary key does; and a Galera
    node that has not seen the first try yet is refused by the others for the same row.

    An engine within this process loses no answers and notes nothing.
    """

    def __init__(self, db: Database) -> None:
        db.thread.transactions += 1
        db.thread.drawn = []
        self._db = db
        self._place = {'writer': db.thread.writer, 'number': db.thread.transactions}
        self._is_noted = db.engine.answers_get_lost
        self._is_in_doubt = False
        self._results: list[R] = []

    @property
    def result(self) -> R:
        """What the try that was committed returned."""
        return self._results[-1]

    def has_happened(self) -> bool:
        """Whether an earlier try was committed; asked at the start of the next."""
        self._db.thread.used = 0
        if not self._is_in_doubt:
            return False
        row = _NUMBER.one(self._db, writer=self._place['writer'])
        return row is not None and row[0] == self._place['number']

    def prepare(self, result: R) -> None:
        """Note that the transaction is about to be committed, with what it returns."""
        if self._is_noted:
            now = self._db.now()
            if not _NOTE.count(self._db, now=now, **self._place):
                _FORGET.run(self._db, past=now - DAY)  # what writers left that are no more
                _FIRST_NOTE.run(self._db, now=now, **self._place)
            self._is_in_doubt = True
        self._results.append(result)

    def may_be_tried_again(self, refused: Exception) -> bool:
        """Whether it was refused only for what others did at the same time, or for a broken connection."""
        if isinstance(refused, Unavailable):
            return _meaning(refused) in (Meaning.CROSSED, Meaning.LOST)
        if has_collided(refused):
            self._db.thread.drawn = []
            return True
        return False


def transaction(
    write: Callable[Concatenate[Database, P], R],
) -> Callable[Concatenate[Database, P], R]:
    """Make a domain function one transaction: all of it happens, once, or none of it.

    It is run again from its start, with the same ids, when the engine refuses it for what another
    transaction did, and on a new connection when the old one broke; Commit says how an unanswered COMMIT is
    settled. Called within another transaction it is a part of that one, and succeeds and fails with it.
    Raises Unavailable when that does not help in time.
    """

    @functools.wraps(write)
    def run(db: Database, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if db.engine.in_transaction():
            with db.atomically():
                return write(db, *args, **kwargs)
        commit: Commit[R] = Commit(db)
        give_up = time.monotonic() + TRYING_SECONDS
        for attempt in range(1, TRIES + 1):
            try:
                with db.atomically():
                    if not commit.has_happened():
                        commit.prepare(write(db, *args, **kwargs))
                return commit.result
            except (Unavailable, peewee.IntegrityError) as refused:
                is_last = attempt == TRIES or time.monotonic() > give_up
                if is_last or not commit.may_be_tried_again(refused):
                    raise
                log.info('%s is tried again: %s', write.__name__, refused.__cause__ or refused)
                db.observer.tried_again()
            time.sleep(BACKOFF_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
        raise AssertionError('unreachable')

    return run


@contextmanager
def _own_words() -> Iterator[None]:
    """Say Unavailable for what the engine cannot do now; a mistake in SQL stays what it is."""
    try:
        yield
    except peewee.PeeweeException as error:
        _refuse(error)


def _refuse(error: Any) -> NoReturn:
    if _meaning(error) is Meaning.MISTAKE:
        raise error
    raise Unavailable('The database cannot be reached, or cannot take the request now.') from error


def _meaning(error: BaseException) -> Meaning:
    return meaning_of(error.__cause__ if isinstance(error, Unavailable) else error)
