"""Migrations: creating the schema, upgrading it, and detecting other versions."""

from __future__ import annotations

import itertools
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from falcon.testing import simulate_get, simulate_post

from service.app import create_app
from service.commands.cli import ExitCode
from service.config import Settings
from service.database.errors import ErrorKind, SchemaMismatch, Unavailable
from service.database.migrate import LATEST, check_schema, create_schema_if_missing, migrate, schema_version
from service.database.pagination import PageRequest
from service.database.schema import STATEMENTS, parse_script
from service.database.session import Session
from service.domain.posts import list_posts, publish_post
from service.domain.startup import open_session
from service.domain.users import find_user, list_users
from tests.client import new_user
from tests.databases import NAME, SCHEMA_TABLES, engines_to_test, temporary_database
from tests.domain.users import register
from tests.engines.conftest import OpenUrl
from tests.html import Page, loaded_files

FIRST_SCHEMA = parse_script((Path(__file__).parents[1] / 'first_schema.sql').read_text())
DATABASE_NUMBERS = itertools.count()
DATA = (
    "INSERT INTO users VALUES (1, 'Ada', 'ada', 'a@b.c', 'a@b.c', 'x', 'x', 'Countess 😀', 5, 6, 1, 1, 0)",
    "INSERT INTO users VALUES (2, 'bob', 'bob', 'b@b.c', 'b@b.c', 'x', 'x', '', 5, 6, 0, 0, 1)",
    'INSERT INTO follows VALUES (3, 2, 1, 7)',
    "INSERT INTO posts VALUES (4, 1, 'hello', 8, NULL)",
    "INSERT INTO tokens VALUES (5, 1, 'x', 9, 10, 9, NULL, NULL)",
    "INSERT INTO totals VALUES ('users', 0, 2)",
    "INSERT INTO totals VALUES ('posts', 3, 1)",
)


@pytest.fixture(params=engines_to_test())
def make_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Return a function that creates a database without tables."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(
            temporary_database(request.param, tmp_path, f'{NAME}_{next(DATABASE_NUMBERS)}')
        )


@pytest.fixture
def empty_url(make_url: Callable[[], str]) -> str:
    return make_url()


@pytest.fixture
def first_url(make_url: Callable[[], str], open_url: OpenUrl) -> str:
    """The URL of a database of the first release, with data."""
    url = make_url()
    db = open_url(url)
    for statement in (*db.engine.ddl_sql, *FIRST_SCHEMA, *DATA):
        db.execute(statement)
    db.close()
    return url


def schema_of(db: Session) -> dict[str, Any]:
    """Return every table with its columns, indexes and foreign keys."""
    return {
        table: (
            [column._replace(table='') for column in db.engine.get_columns(table)],
            sorted((index.name, index.columns, index.unique) for index in db.engine.get_indexes(table)),
            sorted(
                (key.column, key.dest_table, key.dest_column) for key in db.engine.get_foreign_keys(table)
            ),
        )
        for table in db.engine.get_tables()
    }


def test_an_empty_database_gets_every_table(empty_url: str, open_url: OpenUrl) -> None:
    db = open_url(empty_url)
    assert migrate(db) == [LATEST]
    assert set(db.engine.get_tables()) == set(SCHEMA_TABLES)
    check_schema(db)


def test_the_first_schema_is_upgraded_to_the_latest(
    first_url: str, make_url: Callable[[], str], open_url: OpenUrl
) -> None:
    upgraded_db, new_db = open_url(first_url), open_url(make_url())
    assert migrate(upgraded_db) == list(range(2, LATEST + 1))
    migrate(new_db)
    assert schema_of(upgraded_db) == schema_of(new_db)
    check_schema(upgraded_db)


def test_an_upgrade_keeps_the_data(first_url: str, open_url: OpenUrl) -> None:
    db = open_url(first_url)
    migrate(db)
    ada = find_user(db, 1, None)
    assert (ada.username, ada.about_me, ada.follower_count) == ('Ada', 'Countess 😀', 1)
    viewer = register(db, 'Eve')
    publish_post(db, body='new', by=viewer)
    posts = list_posts(db, PageRequest(), viewer)
    assert [(post.author.username, post.body) for post in posts.entries] == [('Eve', 'new'), ('Ada', 'hello')]
    assert posts.total_items == 2


