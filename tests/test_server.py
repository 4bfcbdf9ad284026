"""A real server with two workers: connections, concurrency, crashes and graceful shutdown."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.client import basic, new_user
from tests.server import Server, wait_until

USER = new_user('ada')
BASIC = basic()
HOST = b'Host: halcyon.test\r\n'
CHUNKED = b'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n'
CLOSE = b'Connection: close\r\n'


@pytest.fixture(scope='module')
def server(tmp_path_factory: Any, program: str) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp('server'), program=program) as server:
        server.request('POST', '/api/users', json.dumps(USER).encode(), Content_Type='application/json')
        yield server


def sign_in(server: Server) -> str:
    """Return the Authorization header with a new token of Ada."""
    response = server.request('POST', '/api/tokens', Authorization=BASIC)
    return f'Bearer {response.json["token"]}'


def status_of(raw: bytes) -> int:
    """Return the status of a response, received as bytes."""
    return int(raw.split()[1])


def test_a_server_has_the_configured_number_of_workers(server: Server) -> None:
    assert len(server.workers()) == 2


def test_a_chunked_body_is_accepted_except_under_granian(server: Server) -> None:
    body = b'9\r\n{"body": \r\n5\r\n"Hi"}\r\n0\r\n\r\n'
    authorization = f'Authorization: {sign_in(server)}\r\n'.encode()
    raw = server.send_raw(b'POST /api/posts HTTP/1.1\r\n' + HOST + authorization + CHUNKED + b'\r\n' + body)
    assert status_of(raw) == {'gunicorn': 201, 'granian': 411}[server.program]


def test_an_absolute_target_overrides_the_host_header_except_under_granian(server: Server) -> None:
    raw = server.send_raw(b'GET http://other.test/api HTTP/1.1\r\n' + HOST + CLOSE + b'\r\n')
    host = {'gunicorn': b'other.test', 'granian': b'halcyon.test'}[server.program]
    assert b'"href":"http://%s/api"' % host in raw


def test_a_connection_is_kept_alive_after_any_response(server: Server) -> None:
    connection = server.connect()
    cases = (
        ('GET', '/api', 200),
        ('HEAD', '/api', 200),
        ('GET', '/nothing', 404),
        ('HEAD', '/nothing', 404),
        ('OPTIONS', '/api', 204),
        ('DELETE', '/api', 405),
        ('GET', '/', 308),
        ('GET', '/api', 200),
    )
    with closing(connection):
        for method, path, status in cases:
            connection.request(method, path, body=b'ignored' if method == 'DELETE' else None)
            response = connection.getresponse()
            response.read()
            assert (method, path, response.status) == (method, path, status)
            assert not response.will_close


def test_an_idle_connection_is_closed_after_keep_alive(tmp_path: Path, program: str) -> None:
    with (
        Server(tmp_path, program=program, workers=1, KEEP_ALIVE='1') as server,
        socket.create_connection(('127.0.0.1', server.port), timeout=10) as peer,
    ):
        peer.sendall(b'GET /health/live HTTP/1.1\r\n' + HOST + b'\r\n')
        received = b''.join(iter(lambda: peer.recv(65536), b''))
        assert status_of(received) == 200
        assert b'close' not in received.lower()


def test_a_rejected_body_is_never_parsed_as_a_request(server: Server) -> None:
    embedded_request = b'GET /health/live HTTP/1.1\r\n' + HOST + b'\r\n'
    body = embedded_request * 2000
    head = f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n'.encode()
    raw = server.send_raw(b'POST /api/users HTTP/1.1\r\n' + HOST + CLOSE + head + body)
    assert status_of(raw) == 413
    assert raw.count(b'HTTP/1.1 ') == 1


def test_only_one_of_several_concurrent_registrations_succeeds(server: Server) -> None:
    eve = json.dumps({**USER, 'username': 'eve', 'email': 'eve@example.org'}).encode()

    def register(_: int) -> int:
        return server.request('POST', '/api/users', eve, Content_Type='application/json').status

    with ThreadPoolExecutor(12) as pool:
        assert sorted(pool.map(register, range(12))) == [201] + [400] * 11


def test_a_killed_worker_loses_no_acknowledged_write(server: Server, tmp_path: Path) -> None:
    token = sign_in(server)
    acknowledged: list[int] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            try:
                response = server.request(
                    'POST',
                    '/api/posts',
                    b'{"body": "x"}',
                    Authorization=token,
                    Content_Type='application/json',
                )
                if response.status == 201:
                    acknowledged.append(response.json['id'])
            except (OSError, ValueError, HTTPException):  # also a truncated response
                continue

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for _ in range(2):
        before = len(acknowledged)
        wait_until(lambda count=before: len(acknowledged) > count + 20)  # type: ignore[misc]
        os.kill(server.workers()[0], signal.SIGKILL)
    stop.set()
    for writer in writers:
        writer.join()
    wait_until(lambda: len(server.workers()) == 2)
    with closing(sqlite3.connect(server.log_file.with_name('halcyon.db'))) as db:
        stored = {row[0] for row in db.execute('SELECT id FROM posts')}
        query = "SELECT post_count, (SELECT SUM(amount) FROM totals WHERE thing = 'posts') FROM users"
        counted = db.execute(query)
        assert counted.fetchone() == (len(stored), len(stored))
    assert set(acknowledged) <= stored


def test_granian_stops_if_its_worker_crashes_repeatedly(tmp_path: Path) -> None:
    with Server(tmp_path, program='granian', workers=1) as server:
        while server.process.poll() is None:
            with suppress(OSError):  # a worker or the server has just ended
                for worker in server.workers():
                    os.kill(worker, signal.SIGKILL)
            time.sleep(0.1)
    assert server.process.returncode == 1
    assert 'Worker crash loop detected' in server.log


def test_workers_end_after_the_main_process_is_killed(tmp_path: Path, program: str) -> None:
    with Server(tmp_path, program=program) as server:
        wait_until(lambda: len(server.workers()) >= 2)
        workers = server.workers()
        assert all(map(is_running, workers))
        server.process.kill()
        wait_until(lambda: not any(map(is_running, workers)))


def is_running(pid: int) -> bool:
    """Return whether the process exists and is not a zombie."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def test_sigterm_shuts_down_gracefully(tmp_path: Path, program: str) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(Server(tmp_path, program=program, BCRYPT_COST='12', DRAIN_SECONDS='1'))
        in_flight = stack.enter_context(closing(server.connect()))
        in_flight.request('POST', '/api/users', json.dumps(USER), {'Content-Type': 'application/json'})
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: server.request('GET', '/health/ready').status == 503)
        assert server.request('GET', '/health/live').status == 200
        assert server.request('GET', '/api').status == 200
        assert in_flight.getresponse().status == 201
        assert server.process.wait(timeout=20) == 0
        with pytest.raises(OSError, match='refused'):
            server.request('GET', '/api')


def test_requests_are_logged_but_successful_health_checks_are_not(server: Server) -> None:
    response = server.request('GET', '/api/rels/users?q=secret')
    health = server.request('GET', '/health/ready')
    (line,) = (line for line in server.log.splitlines() if response.headers['x-request-id'] in line)
    assert ' GET /api/rels/users 200 ' in line
    assert health.headers['x-request-id'] not in server.log
