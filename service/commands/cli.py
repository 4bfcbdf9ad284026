"""The common parts of the commands: exit codes, errors, output, and the database."""

import enum
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click

from service.config import SettingError, Settings, misspelt_variables
from service.database.connect import describe_failure, open_engine
from service.database.errors import SchemaMismatch, Unavailable
from service.database.migrate import check_schema
from service.database.session import Session
from service.domain.errors import DomainError
from service.domain.startup import prepare_database

json_option = click.option('--json', 'as_json', is_flag=True, help='Print JSON, for scripts.')

LONG_SECONDS = 3600  # to wait for one response of the database, in commands whose statements take long


class ExitCode(enum.IntEnum):
    """The exit codes of all commands; 0 is success."""

    REJECTED = 1
    USAGE = 2  # set by click
    SETTING = 3
    DATABASE = 4
    SCHEMA = 5


EXIT_CODES = (
    'Exit codes: 0 success; 1 rejected (no such user, a taken name, a weak password) or interrupted; 2 usage '
    'error; 3 invalid setting; 4 database unavailable; 5 schema version mismatch.'
)


class Failure(click.ClickException):
    """A command failed: one line on standard error, and an exit code."""

    def __init__(self, line: str, code: ExitCode) -> None:
        super().__init__(' '.join(line.split()))
        self.exit_code = code  # type: ignore[misc]  # click declares it as a class attribute


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Raise Failure for every expected error in the block."""
    try:
        yield
    except SettingError as error:
        raise Failure(str(error), ExitCode.SETTING) from error
    except SchemaMismatch as error:
        raise Failure(str(error), ExitCode.SCHEMA) from error
    except Unavailable as error:
        settings = Settings.from_environment(os.environ)
        raise Failure(describe_failure(settings, error), ExitCode.DATABASE) from error
    except DomainError as error:
        raise Failure(str(error), ExitCode.REJECTED) from error


def read_settings() -> Settings:
    """Return the settings, and warn about variables that look like misspelt ones; raises SettingError."""
    settings = Settings.from_environment(os.environ)
    for name, setting in misspelt_variables(os.environ).items():
        click.echo(f'Warning: {name} is not a setting: did you mean {setting}?', err=True)
    return settings


@contextmanager
def open_any_schema(*, seconds: int | None = None) -> Iterator[Session]:
    """Provide a session on the configured database, with any schema; raises Failure.

    `seconds` limits the wait for one response of the database, instead of DATABASE_TIMEOUT.
    """
    with exit_on_error():
        settings = read_settings()
        if seconds is not None:
            settings = replace(settings, database_timeout=seconds)
        session = Session(open_engine(settings), settings)
        try:
            yield session
        finally:
            session.close()


@contextmanager
def open_current_schema(*, create: bool = False, seconds: int | None = None) -> Iterator[Session]:
    """Provide a session on the configured database, if it has the schema of this release; raises Failure.

    With `create` an empty database gets its schema first, as when the server starts.
    """
    with open_any_schema(seconds=seconds) as session:
        if create:
            prepare_database(session.settings)
        check_schema(session)
        yield session


def output(text: str, values: Any, *, as_json: bool) -> None:
    """Print the text, or the values as JSON."""
    click.echo(json.dumps(values) if as_json else text)
