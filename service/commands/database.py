"""The `check` and `migrate` commands."""

import os
from collections.abc import Iterator

import click

from service.commands.cli import (
    EXIT_CODES,
    ExitCode,
    Failure,
    exit_on_error,
    json_option,
    open_any_schema,
    output,
)
from service.config import Settings
from service.database.connect import open_engine
from service.database.introspection import schema_differences
from service.database.migrate import LATEST, MIGRATIONS, check_schema
from service.database.migrate import migrate as migrate_schema
from service.database.session import Session
from service.domain.models import MODELS

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
        settings = Settings.from_environment(os.environ)
        session = Session(open_engine(settings), settings)
        changed = sum(getattr(settings, name) != getattr(Settings(), name) for name in Settings.__slots__)
        yield f'{changed} set, {len(Settings.__slots__) - changed} defaults'
        try:
            if session.engine.exists():
                with session.translating_errors():
                    session.execute('SELECT 1')
            yield f'{session.engine.name}: {session.engine.database}'
            check_schema(session)
            differences = schema_differences(session, MODELS)
            if differences:
                raise Failure(
                    f'The database differs from schema.sql: {"; ".join(differences)}.', ExitCode.SCHEMA
                )
            yield f'version {LATEST}'
        finally:
            session.close()


@click.command(epilog=EXIT_CODES)
@json_option
def migrate(as_json: bool) -> None:
    """Upgrade the schema to the version that this release needs.

    Run it once after an update, on any node. It is idempotent.
    """
    with open_any_schema() as session:
        applied = migrate_schema(session)
    titles = {migration.number: migration.title for migration in MIGRATIONS}
    lines = [
        *(f'version {number}: {titles[number]}' for number in applied),
        f'The schema has version {LATEST}.',
    ]
    output('\n'.join(lines), {'taken': applied, 'step': LATEST}, as_json=as_json)
