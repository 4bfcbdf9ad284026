"""An outage of the database: 503 while it lasts, and recovery without a restart."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.database.pool import STALL_SECONDS
from tests.client import JSON, LOGIN, new_user
from tests.engines.conftest import proxied_url
from tests.proxy import Proxy
from tests.server import Response, Server, wait_until


def send(server: Server, path: str, body: dict[str, str] | None = None, token: str | None = None) -> Response:
    """Send a GET, or a POST if there is a body."""
    headers = {'Content-Type': JSON} | ({'Authorization': f'Bearer {token}'} if token else {})
    if body is None:
        return server.request('GET', path, **headers)
    return server.request('POST', path, json.dumps(body).encode(), **headers)


def wait_for_readiness(server: Server, status: int) -> None:
    """Wait until /health/ready has the status."""
    wait_until(lambda: send(server, '/health/ready').status == status)


@pytest.fixture
def server(tmp_path: Path, networked_url: str, proxy: Proxy) -> Iterator[Server]:
    with Server(tmp_path, workers=1, DATABASE_URL=proxied_url(proxy, networked_url)) as running:
        yield running


def sign_up(server: Server) -> str:
    """Register a user and return their token."""
    assert send(server, '/api/users', new_user('ada')).status == 201
    return str(send(server, '/api/tokens', LOGIN).json['token'])


@pytest.fixture
def token(server: Server) -> str:
    return sign_up(server)


def test_an_outage_is_503_with_retry_after_until_the_database_returns(
    server: Server, proxy: Proxy, token: str
) -> None:
    proxy.cut()
    for path, body in (('/health/ready', None), ('/api/posts', None), ('/api/posts', {'body': 'hello'})):
        response = send(server, path, body, token)
        assert response.status == 503
        assert int(response.headers['retry-after']) > 0
    assert send(server, '/health/live').status == 200
    proxy.restore()
    wait_for_readiness(server, 200)
    assert send(server, '/api/posts', {'body': 'hello'}, token).status == 201
    assert send(server, '/api/posts', token=token).json['_meta']['total_items'] == 1


def test_broken_idle_connections_fail_no_request(server: Server, proxy: Proxy, token: str) -> None:
    proxy.interrupt()
    assert send(server, '/api/posts', {'body': 'hello'}, token).status == 201
    proxy.interrupt()
    assert send(server, '/api/posts', token=token).status == 200


def test_a_worker_that_starts_during_an_outage_serves_after_it(
    server: Server, proxy: Proxy, token: str
) -> None:
    proxy.cut()
    for worker in server.workers():
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: is_reachable(server))
    wait_for_readiness(server, 503)
    proxy.restore()
    wait_for_readiness(server, 200)
    assert send(server, '/api/posts', {'body': 'hello'}, token).status == 201


TIMEOUT_SECONDS = 3
SLACK_SECONDS = 3.0


@pytest.fixture
def server_with_short_timeout(tmp_path: Path, networked_url: str, proxy: Proxy) -> Iterator[Server]:
    url = proxied_url(proxy, networked_url)
    with Server(tmp_path, workers=1, DATABASE_URL=url, DATABASE_TIMEOUT=str(TIMEOUT_SECONDS)) as running:
        yield running


def send_timed(server: Server, path: str, token: str | None = None) -> tuple[int, float]:
    """Send a GET, and return the status and the seconds until the response."""
    started = time.monotonic()
    return send(server, path, token=token).status, time.monotonic() - started


def assert_live(server: Server, max_seconds: float) -> None:
    status, seconds = send_timed(server, '/health/live')
    assert status == 200
    assert seconds < max_seconds


def test_a_hanging_database_is_503_in_bounded_time(server_with_short_timeout: Server, proxy: Proxy) -> None:
    token = sign_up(server_with_short_timeout)
    with ThreadPoolExecutor(30) as pool:
        warm_up = [pool.submit(send_timed, server_with_short_timeout, '/api/posts', token) for _ in range(30)]
        assert {future.result()[0] for future in warm_up} == {200}
        proxy.freeze()
        waiting = [pool.submit(send_timed, server_with_short_timeout, '/api/posts', token) for _ in range(20)]
        time.sleep(STALL_SECONDS)
        assert_live(server_with_short_timeout, SLACK_SECONDS)
        for future in waiting:
            status, seconds = future.result()
            assert status == 503
            # A request that had to wait for a thread can then wait for the database as well.
            assert seconds < 2 * TIMEOUT_SECONDS + SLACK_SECONDS
        trial = pool.submit(send_timed, server_with_short_timeout, '/api/posts', token)
        time.sleep(0.5)
        for path in ['/api/posts', '/health/ready'] * 5:
            status, seconds = send_timed(server_with_short_timeout, path, token)
            assert status == 503
            assert seconds < TIMEOUT_SECONDS - 1
        assert_live(server_with_short_timeout, TIMEOUT_SECONDS - 1.0)
        assert trial.result()[0] == 503
    proxy.thaw()
    wait_for_readiness(server_with_short_timeout, 200)
    assert send(server_with_short_timeout, '/api/posts', token=token).status == 200
    assert 'WORKER TIMEOUT' not in server_with_short_timeout.log
    assert 'Traceback' not in server_with_short_timeout.log


def is_reachable(server: Server) -> bool:
    """Return whether a worker accepts connections."""
    try:
        return send(server, '/health/live').status == 200
    except OSError:
        return False