def test_an_upgraded_database_has_tokens_with_the_scope_write(first_url: str, open_url: OpenUrl) -> None:
    db = open_url(first_url)
    migrate(db)
    rows = db.execute('SELECT scope, sign_in_id, renewed_at FROM tokens').fetchall()
    assert [tuple(row) for row in rows] == [('write', 5, None)]


def test_an_upgraded_database_lists_names_in_byte_order(first_url: str, open_url: OpenUrl) -> None:
    db = open_url(first_url)
    migrate(db)
    viewer = register(db, 'a_b')
    register(db, 'a-c')
    users = list_users(db, PageRequest(), viewer, prefix='a').entries
    assert [user.username for user in users] == ['a-c', 'a_b', 'Ada']


def test_the_latest_schema_is_not_changed(first_url: str, open_url: OpenUrl) -> None:
    db = open_url(first_url)
    migrate(db)
    assert migrate(db) == []


def test_concurrent_nodes_create_the_schema_once(empty_url: str, open_url: OpenUrl) -> None:
    assert_one_migrates([open_url(empty_url) for _ in range(4)])


def test_concurrent_nodes_upgrade_the_schema_once(first_url: str, open_url: OpenUrl) -> None:
    assert_one_migrates([open_url(first_url) for _ in range(4)])


def test_a_migration_recorded_by_another_node_counts_as_applied(empty_url: str, open_url: OpenUrl) -> None:
    """Galera nodes that started at the same time failed with a duplicate key."""
    db = open_url(empty_url)

    def record(run: Any) -> None:  # like another Galera node, because locks are local to a node
        if 'EXISTS migrations ' in run.sql:
            db.engine.query_hooks.clear()
            db.execute(f'INSERT INTO migrations VALUES ({LATEST}, 1)')

    db.engine.query_hooks.append(record)
    assert migrate(db) == [LATEST]
    assert [tuple(row) for row in db.execute('SELECT * FROM migrations').fetchall()] == [(LATEST, 1)]
    check_schema(db)


def test_a_conflict_with_another_node_is_retried(empty_url: str, open_url: OpenUrl) -> None:
    """A node of Galera aborted the DDL of another, which then did not start."""
    db = open_url(empty_url)
    conflict = Unavailable('The database is currently unavailable.', ErrorKind.CONFLICT)

    def conflict_once(run: Any) -> None:
        if 'EXISTS users ' in run.sql:
            db.engine.query_hooks.clear()
            raise conflict

    db.engine.query_hooks.append(conflict_once)
    assert migrate(db) == [LATEST]
    assert not db.engine.query_hooks
    check_schema(db)


def assert_one_migrates(sessions: list[Session]) -> None:
    """Assert that one of the concurrent nodes migrates, and that all return afterwards."""

    def run(db: Session) -> list[int]:
        try:
            return migrate(db)
        finally:
            db.close()

    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(run, sessions))
    assert sorted(map(bool, applied)) == [False, False, False, True]
    check_schema(sessions[0])


def test_an_incomplete_schema_is_completed(empty_url: str, open_url: OpenUrl) -> None:
    db = open_url(empty_url)
    for statement in (*db.engine.ddl_sql, *STATEMENTS[:5]):
        db.execute(statement)
    assert schema_version(db) == 0
    migrate(db)
    assert set(db.engine.get_tables()) == set(SCHEMA_TABLES)
    check_schema(db)


def get(url: str, db: Session, path: str, accept: str = '*/*') -> Any:
    """Return the response of a node on the database, without the check against the OpenAPI document."""
    app = create_app(Settings.from_environment({'DATABASE_URL': url}), db=db, lines=StringIO())
    return simulate_get(app, path, host='halcyon.test', headers={'Accept': accept})


def get_readiness(url: str, db: Session) -> Any:
    return get(url, db, '/health/ready')


PATHS = ('/', '/api', '/api/users', '/api/docs', '/api/openapi.json', '/api/nothing')


def assert_serves_only_health(url: str, db: Session, detail: str) -> None:
    """Assert that a node responds to everything but health with 503 and the detail."""
    for path in PATHS:
        response = get(url, db, path)
        assert response.status_code == 503
        assert detail in response.json['detail']
        assert response.headers['retry-after']
    page = get(url, db, '/api', 'text/html').text
    assert detail in page
    assert all(get(url, db, file).status_code == 200 for file in loaded_files(Page(page)))
    assert get(url, db, '/health/live').status_code == 200


