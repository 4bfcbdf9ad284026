"""The database: how it is opened, what runs on it, and what one transaction is."""

import functools
import logging
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import peewee

from service.config import SettingError, Settings
from service.domain.clock import Clock, Ids, system_clock
from service.domain.errors import Unavailable

P = ParamSpec('P')
R = TypeVar('R')

SCHEMA = Path(__file__).parents[2] / 'schema.sql'
BUSY_SECONDS = 10.0  # how long a SQLite writer waits for the writers before it
TRIES = 5  # of one transaction
BACKOFF_SECONDS = 0.02  # before the second try; doubled before each further one, with jitter

PRIMARY_KEYS = ('users_id', 'follows_id', 'posts_id', 'tokens_id')

log = logging.getLogger(__name__)
logging.getLogger('peewee').setLevel(logging.INFO)  # what it says for debugging holds hashes


class Database:
    """An engine with the clock, the ids and the settings that every domain function works with.

    `engine` is peewee's database, `now` returns UTC milliseconds, `new_id` a fresh id.
    """

    def __init__(self, engine: peewee.Database, settings: Settings, clock: Clock = system_clock) -> None:
        self.engine = engine
        self.settings = settings
        self.now = clock
        self.new_id = Ids(clock)
        self.compiled: dict[Statement, tuple[str, tuple[Any, ...]]] = {}

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Run one SQL statement and return its cursor; raises Unavailable where the engine cannot take it."""
        with _own_words():
            return self.engine.execute_sql(sql, parameters)

    def ping(self) -> None:
        """Return if the database answers and has the schema; raises Unavailable otherwise."""
        self.execute('SELECT 1 FROM users WHERE id = 0')

    def close(self) -> None:
        """Close this thread's connection."""
        self.engine.close()

    @contextmanager
    def atomically(self) -> Iterator[None]:
        """Run the block as one transaction; raises Unavailable where it cannot begin or commit."""
        with _own_words(), self.engine.atomic('IMMEDIATE'):
            yield


class Parameter:
    """A named place in a Statement, filled when it runs."""

    def __init__(self, name: str) -> None:
        self.name = name


def parameter(name: str) -> peewee.Value:
    """Return what stands for the named value in a query."""
    return peewee.Value(Parameter(name), converter=False, unpack=False)


class Statement:
    """A query that is compiled once for a database, then run with parameters.

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

    def one(self, db: Database, **values: Any) -> Any:
        """Run it and return the first row, or None."""
        rows = self.all(db, **values)
        return rows[0] if rows else None

    def count(self, db: Database, **values: Any) -> int:
        """Run it and return how many rows it inserted, changed or deleted."""
        return int(self.run(db, **values).rowcount)


def transaction(
    write: Callable[Concatenate[Database, P], R],
) -> Callable[Concatenate[Database, P], R]:
    """Make a domain function one transaction: all of it happens, once, or none of it.

    It is run again from its start when the engine refuses it for what another transaction did, and
    when another process made the same id in the same millisecond.
    """

    @functools.wraps(write)
    def run(db: Database, /, *args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, TRIES + 1):
            try:
                with db.atomically():
                    return write(db, *args, **kwargs)
            except (Unavailable, peewee.IntegrityError) as refused:
                if attempt == TRIES or not may_succeed_again(refused):
                    raise
                log.info('%s is tried again: %s', write.__name__, refused.__cause__)
                time.sleep(BACKOFF_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
        raise AssertionError('unreachable')

    return run


def may_succeed_again(refused: Unavailable | peewee.IntegrityError) -> bool:
    """Whether the engine refused the transaction only for what another one did at the same time."""
    if isinstance(refused, peewee.IntegrityError):
        return violated(refused) in PRIMARY_KEYS
    error = getattr(refused.__cause__, 'orig', None)
    return getattr(error, 'sqlite_errorname', '') in ('SQLITE_BUSY_SNAPSHOT', 'SQLITE_LOCKED')


def violated(error: peewee.IntegrityError) -> str:
    """Return the name of the unique constraint that refused a row, as schema.sql has it.

    SQLite names the columns (`users.email_key`), from which the name is made.
    """
    message = str(getattr(error, 'orig', error))
    return message.rpartition(': ')[2].replace('.', '_')


@contextmanager
def _own_words() -> Iterator[None]:
    """Say Unavailable for what the engine cannot do now; a mistake in SQL stays what it is."""
    try:
        yield
    except (peewee.OperationalError, peewee.InterfaceError) as error:
        if getattr(getattr(error, 'orig', None), 'sqlite_errorname', '') == 'SQLITE_ERROR':
            raise
        raise Unavailable('The database cannot be reached, or cannot take the request now.') from error


def open_database(settings: Settings, clock: Clock = system_clock) -> Database:
    """Open the database that the settings name, and make its tables if it has none.

    Raises SettingError for a URL that names no usable database.
    """
    path = settings.database_url.removeprefix('sqlite:///')
    if path == settings.database_url or not path or ':memory:' in path:
        raise SettingError(
            'DATABASE_URL: must be sqlite:/// and a file: sqlite:///relative.db, or sqlite:////absolute/file.db'
        )
    folder = os.path.dirname(os.path.abspath(path))
    if not os.access(folder, os.W_OK) or os.path.isdir(path):
        raise SettingError(f'DATABASE_URL: {path!r} cannot be a file that this process writes')
    engine = peewee.SqliteDatabase(
        path,
        timeout=BUSY_SECONDS,
        pragmas={'foreign_keys': 1, 'synchronous': settings.sqlite_synchronous},
    )
    database = Database(engine, settings, clock)
    create_schema(database)
    return database


@transaction
def _run_script(db: Database, statements: Sequence[str]) -> None:
    for statement in statements:
        db.execute(statement)


def create_schema(db: Database) -> None:
    """Make the tables and indexes that are missing; several processes may do it at once."""
    for attempt in range(1, TRIES + 1):
        try:
            db.execute('PRAGMA journal_mode = wal')  # kept in the file; changing it waits for nobody
            break
        except Unavailable:
            if attempt == TRIES:
                raise
            time.sleep(BACKOFF_SECONDS * 2**attempt)
    _run_script(db, schema_statements())


def schema_statements() -> list[str]:
    """Return the statements of schema.sql, one by one, without comments."""
    lines = (line.partition('--')[0] for line in SCHEMA.read_text().splitlines())
    return [statement.strip() for statement in '\n'.join(lines).split(';') if statement.strip()]
