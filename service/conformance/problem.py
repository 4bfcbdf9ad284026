"""Rules of problem details."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from service.conformance.checks import requires_status
from service.conformance.client import Client
from service.conformance.exchange import PROBLEM, Exchange, members, pointer
from service.conformance.rules import Fault, Level, Rules, Standard, for_purpose
from service.conformance.syntax import is_absolute_uri, is_uri_reference

RFC9457 = Standard('RFC 9457', 'https://www.rfc-editor.org/rfc/rfc9457')
BLANK = 'about:blank'
DEFINED = ('type', 'title', 'status', 'detail', 'instance')
_TRACE = re.compile(
    r'Traceback \(most recent call last\)|^\s+at [\w.$]+\(.*:\d+\)|File ".*", line \d+', re.MULTILINE
)


def is_problem(exchange: Exchange) -> bool:
    return exchange.response.media_type == PROBLEM and exchange.response.is_whole


RULES = Rules('problem', RFC9457, is_problem)


def member(exchange: Exchange, name: str) -> Any:
    """Return a member of the problem; None if it is absent."""
    document = exchange.response.document
    return document.get(name) if isinstance(document, dict) else None


def probe_missing(client: Client, exchange: Exchange) -> None:
    """Provoke a problem: request a URL below this one that does not exist."""
    if not any(earlier.purpose == 'problem-missing' for earlier in client.record):
        url = exchange.request.url.partition('?')[0].rstrip('/') + '/no-such-resource'
        client.get(url, 'problem-missing', exchange, headers={'Accept': PROBLEM})


def probe_types(client: Client, exchange: Exchange) -> None:
    """Fetch the documentation of the problem types that occurred."""
    fetched = {earlier.request.url for earlier in client.record if earlier.purpose == 'problem-type'}
    for earlier in list(client.record):
        kind = member(earlier, 'type') if is_problem(earlier) else None
        url = client.resolve(earlier.request.url, kind) if isinstance(kind, str) and kind != BLANK else None
        if url is not None and url not in fetched:
            fetched.add(url)
            client.get(url, 'problem-type', earlier, headers={'Accept': 'text/html, */*;q=0.5'})


PROBES = (probe_missing, probe_types)


@RULES.must('PROBLEM-ROOT', '§3', 'A problem is a JSON object.')
def check_root(exchange: Exchange) -> Iterator[Fault]:
    if not isinstance(exchange.response.document, dict):
        yield Fault('', 'is not an object')


@RULES.must('PROBLEM-TYPE', '§3.1.1', '`type` is a URI reference.')
def check_type(exchange: Exchange) -> Iterator[Fault]:
    if not is_uri_reference(member(exchange, 'type') or BLANK):
        yield Fault('/type', 'is not a URI reference')


@RULES.should('PROBLEM-TYPE-ABSOLUTE', '§3.1.1', '`type` is an absolute URI.')
def check_type_absolute(exchange: Exchange) -> Iterator[Fault]:
    kind = member(exchange, 'type')
    if kind is not None and is_uri_reference(kind) and not is_absolute_uri(kind):
        yield Fault('/type', 'is relative')


RULES.should(
    'PROBLEM-TYPE-DOCUMENTED',
    '§3.1.1',
    'If `type` can be dereferenced, it leads to documentation.',
    for_purpose('problem-type'),
)(requires_status(200, 401, 403, message='the type has no documentation'))


@RULES.must('PROBLEM-STATUS', '§3.1.2', '`status` is an HTTP status code, as a number.')
def check_status(exchange: Exchange) -> Iterator[Fault]:
    status = member(exchange, 'status')
    if status is not None and (
        not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599
    ):
        yield Fault('/status', 'is not a status code')


@RULES.must('PROBLEM-STATUS-SAME', '§3.1.2', '`status` is the status of the response.')
def check_status_same(exchange: Exchange) -> Iterator[Fault]:
    status = member(exchange, 'status')
    if isinstance(status, int) and status != exchange.response.status:
        yield Fault('/status', f'the response is {exchange.response.status}')


@RULES.must('PROBLEM-TEXT', '§3.1.3, §3.1.4', '`title` and `detail` are strings.')
def check_text(exchange: Exchange) -> Iterator[Fault]:
    for name in ('title', 'detail'):
        if not isinstance(member(exchange, name) or '', str):
            yield Fault(pointer(name), 'is not a string')


@RULES.must('PROBLEM-INSTANCE', '§3.1.5', '`instance` is a URI reference.')
def check_instance(exchange: Exchange) -> Iterator[Fault]:
    instance = member(exchange, 'instance')
    if instance is not None and not is_uri_reference(instance):
        yield Fault('/instance', 'is not a URI reference')


@RULES.should(
    'PROBLEM-EXTENSION-NAME',
    '§4',
    'The name of an extension has three or more letters, digits and _, and starts with a letter.',
)
def check_extension_name(exchange: Exchange) -> Iterator[Fault]:
    for name, _ in members(exchange.response.document):
        if name not in DEFINED and not re.fullmatch(r'[A-Za-z][A-Za-z0-9_]{2,}', name):
            yield Fault(pointer(name), 'is not such a name')


@RULES.should(
    'PROBLEM-BLANK-TITLE', '§4.2.1', 'The title of an about:blank problem is the phrase of its status.'
)
def check_blank_title(exchange: Exchange) -> Iterator[Fault]:
    title, status = member(exchange, 'title'), exchange.response.status
    is_blank = (member(exchange, 'type') or BLANK) == BLANK and status in set(HTTPStatus)
    phrase = HTTPStatus(status).phrase if is_blank else ''
    if is_blank and isinstance(title, str) and title.casefold() != phrase.casefold():
        yield Fault('/title', f'should be {phrase}')


@RULES.across(Level.SHOULD, 'PROBLEM-TITLE-SAME', '§3.1.3', 'The title of a type is the same each time.')
def check_title_same(record: Sequence[Exchange]) -> Iterator[tuple[Exchange, Fault]]:
    titles: dict[str, Any] = {}
    for exchange in record:
        kind, title = member(exchange, 'type'), member(exchange, 'title')
        if isinstance(kind, str) and kind != BLANK and titles.setdefault(kind, title) != title:
            yield exchange, Fault('/title', f'was {titles[kind]!r} before')


@RULES.should(
    'PROBLEM-NO-INTERNALS', '§5', 'A problem does not expose implementation details, such as a stack trace.'
)
def check_internals(exchange: Exchange) -> Iterator[Fault]:
    for name, value in members(exchange.response.document):
        if isinstance(value, str) and _TRACE.search(value):
            yield Fault(pointer(name), 'is a stack trace')
