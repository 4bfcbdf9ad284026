"""Schema versions: creating the schema in an empty database, and upgrading it by migrations."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import peewee

from service.database.compiled import CompiledQuery, insert_into
from service.database.errors import READ_ONLY, ConstraintViolation, ErrorKind, SchemaMismatch, Unavailable
from service.database.schema import CONSTRAINTS, STATEMENTS, parse_script
from service.database.session import Session
from service.database.transactions import BACKOFF_SECONDS, transaction

R = TypeVar('R')

COMMAND = 'python -m service migrate'
NOT_OURS = 'This is not a Halcyon database: it has tables of another application. Use an empty database.'
FIRST_TABLES = frozenset(('users', 'follows', 'posts', 'tokens', 'totals'))  # of the first release
ADDED_COLUMN, ADDED_BY = 'suspended_at', 5  # a column missing in the first release, and its migration
RETRY_SECONDS = 10
_FOLDER = Path(__file__).parent / 'migrations'


class AppliedMigration(peewee.Model):
    """A migration that the schema has; the table is empty while the schema is being created."""

    number = peewee.BigIntegerField(primary_key=True)
    taken_at = peewee.BigIntegerField()

    class Meta:
        table_name = 'migrations'


class Migration(NamedTuple):
    """An upgrade of the schema by one version: NNN_name.sql, and NNN_name.ENGINE.sql for one engine only.

    Its statements have no effect when they run again: on MariaDB each DDL statement commits, so a migration
    may be applied in part, and GET_LOCK locks only one node of a Galera cluster.
    """

    number: int
    path: Path

    @property
    def title(self) -> str:
        """The comment in the first line of the file."""
        return self.path.read_text().partition('\n')[0].removeprefix('-- ')

    def statements(self) -> list[str]:
        """Return the statements for every engine."""
        return parse_script(self.path.read_text())

    def engine_statements(self, engine: str) -> list[str]:
        """Return the statements for one engine only, which an empty database also needs, after schema.sql."""
        path = self.path.with_suffix(f'.{engine}.sql')
        return parse_script(path.read_text()) if path.exists() else []


# Version 1 is the first release, which has no file. Released files never change: a change is a new file.
MIGRATIONS = [
    Migration(int(path.name.partition('_')[0]), path)
    for path in sorted(_FOLDER.glob('*.sql'))
    if path.name.count('.') == 1
]
LATEST = MIGRATIONS[-1].number
TABLES = frozenset(constraint.table for constraint in CONSTRAINTS)

_FIND_LATEST = CompiledQuery(AppliedMigration.select(peewee.fn.MAX(AppliedMigration.number)))
_INSERT = insert_into(AppliedMigration)
_WRITES = [
    statement.format(table=constraint.table, column=constraint.columns[0])
    for constraint in CONSTRAINTS
    if constraint.is_primary and constraint.table != AppliedMigration._meta.table_name
    for statement in (
        'INSERT INTO {table} SELECT * FROM {table} WHERE 1 = 0',
        'UPDATE {table} SET {column} = {column} WHERE 1 = 0',
        'DELETE FROM {table} WHERE 1 = 0',
    )
]  # writes without effect to each table that requests write to


def schema_version(session: Session) -> int:
    """Return the number of the latest migration that the schema has, 0 if it is missing or incomplete.

    Raises SchemaMismatch if the tables are not ours.
    """
    if not session.engine.exists():
        return 0
    tables = {name for name in session.engine.get_tables() if not name.startswith('sqlite_')}
    if AppliedMigration._meta.table_name in tables:
        try:
            version = int(_FIND_LATEST.first(session)[0] or 0)
        except (peewee.ProgrammingError, peewee.OperationalError):  # a column is missing
            raise SchemaMismatch(NOT_OURS) from None
        return 1 if _lacks_columns(session, tables, version) else version
    if tables and not tables >= FIRST_TABLES:
        raise SchemaMismatch(NOT_OURS)
    return 1 if tables else 0


def _lacks_columns(session: Session, tables: set[str], version: int) -> bool:
    """Return whether the tables are those of the first release, whatever version is recorded.

    On MariaDB, a migration that is interrupted before it records version 2 leaves no version at all, and an
    earlier release recorded its latest version instead of completing it.
    """
    if session.engine.has_transactional_ddl or 0 < version < ADDED_BY or not tables >= FIRST_TABLES:
        return False
    return all(column.name != ADDED_COLUMN for column in session.engine.get_columns('users'))


def check_schema(session: Session) -> None:
    """Raise Unavailable if the database does not respond, SchemaMismatch if its schema differs.

    Tables that are missing are found here; other differences are found by `schema_differences`.
    """
    with session.translating_errors():
        version = schema_version(session)
        missing = TABLES.difference(session.engine.get_tables()) if version == LATEST else None
    session.is_schema_current = missing == frozenset()
    if not version:
        raise SchemaMismatch(f'The database has no tables: run {COMMAND}.')
    if version < LATEST:
        raise SchemaMismatch(
            f'The schema has version {version}, but this release needs version {LATEST}: run {COMMAND}.'
        )
    if version > LATEST:
        raise SchemaMismatch(
            f'The schema has version {version}, which is newer than this release ({LATEST}): upgrade Halcyon.'
        )
    if missing:
        tables = '; '.join(f'table {name} is missing' for name in sorted(missing))
        raise SchemaMismatch(
            f'The database is incomplete: {tables}. Restore a backup, or grant this user the missing rights.'
        )


def check_writable(session: Session) -> None:
    """Raise Unavailable if the database does not respond, or rejects writes."""
    session.engine.check_writable()
    if session.engine.read_only_sql:
        with session.translating_errors():
            is_read_only = session.execute(session.engine.read_only_sql).fetchone()[0]
        if is_read_only:
            raise Unavailable(READ_ONLY)


def check_rights(session: Session) -> None:
    """Raise Unavailable if the user may not write to the tables, or may not create them in an empty database.

    The database checks the right to run each statement, although no row matches. A schema that does not match
    is reported by check_schema.
    """
    if not session.engine.has_users:
        return
    with suppress(SchemaMismatch), session.translating_errors():
        if not schema_version(session) and not session.engine.may_create_tables():
            raise Unavailable(
                'This user may not create tables in a schema of search_path.', ErrorKind.FORBIDDEN
            )
        check_schema(session)
        for statement in _WRITES:
            session.execute(statement)


def create_schema_if_missing(session: Session) -> None:
    """Prepare the database for this process, and create the schema if it has none; raises Unavailable."""
    check_writable(session)
    with session.translating_errors():
        for statement in session.engine.startup_sql:
            session.execute(statement)
        is_missing = not schema_version(session)
    if is_missing:
        migrate(session)


def migrate(session: Session) -> list[int]:
    """Upgrade the schema to the latest version, and return the numbers of the migrations applied.

    Several nodes may call it at once: one migrates, the others wait. Raises Unavailable.
    """
    with session.translating_errors():
        if _retry_while_locked(session, partial(schema_version, session)) >= LATEST:
            return []  # before any statement that needs the right to change the schema
        for statement in session.engine.ddl_sql:
            _retry_while_locked(session, partial(session.execute, statement))
        if session.engine.has_transactional_ddl:
            return _migrate_in_transaction(session)
        return _retry_while_locked(session, partial(_migrate_with_lock, session))


def _retry_while_locked(session: Session, migrate: Callable[[], R]) -> R:
    """Call the function until no other process interferes.

    While SQLite is locked, some statements fail immediately; Galera aborts DDL that conflicts with that of
    another node.
    """
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        try:
            with session.translating_errors():
                return migrate()
        except Unavailable as error:
            if error.kind not in (ErrorKind.CONFLICT, ErrorKind.LOCKED) or time.monotonic() > deadline:
                raise
        time.sleep(BACKOFF_SECONDS)


@transaction
def _migrate_in_transaction(session: Session) -> list[int]:
    if session.engine.lock_schema_sql:
        session.execute(session.engine.lock_schema_sql)
    return _apply_missing(session)


def _migrate_with_lock(session: Session) -> list[int]:
    if session.execute(session.engine.lock_schema_sql).fetchone()[0] != 1:
        raise Unavailable('Another process is changing the schema.')
    try:
        return _apply_missing(session)
    finally:
        session.execute(session.engine.unlock_schema_sql)


def _apply_missing(session: Session) -> list[int]:
    """Apply the missing migrations; an empty database gets the latest schema at once."""
    engine, version = session.engine.name, schema_version(session)
    if not version:
        encoding = session.engine.unsuitable_encoding()
        if encoding:
            raise SchemaMismatch(
                f'The encoding of the database is {encoding}, which lacks most characters.'
                " Create the database with TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'."
            )
        for statement in STATEMENTS:
            session.execute(statement)
    missing = [migration for migration in MIGRATIONS if migration.number > version]
    for migration in missing:
        for statement in (*(migration.statements() if version else ()), *migration.engine_statements(engine)):
            session.execute(session.engine.ddl(statement))
        if version or migration.number == LATEST:
            _record(session, migration.number)
    return [migration.number for migration in missing] if version else [LATEST]


def _record(session: Session, number: int) -> None:
    """Record a migration as applied, unless another node has: on Galera, locks are local to a server."""
    with suppress(ConstraintViolation):
        _insert(session, number)


@transaction
def _insert(session: Session, number: int) -> None:
    _INSERT.run(session, number=number, taken_at=session.now())
