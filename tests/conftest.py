"""Shared fixtures: an application on an empty database, a movable clock, and signed-in users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from io import StringIO
from typing import Any

import peewee
import pytest

from service.config import Settings
from service.database.postgresql import PostgresqlEngine
from service.database.session import Session
from service.domain.startup import open_session
from tests.applications import ApplicationPool
from tests.client import PASSWORD, Client
from tests.clock import MovableClock
from tests.databases import TestDatabase, engines_to_test, temporary_database
from tests.json_api_client import JsonApiClient
from tests.preparation import Preparation
from tests.routes import World, populate
from tests.server import PROGRAMS

Start = Callable[..., Any]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests marked `above_databases` on all engines except the first: they do not depend on it."""
    other_engines = engines_to_test()[1:]
    deselected = [
        item
        for item in items
        if isinstance(item, pytest.Function)
        and item.get_closest_marker('above_databases')
        and hasattr(item, 'callspec')
        and item.callspec.params.get('database') in other_engines
    ]
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item in items if item not in set(deselected)]


@pytest.fixture(scope='module', params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    """The HTTP server; a test that uses it runs with each server."""
    name: str = request.param
    return name


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope='session')
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], TestDatabase]]:
    """Return a function that returns the database of an engine, which it creates on first use."""
    created: dict[str, TestDatabase] = {}
    with ExitStack() as stack:

        def database(engine: str) -> TestDatabase:
            if engine not in created:
                folder = tmp_path_factory.mktemp(engine)
                created[engine] = TestDatabase(stack.enter_context(temporary_database(engine, folder)))
                stack.callback(created[engine].close)
            return created[engine]

        yield database


@pytest.fixture(params=engines_to_test())
def database(request: pytest.FixtureRequest, databases: Callable[[str], TestDatabase]) -> TestDatabase:
    """An empty database; a test that uses it runs on each engine."""
    database = databases(request.param)
    database.empty()
    return database


@pytest.fixture
def database_url(database: TestDatabase) -> str:
    return database.url


@pytest.fixture(scope='session')
def application_pool() -> ApplicationPool:
    return ApplicationPool()


@pytest.fixture
def request_log(application_pool: ApplicationPool) -> StringIO:
    """The request log."""
    application_pool.log.seek(0)
    application_pool.log.truncate()
    return application_pool.log


@pytest.fixture
def start(
    application_pool: ApplicationPool, database_url: str, clock: MovableClock, request_log: StringIO
) -> Iterator[Start]:
    """Return a function that starts the application on this test's database, with additional settings.

    An application of an earlier test with the same settings is reused.
    """
    with ExitStack() as stack:

        def start(**environment: str) -> Any:
            defaults = {'DATABASE_URL': database_url, 'BCRYPT_COST': '4', 'SQLITE_SYNCHRONOUS': 'off'}
            settings = Settings.from_environment(defaults | environment)
            return stack.enter_context(application_pool.application(settings, clock))

        yield start


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list to which every executed SQL statement is appended, except BEGIN and COMMIT."""
    executed: list[str] = []
    execute = peewee.Database.execute_sql

    def record(engine: Any, sql: str, *arguments: Any, **keywords: Any) -> Any:
        executed.append(sql)
        return execute(engine, sql, *arguments, **keywords)

    queue = PostgresqlEngine.queue

    def record_queued(engine: Any, sql: str, parameters: Any) -> bool:
        is_queued = queue(engine, sql, parameters)
        executed.extend([sql] * is_queued)
        return is_queued

    monkeypatch.setattr(peewee.Database, 'execute_sql', record)
    monkeypatch.setattr(PostgresqlEngine, 'queue', record_queued)
    return executed


@pytest.fixture
def db(database_url: str, clock: MovableClock) -> Iterator[Session]:
    """A session of another node on the database of the application."""
    settings = Settings.from_environment({'DATABASE_URL': database_url, 'BCRYPT_COST': '4'})
    db = open_session(settings, clock)
    yield db
    db.close()


@pytest.fixture
def app(start: Start) -> Any:
    return start()


@pytest.fixture
def client(app: Any) -> Client:
    """An anonymous client."""
    return Client(app)


@pytest.fixture
def preparation(database: TestDatabase, clock: MovableClock, app: Any, request_log: StringIO) -> Preparation:
    return Preparation(database, clock, app, request_log)


def sign_up(client: Client, name: str, password: str = PASSWORD) -> str | None:
    """Register a user and sign them in; return their token."""
    client.register(name, password)
    return client.sign_in(name, password).token


@pytest.fixture
def ada(client: Client, preparation: Preparation) -> Client:
    return Client(client.app, preparation.run('ada', partial(sign_up, client, 'ada')))


@pytest.fixture
def bob(client: Client, preparation: Preparation) -> Client:
    return Client(client.app, preparation.run('bob', partial(sign_up, client, 'bob')))


@pytest.fixture
def world(ada: Client, bob: Client, preparation: Preparation) -> World:
    return World(ada, bob, preparation.run('world', partial(populate, ada, bob)))


@pytest.fixture
def anonymous_api(client: Client) -> JsonApiClient:
    """An anonymous client of JSON:API."""
    return JsonApiClient(client)


@pytest.fixture
def ada_api(ada: Client) -> JsonApiClient:
    return JsonApiClient(ada)


@pytest.fixture
def bob_api(bob: Client) -> JsonApiClient:
    return JsonApiClient(bob)
