"""Rules of HTTP for every response: fields, statuses, content."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from service.conformance.checks import requires_field, requires_valid_field
from service.conformance.exchange import INVALID, Exchange
from service.conformance.rules import Applies, Fault, Rules, Standard
from service.conformance.syntax import (
    ENTITY_TAG,
    TOKEN,
    is_token_list,
    is_uri_reference,
    parse_date,
    parse_directives,
    parse_links,
    parse_media_type,
    split_list,
)

RFC9110 = Standard('RFC 9110', 'https://www.rfc-editor.org/rfc/rfc9110')
RFC9111 = Standard('RFC 9111', 'https://www.rfc-editor.org/rfc/rfc9111')
RFC8259 = Standard('RFC 8259', 'https://www.rfc-editor.org/rfc/rfc8259')
RFC8288 = Standard('RFC 8288', 'https://www.rfc-editor.org/rfc/rfc8288')
RFC8594 = Standard('RFC 8594', 'https://www.rfc-editor.org/rfc/rfc8594')
RFC9745 = Standard('RFC 9745', 'https://www.rfc-editor.org/rfc/rfc9745')

RULES = Rules('http', RFC9110)
SINGLE = (
    'Content-Type',
    'ETag',
    'Location',
    'Date',
    'Content-Length',
    'Last-Modified',
    'Expires',
    'Age',
    'Retry-After',
)
DELTA_SECONDS = ('max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error')
LOCATED = (301, 302, 303, 307, 308)


def with_field(*names: str) -> Applies:
    """Return the predicate that the response has one of these fields."""
    return lambda exchange: any(exchange.response.values(name) for name in names)


def with_status(*statuses: int) -> Applies:
    """Return the predicate that the response has one of these statuses."""
    return lambda exchange: exchange.response.status in statuses


def has_json(exchange: Exchange) -> bool:
    return exchange.response.is_json and exchange.response.is_whole


@RULES.must('HTTP-DATE', '§6.6.1', 'Every response except 1xx and 5xx has a Date.')
def check_date(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status < 500 and not exchange.response.values('Date'):
        yield Fault('Date:', 'is missing')


@RULES.must(
    'HTTP-DATE-FORMAT', '§5.6.7', 'Dates are sent as IMF-fixdate.', with_field('Date', 'Last-Modified')
)
def check_date_format(exchange: Exchange) -> Iterator[Fault]:
    for name in ('Date', 'Last-Modified'):
        for value in exchange.response.values(name):
            if parse_date(value) is None:
                yield Fault(f'{name}:', 'is not an IMF-fixdate')


@RULES.must(
    'HTTP-LAST-MODIFIED-PAST',
    '§8.8.2.1',
    'Last-Modified is not later than Date.',
    with_field('Last-Modified'),
)
def check_last_modified(exchange: Exchange) -> Iterator[Fault]:
    modified = parse_date(exchange.response.header('Last-Modified'))
    sent = parse_date(exchange.response.header('Date')) or datetime.now(UTC) + timedelta(seconds=60)
    if modified is not None and modified > sent:
        yield Fault('Last-Modified:', 'is in the future')


@RULES.must('HTTP-FIELD-ONCE', '§5.3', 'A field that is not a list is sent once.')
def check_field_once(exchange: Exchange) -> Iterator[Fault]:
    for name in SINGLE:
        if len(exchange.response.values(name)) > 1:
            yield Fault(f'{name}:', 'is sent more than once')


@RULES.must('HTTP-FIELD-NAME', '§5.1', 'The name of a field is a token.')
def check_field_name(exchange: Exchange) -> Iterator[Fault]:
    for name, _ in exchange.response.headers:
        if not TOKEN.fullmatch(name):
            yield Fault(f'{name}:', 'is not a token')


@RULES.should('HTTP-CONTENT-TYPE', '§8.3', 'Content has a Content-Type.')
def check_content_type(exchange: Exchange) -> Iterator[Fault]:
    if (
        exchange.response.body
        and exchange.request.method != 'HEAD'
        and not exchange.response.values('Content-Type')
    ):
        yield Fault('Content-Type:', 'is missing')


RULES.must('HTTP-MEDIA-TYPE', '§8.3.1', 'Content-Type is a media type.', with_field('Content-Type'))(
    requires_valid_field('Content-Type', parse_media_type)
)
RULES.must('HTTP-ETAG', '§8.8.3', 'ETag is a quoted string, with W/ before it if weak.', with_field('ETag'))(
    requires_valid_field('ETag', ENTITY_TAG.fullmatch)
)


@RULES.must('HTTP-NO-CONTENT', '§6.4.1', 'Responses 204 and 304 have no content.', with_status(204, 304))
def check_no_content(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.body:
        yield Fault('content', 'is present')


@RULES.must('HTTP-204-LENGTH', '§8.6', 'A response 204 has no Content-Length.', with_status(204))
def check_204_length(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.values('Content-Length'):
        yield Fault('Content-Length:', 'is present')


@RULES.must(
    'HTTP-CONTENT-LENGTH',
    '§8.6',
    'Content-Length is the length of the content, or what it would be for GET.',
    with_field('Content-Length'),
)
def check_content_length(exchange: Exchange) -> Iterator[Fault]:
    value = exchange.response.header('Content-Length')
    has_content = exchange.request.method != 'HEAD' and exchange.response.status not in (204, 304)
    if not value.isdecimal():
        yield Fault('Content-Length:', 'is not a number')
    elif has_content and int(value) != len(exchange.response.body):
        yield Fault('Content-Length:', f'{len(exchange.response.body)} octets were received')


RULES.must('HTTP-401-CHALLENGE', '§15.5.2', 'A response 401 has a challenge.', with_status(401))(
    requires_field('WWW-Authenticate')
)


@RULES.must(
    'HTTP-CHALLENGE',
    '§11.6.1',
    'A challenge starts with a scheme, which is a token.',
    with_field('WWW-Authenticate'),
)
def check_challenge_syntax(exchange: Exchange) -> Iterator[Fault]:
    for value in exchange.response.values('WWW-Authenticate'):
        if not TOKEN.fullmatch(value.partition(' ')[0].rstrip(',')):
            yield Fault('WWW-Authenticate:', 'is malformed')


RULES.must('HTTP-405-ALLOW', '§15.5.6', 'A response 405 has an Allow field.', with_status(405))(
    requires_field('Allow')
)


@RULES.must('HTTP-405-METHOD', '§15.5.6', 'A method that gets 405 is not in Allow.', with_status(405))
def check_405_method(exchange: Exchange) -> Iterator[Fault]:
    if exchange.request.method.lower() in exchange.response.elements('Allow'):
        yield Fault('Allow:', f'has {exchange.request.method}, which was rejected')


RULES.must('HTTP-ALLOW', '§10.2.1', 'Allow is a list of methods.', with_field('Allow'))(
    requires_valid_field('Allow', is_token_list)
)
RULES.should('HTTP-REDIRECT-LOCATION', '§15.4', 'A redirection has a Location.', with_status(*LOCATED))(
    requires_field('Location')
)
RULES.must('HTTP-LOCATION', '§10.2.2', 'Location is a URI reference.', with_field('Location'))(
    requires_valid_field('Location', is_uri_reference, 'is not a URI reference')
)
RULES.must(
    'HTTP-CONTENT-LOCATION', '§8.7', 'Content-Location is a URI reference.', with_field('Content-Location')
)(requires_valid_field('Content-Location', is_uri_reference, 'is not a URI reference'))
RULES.must('HTTP-VARY', '§12.5.5', 'Vary is * or a list of field names.', with_field('Vary'))(
    requires_valid_field('Vary', is_token_list)
)


@RULES.must(
    'HTTP-CACHE-CONTROL',
    '§5.2',
    'Cache-Control is a list of directives.',
    with_field('Cache-Control'),
    standard=RFC9111,
)
def check_cache_control(exchange: Exchange) -> Iterator[Fault]:
    if parse_directives(exchange.response.header('Cache-Control')) is None:
        yield Fault('Cache-Control:', 'is malformed')


@RULES.must(
    'HTTP-MAX-AGE',
    '§1.2.2',
    '`max-age` and similar directives are whole numbers.',
    with_field('Cache-Control'),
    standard=RFC9111,
)
def check_max_age(exchange: Exchange) -> Iterator[Fault]:
    directives = parse_directives(exchange.response.header('Cache-Control')) or {}
    for name in DELTA_SECONDS:
        if name in directives and not directives[name].isdecimal():
            yield Fault('Cache-Control:', f'{name} is not a number')


@RULES.should(
    'HTTP-CACHE-CONFLICT',
    '§5.2.2',
    'Cache-Control does not contradict itself.',
    with_field('Cache-Control'),
    standard=RFC9111,
)
def check_cache_conflict(exchange: Exchange) -> Iterator[Fault]:
    directives = parse_directives(exchange.response.header('Cache-Control')) or {}
    for directive, other in (('public', 'private'), ('no-store', 'public'), ('no-store', 'max-age')):
        if directive in directives and other in directives and directives[other] != '0':
            yield Fault('Cache-Control:', f'has {directive} and {other}')


@RULES.must('HTTP-LINK', '§3', 'Link is a list of links.', with_field('Link'), standard=RFC8288)
def check_link(exchange: Exchange) -> Iterator[Fault]:
    if parse_links(exchange.response.header('Link')) is None:
        yield Fault('Link:', 'is malformed')


@RULES.must('HTTP-LINK-REL', '§3.3', 'Every link in Link has a rel.', with_field('Link'), standard=RFC8288)
def check_link_rel(exchange: Exchange) -> Iterator[Fault]:
    for target, parameters in parse_links(exchange.response.header('Link')) or []:
        if not parameters.get('rel'):
            yield Fault('Link:', f'the link to {target} has no rel')


RULES.must(
    'HTTP-RETRY-AFTER', '§10.2.3', 'Retry-After is a date or a number of seconds.', with_field('Retry-After')
)(requires_valid_field('Retry-After', lambda value: value.isdecimal() or parse_date(value)))
RULES.must('HTTP-SUNSET', '§3', 'Sunset is a date.', with_field('Sunset'), standard=RFC8594)(
    requires_valid_field('Sunset', parse_date, 'is not an IMF-fixdate')
)


@RULES.must(
    'HTTP-DEPRECATION',
    '§2.1',
    'Deprecation is a date: @ and a number of seconds.',
    with_field('Deprecation'),
    standard=RFC9745,
)
def check_deprecation(exchange: Exchange) -> Iterator[Fault]:
    value = exchange.response.header('Deprecation')
    if not (value.startswith('@') and value[1:].removeprefix('-').isdecimal()):
        yield Fault('Deprecation:', 'is not a date')


@RULES.must('HTTP-SERVER-ERROR', '§15.6', 'The server does not fail.')
def check_server_error(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status >= 500 and exchange.response.status not in (501, 503):
        yield Fault('status', 'the server failed')


@RULES.must('HTTP-CONTENT-ENCODING', '§12.5.3', 'Content has only codings that the client accepts.')
def check_content_encoding(exchange: Exchange) -> Iterator[Fault]:
    accepted = exchange.request.header('Accept-Encoding').replace(' ', '').lower()
    for coding in split_list(exchange.response.header('Content-Encoding')):
        is_excluded = f'{coding.lower()};q=0' in accepted
        if accepted and (is_excluded or coding.lower() not in accepted):
            yield Fault('Content-Encoding:', f'Accept-Encoding is {accepted}')


@RULES.must('HTTP-JSON', '§2', 'Content labelled as JSON is JSON.', has_json, standard=RFC8259)
def check_json(exchange: Exchange) -> Iterator[Fault]:
    if exchange.request.method != 'HEAD' and exchange.response.document is INVALID:
        yield Fault('content', 'cannot be parsed')


@RULES.must(
    'HTTP-JSON-UTF8', '§8.1', 'JSON content is UTF-8, without a byte order mark.', has_json, standard=RFC8259
)
def check_json_utf8(exchange: Exchange) -> Iterator[Fault]:
    body = exchange.response.body
    try:
        body.decode()
    except ValueError:
        yield Fault('content', 'is not UTF-8')
    if body.startswith(b'\xef\xbb\xbf'):
        yield Fault('content', 'starts with a byte order mark')


@RULES.must('HTTP-JSON-NUMBER', '§6', 'JSON content has no NaN and no Infinity.', has_json, standard=RFC8259)
def check_json_number(exchange: Exchange) -> Iterator[Fault]:
    constants: list[str] = []
    parse(exchange, parse_constant=constants.append)
    for name in constants:
        yield Fault('content', f'has {name}')


@RULES.should(
    'HTTP-JSON-NAMES', '§4', 'The names within a JSON object are unique.', has_json, standard=RFC8259
)
def check_json_names(exchange: Exchange) -> Iterator[Fault]:
    repeated: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        repeated.extend(sorted({name for name in names if names.count(name) > 1}))
        return dict(pairs)

    parse(exchange, object_pairs_hook=collect)
    for name in repeated:
        yield Fault('content', f'has the name {name} twice in one object')


def parse(exchange: Exchange, **hooks: Any) -> None:
    """Parse JSON content with hooks; content that is not JSON is reported by another rule."""
    try:
        json.loads(exchange.response.body.decode(), **hooks)
    except (ValueError, RecursionError):
        return
