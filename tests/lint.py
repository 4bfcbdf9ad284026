"""httplint and the conformance kit, applied to every response in tests; accepted warnings have reasons."""

from __future__ import annotations

import re
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from httplint import HttpRequestLinter, HttpResponseLinter, levels

from service.conformance.exchange import Exchange, Request, Response
from tests.kit import violations, without_numbers

ACCEPTED = {
    'STORE_PUBLIC_UNNECESSARY': 'clients send tokens to public resources too, and a shared cache may store '
    'a response to a request with Authorization only if it is public (RFC 9111 §3.5)',
    'REQUEST_HDR_IN_RESPONSE': 'a 415 lists the supported media types in Accept (RFC 9110 §15.5.16)',
    'VARY_COMPLEX': 'a response depends on its format, its viewer, its coding and, by CORS, its origin',
    'HTTP-SERVER-ERROR': 'tests make the server fail on purpose',
    'STATUS_BAD_REQUEST': 'it only reports that the status is 400',
}
_CHANGING = ('etag', 'content-length', 'x-request-id')
_URL = re.compile('https?://[^\\s<>",;]+')
_seen: set[Any] = set()


def lint(method: str, url: str, sent: dict[str, str], result: Any) -> None:
    """Assert that there are no findings.

    Responses whose header fields differ only in ETag, length, URLs and numbers are checked once.
    """
    fields = [
        (name, without_numbers(_URL.sub('URL', value)))
        for name, value in result.headers.items()
        if name not in _CHANGING
    ]
    key = (method, result.status_code, tuple(fields), tuple(sent))
    if key not in _seen:
        reported = findings(method, url, sent, result) + kit_findings(method, url, sent, result)
        assert reported == [], f'{method} {url}: {reported} {dict(result.headers)}'
        _seen.add(key)


def findings(method: str, url: str, sent: dict[str, str], result: Any) -> list[str]:
    """Return the errors and warnings of httplint for the response as a server sends it."""
    request = HttpRequestLinter()
    request.process_request_topline(method.encode(), url.encode(), b'HTTP/1.1')
    request.process_headers([(name.encode(), value.encode()) for name, value in sent.items()])
    request.finish_content(True)
    response = HttpResponseLinter(_related=request, no_content=method == 'HEAD')
    status = HTTPStatus(result.status_code)
    response.process_response_topline(b'HTTP/1.1', str(status.value).encode(), status.phrase.encode())
    dated = {**result.headers, 'date': formatdate(usegmt=True)}
    response.process_headers([(name.encode(), value.encode('latin-1')) for name, value in dated.items()])
    if method != 'HEAD':
        response.feed_content(result.content)
    response.finish_content(True)
    return [
        f'{type(note).__name__}: {note.summary}'
        for note in response.notes
        if note.level in (levels.BAD, levels.WARN) and type(note).__name__ not in ACCEPTED
    ]


def kit_findings(method: str, url: str, sent: dict[str, str], result: Any) -> list[str]:
    """Return the kit's findings for the response as a server sends it."""
    headers = (*result.headers.items(), ('Date', formatdate(usegmt=True)))
    response = Response(result.status_code, headers, b'' if method == 'HEAD' else result.content)
    exchange = Exchange(Request(method, url, tuple(sent.items())), response, 'test')
    return [text for text in violations(exchange, 'http', 'problem') if text.split()[0] not in ACCEPTED]
