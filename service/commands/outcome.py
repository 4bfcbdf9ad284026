"""How a command ends: what it says, by which exit code, and in one line where it cannot."""

import enum
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from service.config import SettingError, Settings
from service.database.connect import open_engine
from service.database.errors import SchemaMismatch, Unavailable
from service.database.migrate import check_schema
from service.database.session import Session
from service.domain.errors import DomainError
from service.domain.startup import prepare_database

as_json = click.option('--json', 'as_json', is_flag=True, help='Say it in JSON, for scripts.')


class Exit(enum.IntEnum):
    """The exit codes, the same of every command; 0 is that it was done."""

    REFUSED = 1
    USAGE = 2  # click's own
    SETTING = 3
    DATABASE = 4
    SCHEMA = 5


EXIT_CODES = (
    'Exit codes: 0 it is done, and all is well; 1 it was refused (no such user, a taken name, a weak '
    'password) or stopped; 2 the command was called wrongly; 3 a setting cannot be used; 4 the database '
    'cannot be used; 5 its schema is not the one that this code needs.'
)


class Failure(click.ClickException):
    """A command cannot do what it was told to: one line on standard error, and an exit code."""

    def __init__(self, line: str, code: Exit) -> None:
        super().__init__(' '.join(line.split()))
        self.exit_code = code  # type: ignore[misc]  # click has one for each class


@contextmanager
def failing() -> Iterator[None]:
    """Make what goes wrong in the block a Failure."""
    try:
        yield
    except SettingError as wrong:
        raise Failure(str(wrong), Exit.SETTING) from wrong
    except SchemaMismatch as wrong:
        raise Failure(str(wrong), Exit.SCHEMA) from wrong
    except Unavailable as wrong:
        raise Failure(f'The database cannot be used: {wrong.__cause__ or wrong}', Exit.DATABASE) from wrong
    except DomainError as wrong:
        raise Failure(str(wrong), Exit.REFUSED) from wrong


@contextmanager
def opened_database() -> Iterator[Session]:
    """Give the block the database that the environment names, whatever its schema is; ends by Failure."""
    with failing():
        settings = Settings.from_environment(os.environ)
        db = Session(open_engine(settings), settings)
        try:
            yield db
        finally:
            db.close()


@contextmanager
def operated_database(*, may_be_new: bool = False) -> Iterator[Session]:
    """Give the block the database with the schema that this code needs; ends by Failure.

    Where it `may_be_new`, an empty one gets its tables first, as at the first start of the server.
    """
    with opened_database() as db:
        if may_be_new:
            prepare_database(db.settings)
        check_schema(db)
        yield db


def say(text: str, values: Any, *, as_json: bool) -> None:
    """Say what was done: in words, or the values in JSON."""
    click.echo(json.dumps(values) if as_json else text)
