"""Shared fixtures: an operator who runs commands on the database of a server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service.__main__ import main
from service.database.clock import system_clock
from tests.clock import MovableClock


class Operator:
    """Runs commands with environment variables."""

    def __init__(self, **environment: str) -> None:
        self.environment = environment

    def run(self, *arguments: str, stdin: str = '') -> Result:
        """Run a command and return its result; raises AssertionError for an unexpected exception."""
        result = CliRunner().invoke(main, arguments, input=stdin, env=self.environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def run_json(self, *arguments: str, stdin: str = '') -> Any:
        """Return the JSON output of a command that must succeed."""
        result = self.run(*arguments, '--json', stdin=stdin)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)


def error_of(result: Result) -> str:
    """Return the one-line error of a command that failed."""
    assert result.stdout == ''
    (line,) = result.stderr.splitlines()
    assert line.startswith('Error: ')
    return line.removeprefix('Error: ')


@pytest.fixture
def clock() -> MovableClock:
    """The server's clock, which starts at the operator's time."""
    return MovableClock(system_clock())


@pytest.fixture
def operator(database_url: str) -> Operator:
    return Operator(DATABASE_URL=database_url, BCRYPT_COST='4', SQLITE_SYNCHRONOUS='off')


@pytest.fixture
def new_operator(tmp_path: Any) -> Operator:
    """An operator without a database."""
    return Operator(DATABASE_URL=f'sqlite:///{tmp_path}/new.db', BCRYPT_COST='4')
