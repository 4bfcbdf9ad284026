"""The workers: malformed requests are rejected without being quoted, and connections close as requested."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import pytest

from tests.server import Server, wait_until

HOST = b'Host: halcyon.test\r\n'
SECRET = 'secret-of-ada'
UNFINISHED = (
    b'POST /api/users HTTP/1.1\r\n' + HOST + b'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{'
)
StartServer = Callable[[str, str], Server]


@pytest.fixture(scope='module')
def start_server(tmp_path_factory: Any) -> Iterator[StartServer]:
    """Return a function that starts a server once for each program and log format, and returns it."""
    with ExitStack() as stack:

        @cache
        def start_server(program: str, log_format: str) -> Server:
            folder = tmp_path_factory.mktemp('worker')
            return stack.enter_context(Server(folder, program=program, LOG_FORMAT=log_format))

        yield start_server


@pytest.fixture(params=['text', 'json'])
def gunicorn(request: pytest.FixtureRequest, start_server: StartServer) -> Server:
    return start_server('gunicorn', request.param)


@pytest.fixture
def granian(start_server: StartServer) -> Server:
    return start_server('granian', 'text')


@pytest.fixture
def server(program: str, start_server: StartServer) -> Server:
    return start_server(program, 'text')


def headers_of(raw: bytes) -> dict[str, str]:
    lines = raw.partition(b'\r\n\r\n')[0].decode().split('\r\n')[1:]
    return {name.lower(): value for name, _, value in (line.partition(': ') for line in lines)}


MALFORMED = {
    'a raw letter': (400, b'GET /api/users?q=ad\xc3\xa9-secret-of-ada HTTP/1.1\r\n' + HOST + b'\r\n'),
    'no version': (400, b'GET /secret-of-ada\r\n' + HOST + b'\r\n'),
    'a bad version': (400, b'GET /secret-of-ada HTTP/secret-of-ada\r\n' + HOST + b'\r\n'),
    'HTTP/2': (400, b'GET /secret-of-ada HTTP/2.0\r\n' + HOST + b'\r\n'),
    'a bad method': (400, b'G(secret-of-ada /api HTTP/1.1\r\n' + HOST + b'\r\n'),
    'a bad name': (400, b'GET /api HTTP/1.1\r\n' + HOST + b'Authorization secret-of-ada: x\r\n\r\n'),
    'a bad value': (400, b'GET /api HTTP/1.1\r\n' + HOST + b'Cookie: secret-of-ada\x00\r\n\r\n'),
    'no colon': (400, b'GET /api HTTP/1.1\r\n' + HOST + b'secret-of-ada\r\n\r\n'),
    'a folded field': (400, b'GET /api HTTP/1.1\r\n' + HOST + b'X: a\r\n secret-of-ada\r\n\r\n'),
    'two lengths': (400, b'POST /api HTTP/1.1\r\n' + HOST + b'Content-Length: 1, secret-of-ada\r\n\r\n'),
    'an unknown coding': (
        501,
        b'POST /api HTTP/1.1\r\n' + HOST + b'Transfer-Encoding: secret-of-ada, chunked\r\n\r\n',
    ),
    'a long target': (414, b'GET /secret-of-ada' + b'x' * 9000 + b' HTTP/1.1\r\n' + HOST + b'\r\n'),
    'a long field': (431, b'GET /api HTTP/1.1\r\n' + HOST + b'X: secret-of-ada' + b'x' * 9000 + b'\r\n\r\n'),
    'many fields': (431, b'GET /api HTTP/1.1\r\n' + HOST + b'X: secret-of-ada\r\n' * 200 + b'\r\n'),
    'an expectation': (417, b'GET /api HTTP/1.1\r\n' + HOST + b'Expect: secret-of-ada\r\n\r\n'),
}


@pytest.mark.parametrize('case', MALFORMED)
def test_a_malformed_request_gets_a_problem_document(gunicorn: Server, case: str) -> None:
    status, request = MALFORMED[case]
    raw = gunicorn.send_raw(request)
    assert raw.startswith(b'HTTP/1.1 %d ' % status)
    headers = headers_of(raw)
    assert headers['content-type'] == 'application/problem+json'
    assert headers['x-content-type-options'] == 'nosniff'
    assert headers['content-security-policy'] == "default-src 'none'; frame-ancestors 'none'"
    assert 'strict-transport-security' not in headers
    assert 'access-control-allow-origin' not in headers
    assert headers['connection'] == 'close'
    assert parsedate_to_datetime(headers['date'])
    document = json.loads(raw.partition(b'\r\n\r\n')[2])
    assert document['status'] == status
    assert document['type'].startswith(f'{gunicorn.origin}/api/problems/')
    assert gunicorn.request('GET', document['type']).status == 200
    assert SECRET.encode() not in raw
    (line,) = (line for line in gunicorn.log.splitlines() if headers['x-request-id'] in line)
    assert f' {status}: ' in line


# granian itself rejects the first group and `many fields`, without content; the others reach the service.
STATUS_UNDER_GRANIAN = {
    **dict.fromkeys(
        (
            'no version', 'a bad version', 'HTTP/2', 'a bad method', 'a bad name', 'a bad value', 'no colon',
            'a folded field', 'two lengths',
        ),
        400,
    ),
    'many fields': 431,
    'a raw letter': 401,
    'an unknown coding': 411,
    'a long target': 404,
    'a long field': 400,
    'an expectation': 200,
}  # fmt: skip


@pytest.mark.parametrize('case', MALFORMED)
def test_granian_rejects_or_ignores_a_malformed_request(granian: Server, case: str) -> None:
    with socket.create_connection(('127.0.0.1', granian.port), timeout=10) as peer:
        peer.sendall(MALFORMED[case][1])
        head, _, body = peer.recv(65536).partition(b'\r\n\r\n')
    assert head.startswith(b'HTTP/1.1 %d ' % STATUS_UNDER_GRANIAN[case])
    assert b'\r\ndate: ' in head
    assert (b'content-length: 0' in head) == (body == b'')
    assert SECRET not in granian.log


CLOSE_FIELDS = {
    'close among other options': b'Connection: close, TE\r\n',
    'close in capitals, last': b'Connection: TE , Close\r\n',
    'close in the second line': b'Connection: TE\r\nConnection: close\r\n',
}


@pytest.mark.parametrize('case', CLOSE_FIELDS)
def test_a_response_to_connection_close_has_connection_close(server: Server, case: str) -> None:
    raw = server.send_raw(b'POST /api/users HTTP/1.1\r\n' + HOST + CLOSE_FIELDS[case] + b'\r\n')
    assert headers_of(raw)['connection'] == 'close'


def test_a_response_to_an_unread_body_ends_the_connection(server: Server) -> None:
    raw = server.send_raw(b'POST /api/users HTTP/1.1\r\n' + HOST + b'Content-Length: 65537\r\n\r\n')
    assert raw.startswith(b'HTTP/1.1 415 ')
    if server.program == 'gunicorn':  # granian closes the connection, but does not always send the field
        assert headers_of(raw)['connection'] == 'close'


def test_other_connection_options_keep_the_connection(server: Server) -> None:
    request = b'GET /api HTTP/1.1\r\n' + HOST + b'Connection: TE, closed\r\n\r\n'
    raw = server.send_raw(request + request.replace(b'TE, closed', b'close'))
    assert raw.count(b'HTTP/1.1 200') == 2


def test_no_malformed_request_is_quoted_in_the_log(gunicorn: Server) -> None:
    for _, request in MALFORMED.values():
        gunicorn.send_raw(request)
    assert SECRET not in gunicorn.log
    assert 'Traceback' not in gunicorn.log


def test_a_request_line_may_have_8000_octets(server: Server) -> None:
    target = b'/api?' + b'x' * 7980
    raw = server.send_raw(b'GET ' + target + b' HTTP/1.1\r\n' + HOST + b'Connection: close\r\n\r\n')
    assert raw.startswith(b'HTTP/1.1 200 ')


@pytest.mark.parametrize('method', [b'get', b'Post', b'x', b'ABCDEFGHIJKLMNOPQRSTUVWXYZ', b'M-SEARCH'])
def test_an_unknown_method_is_501(server: Server, method: bytes) -> None:
    raw = server.send_raw(method + b' /api HTTP/1.1\r\n' + HOST + b'Connection: close\r\n\r\n')
    assert raw.startswith(b'HTTP/1.1 501 ')
    assert b'"title":' in raw


def test_options_asterisk_is_204(server: Server) -> None:
    raw = server.send_raw(b'OPTIONS * HTTP/1.1\r\n' + HOST + b'Connection: close\r\n\r\n')
    assert raw.startswith(b'HTTP/1.1 204 ')
    assert {'GET', 'POST', 'OPTIONS'} <= set(headers_of(raw)['allow'].split(', '))


def test_http_1_0_without_host_gets_links_to_the_server_address(tmp_path: Any, program: str) -> None:
    host = {'gunicorn': '0.0.0.0', 'granian': '127.0.0.1'}[program]
    with Server(tmp_path, program=program, HOST=host, workers=1) as server:
        raw = server.send_raw(b'GET /api HTTP/1.0\r\n\r\n')
        assert f'"href":"{server.origin}/api"'.encode() in raw
        assert b'0.0.0.0' not in raw


def test_a_malformed_request_gets_the_configured_headers(tmp_path: Any) -> None:
    with Server(tmp_path, workers=1, BASE_URL='https://halcyon.test', CORS_ORIGINS='*') as server:
        raw = server.send_raw(MALFORMED['no version'][1])
        headers = headers_of(raw)
        assert b'"type": "https://halcyon.test/api/problems/bad-request"' in raw
        assert headers['strict-transport-security'] == 'max-age=31536000'
        assert headers['access-control-allow-origin'] == '*'
        assert 'X-Request-Id' in headers['access-control-expose-headers']


def test_idle_connections_take_no_thread(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            connection = stack.enter_context(socket.create_connection(('127.0.0.1', server.port), timeout=10))
            connection.sendall(b'GET /health/live HTTP/1.1\r\n' + HOST + b'\r\n')
            assert connection.recv(65536).startswith(b'HTTP/1.1 200 ')
        assert server.request('GET', '/api').status == 200


def test_a_disconnected_client_leaves_no_traceback(server: Server) -> None:
    with socket.create_connection(('127.0.0.1', server.port), timeout=10) as peer:
        peer.sendall(UNFINISHED)
        peer.shutdown(socket.SHUT_WR)
    wait_until(lambda: server.request('GET', '/health/live').status == 200)
    assert not re.search('Traceback', server.log)
