"""The check and migrate commands, and the exit codes of all commands."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from falcon.testing import simulate_get

from service.commands.cli import ExitCode
from service.config import Settings
from service.database.mariadb import MariadbEngine
from service.database.migrate import LATEST
from service.database.postgresql import PostgresqlEngine
from service.database.session import Session
from tests.commands.conftest import Operator, error_of
from tests.conftest import Start


def test_check_prints_a_line_for_each_successful_check(operator: Operator) -> None:
    result = operator.run('check')
    assert (result.exit_code, result.stderr) == (0, '')
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        ['settings', 'ok'],
        ['database', 'ok'],
        ['schema', 'ok'],
    ]


def test_check_prints_no_password(operator: Operator) -> None:
    operator.environment['BASE_URL'] = 'https://halcyon.test'
    report = operator.run_json('check')
    assert all(check['ok'] for check in report.values())
    assert '@' not in report['database']['detail']


@pytest.mark.parametrize(
    ('name', 'value'),
    [('WEB_CONCURRENCY', 'abc'), ('FORWARDED_ALLOW_IPS', 'proxy'), ('DATABASE_URL', 'sqlite://'),
     ('DATABASE_URL', 'sqlite:///x.db?mode=ro'),
     ('DATABASE_URL', 'sqlite:////nowhere/at/all.db'), ('BCRYPT_COST', '3')],
)  # fmt: skip
def test_check_names_an_invalid_setting(new_operator: Operator, name: str, value: str) -> None:
    new_operator.environment[name] = value
    result = new_operator.run('check')
    assert result.exit_code == ExitCode.SETTING
    assert error_of(result).startswith(f'{name}: ')


@pytest.mark.parametrize('engine', ['postgresql', 'mysql'])
def test_check_reports_an_unavailable_database(new_operator: Operator, engine: str) -> None:
    new_operator.environment['DATABASE_URL'] = f'{engine}://nobody:secret@127.0.0.1:1/nothing'
    result = new_operator.run('check')
    assert result.exit_code == ExitCode.DATABASE
    assert result.stdout.splitlines() == [f'settings  ok  2 set, {len(fields(Settings)) - 2} defaults']
    assert len(result.stderr.splitlines()) == 1
    assert f'DATABASE_URL: cannot use {engine}://127.0.0.1:1/nothing: ' in result.stderr
    assert 'Is the server running' in result.stderr
    assert 'secret' not in result.output


def test_commands_report_a_file_that_is_not_a_database(new_operator: Operator, tmp_path: Path) -> None:
    (tmp_path / 'new.db').write_text('not a database' * 100)
    for command in (('check',), ('migrate',), ('user', 'delete', 'ada', '--yes')):
        result = new_operator.run(*command)
        assert result.exit_code == ExitCode.DATABASE
        assert 'not a database' in result.stderr


def test_check_reports_a_missing_database_and_does_not_create_it(
    new_operator: Operator, tmp_path: Path
) -> None:
    result = new_operator.run('check')
    assert result.exit_code == ExitCode.SCHEMA
    assert 'python -m service migrate' in result.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(('number', 'word'), [(LATEST - 1, 'migrate'), (LATEST + 1, 'upgrade Halcyon')])
def test_check_reports_the_schema_of_another_release(
    operator: Operator, db: Session, number: int, word: str
) -> None:
    db.execute(f'UPDATE migrations SET number = {number}')
    try:
        result = operator.run('check')
    finally:
        db.execute(f'UPDATE migrations SET number = {LATEST}')
    assert result.exit_code == ExitCode.SCHEMA
    assert word in result.stderr


def test_the_json_report_has_the_failed_and_the_skipped_checks(new_operator: Operator) -> None:
    new_operator.environment['PORT'] = 'x'
    result = new_operator.run('check', '--json')
    assert result.exit_code == ExitCode.SETTING
    assert '"settings": {"ok": false, "detail": "PORT: ' in result.stdout
    assert '"schema": {"ok": false, "detail": "not checked"}' in result.stdout


def test_migrate_prints_the_applied_migrations_as_json(new_operator: Operator) -> None:
    assert new_operator.run_json('migrate') == {'taken': [LATEST], 'step': LATEST}
    assert new_operator.run_json('migrate') == {'taken': [], 'step': LATEST}
    assert new_operator.run('check').exit_code == 0


def test_the_help_of_every_command_lists_the_exit_codes(new_operator: Operator) -> None:
    commands: tuple[tuple[str, ...], ...] = (
        (), ('check',), ('migrate',), ('demo',), ('routes',), ('openapi',), ('user', 'add'),
        ('user', 'password'), ('user', 'delete'), ('tokens', 'purge'), ('tokens', 'revoke'),
        ('keys', 'rotate'),
    )  # fmt: skip
    for command in commands:
        text = ' '.join(new_operator.run(*command, '--help').stdout.split())
        for code in ExitCode:
            assert f' {code.value} ' in text, command


def test_commands_fail_on_a_database_without_tables(new_operator: Operator) -> None:
    for command in (('keys', 'rotate'), ('tokens', 'purge'), ('tokens', 'revoke', 'ada')):
        assert new_operator.run(*command).exit_code == ExitCode.SCHEMA


def test_keys_rotate_prints_the_new_key_as_json(operator: Operator, start: Start, db: Session) -> None:
    start()
    key = operator.run_json('keys', 'rotate')['id']
    current = db.execute('SELECT id FROM signing_keys WHERE published_until IS NULL')
    assert current.fetchone() == (key,)
    assert current.fetchone() is None


def test_settings_are_printed_without_secrets(new_operator: Operator) -> None:
    new_operator.environment['DATABASE_URL'] = 'postgres://ada:secret@db/halcyon'
    settings = new_operator.run_json('settings')
    assert set(settings) == {field.name.upper() for field in fields(Settings)}
    assert settings['DATABASE_URL'] == 'postgresql://db/halcyon'
    result = new_operator.run('settings')
    assert 'BCRYPT_COST=4' in result.stdout.splitlines()
    assert 'secret' not in result.output


def test_a_misspelt_setting_is_a_warning(new_operator: Operator) -> None:
    new_operator.environment['BCRYPT_COTS'] = '4'
    result = new_operator.run('settings')
    assert result.exit_code == 0
    assert result.stderr == 'Warning: BCRYPT_COTS is not a setting: did you mean BCRYPT_COST?\n'


def _run_with_module(folder: Path, name: str, source: str) -> subprocess.CompletedProcess[str]:
    """Run the program with a module of this name and source before all others."""
    (folder / f'{name}.py').write_text(source)
    return subprocess.run(
        [sys.executable, '-m', 'service', '--version'],
        env=os.environ | {'PYTHONPATH': str(folder)},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_an_interruption_during_the_start_is_one_line(tmp_path: Path) -> None:
    result = _run_with_module(tmp_path, 'click', 'raise KeyboardInterrupt')  # as Ctrl-C while it is imported
    assert (result.returncode, result.stderr) == (1, 'Aborted!\n')


def test_another_interruption_at_the_end_prints_nothing(tmp_path: Path) -> None:
    interrupting = 'import atexit, os, signal\natexit.register(os.kill, os.getpid(), signal.SIGINT)'
    result = _run_with_module(tmp_path, 'sitecustomize', interrupting)
    assert (result.returncode, result.stderr) == (-signal.SIGINT, '')


def test_a_python_without_the_packages_is_reported_in_one_line() -> None:
    without_packages = [sys.executable, '-S', '-m', 'service', 'demo']
    result = subprocess.run(without_packages, check=False, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert 'Is this the Python of the virtual environment' in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_an_argument_that_is_not_utf_8_is_a_usage_error() -> None:
    command: list[str | bytes] = [sys.executable, '-m', 'service', 'user', 'list', '--prefix', b'\xff']
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert result.returncode == ExitCode.USAGE
    assert 'An argument is not valid UTF-8.' in result.stderr


def test_the_version_is_printed(new_operator: Operator) -> None:
    result = new_operator.run('--version')
    assert result.exit_code == 0
    assert result.stdout.startswith('Halcyon, version ')


def test_check_reports_a_read_only_database(
    operator: Operator, database_url: str, monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    app = start()
    if database_url.startswith('sqlite'):
        monkeypatch.setattr('os.access', lambda path, mode: not str(path).endswith('.db'))
    else:
        engine = {'postgresql': PostgresqlEngine, 'mysql': MariadbEngine}[database_url.partition(':')[0]]
        monkeypatch.setattr(engine, 'read_only_sql', 'SELECT 1')
    result = operator.run('check')
    assert result.exit_code == ExitCode.DATABASE
    assert 'The database is read-only.' in result.stderr
    response = simulate_get(app, '/health/ready', host='halcyon.test')
    assert (response.status_code, response.json['detail']) == (503, 'The database is read-only.')


@pytest.mark.parametrize(
    ('version', 'has_bug'),
    [((3, 51, 3), False), ((3, 51, 2), True), ((3, 50, 7), False), ((3, 50, 6), True), ((3, 44, 6), False),
     ((3, 45, 0), True), ((3, 40, 1), True), ((4, 0, 0), False)],
)  # fmt: skip
def test_check_reports_a_sqlite_version_with_the_wal_reset_bug(
    new_operator: Operator, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], has_bug: bool
) -> None:
    monkeypatch.setattr('sqlite3.sqlite_version_info', version)
    assert ('WAL-reset bug' in new_operator.run('check').stdout) == has_bug


@pytest.mark.parametrize('arguments', [('routes',), ('check',), ('settings', '--json'), ('--help',)])
def test_output_that_cannot_be_written_is_reported_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with open('/dev/full', 'w') as full:
        result = subprocess.run(
            [sys.executable, '-m', 'service', *arguments],
            env={**os.environ, 'DATABASE_URL': f'sqlite:///{tmp_path}/x.db'},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert result.returncode == ExitCode.REJECTED
    assert result.stderr == 'Error: No space left on device.\n'


def test_a_full_disk_is_reported_by_check_and_by_readiness(
    operator: Operator, database_url: str, monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    if not database_url.startswith('sqlite'):
        pytest.skip('the disk belongs to the database server')
    app = start()

    def fail(**parameters: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr('tempfile.TemporaryFile', fail)
    result = operator.run('check')
    assert result.exit_code == ExitCode.DATABASE
    assert 'No space left on device. Check the disk.' in result.stderr
    response = simulate_get(app, '/health/ready', host='halcyon.test')
    assert response.status_code == 503
    assert 'No space left on device' in response.json['detail']
    assert operator.run('user', 'list').exit_code == 0
    monkeypatch.undo()
    assert simulate_get(app, '/health/ready', host='halcyon.test').status_code == 200
