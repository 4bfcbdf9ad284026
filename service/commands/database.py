"""Commands for the database: whether all is well, and the steps of the schema."""

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

    There is one line for each that is well, in this order; the first that is not ends it. Nothing is changed.
    """
    report = {name: {'ok': False, 'detail': 'not checked'} for name in CHECKS}
    checking = _check()
    try:
        for name in CHECKS:
            detail = next(checking)
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
    """Yield what is well of each of CHECKS; ends by Failure."""
    with exit_on_error():
        settings = Settings.from_environment(os.environ)
        session = Session(open_engine(settings), settings)
        changed = sum(getattr(settings, name) != getattr(Settings(), name) for name in Settings.__slots__)
        yield f'{changed} set, {len(Settings.__slots__) - changed} by default'
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
            yield f'step {LATEST}'
        finally:
            session.close()


@click.command(epilog=EXIT_CODES)
@json_option
def migrate(as_json: bool) -> None:
    """Bring the schema to what this code needs.

    Run it once after an update, from any node; where there is nothing to do, nothing is done.
    """
    with open_any_schema() as session:
        taken = migrate_schema(session)
    titles = {migration.number: migration.title for migration in MIGRATIONS}
    lines = [
        *(f'step {number}: {titles[number]}' for number in taken),
        f'The schema is at step {LATEST}.',
    ]
    output('\n'.join(lines), {'taken': taken, 'step': LATEST}, as_json=as_json)
