"""Halcyon's commands: `python -m service COMMAND`."""

import os
import sys
from collections.abc import Callable
from typing import TypeVar

import click

from service.config import SettingError, Settings
from service.domain.database import Database
from service.domain.engines import open_engine
from service.domain.errors import Unavailable
from service.domain.keys import rotate_keys
from service.domain.migrations import LATEST, STEPS
from service.domain.migrations import migrate as migrate_schema

R = TypeVar('R')


@click.group()
def main() -> None:
    """Halcyon, a microblog served as hypermedia; `gunicorn` runs it."""


@main.command()
def migrate() -> None:
    """Bring the schema of the database at DATABASE_URL to what this code needs."""
    taken = _on_database(migrate_schema)
    for number in taken:
        click.echo(f'step {number}: {STEPS[number - 1].title}')
    click.echo(f'The schema is at step {LATEST}.')


@main.group()
def keys() -> None:
    """The keys that signed tokens are signed with."""


@keys.command()
def rotate() -> None:
    """Sign with a new key from now on; what the old ones signed stays valid until it expires."""
    key = _on_database(rotate_keys)
    click.echo(f'Tokens are signed with key {key.id} now.')


def _on_database(do: Callable[[Database], R]) -> R:
    """Do it on the database that the environment names, or stop with one line that says what is wrong."""
    try:
        settings = Settings.from_environment(os.environ)
        return do(Database(open_engine(settings), settings))
    except (SettingError, Unavailable) as wrong:
        sys.exit(' '.join(str(wrong.__cause__ or wrong).split()))


if __name__ == '__main__':
    main(prog_name='python -m service')
