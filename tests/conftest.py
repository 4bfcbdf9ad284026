"""What the tests share: an application on an empty database, a clock that is moved, and people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import StringIO
from typing import Any

import pytest

from service.app import create_app
from service.config import Settings
from service.database.instrumentation import NO_INSTRUMENTATION
from service.database.session import Session
from service.domain.startup import open_session
from service.metrics import Metrics
from tests.client import Client
from tests.clock import MovableClock
from tests.databases import Emptied, engines_to_test, made_database
from tests.json_api_client import JsonApiClient

Start = Callable[..., Any]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, of what is the same above all databases, the runs on all engines but the first."""
    others = engines_to_test()[1:]
    again = [
        item
        for item in items
        if isinstance(item, pytest.Function)
        and item.get_closest_marker('above_databases')
        and hasattr(item, 'callspec')
        and item.callspec.params.get('database_url') in others
    ]
    config.hook.pytest_deselected(items=again)
    items[:] = [item for item in items if item not in set(again)]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope='session')
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Emptied]]:
    """Return what gives the database of an engine, made when it is first asked for."""
    made: dict[str, Emptied] = {}
    with ExitStack() as stack:

        def database(engine: str) -> Emptied:
            if engine not in made:
                folder = tmp_path_factory.mktemp(engine)
                made[engine] = Emptied(stack.enter_context(made_database(engine, folder)))
                stack.callback(made[engine].close)
            return made[engine]

        yield database


@pytest.fixture(params=engines_to_test())
def database_url(request: pytest.FixtureRequest, databases: Callable[[str], Emptied]) -> str:
    """The URL of an empty database: a test that asks for it runs on each engine."""
    return databases(request.param).empty()


@pytest.fixture
def lines() -> StringIO:
    """The log of requests."""
    return StringIO()


@pytest.fixture
def start(database_url: str, clock: MovableClock, lines: StringIO) -> Iterator[Start]:
    """Return what starts the application on this test's database, with other settings where there are any."""
    with ExitStack() as stack:

        def start(**environment: str) -> Any:
            fixed = {'DATABASE_URL': database_url, 'BCRYPT_COST': '4', 'SQLITE_SYNCHRONOUS': 'off'}
            settings = Settings.from_environment(fixed | environment)
            metrics = Metrics(settings) if settings.metrics else None
            db = open_session(settings, clock, metrics or NO_INSTRUMENTATION)
            stack.callback(db.close)
            return create_app(settings, clock=clock, db=db, lines=lines, metrics=metrics)

        yield start


@pytest.fixture
def db(database_url: str, clock: MovableClock) -> Iterator[Session]:
    """The database that the application is on, as another node has it."""
    settings = Settings.from_environment({'DATABASE_URL': database_url, 'BCRYPT_COST': '4'})
    db = open_session(settings, clock)
    yield db
    db.close()


@pytest.fixture
def app(start: Start) -> Any:
    return start()


@pytest.fixture
def client(app: Any) -> Client:
    """Somebody who is not signed in."""
    return Client(app)


@pytest.fixture
def ada(client: Client) -> Client:
    client.register('ada')
    return client.sign_in('ada')


@pytest.fixture
def bob(client: Client) -> Client:
    client.register('bob')
    return client.sign_in('bob')


@pytest.fixture
def nobody_api(client: Client) -> JsonApiClient:
    """Somebody who is not signed in, in JSON:API."""
    return JsonApiClient(client)


@pytest.fixture
def ada_api(ada: Client) -> JsonApiClient:
    return JsonApiClient(ada)


@pytest.fixture
def bob_api(bob: Client) -> JsonApiClient:
    return JsonApiClient(bob)
