"""Defaults of a database server or of a database that differ from those that the code relies on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from service.__main__ import main
from service.commands.cli import ExitCode
from service.config import Settings
from service.database.connect import describe_failure
from service.database.errors import ErrorKind, Unavailable
from service.database.introspection import schema_differences
from service.database.mariadb_drivers import Pymysql
from service.database.migrate import migrate
from service.domain.accounts import delete_user
from service.domain.models import MODELS
from service.domain.posts import publish_post
from tests.databases import NAME, administer, engines_to_test, temporary_database
from tests.domain.users import no_precondition, register
from tests.engines.conftest import OpenUrl

# As in my.cnf of some servers.
HOSTILE = (
    "SET foreign_key_checks = 0, unique_checks = 0, default_storage_engine = 'MyISAM', sql_select_limit = 1,"
    " sql_safe_updates = 1, sql_auto_is_null = 1, completion_type = 'CHAIN', time_zone = '+05:30'"
)


def server_with(monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    """Make every new connection begin with the statement, as one to a server with these defaults."""
    connect = Pymysql.connect

    def connect_to_it(driver: Pymysql, **parameters: Any) -> Any:
        return connect(driver, **parameters, init_command=statement)

    monkeypatch.setattr(Pymysql, 'connect', connect_to_it)


@pytest.fixture(params=[engine for engine in engines_to_test() if engine == 'mysql'])
def mariadb_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of MariaDB without tables."""
    with temporary_database(request.param, tmp_path, f'{NAME}_defaults') as url:
        yield url


@pytest.fixture(params=[engine for engine in engines_to_test() if engine == 'postgresql'])
def postgresql_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of PostgreSQL without tables."""
    with temporary_database(request.param, tmp_path, f'{NAME}_defaults') as url:
        yield url


def run(url: str, *arguments: str) -> tuple[int, str]:
    """Run a command on the database, and return its exit code and its line on standard error."""
    result = CliRunner().invoke(main, arguments, env={'DATABASE_URL': url})
    return result.exit_code, result.stderr


def test_the_defaults_of_a_mariadb_server_have_no_effect(
    mariadb_url: str, open_url: OpenUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    server_with(monkeypatch, HOSTILE)
    db = open_url(mariadb_url)
    migrate(db)
    assert schema_differences(db, MODELS) == []
    for name in ('ada', 'bob'):
        viewer = register(db, name)
        publish_post(db, body='Hello', by=viewer)
    delete_user(db, viewer.user_id, by=viewer, precondition=no_precondition)
    assert [row[0] for row in db.execute('SELECT body FROM posts').fetchall()] == ['Hello']
    assert db.execute('SELECT COUNT(*) FROM users').fetchone()[0] == 1


def test_a_mariadb_server_with_read_only_transactions_is_reported(
    mariadb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server_with(monkeypatch, 'SET SESSION TRANSACTION READ ONLY')
    for command in ('check', 'migrate'):
        code, text = run(mariadb_url, command)
        assert code == ExitCode.DATABASE
        assert 'read' in text.lower()
        assert len(text.splitlines()) == 1


def test_a_postgresql_database_with_an_encoding_that_lacks_characters_is_reported(
    postgresql_url: str, open_url: OpenUrl
) -> None:
    name = f'{NAME}_latin'
    administer('postgresql', f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    try:
        url = postgresql_url.replace(f'{NAME}_defaults_postgresql', name)
        code, text = run(url, 'migrate')
        assert (code, "ENCODING 'UTF8'" in text, len(text.splitlines())) == (ExitCode.SCHEMA, True, 1)
        assert 'encoding LATIN1' in schema_differences(open_url(url), MODELS)[0]
        assert open_url(url).engine.get_tables() == []
    finally:
        administer('postgresql', f'DROP DATABASE {name} WITH (FORCE)')


@pytest.mark.parametrize('search_path', ["''", 'nowhere'])
def test_a_search_path_without_a_schema_is_reported(postgresql_url: str, search_path: str) -> None:
    administer('postgresql', f'ALTER DATABASE {NAME}_defaults_postgresql SET search_path = {search_path}')
    for command in ('check', 'migrate'):
        code, text = run(postgresql_url, command)
        assert code == ExitCode.DATABASE
        assert 'schema' in text
        assert len(text.splitlines()) == 1


def test_a_pooler_that_does_not_keep_prepared_statements_is_reported() -> None:
    error = Unavailable('', ErrorKind.DISCONNECTED)
    error.__cause__ = psycopg.errors.DuplicatePreparedStatement('prepared statement "s" already exists')
    settings = Settings.from_environment({'DATABASE_URL': 'postgresql://pooler/halcyon'})
    assert 'Add prepared_statements=off' in describe_failure(settings, error)
