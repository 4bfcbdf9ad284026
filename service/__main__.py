"""Halcyon's commands: `python -m service COMMAND`."""

import os
import sys

import click

from service.config import SettingError, Settings
from service.domain.database import Database
from service.domain.engines import open_engine
from service.domain.errors import Unavailable
from service.domain.migrations import LATEST, STEPS
from service.domain.migrations import migrate as migrate_schema


@click.group()
def main() -> None:
    """Halcyon, a microblog served as hypermedia; `gunicorn` runs it."""


@main.command()
def migrate() -> None:
    """Bring the schema of the database at DATABASE_URL to what this code needs."""
    try:
        settings = Settings.from_environment(os.environ)
        db = Database(open_engine(settings), settings)
        taken = migrate_schema(db)
    except (SettingError, Unavailable) as wrong:
        sys.exit(' '.join(str(wrong.__cause__ or wrong).split()))
    for number in taken:
        click.echo(f'step {number}: {STEPS[number - 1].title}')
    click.echo(f'The schema is at step {LATEST}.')


if __name__ == '__main__':
    main(prog_name='python -m service')
