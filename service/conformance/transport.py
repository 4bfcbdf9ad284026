"""HTTP/1.1 over a socket, read to its end, so that forbidden content is recorded, too."""

from __future__ import annotations

import io
import re
import socket
import ssl
from http.client import HTTPException, HTTPResponse, IncompleteRead, parse_headers
from urllib.parse import urlsplit

from service.conformance.exchange import Request, Response

TIMEOUT = 15.0  # seconds
MAX_CONTENT = 8 * 1024 * 1024


class TransportError(OSError):
    """The server does not respond, or its response is not HTTP."""


class _Recorded:
    """Received data, which HTTPResponse reads instead of a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def send(request: Request) -> Response:
    """Send the request on a connection of its own; raises TransportError."""
    try:
        received = _exchange(request)
        if request.method == 'HEAD':
            return _read_head(received)
        response = HTTPResponse(_Recorded(received), method=request.method)  # type: ignore[arg-type]
        response.begin()
        try:
            content = response.read()
        except IncompleteRead as error:
            content = error.partial
        return Response(response.status, tuple(response.getheaders()), content)
    except (OSError, HTTPException, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise TransportError(f'{request.method} {request.url}: {reason}') from error


def _exchange(request: Request) -> bytes:
    parts = urlsplit(request.url)
    port = parts.port or (443 if parts.scheme == 'https' else 80)
    plain = socket.create_connection((parts.hostname or '', port), timeout=TIMEOUT)
    with secured(plain, parts.hostname) if parts.scheme == 'https' else plain as connection:
        connection.sendall(_serialize(request))
        received = bytearray()
        while len(received) <= MAX_CONTENT and (chunk := connection.recv(65536)):
            received += chunk
        if len(received) > MAX_CONTENT:
            raise ValueError(f'more than {MAX_CONTENT} octets')
        return bytes(received)


def secured(connection: socket.socket, host: str | None) -> ssl.SSLSocket:
    """Return the connection with TLS."""
    return ssl.create_default_context().wrap_socket(connection, server_hostname=host)


def _serialize(request: Request) -> bytes:
    parts = urlsplit(request.url)
    target = (parts.path or '/') + (f'?{parts.query}' if parts.query else '')
    host = parts.netloc.rpartition('@')[2]
    lines = [f'{request.method} {target} HTTP/1.1', f'Host: {host}', 'Connection: close']
    lines += [f'{name}: {value}' for name, value in request.headers]
    if request.body is not None:
        lines.append(f'Content-Length: {len(request.body)}')
    return '\r\n'.join([*lines, '', '']).encode('latin-1') + (request.body or b'')


def _read_head(received: bytes) -> Response:
    """Return the response to HEAD, with whatever follows its header section as content."""
    stream = io.BytesIO(received)
    status_line = re.match(rb'HTTP/\d\.\d (\d{3})\b', stream.readline())
    if status_line is None:
        raise ValueError('the response has no status line')
    headers = tuple(parse_headers(stream).items())
    return Response(int(status_line[1]), headers, stream.read())
