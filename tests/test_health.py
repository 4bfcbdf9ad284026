"""Health: alive, ready, and why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.app import create_app
from service.config import Settings
from service.graceful_shutdown import Shutdown
from tests.client import Client, assert_problem


@pytest.mark.parametrize('address', ['/health/live', '/health/ready'])
@pytest.mark.parametrize('token', [None, 'hc_bad', 'no token'])
def test_health_is_never_authenticated_and_never_cached(
    client: Client, address: str, token: str | None
) -> None:
    client.token = token
    answer = client.get(address, accept='image/png')
    assert (answer.status, answer.state) == (200, {'status': 'ok'})
    assert answer.headers['cache-control'] == 'no-store'


def test_who_drains_is_alive_but_not_ready(tmp_path: Path) -> None:
    drain = Shutdown()
    settings = Settings(database_url=f'sqlite:///{tmp_path}/halcyon.db')
    client = Client(create_app(settings, drain=drain))
    stopped: list[bool] = []
    drain.begin(0, lambda: stopped.append(True))
    drain.begin(0, lambda: stopped.append(True))
    answer = client.get('/health/ready')
    assert_problem(answer, 503)
    assert answer.headers['retry-after'] == '2'
    assert client.get('/health/live').status == 200
    assert client.get('/api').status == 200
