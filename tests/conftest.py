"""What the tests share: an application on a database of its own, a clock that is moved, and people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.app import create_app
from service.config import Settings
from tests.client import Client
from tests.clock import MovableClock
from tests.json_api_client import JsonApiClient

Start = Callable[..., Any]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def start(tmp_path: Path, clock: MovableClock) -> Start:
    """Return what starts the application on this test's database, with other settings where they are given."""

    def start(**environment: str) -> Any:
        fixed = {'DATABASE_URL': f'sqlite:///{tmp_path}/halcyon.db', 'BCRYPT_COST': '4'}
        fixed['SQLITE_SYNCHRONOUS'] = 'off'
        return create_app(Settings.from_environment(fixed | environment), clock=clock)

    return start


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
