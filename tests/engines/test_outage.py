"""An outage of the database: 503 while it lasts, and recovery without a restart."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.engines.conftest import PASSWORD, through
from tests.proxy import Proxy
from tests.server import Server

PATIENCE_SECONDS = 20.0


class Answer(NamedTuple):
    status: int
    headers: Message
    text: str


def ask(server: Server, path: str, body: dict[str, str] | None = None, token: str | None = None) -> Answer:
    """Send a GET, or a POST if there is a body."""
    request = urllib.request.Request(
        server.origin + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={'Content-Type': 'application/json'}
        | ({'Authorization': f'Bearer {token}'} if token else {}),
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Answer(answer.status, answer.headers, answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read().decode())


def wait_for(server: Server, status: int) -> None:
    """Wait for that status of /health/ready."""
    end = time.monotonic() + PATIENCE_SECONDS
    while (answer := ask(server, '/health/ready')).status != status:
        assert time.monotonic() < end, answer
        time.sleep(0.05)


@pytest.fixture
def server(tmp_path: Path, networked_url: str, proxy: Proxy) -> Iterator[Server]:
    with Server(tmp_path, workers=1, DATABASE_URL=through(proxy, networked_url)) as running:
        yield running


@pytest.fixture
def token(server: Server) -> str:
    person = {'username': 'ada', 'password': PASSWORD}
    assert ask(server, '/api/users', person | {'email': 'ada@example.org'}).status == 201
    return str(json.loads(ask(server, '/api/tokens', person).text)['token'])


def test_an_outage_is_503_with_retry_after_and_ends_by_itself(
    server: Server, proxy: Proxy, token: str
) -> None:
    proxy.cut()
    for path, body in (('/health/ready', None), ('/api/posts', None), ('/api/posts', {'body': 'hello'})):
        refused = ask(server, path, body, token)
        assert refused.status == 503, refused
        assert int(refused.headers['Retry-After']) > 0
    assert ask(server, '/health/live').status == 200
    proxy.restore()
    wait_for(server, 200)
    assert ask(server, '/api/posts', {'body': 'hello'}, token).status == 201
    assert json.loads(ask(server, '/api/posts', token=token).text)['_meta']['total_items'] == 1


def test_broken_idle_connections_fail_no_request(server: Server, proxy: Proxy, token: str) -> None:
    proxy.interrupt()
    assert ask(server, '/api/posts', {'body': 'hello'}, token).status == 201
    proxy.interrupt()
    assert ask(server, '/api/posts', token=token).status == 200


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
    assert ask(server, '/api/posts', {'body': 'hello'}, token).status == 201


def wait_until_reachable(server: Server) -> None:
    """Wait for a worker that accepts connections."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            ask(server, '/health/live')
            return
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < end, server.log
            time.sleep(0.05)
