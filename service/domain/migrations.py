"""The schema in the database: made whole where there is none, brought forward by steps where it is older."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, TypeVar

import peewee

from service.domain.database import BACKOFF_SECONDS, Database, Statement, parameter, transaction
from service.domain.engines import LOCK_SECONDS
from service.domain.errors import Unavailable, WrongSchema
from service.domain.refusals import Meaning, is_busy, meaning_of
from service.domain.schema import STATEMENTS

R = TypeVar('R')

COMMAND = 'python -m service migrate'
EVERYWHERE = 'every engine'

# Names are listed in byte order, as SQLite and MariaDB do, whatever the database's own locale is.
POSTGRESQL_IN_BYTE_ORDER = ('ALTER TABLE users ALTER COLUMN username_key TYPE VARCHAR(64) COLLATE "C"',)


class Step(NamedTuple):
    """A change from one schema to the next: its statements, by the name of the engine they are for.

    Each can be run again without effect: on MariaDB every statement that defines something commits, so a
    step may be taken halfway, and GET_LOCK holds on one node of a Galera cluster only.
    """

    title: str
    statements: Mapping[str, Sequence[str]] = {}


# Step 1 is the first released schema. What was released is never changed; a change is a further step.
STEPS = (
    Step('the first release'),
    Step(
        'retries and tries are remembered, names are in byte order',
        {
            EVERYWHERE: (
                """
                CREATE TABLE IF NOT EXISTS migrations (
                    number BIGINT NOT NULL,
                    taken_at BIGINT NOT NULL,
                    CONSTRAINT migrations_number PRIMARY KEY (number)
                )
                """,
                """
                CREATE TABLE IF NOT EXISTS commits (
                    writer BIGINT NOT NULL,
                    number BIGINT NOT NULL,
                    committed_at BIGINT NOT NULL,
                    CONSTRAINT commits_writer PRIMARY KEY (writer)
                )
                """,
                """
                CREATE TABLE IF NOT EXISTS idempotency_keys (
                    digest VARCHAR(64) NOT NULL,
                    user_id BIGINT,
                    fingerprint VARCHAR(64) NOT NULL,
                    claim VARCHAR(32) NOT NULL,
                    expires_at BIGINT NOT NULL,
                    status BIGINT,
                    headers TEXT,
                    body TEXT,
                    CONSTRAINT idempotency_keys_digest PRIMARY KEY (digest),
                    CONSTRAINT idempotency_keys_user FOREIGN KEY (user_id)
                        REFERENCES users (id) ON DELETE CASCADE
                )
                """,
                'CREATE INDEX IF NOT EXISTS idempotency_keys_by_user ON idempotency_keys (user_id)',
                'CREATE INDEX IF NOT EXISTS idempotency_keys_by_expiry ON idempotency_keys (expires_at)',
                """
                CREATE TABLE IF NOT EXISTS tries (
                    id BIGINT NOT NULL,
                    digest VARCHAR(64) NOT NULL,
                    place BIGINT NOT NULL,
                    expires_at BIGINT NOT NULL,
                    CONSTRAINT tries_id PRIMARY KEY (id),
                    CONSTRAINT tries_place UNIQUE (digest, place)
                )
                """,
                'CREATE INDEX IF NOT EXISTS tries_by_expiry ON tries (expires_at)',
                'CREATE INDEX IF NOT EXISTS tokens_by_expiry ON tokens (expires_at)',
            ),
            'postgresql': POSTGRESQL_IN_BYTE_ORDER,
        },
    ),
    Step(
        'stores and items',
        {
            EVERYWHERE: (
                """
                CREATE TABLE IF NOT EXISTS stores (
                    id BIGINT NOT NULL,
                    owner_id BIGINT NOT NULL,
                    name VARCHAR(80) NOT NULL,
                    name_key VARCHAR(240) NOT NULL,
                    item_count BIGINT NOT NULL DEFAULT 0,
                    created_at BIGINT NOT NULL,
                    CONSTRAINT stores_id PRIMARY KEY (id),
                    CONSTRAINT stores_name UNIQUE (name_key),
                    CONSTRAINT stores_counts CHECK (item_count >= 0),
                    CONSTRAINT stores_owner FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE
                )
                """,
                'CREATE INDEX IF NOT EXISTS stores_by_owner ON stores (owner_id)',
                """
                CREATE TABLE IF NOT EXISTS items (
                    id BIGINT NOT NULL,
                    store_id BIGINT NOT NULL,
                    name VARCHAR(80) NOT NULL,
                    name_key VARCHAR(240) NOT NULL,
                    cents BIGINT NOT NULL,
                    created_at BIGINT NOT NULL,
                    CONSTRAINT items_id PRIMARY KEY (id),
                    CONSTRAINT items_name UNIQUE (store_id, name_key),
                    CONSTRAINT items_cents CHECK (cents >= 0),
                    CONSTRAINT items_store FOREIGN KEY (store_id) REFERENCES stores (id) ON DELETE CASCADE
                )
                """,
                'CREATE INDEX IF NOT EXISTS items_by_store ON items (store_id, id)',
            )
        },
    ),
    Step(
        'signing keys',
        {
            EVERYWHERE: (
                """
                CREATE TABLE IF NOT EXISTS signing_keys (
                    id BIGINT NOT NULL,
                    private_key TEXT NOT NULL,
                    created_at BIGINT NOT NULL,
                    published_until BIGINT,
                    CONSTRAINT signing_keys_id PRIMARY KEY (id)
                )
                """,
            )
        },
    ),
)
LATEST = len(STEPS)

Migrations: Any = peewee.Table('migrations', ('number', 'taken_at'))

_LAST = Statement(Migrations.select(peewee.fn.MAX(Migrations.number)))
_TAKE = Statement(Migrations.insert(number=parameter('number'), taken_at=parameter('now')))


def schema_number(db: Database) -> int:
    """Return the last step that the schema has taken, 0 where there is none or it was not made to its end."""
    if not db.engine.is_there():
        return 0
    tables = set(db.engine.get_tables())
    if 'migrations' in tables:
        return int(_LAST.one(db)[0] or 0)
    return 1 if 'users' in tables else 0


def check_schema(db: Database) -> None:
    """Return if the database answers and has the schema that this code needs.

    Raises Unavailable where it does not answer, and WrongSchema.
    """
    with db.answering():
        number = schema_number(db)
    if not number:
        raise WrongSchema(f'The database has no tables yet: {COMMAND}.')
    if number < LATEST:
        raise WrongSchema(f'The schema is at step {number}, this code needs step {LATEST}: {COMMAND}.')
    if number > LATEST:
        raise WrongSchema(f'The schema is at step {number}, this code knows step {LATEST}: it is too old.')


def migrate(db: Database) -> list[int]:
    """Bring the schema to the last step, and return the numbers of the steps that it took.

    Several nodes may do it at once: one does, the others wait. Raises Unavailable.
    """
    with db.answering():
        for statement in db.engine.before_schema:
            _insist(db, partial(db.execute, statement))
        if db.engine.schema_is_transactional:
            return _migrate_at_once(db)
        return _insist(db, partial(_migrate_alone, db))


def _insist(db: Database, do: Callable[[], R]) -> R:
    """Do it, and do it again while others are in the way.

    SQLite refuses at once what another process does too; Galera ends what another node's definitions cross.
    """
    give_up = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            with db.answering():
                return do()
        except Unavailable as refused:
            is_crossed = meaning_of(refused.__cause__) is Meaning.CROSSED
            if not (is_crossed or is_busy(refused.__cause__)) or time.monotonic() > give_up:
                raise
        time.sleep(BACKOFF_SECONDS)


@transaction
def _migrate_at_once(db: Database) -> list[int]:
    if db.engine.lock_schema:
        db.execute(db.engine.lock_schema)
    return _take_steps(db)


def _migrate_alone(db: Database) -> list[int]:
    if db.execute(db.engine.lock_schema).fetchone()[0] != 1:
        raise Unavailable('Another process is changing the schema.')
    try:
        return _take_steps(db)
    finally:
        db.execute(db.engine.unlock_schema)


def _take_steps(db: Database) -> list[int]:
    """Take the steps that are missing; an empty database gets the newest schema at once."""
    last = schema_number(db)
    missing = range(last + 1, LATEST + 1)
    if not last:
        _run(db, STATEMENTS)
        _run(db, POSTGRESQL_IN_BYTE_ORDER if db.engine.name == 'postgresql' else ())
        _note(db, LATEST)
        return [LATEST]
    for number in missing:
        statements = STEPS[number - 1].statements
        _run(db, (*statements.get(EVERYWHERE, ()), *statements.get(db.engine.name, ())))
        _note(db, number)
    return list(missing)


def _run(db: Database, statements: Sequence[str]) -> None:
    for statement in statements:
        db.execute(statement)


def _note(db: Database, number: int) -> None:
    """Note that a step is taken. Another node may have noted it: on Galera a lock is each server's own."""
    with suppress(peewee.IntegrityError):
        _note_first(db, number)


@transaction
def _note_first(db: Database, number: int) -> None:
    _TAKE.run(db, number=number, now=db.now())
