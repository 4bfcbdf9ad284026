"""check: what is well, and by exit code and one line what is not."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from service.commands.cli import ExitCode
from service.config import Settings
from service.database.migrate import LATEST
from service.database.session import Session
from tests.commands.conftest import Operator, refusal
from tests.conftest import Start


def test_what_is_well_is_a_line_each(operator: Operator) -> None:
    result = operator.run('check')
    assert (result.exit_code, result.stderr) == (0, '')
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        ['settings', 'ok'],
        ['database', 'ok'],
        ['schema', 'ok'],
    ]


def test_the_report_has_no_password(operator: Operator) -> None:
    operator.environment['BASE_URL'] = 'https://halcyon.test'
    report = operator.ask('check')
    assert all(part['ok'] for part in report.values())
    assert '@' not in report['database']['detail']


@pytest.mark.parametrize(
    ('name', 'value'),
    [('WEB_CONCURRENCY', 'abc'), ('FORWARDED_ALLOW_IPS', 'proxy'), ('DATABASE_URL', 'sqlite://'),
     ('DATABASE_URL', 'sqlite:////nowhere/at/all.db'), ('BCRYPT_COST', '3')],
)  # fmt: skip
def test_a_wrong_setting_is_named(newcomer: Operator, name: str, value: str) -> None:
    newcomer.environment[name] = value
    result = newcomer.run('check')
    assert result.exit_code == ExitCode.SETTING
    assert refusal(result).startswith(f'{name}: ')


@pytest.mark.parametrize('engine', ['postgresql', 'mysql'])
def test_a_database_that_is_away_is_said_so(newcomer: Operator, engine: str) -> None:
    newcomer.environment['DATABASE_URL'] = f'{engine}://nobody:secret@127.0.0.1:1/nothing'
    result = newcomer.run('check')
    assert result.exit_code == ExitCode.DATABASE
    assert result.stdout.splitlines() == [f'settings  ok  2 set, {len(fields(Settings)) - 2} defaults']
    assert len(result.stderr.splitlines()) == 1
    assert 'secret' not in result.output


def test_a_file_that_is_no_database_is_said_so(newcomer: Operator, tmp_path: Path) -> None:
    (tmp_path / 'new.db').write_text('not a database' * 100)
    for command in (('check',), ('migrate',), ('user', 'delete', 'ada', '--yes')):
        result = newcomer.run(*command)
        assert result.exit_code == ExitCode.DATABASE
        assert 'not a database' in result.stderr


def test_a_database_without_tables_is_said_so_and_is_not_made(newcomer: Operator, tmp_path: Path) -> None:
    result = newcomer.run('check')
    assert result.exit_code == ExitCode.SCHEMA
    assert 'python -m service migrate' in result.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(('number', 'word'), [(LATEST - 1, 'migrate'), (LATEST + 1, 'upgrade Halcyon')])
def test_a_schema_of_another_release_is_said_so(
    operator: Operator, db: Session, number: int, word: str
) -> None:
    db.execute(f'UPDATE migrations SET number = {number}')
    try:
        result = operator.run('check')
    finally:
        db.execute(f'UPDATE migrations SET number = {LATEST}')
    assert result.exit_code == ExitCode.SCHEMA
    assert word in result.stderr


def test_the_report_says_what_failed_and_what_was_not_looked_at(newcomer: Operator) -> None:
    newcomer.environment['PORT'] = 'x'
    result = newcomer.run('check', '--json')
    assert result.exit_code == ExitCode.SETTING
    assert '"settings": {"ok": false, "detail": "PORT: ' in result.stdout
    assert '"schema": {"ok": false, "detail": "not checked"}' in result.stdout


def test_migrate_says_the_steps_for_scripts(newcomer: Operator) -> None:
    assert newcomer.ask('migrate') == {'taken': [LATEST], 'step': LATEST}
    assert newcomer.ask('migrate') == {'taken': [], 'step': LATEST}
    assert newcomer.run('check').exit_code == 0


def test_every_command_names_the_exit_codes(newcomer: Operator) -> None:
    commands: tuple[tuple[str, ...], ...] = (
        (), ('check',), ('migrate',), ('demo',), ('routes',), ('openapi',), ('user', 'add'),
        ('user', 'password'), ('user', 'delete'), ('tokens', 'purge'), ('tokens', 'revoke'),
        ('keys', 'rotate'),
    )  # fmt: skip
    for command in commands:
        text = ' '.join(newcomer.run(*command, '--help').stdout.split())
        for code in ExitCode:
            assert f' {code.value} ' in text, command


def test_a_command_on_a_database_without_tables_is_refused(newcomer: Operator) -> None:
    for command in (('keys', 'rotate'), ('tokens', 'purge'), ('tokens', 'revoke', 'ada')):
        assert newcomer.run(*command).exit_code == ExitCode.SCHEMA


def test_keys_are_rotated_for_scripts(operator: Operator, start: Start, db: Session) -> None:
    start()
    key = operator.ask('keys', 'rotate')['id']
    current = db.execute('SELECT id FROM signing_keys WHERE published_until IS NULL')
    assert current.fetchone() == (key,)
    assert current.fetchone() is None
