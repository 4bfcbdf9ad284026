"""Raw bytes on a connection: the server responds to anything as HTTP requires, and keeps serving.

The HTTP server itself rejects malformed requests, before the application: gunicorn with problem documents,
granian without content.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import pytest

from tests.server import Server

HOST = b'Host: halcyon.test\r\n'
LIVE = b'GET /health/live HTTP/1.1\r\n' + HOST + b'\r\n'
LAST = b'GET /health/live HTTP/1.1\r\nConnection: close\r\n' + HOST + b'\r\n'
SILENT_SECONDS = 4.0
POST = b'POST /api/users HTTP/1.1\r\n' + HOST + b'Content-Type: application/json\r\n'
CHUNKED = POST + b'Transfer-Encoding: chunked\r\n\r\n'
CHUNKED_WITH_KEY = POST + b'Idempotency-Key: "k"\r\nTransfer-Encoding: chunked\r\n\r\n'
CHUNKS = b'5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n'
LONG = b'a' * 100_000
THREADS = 8  # of a worker

REJECTED = (400,)  # and the connection is closed, so that the rest is not parsed as a request
PROCESSED = (400, 200)  # the empty registration is invalid, and the next request is processed
CLOSED = ()


def length(value: bytes) -> bytes:
    return POST + b'Content-Length: ' + value + b'\r\n\r\n{}'


def coding(value: bytes) -> bytes:
    return POST + b'Transfer-Encoding: ' + value + b'\r\n\r\n' + CHUNKS


def get(target: bytes, more: bytes = b'', version: bytes = b'HTTP/1.1') -> bytes:
    return b'GET ' + target + b' ' + version + b'\r\n' + more + HOST + b'\r\n'


def live(more: bytes) -> bytes:
    return get(b'/health/live', more)


LENGTHS = {
    'both framings': (POST + b'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n' + CHUNKS, REJECTED),
    'both framings reversed': (
        POST + b'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n' + CHUNKS,
        REJECTED,
    ),
    'the same length twice': (length(b'2\r\nContent-Length: 2'), REJECTED),
    'two lengths': (length(b'2\r\nContent-Length: 3'), REJECTED),
    'a list of lengths': (length(b'2, 2'), REJECTED),
    **{
        f'length {value!r}': (length(value), REJECTED)
        for value in (b'+2', b'-1', b'0x2', b'2 2', b'', b'2_0', b'\xd9\xa2', b'1e1', b'x', b'2\x0b')
    },
    'length with spaces around': (length(b' 2 '), PROCESSED),
    'length with a zero before': (length(b'02'), PROCESSED),
    'a length with an underscore is ignored': (length(b'2\r\nContent_Length: 50'), PROCESSED),
    'a space before the colon': (POST + b'Content-Length : 2\r\n\r\n{}', REJECTED),
    'a body that ends too soon': (POST + b'Content-Length: 500\r\n\r\n{}', REJECTED),
    'the body of a GET is not a request': (
        live(b'Content-Length: %d\r\n' % len(LIVE)) + LIVE,
        (200, 200),
    ),
}
CODINGS = {
    **{
        f'coding {value!r}': (coding(value), REJECTED)
        for value in (
            b'chunked, identity', b'identity', b'chunked, chunked', b'\x0bchunked',
            b'chunked\r\nTransfer-Encoding: chunked', b'chunked\r\nTransfer-Encoding: identity',
            b'\r\n chunked',
        )
    },
    **{
        f'coding {value!r}': (coding(value), (501,))
        for value in (b'xchunked', b'"chunked"', b'', b'chunked;q=1', b'chunked\xa0', b'gzip, chunked')
    },
    **{
        f'coding {value!r}': (coding(value), PROCESSED)
        for value in (b'CHUNKED', b' chunked ')
    },
    'a coding that is not supported within chunks': (coding(b'identity, chunked'), (501, 200)),
    'chunks in HTTP/1.0': (coding(b'chunked').replace(b'HTTP/1.1', b'HTTP/1.0'), REJECTED),
    'a coding with an underscore is ignored': (POST + b'Transfer_Encoding: chunked\r\n\r\n', PROCESSED),
}  # fmt: skip
INVALID_CHUNKS = (
    b'ZZ\r\nabc\r\n0\r\n\r\n', b'2\r\n{}xx0\r\n\r\n', b'2\r\n{}\r\n', b'0x2\r\n{}\r\n0\r\n\r\n',
    b'+2\r\n{}\r\n0\r\n\r\n', b'-2\r\n{}\r\n0\r\n\r\n', b'2 \r\n{}\r\n0\r\n\r\n', b' 2\r\n{}\r\n0\r\n\r\n',
    b'2\n{}\n0\n\n', b'2\r\n{}\n0\r\n\r\n', b'\r\n', b'ffffffffffffffffff\r\n{}\r\n0\r\n\r\n',
    b'2_0\r\n{}\r\n0\r\n\r\n',
    b'2\r\n{}0\r\n\r\n', b'2\r\n{}\r\n0\r\n', b'2;\rx\r\n{}\r\n0\r\n\r\n', b'2;\n{}\r\n0\r\n\r\n',
    b'2;' + LONG, b'2\r\n{}\r\n0\r\nno trailer\r\n\r\n', b'5\r\n{"a',
)  # fmt: skip
VALID_CHUNKS = (CHUNKS, b'2;name=value\r\n{}\r\n0\r\n\r\n', b'002\r\n{}\r\n000\r\n\r\n')
BODIES = {
    f'{name} {chunks[:20]!r}': (head + chunks, expected)
    for name, head in (('chunks', CHUNKED), ('chunks with a key', CHUNKED_WITH_KEY))
    for bodies, expected in ((INVALID_CHUNKS, REJECTED), (VALID_CHUNKS, PROCESSED))
    for chunks in bodies
} | {
    'a secret in a trailer': (CHUNKED + b'2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\n\r\n', REJECTED),
    'Expect: 100-continue': (length(b'2\r\nExpect: 100-continue'), (100, 400, 200)),
    'an unsupported expectation': (length(b'2\r\nExpect: 200-ok'), (417,)),
}
HEADERS = {
    **{
        f'header {more!r}': (live(more), REJECTED)
        for more in (
            b'X: a\r\n b\r\n', b' X: a\r\n', b'X: a\nY: b\r\n', b'X: a\rY: b\r\n', b'X: a\0b\r\n',
            b'X\0: a\r\n',
            b'X : a\r\n', b': a\r\n', b'nothing\r\n', b'X y: a\r\n', b'X\xff: a\r\n', b'Host: b\r\n',
        )
    },
    'line feeds alone': (b'GET /health/live HTTP/1.1\nHost: halcyon.test\n\n', REJECTED),
    'a long header': (live(b'X: ' + LONG + b'\r\n'), (431,)),
    'many headers': (live(b'X: y\r\n' * 200), (431,)),
    'a header of many lines': (live((b'Accept: ' + b'a/b,' * 1500 + b'\r\n') * 20), (400, 200)),
    'bytes that are not text': (live(b'X: \xff\xfe\r\n'), (200, 200)),
    'a forwarding header with underscores': (get(b'/api', b'X_Forwarded_Host: evil.test\r\n'), (200, 200)),
    **{
        f'host {value!r}': (b'POST /api/users HTTP/1.1\r\n' + value + b'\r\n', expected)
        for value, expected in (
            (b'Host: a b\r\n', (400, 200)), (b'Host: a/evil?x="><b>\r\n', (400, 200)),
            (b'Host: \r\n', (400, 200)), (b'Host: a:99999\r\n', (400, 200)),
            (b'', (400, 200)), (b'Host: a\r\nHost: b\r\n', REJECTED),
        )
    },
}  # fmt: skip
TARGETS = {
    'absolute': (get(b'http://halcyon.test/health/live'), (200, 200)),
    'absolute without a path': (get(b'http://halcyon.test'), (308, 200)),
    'absolute with a user': (get(b'http://u:p@halcyon.test/api'), (400, 200)),
    'absolute with no host': (get(b'http:///api'), (400, 200)),
    'authority': (b'CONNECT halcyon.test:80 HTTP/1.1\r\n' + HOST + b'\r\n', (404,)),
    'asterisk': (b'OPTIONS * HTTP/1.1\r\n' + HOST + b'\r\n', (204, 200)),
    'a fragment': (get(b'/api#x'), (400, 200)),
    'two slashes': (get(b'//evil.test/api'), (404, 200)),
    'dots': (get(b'/api/../../etc/passwd'), (404, 200)),
    'escaped line end': (get(b'/api/x%0d%0aSet-Cookie:%20a=b'), (404, 200)),
    'long': (get(b'/' + LONG), (414,)),
    'long method': (LONG + b' / HTTP/1.1\r\n' + HOST + b'\r\n', (414,)),
    'empty lines before': (b'\r\n' + LIVE, (200, 200)),
    **{
        f'{target!r}': (get(target), REJECTED)
        for target in (b'halcyon.test:80', b'*', b'health/live', b'', b'/a b', b'/\xff\xfe',
                       b'/health/live\0', b'http://a b/')
    },
    **{
        f'{version!r}': (get(b'/health/live', version=version), REJECTED)
        for version in (b'HTTP/2.0', b'HTTP/0.9', b'HTTP/11', b'HTTP/1', b'http/1.1', b'', b'XTTP/1.1')
    },
    'lower case': (b'get /health/live HTTP/1.1\r\n' + HOST + b'\r\n', (501, 200)),
    'no version': (b'GET /health/live\r\n\r\n', REJECTED),
    'HTTP/2': (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', REJECTED),
    'PROXY': (b'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n' + LIVE, REJECTED),
}  # fmt: skip
UNFINISHED = {
    'nothing': b'',
    'half a line': b'GET /api HT',
    'half a header': b'GET /api HTTP/1.1\r\nHost: x\r\nX: ',
    'TLS': b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'binary': b'\x00\xff' * 50,
}
CASES = LENGTHS | CODINGS | BODIES | HEADERS | TARGETS
LENGTH_REQUIRED = (411,)  # the chunks are not parsed, and the connection is closed
# The cases in which granian responds differently. It never processes a part of a body as a request.
UNDER_GRANIAN: dict[str, tuple[int, ...]] = {
    **dict.fromkeys((case for case in BODIES if case.startswith('chunks')), LENGTH_REQUIRED),
    **dict.fromkeys(
        (
            'both framings', 'both framings reversed', "coding b'chunked, chunked'",
            "coding b'chunked\\r\\nTransfer-Encoding: chunked'", "coding b'gzip, chunked'",
            "coding b'CHUNKED'", "coding b' chunked '", 'a coding that is not supported within chunks',
            'a coding with an underscore is ignored', 'a secret in a trailer',
        ),
        LENGTH_REQUIRED,
    ),
    **dict.fromkeys(
        (
            "coding b'xchunked'", "coding b'\"chunked\"'", "coding b''", "coding b'chunked;q=1'",
            "coding b'chunked\\xa0'", 'absolute with no host',
        ),
        REJECTED,
    ),
    **dict.fromkeys(
        (
            'the same length twice', 'an unsupported expectation', "header b'Host: b\\r\\n'",
            "host b'Host: a\\r\\nHost: b\\r\\n'", 'a long header',
        ),
        PROCESSED,
    ),
    "header b'X: a\\nY: b\\r\\n'": (200, 200),
    'line feeds alone': (200, 200),
    'a fragment': (200, 200),
    'absolute with a user': (200, 200),
    'authority': (405, 200),
    'long method': (501, 200),
    "b'halcyon.test:80'": (308, 200),
    "b'*'": (204, 200),
    'HTTP/2': CLOSED,
}  # fmt: skip


@pytest.fixture(scope='module')
def server(tmp_path_factory: Any, program: str) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp('wire'), program=program) as server:
        yield server


def send(server: Server, data: bytes) -> bytes:
    """Send bytes, and return everything received before the connection is closed or reset.

    granian drops a request when the client shuts down its side of the connection, so this waits until granian
    has sent nothing for SILENT_SECONDS.
    """
    with socket.create_connection(('127.0.0.1', server.port), timeout=10) as peer:
        received = b''
        with suppress(OSError):  # a reset
            peer.sendall(data)
        if server.program == 'granian':
            peer.settimeout(SILENT_SECONDS)
            with suppress(ConnectionError, TimeoutError):
                while chunk := peer.recv(65536):
                    received += chunk
            peer.settimeout(10)
        with suppress(OSError):
            peer.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while chunk := peer.recv(65536):
                received += chunk
        return received


def statuses(raw: bytes) -> tuple[int, ...]:
    return tuple(int(status) for status in re.findall(rb'HTTP/1\.[01] (\d{3}) ', raw))


def check_error(raw: bytes, program: str) -> None:
    """Assert that the first response is a problem document, or an error of the HTTP server itself."""
    head, _, body = raw.partition(b'\r\n\r\n')
    if b'content-type: application/problem+json' in head.lower():
        size = int(re.findall(rb'(?i)content-length: (\d+)', head)[0])
        assert json.loads(body[:size])['status'] == statuses(raw)[0]
    elif program == 'granian':
        assert b'connection: close' in head
        assert b'content-length: 0' in head
    else:
        assert b'Content-Type: text/html' in head
        assert b'Connection: close' in head
        assert b'<h1>' in body


@pytest.mark.parametrize('case', CASES)
def test_raw_bytes_get_the_expected_statuses(server: Server, case: str) -> None:
    data, expected = CASES[case]
    if server.program == 'granian':
        expected = UNDER_GRANIAN.get(case, expected)
    raw = send(server, data + LAST)
    # A client that is still sending may not receive the response.
    was_reset = not raw and len(data) > len(LONG)
    assert statuses(raw) == expected or was_reset
    if expected and expected[0] >= 400 and not was_reset:
        check_error(raw, server.program)
    assert server.request('GET', '/health/live').status == 200
    assert b'evil' not in raw.replace(b'//evil.test/api', b'')


def test_unfinished_requests_get_no_response(server: Server) -> None:
    with ThreadPoolExecutor(len(UNFINISHED)) as pool:  # so that all wait at the same time
        received = [statuses(raw) for raw in pool.map(partial(send, server), UNFINISHED.values())]
    rejected = ('TLS', 'binary') if server.program == 'granian' else ()
    assert received == [REJECTED if case in rejected else CLOSED for case in UNFINISHED]
    assert server.request('GET', '/health/live').status == 200


def test_pipelined_requests_get_responses_in_order(server: Server) -> None:
    raw = send(server, get(b'/nothing') + get(b'/') + get(b'/api/users') + LAST)
    assert statuses(raw) == (404, 308, 401, 200)


def test_repeated_header_lines_count_as_one_long_header(server: Server) -> None:
    raw = send(server, CASES['a header of many lines'][0] + LAST)
    assert b'application/problem+json' in raw
    assert b'at most 8190 characters' in raw


def open_unfinished(stack: ExitStack, server: Server, count: int, data: bytes) -> list[socket.socket]:
    """Open connections, and send only the beginning of a request on each."""
    peers = []
    for _ in range(count):
        peer = stack.enter_context(socket.create_connection(('127.0.0.1', server.port), timeout=10))
        peer.sendall(data)
        peers.append(peer)
    return peers


UNFINISHED_REQUESTS = [
    UNFINISHED['half a header'],
    CHUNKED + b'5\r\n{"a',
    POST + b'Content-Length: 9\r\n\r\n{',
]


@pytest.mark.parametrize('unfinished', UNFINISHED_REQUESTS, ids=['header', 'chunk', 'body'])
def test_fewer_unfinished_requests_than_threads_block_no_others(server: Server, unfinished: bytes) -> None:
    with ExitStack() as stack:
        open_unfinished(stack, server, THREADS - 1, unfinished)
        assert [server.request('GET', '/health/live').status for _ in range(10)] == [200] * 10


@pytest.mark.parametrize('unfinished', UNFINISHED_REQUESTS, ids=['header', 'chunk', 'body'])
def test_thirty_unfinished_requests_delay_others_only_while_open(server: Server, unfinished: bytes) -> None:
    # Each occupies a thread; behind a balancer as in OPERATIONS.md, they would delay no others.
    with ExitStack() as stack:
        peers = open_unfinished(stack, server, 30, unfinished)
        other = stack.enter_context(socket.create_connection(('127.0.0.1', server.port), timeout=10))
        other.sendall(LIVE)
        for peer in peers:
            peer.close()
        assert statuses(other.recv(65536)) == (200,)