def test_everything_but_health_is_503_until_the_schema_matches(
    first_url: str, open_url: OpenUrl, caplog: pytest.LogCaptureFixture
) -> None:
    db = open_url(first_url)
    assert_serves_only_health(first_url, db, 'python -m service migrate')
    migrate(db)
    assert get(first_url, db, '/api').status_code == 200
    assert caplog.records == []


def test_a_node_detects_that_the_schema_was_upgraded(
    empty_url: str, open_url: OpenUrl, caplog: pytest.LogCaptureFixture
) -> None:
    db = open_url(empty_url)
    migrate(db)
    assert get(empty_url, db, '/api').status_code == 200
    db.execute(f'INSERT INTO migrations (number, taken_at) VALUES ({LATEST + 1}, 0)')
    db.execute('DROP TABLE totals')
    db.execute('DROP TABLE idempotency_keys')
    app = create_app(Settings.from_environment({'DATABASE_URL': empty_url}), db=db, lines=StringIO())
    response = simulate_post(app, '/api/users', json=new_user(), host='halcyon.test')
    assert response.status_code == 503
    assert f'version {LATEST + 1}' in response.json['detail']
    assert_serves_only_health(empty_url, db, f'version {LATEST + 1}')
    assert caplog.records == []


@pytest.mark.parametrize(
    'statement',
    [
        'CREATE TABLE pets (id INTEGER)',
        'CREATE TABLE users (id INTEGER)',
        'CREATE TABLE migrations (id INTEGER, migration INTEGER)',
    ],
)
def test_a_database_of_another_application_is_not_changed(
    empty_url: str, open_url: OpenUrl, statement: str
) -> None:
    db = open_url(empty_url)
    db.execute(statement)
    tables = db.engine.get_tables()
    for function in (check_schema, migrate, create_schema_if_missing):
        with pytest.raises(SchemaMismatch, match='not a Halcyon database'):
            function(db)
    assert db.engine.get_tables() == tables
    result = run_migrate(empty_url)
    assert result.returncode == ExitCode.SCHEMA
    assert 'not a Halcyon database' in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_node_newer_than_the_schema_is_not_ready(first_url: str, open_url: OpenUrl) -> None:
    db = open_url(first_url)
    response = get_readiness(first_url, db)
    assert response.status_code == 503
    assert 'python -m service migrate' in response.json['detail']
    migrate(db)
    assert get_readiness(first_url, db).status_code == 200


def test_a_node_older_than_the_schema_is_not_ready(empty_url: str, open_url: OpenUrl) -> None:
    db = open_url(empty_url)
    migrate(db)
    db.execute(f'INSERT INTO migrations (number, taken_at) VALUES ({LATEST + 1}, 0)')
    response = get_readiness(empty_url, db)
    assert response.status_code == 503
    assert f'version {LATEST + 1}' in response.json['detail']


