"""Health checks: liveness and readiness."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.app import create_app
from service.config import Settings
from service.graceful_shutdown import Shutdown
from tests.client import Client, assert_problem


@pytest.mark.parametrize('path', ['/health/live', '/health/ready'])
@pytest.mark.parametrize('token', [None, 'hc_bad', 'no token'])
def test_health_checks_need_no_token_and_are_not_cached(client: Client, path: str, token: str | None) -> None:
    client.token = token
    response = client.get(path, accept='image/png')
    assert (response.status, response.json) == (200, {'status': 'ok'})
    assert response.headers['cache-control'] == 'no-store'


def test_a_node_that_is_shutting_down_is_live_but_not_ready(tmp_path: Path) -> None:
    shutdown = Shutdown()
    settings = Settings(database_url=f'sqlite:///{tmp_path}/halcyon.db')
    client = Client(create_app(settings, shutdown=shutdown))
    shutdown.begin(3600, lambda: None)
    response = client.get('/health/ready')
    assert_problem(response, 503)
    assert response.headers['retry-after'] == '2'
    assert client.get('/health/live').status == 200
    assert client.get('/api').status == 200
