"""Checks of every response in tests by httplint and the conformance kit, with the accepted warnings."""

from __future__ import annotations

import re
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from httplint import HttpRequestLinter, HttpResponseLinter, levels

from service.conformance.exchange import Exchange, Request, Response
from tests.kit import mask_variable_parts, violations

ACCEPTED = {
    'STORE_PUBLIC_UNNECESSARY': 'clients send tokens to public resources too, and a shared cache may store '
    'a response to a request with Authorization only if it is public (RFC 9111 §3.5)',
    'REQUEST_HDR_IN_RESPONSE': 'a 415 lists the supported media types in Accept (RFC 9110 §15.5.16)',
    'VARY_COMPLEX': 'a response depends on its format, its viewer, its coding and, by CORS, its origin',
    'HTTP-SERVER-ERROR': 'tests make the server fail on purpose',
    'STATUS_BAD_REQUEST': 'the note only reports that the status is 400',
}
_VARIABLE_FIELDS = ('etag', 'content-length', 'x-request-id')
_URL = re.compile('https?://[^\\s<>",;]+')
_checked: set[Any] = set()


def lint(method: str, url: str, headers: dict[str, str], result: Any) -> None:
    """Assert that there are no findings.

    Responses whose header fields differ only in ETag, length, URLs and numbers are checked once.
    """
    fields = [
        (name, mask_variable_parts(_URL.sub('URL', value)))
        for name, value in result.headers.items()
        if name not in _VARIABLE_FIELDS
    ]
    key = (method, result.status_code, tuple(fields), tuple(headers))
    if key not in _checked:
        reported = httplint_findings(method, url, headers, result) + kit_findings(
            method, url, headers, result
        )
        assert reported == [], f'{method} {url}: {reported} {dict(result.headers)}'
        _checked.add(key)


def httplint_findings(method: str, url: str, headers: dict[str, str], result: Any) -> list[str]:
    """Return the errors and warnings of httplint for the response as a server sends it."""
    request = HttpRequestLinter()
    request.process_request_topline(method.encode(), url.encode(), b'HTTP/1.1')
    request.process_headers([(name.encode(), value.encode()) for name, value in headers.items()])
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


def kit_findings(method: str, url: str, headers: dict[str, str], result: Any) -> list[str]:
    """Return the kit's findings for the response as a server sends it."""
    fields = (*result.headers.items(), ('Date', formatdate(usegmt=True)))
    response = Response(result.status_code, fields, b'' if method == 'HEAD' else result.content)
    exchange = Exchange(Request(method, url, tuple(headers.items())), response, 'test')
    return [text for text in violations(exchange, 'http', 'problem') if text.split()[0] not in ACCEPTED]
