"""Rules of HTTP about validators and conditional requests."""

from __future__ import annotations

from collections.abc import Iterator

from service.conformance.checks import requires_same_status, requires_status
from service.conformance.client import Client
from service.conformance.exchange import Exchange
from service.conformance.http import RFC9110
from service.conformance.rules import Fault, Rules, is_sent
from service.conformance.syntax import ENTITY_TAG

OTHER_TAG = '"conform-no-such-tag"'
KEPT_BY_304 = ('ETag', 'Vary', 'Cache-Control', 'Content-Location', 'Expires')
NOT_MODIFIED = ('not-modified', 'not-modified-head')

RULES = Rules('http', RFC9110)


def probe_again(client: Client, exchange: Exchange) -> None:
    """Send the same request again."""
    client.repeat(exchange, 'again')


def probe_tags(client: Client, exchange: Exchange) -> None:
    """Send conditions with the entity tag of the response."""
    tag = exchange.response.header('ETag')
    if ENTITY_TAG.fullmatch(tag):
        weak = tag if tag.startswith('W/') else f'W/{tag}'
        client.repeat(exchange, 'not-modified', If_None_Match=tag)
        client.repeat(exchange, 'not-modified-weak', If_None_Match=weak)
        client.repeat(exchange, 'not-modified-list', If_None_Match=f'{OTHER_TAG}, {tag}')
        client.repeat(exchange, 'not-modified-any', If_None_Match='*')
        client.repeat(exchange, 'not-modified-head', 'HEAD', If_None_Match=tag)
        # A write since the response may have changed the resource: If-Match needs the current tag.
        current = client.repeat(exchange, 'modified', If_None_Match=OTHER_TAG).response.header('ETag')
        if current and not current.startswith('W/'):
            client.repeat(exchange, 'if-match', If_Match=current)
        client.repeat(exchange, 'if-match-other', If_Match=OTHER_TAG)


def probe_dates(client: Client, exchange: Exchange) -> None:
    """Send conditions with the modification date of the response."""
    modified = exchange.response.header('Last-Modified')
    if modified:
        client.repeat(exchange, 'not-modified-since', If_Modified_Since=modified)
        client.repeat(exchange, 'tag-over-date', If_Modified_Since=modified, If_None_Match=OTHER_TAG)


PROBES = (
    probe_again,
    probe_tags,
    probe_dates,
)


def has_changed(exchange: Exchange) -> bool:
    """Return whether the resource has changed since the request that this one repeats."""
    here, there = exchange.response, exchange.source.response
    return here.is_success and here.header('ETag') != there.header('ETag')


@RULES.must(
    'ETAG-STRONG', '§8.8.1', 'Responses with the same strong tag have the same content.', is_sent('again')
)
def check_etag_strong(exchange: Exchange) -> Iterator[Fault]:
    response, original = exchange.response, exchange.source.response
    tag = response.header('ETag')
    if tag.startswith('"') and tag == original.header('ETag') and response.body != original.body:
        yield Fault('ETag:', 'is the same, and the content is not')


@RULES.should('ETAG-STABLE', '§8.8.3', 'A tag stays the same as long as the content does.', is_sent('again'))
def check_etag_stable(exchange: Exchange) -> Iterator[Fault]:
    response, original = exchange.response, exchange.source.response
    if response.body == original.body and response.header('ETag') != original.header('ETag'):
        yield Fault('ETag:', f'was {original.header("ETag") or "absent"} for the same content')


def check_not_modified(exchange: Exchange) -> Iterator[Fault]:
    is_supported = exchange.response.status not in (405, 501)  # HEAD, for which there is another rule
    if exchange.response.status != 304 and is_supported and not has_changed(exchange):
        yield Fault('status', 'should be 304')


RULES.must(
    'COND-304',
    '§13.1.2',
    'GET and HEAD with the current tag in If-None-Match get 304.',
    is_sent(*NOT_MODIFIED),
)(check_not_modified)
RULES.must('COND-WEAK', '§13.1.2', 'If-None-Match compares weakly.', is_sent('not-modified-weak'))(
    check_not_modified
)
RULES.must('COND-LIST', '§13.1.2', 'If-None-Match is a list of tags.', is_sent('not-modified-list'))(
    check_not_modified
)
RULES.must(
    'COND-ANY',
    '§13.1.2',
    'If-None-Match: * is false if there is a representation.',
    is_sent('not-modified-any'),
)(check_not_modified)
RULES.should(
    'COND-DATE',
    '§13.1.3',
    'GET with the current date in If-Modified-Since gets 304.',
    is_sent('not-modified-since'),
)(check_not_modified)


RULES.must('COND-MODIFIED', '§13.1.2', 'If-None-Match with another tag is true.', is_sent('modified'))(
    requires_same_status()
)


@RULES.must(
    'COND-TAG-OVER-DATE',
    '§13.1.3',
    'If-Modified-Since is ignored if there is If-None-Match.',
    is_sent('tag-over-date'),
)
def check_tag_over_date(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status == 304:
        yield Fault('status', 'the tag was another one')


@RULES.must(
    'COND-304-FIELDS',
    '§15.4.5',
    'A response 304 has the fields that a 200 would have.',
    is_sent('not-modified'),
)
def check_304_fields(exchange: Exchange) -> Iterator[Fault]:
    for name in KEPT_BY_304:
        expected = exchange.source.response.header(name)
        if exchange.response.status == 304 and expected and not exchange.response.values(name):
            yield Fault(f'{name}:', f'the 200 has {expected}')


RULES.must(
    'COND-IF-MATCH',
    '§13.1.1',
    'A request with another tag in If-Match gets 412, whatever its method.',
    is_sent('if-match-other'),
)(requires_status(412))


@RULES.must(
    'COND-IF-MATCH-TRUE',
    '§13.1.1',
    'A request with the current tag in If-Match succeeds.',
    is_sent('if-match'),
)
def check_if_match(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status == 412 or exchange.response.status >= 400:
        yield Fault('status', 'the tag is the current one')
