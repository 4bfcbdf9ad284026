"""An outage of the database: 503 while it lasts, and recovery without a restart."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from pathlib import Path
from typing import NamedTuple

import pytest

from service.database.pool import STALL_SECONDS
from tests.engines.conftest import PASSWORD, through
from tests.proxy import Proxy
from tests.server import Server

MAX_WAIT_SECONDS = 20.0


class Response(NamedTuple):
    status: int
    headers: Message
    text: str


def send(server: Server, path: str, body: dict[str, str] | None = None, token: str | None = None) -> Response:
    """Send a GET, or a POST if there is a body."""
    request = urllib.request.Request(
        server.origin + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={'Content-Type': 'application/json'}
        | ({'Authorization': f'Bearer {token}'} if token else {}),
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return Response(response.status, response.headers, response.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Response(error.code, error.headers, error.read().decode())


def wait_for(server: Server, status: int) -> None:
    """Wait until /health/ready has the status."""
    end = time.monotonic() + MAX_WAIT_SECONDS
    while (response := send(server, '/health/ready')).status != status:
        assert time.monotonic() < end, response
        time.sleep(0.05)


@pytest.fixture
def server(tmp_path: Path, networked_url: str, proxy: Proxy) -> Iterator[Server]:
    with Server(tmp_path, workers=1, DATABASE_URL=through(proxy, networked_url)) as running:
        yield running


def sign_up(server: Server) -> str:
    """Register a user and return their token."""
    person = {'username': 'ada', 'password': PASSWORD}
    assert send(server, '/api/users', person | {'email': 'ada@example.org'}).status == 201
    return str(json.loads(send(server, '/api/tokens', person).text)['token'])


@pytest.fixture
def token(server: Server) -> str:
    return sign_up(server)


def test_an_outage_is_503_with_retry_after_until_the_database_returns(
    server: Server, proxy: Proxy, token: str
) -> None:
    proxy.cut()
    for path, body in (('/health/ready', None), ('/api/posts', None), ('/api/posts', {'body': 'hello'})):
        response = send(server, path, body, token)
        assert response.status == 503, response
        assert int(response.headers['Retry-After']) > 0
    assert send(server, '/health/live').status == 200
    proxy.restore()
    wait_for(server, 200)
    assert send(server, '/api/posts', {'body': 'hello'}, token).status == 201
    assert json.loads(send(server, '/api/posts', token=token).text)['_meta']['total_items'] == 1


def test_broken_idle_connections_fail_no_request(server: Server, proxy: Proxy, token: str) -> None:
    proxy.interrupt()
    assert send(server, '/api/posts', {'body': 'hello'}, token).status == 201
    proxy.interrupt()
    assert send(server, '/api/posts', token=token).status == 200


def test_a_worker_that_starts_during_an_outage_serves_after_it(
    server: Server, proxy: Proxy, token: str
) -> None:
    proxy.cut()
    children = Path(f'/proc/{server.process.pid}/task/{server.process.pid}/children').read_text().split()
    for worker in children:
        os.kill(int(worker), signal.SIGKILL)
    wait_until_reachable(server)
    wait_for(server, 503)
    proxy.restore()
    wait_for(server, 200)
    assert send(server, '/api/posts', {'body': 'hello'}, token).status == 201


TIMEOUT_SECONDS = 3
SLACK_SECONDS = 3.0


@pytest.fixture
def short_timeout(tmp_path: Path, networked_url: str, proxy: Proxy) -> Iterator[Server]:
    url = through(proxy, networked_url)
    with Server(tmp_path, workers=1, DATABASE_URL=url, DATABASE_TIMEOUT=str(TIMEOUT_SECONDS)) as running:
        yield running


def timed(server: Server, path: str, token: str | None = None) -> tuple[int, float]:
    """Return the status, and the seconds until the response."""
    started = time.monotonic()
    return send(server, path, token=token).status, time.monotonic() - started


def test_a_database_that_hangs_is_503_in_bounded_time(short_timeout: Server, proxy: Proxy) -> None:
    token = sign_up(short_timeout)
    with ThreadPoolExecutor(30) as pool:
        warm_up = [pool.submit(timed, short_timeout, '/api/posts', token) for _ in range(30)]
        assert {future.result()[0] for future in warm_up} == {200}
        proxy.freeze()
        waiting = [pool.submit(timed, short_timeout, '/api/posts', token) for _ in range(20)]
        time.sleep(STALL_SECONDS)
        assert timed(short_timeout, '/health/live') < (201, SLACK_SECONDS)
        for future in waiting:
            status, seconds = future.result()
            assert status == 503
            # A request that waited for a thread may be the one that tries the database again.
            assert seconds < 2 * TIMEOUT_SECONDS + SLACK_SECONDS
        trial = pool.submit(timed, short_timeout, '/api/posts', token)
        time.sleep(0.5)
        for path in ['/api/posts', '/health/ready'] * 5:
            status, seconds = timed(short_timeout, path, token)
            assert status == 503
            assert seconds < TIMEOUT_SECONDS - 1
        assert timed(short_timeout, '/health/live') < (201, TIMEOUT_SECONDS - 1.0)
        assert trial.result()[0] == 503
    proxy.thaw()
    wait_for(short_timeout, 200)
    assert send(short_timeout, '/api/posts', token=token).status == 200
    assert 'WORKER TIMEOUT' not in short_timeout.log
    assert 'Traceback' not in short_timeout.log


def wait_until_reachable(server: Server) -> None:
    """Wait for a worker that accepts connections."""
    end = time.monotonic() + MAX_WAIT_SECONDS
    while True:
        try:
            send(server, '/health/live')
            return
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < end, server.log
            time.sleep(0.05)
