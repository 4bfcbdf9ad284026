"""Commands for the database: whether all is well, and the steps of the schema."""

import os
from collections.abc import Iterator

import click

from service.commands.outcome import EXIT_CODES, Failure, as_json, failing, opened_database, say
from service.config import Settings
from service.domain.database import Database
from service.domain.engines import open_engine
from service.domain.migrations import LATEST, STEPS, check_schema
from service.domain.migrations import migrate as migrate_schema

CHECKS = ('settings', 'database', 'schema')


@click.command(epilog=EXIT_CODES)
@as_json
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
            say('', report, as_json=True)


def _check() -> Iterator[str]:
    """Yield what is well of each of CHECKS; ends by Failure."""
    with failing():
        settings = Settings.from_environment(os.environ)
        db = Database(open_engine(settings), settings)
        changed = sum(getattr(settings, name) != getattr(Settings(), name) for name in Settings.__slots__)
        yield f'{changed} set, {len(Settings.__slots__) - changed} by default'
        try:
            if db.engine.is_there():
                with db.answering():
                    db.execute('SELECT 1')
            yield f'{db.engine.name}: {db.engine.database}'
            check_schema(db)
            yield f'step {LATEST}'
        finally:
            db.close()


@click.command(epilog=EXIT_CODES)
@as_json
def migrate(as_json: bool) -> None:
    """Bring the schema to what this code needs.

    Run it once after an update, from any node; where there is nothing to do, nothing is done.
    """
    with opened_database() as db:
        taken = migrate_schema(db)
    lines = [
        *(f'step {number}: {STEPS[number - 1].title}' for number in taken),
        f'The schema is at step {LATEST}.',
    ]
    say('\n'.join(lines), {'taken': taken, 'step': LATEST}, as_json=as_json)
