"""Users of the database without the rights to create tables or to write: one line names what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from service.commands.cli import ExitCode
from service.config import Settings
from service.database.migrate import migrate
from service.database.session import Session
from service.domain.startup import open_session
from tests.databases import NAME, administer, engines_to_test, temporary_database
from tests.engines.conftest import OpenUrl
from tests.server import COMMANDS, free_port

USER = f'{NAME}_guest'
READ, WRITE = 'SELECT', 'SELECT, INSERT, UPDATE, DELETE'

Grant = Callable[[str], None]


@pytest.fixture(params=[engine for engine in engines_to_test() if engine != 'sqlite'])
def owner_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables, for its owner."""
    with temporary_database(request.param, tmp_path, f'{NAME}_rights') as url:
        yield url


@pytest.fixture
def owner(owner_url: str, open_url: OpenUrl) -> Session:
    return open_url(owner_url)


@pytest.fixture
def guest_url(owner_url: str, owner: Session) -> Iterator[str]:
    """The URL of the same database for another user, who may connect."""
    is_postgresql = owner.engine.name == 'postgresql'
    administer(owner.engine.name, f'CREATE ROLE {USER} LOGIN' if is_postgresql else f"CREATE USER {USER}@'%'")
    if is_postgresql:
        owner.execute('REVOKE CREATE ON SCHEMA public FROM public')
    else:
        administer('mysql', f"GRANT SHOW VIEW ON {owner.engine.database}.* TO {USER}@'%'")
    parts = urlsplit(owner_url)
    try:
        yield parts._replace(netloc=f'{USER}@{parts.netloc.rpartition("@")[2]}').geturl()
    finally:
        if is_postgresql:
            owner.execute(f'DROP OWNED BY {USER}')
        administer(owner.engine.name, f'DROP ROLE {USER}' if is_postgresql else f"DROP USER {USER}@'%'")


@pytest.fixture
def grant(owner: Session, guest_url: str) -> Grant:
    """Return a function that grants the other user rights to all tables."""

    def grant(rights: str) -> None:
        migrate(owner)
        if owner.engine.name == 'postgresql':
            owner.execute(f'GRANT {rights} ON ALL TABLES IN SCHEMA public TO {USER}')
        else:
            administer('mysql', f"GRANT {rights} ON {owner.engine.database}.* TO {USER}@'%'")

    return grant


def run(url: str, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={'PATH': os.environ['PATH'], 'DATABASE_URL': url, 'PORT': str(free_port())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run_command(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(url, sys.executable, '-m', 'service', *arguments)


def assert_names_the_right(result: subprocess.CompletedProcess[str]) -> None:
    (line,) = result.stderr.splitlines()
    assert result.returncode == ExitCode.DATABASE, line
    assert 'DATABASE_URL: cannot use ' in line
    assert 'denied' in line or 'may not create tables in a schema' in line
    assert 'Grant this user SELECT, INSERT, UPDATE and DELETE' in line


def test_a_user_who_may_not_create_tables_cannot_start_a_server(guest_url: str) -> None:
    assert_names_the_right(run(guest_url, *COMMANDS['gunicorn']))
    assert_names_the_right(run_command(guest_url, 'migrate'))


def test_check_reports_that_a_user_may_not_create_tables(guest_url: str, owner: Session) -> None:
    if owner.engine.name == 'mysql':
        pytest.skip('MariaDB reports it only when a table is created')
    assert_names_the_right(run_command(guest_url, 'check'))


def test_a_user_who_may_only_read_cannot_start_a_server(guest_url: str, grant: Grant) -> None:
    grant(READ)
    assert_names_the_right(run(guest_url, *COMMANDS['gunicorn']))
    assert_names_the_right(run_command(guest_url, 'check'))
    assert_names_the_right(run_command(guest_url, 'demo'))


def test_missing_rights_to_the_tables_are_reported(guest_url: str, owner: Session) -> None:
    if owner.engine.name == 'mysql':
        pytest.skip('MariaDB hides the tables')
    migrate(owner)
    assert_names_the_right(run_command(guest_url, 'check'))
    assert_names_the_right(run_command(guest_url, 'user', 'list'))


def test_a_user_who_may_read_and_write_can_operate_the_server(guest_url: str, grant: Grant) -> None:
    grant(WRITE)
    for arguments in (('migrate',), ('check',), ('demo', '--users', '5', '--follows', '1')):
        result = run_command(guest_url, *arguments)
        assert result.returncode == 0, result.stderr


def test_a_worker_that_starts_after_the_rights_are_gone_is_not_ready(
    guest_url: str, grant: Grant, caplog: pytest.LogCaptureFixture
) -> None:
    grant(READ)
    open_session(Settings.from_environment({'DATABASE_URL': guest_url})).close()
    (record,) = caplog.records
    assert record.getMessage().startswith('not ready: ')
    assert 'denied' in record.getMessage()
    assert len(record.getMessage().splitlines()) == 1


def test_a_thread_waits_while_the_server_accepts_no_more_connections(
    guest_url: str, owner: Session, open_url: OpenUrl
) -> None:
    if owner.engine.name == 'postgresql':
        administer('postgresql', f'ALTER ROLE {USER} CONNECTION LIMIT 1')
    else:
        administer('mysql', f"ALTER USER {USER}@'%' WITH MAX_USER_CONNECTIONS 1")
    db = open_url(guest_url)
    db.execute('SELECT 1')

    def read() -> int:
        try:
            return int(db.execute('SELECT 2').fetchone()[0])
        finally:
            db.release()

    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(read)
        with pytest.raises(TimeoutError):
            waiting.result(0.3)
        db.release()
        assert waiting.result(10) == 2
