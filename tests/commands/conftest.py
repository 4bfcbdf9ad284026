"""What the tests of the commands share: an operator, who runs them on the database that a server is on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service.__main__ import main
from service.database.clock import system_clock
from tests.clock import MovableClock


class Operator:
    """Runs commands with an environment."""

    def __init__(self, **environment: str) -> None:
        self.environment = environment

    def run(self, *arguments: str, typed: str = '') -> Result:
        """Run a command and return how it ended; it never ends by an exception."""
        result = CliRunner().invoke(main, arguments, input=typed, env=self.environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def ask(self, *arguments: str, typed: str = '') -> Any:
        """Return what a command that succeeds says in JSON."""
        result = self.run(*arguments, '--json', typed=typed)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)


def refusal(result: Result) -> str:
    """Return the one line that a command says where it cannot."""
    assert result.stdout == ''
    (line,) = result.stderr.splitlines()
    assert line.startswith('Error: ')
    return line.removeprefix('Error: ')


@pytest.fixture
def clock() -> MovableClock:
    """The server's clock: it goes as the operator's does, unless it is moved."""
    return MovableClock(system_clock())


@pytest.fixture
def operator(database_url: str) -> Operator:
    return Operator(DATABASE_URL=database_url, BCRYPT_COST='4', SQLITE_SYNCHRONOUS='off')


@pytest.fixture
def newcomer(tmp_path: Any) -> Operator:
    """An operator who has no database yet."""
    return Operator(DATABASE_URL=f'sqlite:///{tmp_path}/new.db', BCRYPT_COST='4')
