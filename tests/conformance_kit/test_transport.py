"""The transport reads responses as they are sent, including malformed ones."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from threading import Thread

import pytest

from service.conformance.exchange import Request, Response
from service.conformance.transport import TransportError, send

pytestmark = pytest.mark.above_databases

Fetch = Callable[..., Response]


@pytest.fixture
def fetch() -> Iterator[Fetch]:
    """Return a function that sends a request to a server that responds with these octets."""
    threads: list[Thread] = []

    def fetch(response: bytes, method: str = 'GET') -> Response:
        listener = socket.create_server(('127.0.0.1', 0))
        url = f'http://127.0.0.1:{listener.getsockname()[1]}/a?b'

        def serve() -> None:
            with listener, listener.accept()[0] as peer:
                peer.recv(65536)
                peer.sendall(response)

        threads.append(Thread(target=serve))
        threads[-1].start()
        return send(Request(method, url, (('Accept', 'a/b'),)))

    yield fetch
    for thread in threads:
        thread.join()


def test_content_after_a_head_response_is_read(fetch: Fetch) -> None:
    response = fetch(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno', 'HEAD')
    assert (response.status, response.header('content-length'), response.body) == (200, '2', b'no')


def test_a_chunked_response_is_read(fetch: Fetch) -> None:
    assert fetch(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n').body == b'hi'


def test_content_that_is_too_short_is_kept(fetch: Fetch) -> None:
    response = fetch(b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi')
    assert (response.header('Content-Length'), response.body) == ('9', b'hi')


def test_repeated_fields_are_separate_values(fetch: Fetch) -> None:
    assert fetch(b'HTTP/1.1 204 No Content\r\nVary: a\r\nVary: b\r\n\r\n').values('vary') == ['a', 'b']


@pytest.mark.parametrize('response', [b'', b'no HTTP\r\n\r\n', b'HTTP/1.1 abc\r\n\r\n', b'\x00\xff'])
@pytest.mark.parametrize('method', ['GET', 'HEAD'])
def test_an_invalid_response_is_an_error(fetch: Fetch, response: bytes, method: str) -> None:
    with pytest.raises(TransportError, match=method):
        fetch(response, method)


def test_a_refused_connection_is_an_error() -> None:
    with pytest.raises(TransportError, match='refused'):
        send(Request('GET', 'http://127.0.0.1:9/'))
