"""gunicorn's threaded worker, with problem documents as responses to malformed requests."""

import ipaddress
import logging
import socket
from collections.abc import Iterable
from typing import Any

from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from service.config import Settings, normal_origin
from service.http.request_body import MAX_BODY_BYTES
from service.representation.problem import Problem
from service.serving.refusals import failed, rejected, response_to

CLIENT_ERRORS = (errors.ParseException, errors.NoMoreData)
APPLICATION_ERRORS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)
# The problem type and the detail by the error of gunicorn's parser.
PROBLEM_OF_ERROR: dict[type[Exception], tuple[str, str]] = {
    errors.LimitRequestLine: ('uri-too-long', 'The request line is too long.'),
    errors.LimitRequestHeaders: ('headers-too-large', 'The header fields are too large, or too many.'),
    errors.ExpectationFailed: ('expectation-failed', 'Expect can only be 100-continue.'),
    errors.UnsupportedTransferCoding: ('not-implemented', 'The only transfer coding supported is chunked.'),
}
MALFORMED = ('bad-request', 'The request is not valid HTTP.')
LOCALHOST = ('localhost', 80)  # the server's address for a request on a unix socket, which has none

log = logging.getLogger(__name__)


class Worker(ThreadWorker):
    """A worker that responds to malformed requests like the application, without quoting them."""

    settings = Settings()  # replaced by gunicorn.conf.py

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Handle a request; HTTP/1.0 may have no Host, so SERVER_NAME is the address connected to."""
        if req.version < (1, 1):
            conn.server = _address_of(conn.sock)
        if _ends_connection(req.headers):
            req.force_close()
        return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Respond to a request that the parser rejected, or that ended in an uncaught exception."""
        if isinstance(exc, CLIENT_ERRORS) and not isinstance(exc, APPLICATION_ERRORS):
            matches = (problem for error, problem in PROBLEM_OF_ERROR.items() if isinstance(exc, error))
            refusal = rejected(Problem(*next(matches, MALFORMED)), type(exc).__name__)
        else:
            refusal = failed(exc)
        status, fields, body = response_to(refusal, _origin_of(client), self.settings)
        head = '\r\n'.join([f'HTTP/1.1 {status}', *(f'{name}: {value}' for name, value in fields.items())])
        try:
            client.sendall(head.encode() + b'\r\n\r\n' + body)
        except OSError:
            log.debug('the client of request %s has disconnected', refusal.request_id)


def _ends_connection(headers: Iterable[tuple[str, str]]) -> bool:
    """Return whether the connection ends with this request, as the response must declare (RFC 9112 §9.6).

    `close` may be one option of many, in any of the Connection fields. A body that is too large is not read,
    so no request can follow it.
    """
    for name, value in headers:
        if name == 'CONNECTION' and 'close' in (option.strip().lower() for option in value.split(',')):
            return True
        if name == 'CONTENT-LENGTH' and int(value) > MAX_BODY_BYTES:
            return True
    return False


def _origin_of(connection: socket.socket) -> str:
    """Return the origin that the client connected to, since the request may not name one."""
    try:
        host, port = _address_of(connection)
    except OSError:
        host, port = LOCALHOST
    return normal_origin('http', f'{host}:{port}')


def _address_of(connection: socket.socket) -> tuple[str, int]:
    """Return the host and the port that the client connected to."""
    name = connection.getsockname()
    if not isinstance(name, tuple):
        return LOCALHOST
    address = ipaddress.ip_address(name[0].partition('%')[0])
    mapped = getattr(address, 'ipv4_mapped', None) or address
    return (f'[{mapped}]' if mapped.version == 6 else str(mapped)), name[1]