def test_a_schema_mismatch_is_logged_in_one_line(first_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        open_session(Settings.from_environment({'DATABASE_URL': first_url})).close()
    assert [record.getMessage() for record in caplog.records] == [
        'not ready: The schema has version 1, but this release needs version'
        f' {LATEST}: run python -m service migrate.'
    ]


def run_migrate(url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, '-m', 'service', 'migrate'],
        env={**os.environ, 'DATABASE_URL': url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_applies_the_missing_migrations(first_url: str, open_url: OpenUrl) -> None:
    result = run_migrate(first_url)
    assert (result.returncode, result.stderr) == (0, '')
    assert result.stdout.splitlines()[-1] == f'The schema has version {LATEST}.'
    check_schema(open_url(first_url))


@pytest.mark.parametrize(
    'url', ['postgresql://nobody@127.0.0.1:1/nothing', 'mysql://nobody@127.0.0.1:1/nothing']
)
def test_the_command_reports_an_unreachable_database_in_one_line(url: str) -> None:
    result = run_migrate(url)
    assert (result.returncode, result.stdout) == (ExitCode.DATABASE, '')
    assert len(result.stderr.splitlines()) == 1
    assert 'Traceback' not in result.stderr


def test_an_unreachable_database_does_not_stop_a_worker(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings.from_environment({'DATABASE_URL': 'postgresql://nobody@127.0.0.1:1/nothing'})
    with caplog.at_level(logging.ERROR):
        db = open_session(settings)
    assert len(caplog.records) == 1
    with pytest.raises(Unavailable):
        check_schema(db)


class Interrupted(BaseException):
    """Ends a migration as a signal does."""


def interrupt_migration(db: Session, sql: str) -> None:
    """Run a migration that ends after the first statement which contains the text."""

    def interrupt(run: Any) -> None:
        if sql in run.sql:
            db.engine.query_hooks.clear()
            raise Interrupted

    db.engine.query_hooks.append(interrupt)
    with pytest.raises(Interrupted):
        migrate(db)
    db.close()


@pytest.mark.parametrize(
    'sql', ['EXISTS migrations ', 'EXISTS tries ', 'suspended_at', 'EXISTS mail_secrets ']
)
def test_an_interrupted_upgrade_is_completed(
    first_url: str, make_url: Callable[[], str], open_url: OpenUrl, sql: str
) -> None:
    db, new_db = open_url(first_url), open_url(make_url())
    interrupt_migration(db, sql)
    create_schema_if_missing(db)
    with pytest.raises(SchemaMismatch, match='run python -m service migrate'):
        check_schema(db)
    assert LATEST in migrate(db)
    migrate(new_db)
    assert schema_of(db) == schema_of(new_db)
    check_schema(db)
    assert find_user(db, 1, None).username == 'Ada'


@pytest.mark.parametrize(
    'sql', ['EXISTS migrations ', 'EXISTS users ', 'EXISTS totals ', 'EXISTS mail_secrets ']
)
def test_an_interrupted_creation_is_completed_by_the_next_start(
    empty_url: str, make_url: Callable[[], str], open_url: OpenUrl, sql: str
) -> None:
    db, new_db = open_url(empty_url), open_url(make_url())
    interrupt_migration(db, sql)
    create_schema_if_missing(db)
    migrate(new_db)
    assert schema_of(db) == schema_of(new_db)
    check_schema(db)


def test_an_upgrade_that_skipped_migrations_is_repeated(
    first_url: str, make_url: Callable[[], str], open_url: OpenUrl
) -> None:
    """On MariaDB, an earlier release recorded its version although an interrupted upgrade lacked columns."""
    db, new_db = open_url(first_url), open_url(make_url())
    if db.engine.has_transactional_ddl:
        pytest.skip('an interrupted upgrade has no effect')
    for statement in STATEMENTS:
        db.execute(statement)
    db.execute(f'INSERT INTO migrations VALUES ({LATEST}, 1)')
    with pytest.raises(SchemaMismatch, match='run python -m service migrate'):
        check_schema(db)
    migrate(db)
    migrate(new_db)
    assert schema_of(db) == schema_of(new_db)
    check_schema(db)


def test_a_newer_schema_is_not_migrated(empty_url: str, open_url: OpenUrl) -> None:
    db = open_url(empty_url)
    migrate(db)
    db.execute(f'INSERT INTO migrations VALUES ({LATEST + 1}, 0)')
    result = run_migrate(empty_url)
    assert (result.returncode, result.stdout) == (ExitCode.SCHEMA, '')
    assert f'version {LATEST + 1}, which is newer than this release ({LATEST})' in result.stderr


def test_a_missing_table_is_a_schema_mismatch(
    empty_url: str, open_url: OpenUrl, caplog: pytest.LogCaptureFixture
) -> None:
    db = open_url(empty_url)
    migrate(db)
    app = create_app(Settings.from_environment({'DATABASE_URL': empty_url}), db=db, lines=StringIO())
    assert simulate_get(app, '/api', host='halcyon.test').status_code == 200
    db.execute('DROP TABLE idempotency_keys')
    db.execute('DROP TABLE totals')
    detail = 'The database is incomplete: table idempotency_keys is missing; table totals is missing.'
    response = simulate_post(app, '/api/users', json=new_user(), host='halcyon.test')
    assert (response.status_code, detail in response.json['detail']) == (503, True)
    assert detail in get_readiness(empty_url, db).json['detail']
    assert_serves_only_health(empty_url, db, detail)
    assert caplog.records == []
    result = run_migrate(empty_url)
    assert (result.returncode, result.stdout) == (ExitCode.SCHEMA, '')
    assert detail in result.stderr


def test_a_database_error_does_not_stop_a_worker(
    empty_url: str, open_url: OpenUrl, caplog: pytest.LogCaptureFixture
) -> None:
    db = open_url(empty_url)
    migrate(db)
    db.execute('ALTER TABLE signing_keys DROP COLUMN signs_from')
    db.close()
    open_session(Settings.from_environment({'DATABASE_URL': empty_url})).close()
    (record,) = caplog.records
    assert record.getMessage().startswith('not ready: ')
    assert 'signs_from' in record.getMessage()
    assert len(record.getMessage().splitlines()) == 1
