"""The `check`, `settings` and `migrate` commands."""

import sqlite3
from collections.abc import Iterator

import click

from service.commands.cli import (
    EXIT_CODES,
    LONG_SECONDS,
    ExitCode,
    Failure,
    exit_on_error,
    json_option,
    open_any_schema,
    output,
    read_settings,
)
from service.config import Settings
from service.database.connect import open_engine
from service.database.introspection import schema_differences
from service.database.migrate import LATEST, MIGRATIONS, check_rights, check_schema, check_writable
from service.database.migrate import migrate as migrate_schema
from service.database.session import Session
from service.domain.models import MODELS

# The versions without a bug that can corrupt a database in rare cases: sqlite.org/wal.html#walresetbug
FIXED_SQLITE = (3, 51, 3)
BACKPORTED_SQLITE = ((3, 50, 7), (3, 44, 6))
CHECKS = ('settings', 'database', 'schema')


@click.command(epilog=EXIT_CODES)
@json_option
def check(as_json: bool) -> None:
    """Check the settings, the database and its schema.

    Prints one line per check, stops at the first failure, and changes nothing.
    """
    report = {name: {'ok': False, 'detail': 'not checked'} for name in CHECKS}
    details = _check()
    try:
        for name in CHECKS:
            detail = next(details)
            report[name] = {'ok': True, 'detail': detail}
            if not as_json:
                click.echo(f'{name:<9} ok  {detail}')
    except Failure as failure:
        report[name]['detail'] = failure.message
        raise
    finally:
        if as_json:
            output('', report, as_json=True)


def _check() -> Iterator[str]:
    """Yield the detail of each of CHECKS that succeeds; raises Failure."""
    with exit_on_error():
        settings = read_settings()
        session = Session(open_engine(settings), settings)
        changed = sum(getattr(settings, name) != getattr(Settings(), name) for name in Settings.__slots__)
        yield f'{changed} set, {len(Settings.__slots__) - changed} defaults'
        try:
            check_writable(session)
            if session.engine.exists():
                with session.translating_errors():
                    session.execute('SELECT 1')
            check_rights(session)
            yield f'{session.engine.name}: {session.engine.database}{_version_of(session)}'
            check_schema(session)
            differences = schema_differences(session, MODELS)
            if differences:
                raise Failure(
                    f'The database differs from schema.sql: {"; ".join(differences)}.', ExitCode.SCHEMA
                )
            yield f'version {LATEST}'
        finally:
            session.close()


def _version_of(session: Session) -> str:
    """Return the version of SQLite, which is part of Python, and whether it has a severe bug."""
    if session.engine.name != 'sqlite':
        return ''
    version = sqlite3.sqlite_version_info
    is_fixed = version >= FIXED_SQLITE or any(
        version[:2] == fixed[:2] and version >= fixed for fixed in BACKPORTED_SQLITE
    )
    warning = '' if is_fixed else ', which has the WAL-reset bug (sqlite.org/wal.html#walresetbug)'
    return f' (SQLite {sqlite3.sqlite_version}{warning})'


@click.command(epilog=EXIT_CODES)
@json_option
def settings(as_json: bool) -> None:
    """Print all settings with their values, secrets masked."""
    with exit_on_error():
        values = read_settings().printable()
    output('\n'.join(f'{name}={value}' for name, value in values.items()), values, as_json=as_json)


@click.command(epilog=EXIT_CODES)
@json_option
def migrate(as_json: bool) -> None:
    """Upgrade the schema to the version that this release needs.

    Run it once after an update, on any node. It is idempotent.
    """
    with open_any_schema(seconds=LONG_SECONDS) as session:
        applied = migrate_schema(session)
        check_schema(session)
    titles = {migration.number: migration.title for migration in MIGRATIONS}
    lines = [
        *(f'version {number}: {titles[number]}' for number in applied),
        f'The schema has version {LATEST}.',
    ]
    output('\n'.join(lines), {'taken': applied, 'step': LATEST}, as_json=as_json)
