"""Rules of HTTP that need requests of their own: methods, conditions, negotiation, ranges, CORS."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence

from service.conformance.client import Client
from service.conformance.exchange import HAL, HAL_FORMS, HTML, JSON, JSON_API, Exchange
from service.conformance.http import RFC9110
from service.conformance.rules import Applies, Declare, Fault, Level, Rules, Standard, for_purpose
from service.conformance.syntax import ENTITY_TAG

FETCH = Standard('Fetch', 'https://fetch.spec.whatwg.org/')
RFC5789 = Standard('RFC 5789', 'https://www.rfc-editor.org/rfc/rfc5789')

RULES = Rules('http')
NOT_PROCESSED = (401, 403, 429, 503)  # statuses that show nothing about the rest of the request
OTHER_TAG = '"conform-no-such-tag"'
PEER = 'https://conform.example.org'
SAME_FIELDS = ('Content-Type', 'ETag', 'Last-Modified', 'Vary', 'Cache-Control', 'Content-Language', 'Allow')
KEPT_BY_304 = ('ETag', 'Vary', 'Cache-Control', 'Content-Location', 'Expires')
VARIANTS = (HAL, HAL_FORMS, JSON_API, JSON, HTML)


def probe_methods(client: Client, exchange: Exchange) -> None:
    """Send HEAD and OPTIONS, and the same GET again."""
    head = client.repeat(exchange, 'head', 'HEAD')
    client.repeat(head, 'options', 'OPTIONS')
    client.repeat(exchange, 'again')


def probe_missing(client: Client, exchange: Exchange) -> None:
    """Request a URL that does not exist."""
    url = exchange.request.url.partition('?')[0].rstrip('/') + '/no-such-resource-4711'
    client.repeat(exchange, 'missing', url=url)


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
        # a write since the response may have changed the resource: If-Match needs the current tag
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


def probe_accept(client: Client, exchange: Exchange) -> None:
    """Request the resource by other Accept fields."""
    own = exchange.response.media_type
    client.repeat(exchange, 'unacceptable', Accept='application/x-no-such-type')
    client.repeat(exchange, 'accept-malformed', Accept=';;q=,/')
    if own:
        client.repeat(exchange, 'accept-case', Accept=own.upper())


def probe_variants(client: Client, exchange: Exchange) -> None:
    """Request the resource in each format, and two that it has in their order of preference."""
    found = {exchange.response.media_type}
    for media_type in VARIANTS:
        if media_type not in found:
            sent = client.repeat(exchange, 'variant', Accept=media_type)
            if sent.response.media_type == media_type and sent.is_fetch:
                found.add(media_type)
    if len(found) > 1:
        own = exchange.response.media_type
        client.repeat(exchange, 'accept-q-0', Accept=f'{own};q=0, */*;q=0.5')
        last, first = sorted(found)[:2]
        client.repeat(exchange, 'preference', Accept=f'{last};q=0.2, {first};q=0.8')
        client.repeat(exchange, 'specificity', Accept=f'*/*;q=0.9, {last};q=0.1, {first}')


def probe_coding(client: Client, exchange: Exchange) -> None:
    """Request the content compressed, and not compressed."""
    client.repeat(exchange, 'gzip', Accept_Encoding='gzip')
    client.repeat(exchange, 'gzip-q-0', Accept_Encoding='gzip;q=0, identity')


def probe_ranges(client: Client, exchange: Exchange) -> None:
    """Request parts of the content."""
    client.repeat(exchange, 'range-unknown', Range='conform=0-1')
    sent = client.repeat(exchange, 'range', Range='bytes=0-0')
    if sent.response.status == 206:
        client.repeat(exchange, 'range-beyond', Range='bytes=99999999-')


def probe_cors(client: Client, exchange: Exchange) -> None:
    """Send what a browser sends for a page of another origin."""
    sent = client.repeat(exchange, 'cors', Origin=PEER)
    if sent.response.header('Access-Control-Allow-Origin'):
        fields = {'Origin': PEER, 'Access-Control-Request-Method': 'GET'}
        headers = {**fields, 'Access-Control-Request-Headers': 'authorization'}
        client.send(
            'OPTIONS', exchange.request.url, 'preflight', exchange, headers=headers, is_anonymous=True
        )


PROBES = (
    probe_methods,
    probe_tags,
    probe_accept,
    probe_variants,
    probe_missing,
    probe_coding,
    probe_cors,
    probe_dates,
    probe_ranges,
)


def is_sent(*purposes: str) -> Applies:
    """Return the predicate that it has one of the purposes and was not rejected for another reason."""
    return lambda exchange: exchange.purpose in purposes and exchange.response.status not in NOT_PROCESSED


def must(id: str, section: str, text: str, *purposes: str) -> Declare:
    return RULES.must(id, RFC9110, section, text, is_sent(*purposes))


def should(id: str, section: str, text: str, *purposes: str) -> Declare:
    return RULES.should(id, RFC9110, section, text, is_sent(*purposes))


def has_changed(exchange: Exchange) -> bool:
    """Return whether the resource has changed since the request that this one repeats."""
    return exchange.response.is_success and exchange.response.header(
        'ETag'
    ) != exchange.source.response.header('ETag')


@must('HEAD-CONTENT', '§9.3.2', 'A response to HEAD has no content.', 'head')
def check_head_content(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.body:
        yield Fault('content', 'is present')


@must('HEAD-STATUS', '§9.3.2', 'HEAD gets the status of GET.', 'head')
def check_head_status(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != exchange.source.response.status:
        yield Fault('status', f'GET gets {exchange.source.response.status}')


@should('HEAD-FIELDS', '§9.3.2', 'HEAD gets the fields of GET.', 'head')
def check_head_fields(exchange: Exchange) -> Iterator[Fault]:
    is_supported = exchange.response.status == exchange.source.response.status
    for name in SAME_FIELDS if is_supported else ():
        here, there = exchange.response.header(name), exchange.source.response.header(name)
        if here != there and not (name == 'ETag' and here and there):
            yield Fault(f'{name}:', f'GET has {there or "none"}')


@should('OPTIONS-ALLOW', '§9.3.7', 'OPTIONS gets the methods of the resource in Allow.', 'options')
def check_options(exchange: Exchange) -> Iterator[Fault]:
    if not exchange.response.is_success or not exchange.response.values('Allow'):
        yield Fault('Allow:', f'OPTIONS gets {exchange.response.status}')


@must('OPTIONS-GET', '§10.2.1', 'Allow has GET and HEAD if the resource supports them.', 'options')
def check_options_get(exchange: Exchange) -> Iterator[Fault]:
    allowed = exchange.response.elements('Allow') if exchange.response.is_success else []
    supported = ('GET', 'HEAD') if exchange.source.response.is_success else ('GET',)
    for method in supported if allowed else ():
        if method.lower() not in allowed:
            yield Fault('Allow:', f'lacks {method}')


@RULES.should(
    'OPTIONS-ACCEPT-PATCH',
    RFC5789,
    '§3.1',
    'A resource that supports PATCH lists its patch formats in Accept-Patch.',
    lambda exchange: exchange.purpose == 'options' and 'patch' in exchange.response.elements('Allow'),
)
def check_accept_patch(exchange: Exchange) -> Iterator[Fault]:
    if not exchange.response.values('Accept-Patch'):
        yield Fault('Accept-Patch:', 'is missing')


@must(
    'ETAG-STRONG',
    '§8.8.1',
    'Responses with the same strong tag have the same content.',
    'again',
)
def check_etag_strong(exchange: Exchange) -> Iterator[Fault]:
    here, there = exchange.response, exchange.source.response
    tag = here.header('ETag')
    if tag.startswith('"') and tag == there.header('ETag') and here.body != there.body:
        yield Fault('ETag:', 'is the same, and the content is not')


@should('ETAG-STABLE', '§8.8.3', 'A tag stays the same as long as the content does.', 'again')
def check_etag_stable(exchange: Exchange) -> Iterator[Fault]:
    here, there = exchange.response, exchange.source.response
    if here.body == there.body and here.header('ETag') != there.header('ETag'):
        yield Fault('ETag:', f'was {there.header("ETag") or "absent"} for the same content')


@must(
    'ETAG-VARIANTS',
    '§8.8.1',
    'Different representations of a resource have different strong tags.',
    'variant',
    'gzip',
)
def check_etag_variants(exchange: Exchange) -> Iterator[Fault]:
    here, there = exchange.response, exchange.source.response
    tag = here.header('ETag')
    if exchange.is_fetch and tag.startswith('"') and tag == there.header('ETag') and here.body != there.body:
        yield Fault('ETag:', 'is also the tag of another representation')


NOT_MODIFIED = ('not-modified', 'not-modified-head')


def check_not_modified(exchange: Exchange) -> Iterator[Fault]:
    is_supported = exchange.response.status not in (405, 501)  # HEAD, for which there is another rule
    if exchange.response.status != 304 and is_supported and not has_changed(exchange):
        yield Fault('status', 'should be 304')


must('COND-304', '§13.1.2', 'GET and HEAD with the current tag in If-None-Match get 304.', *NOT_MODIFIED)(
    check_not_modified
)
must('COND-WEAK', '§13.1.2', 'If-None-Match compares weakly.', 'not-modified-weak')(check_not_modified)
must('COND-LIST', '§13.1.2', 'If-None-Match is a list of tags.', 'not-modified-list')(check_not_modified)
must('COND-ANY', '§13.1.2', 'If-None-Match: * is false if there is a representation.', 'not-modified-any')(
    check_not_modified
)
should(
    'COND-DATE', '§13.1.3', 'GET with the current date in If-Modified-Since gets 304.', 'not-modified-since'
)(check_not_modified)


@must('COND-MODIFIED', '§13.1.2', 'If-None-Match with another tag is true.', 'modified')
def check_modified(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != exchange.source.response.status:
        yield Fault('status', f'should be {exchange.source.response.status}')


@must(
    'COND-TAG-OVER-DATE',
    '§13.1.3',
    'If-Modified-Since is ignored if there is If-None-Match.',
    'tag-over-date',
)
def check_tag_over_date(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status == 304:
        yield Fault('status', 'the tag was another one')


@must('COND-304-FIELDS', '§15.4.5', 'A response 304 has the fields that a 200 would have.', 'not-modified')
def check_304_fields(exchange: Exchange) -> Iterator[Fault]:
    for name in KEPT_BY_304:
        expected = exchange.source.response.header(name)
        if exchange.response.status == 304 and expected and not exchange.response.values(name):
            yield Fault(f'{name}:', f'the 200 has {expected}')


@must(
    'COND-IF-MATCH',
    '§13.1.1',
    'A request with another tag in If-Match gets 412, whatever its method.',
    'if-match-other',
)
def check_if_match_other(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != 412:
        yield Fault('status', 'should be 412')


@must('COND-IF-MATCH-TRUE', '§13.1.1', 'A request with the current tag in If-Match succeeds.', 'if-match')
def check_if_match(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status == 412 or exchange.response.status >= 400:
        yield Fault('status', 'the tag is the current one')


@should('ACCEPT-406', '§15.5.7', 'A response 406 lists what is available.', 'unacceptable')
def check_406(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status == 406 and not exchange.response.body:
        yield Fault('content', 'is empty')


@must('ACCEPT-CASE', '§8.3.1', 'Media types ignore case.', 'accept-case')
def check_accept_case(exchange: Exchange) -> Iterator[Fault]:
    here, there = exchange.response, exchange.source.response
    if (here.status, here.media_type) != (there.status, there.media_type):
        yield Fault('Content-Type:', f'Accept is {exchange.request.header("Accept")}')


@should('ACCEPT-ZERO', '§12.4.2', 'A type with q=0 is not sent if another is available.', 'accept-q-0')
def check_accept_zero(exchange: Exchange) -> Iterator[Fault]:
    if exchange.is_fetch and exchange.response.media_type == exchange.source.response.media_type:
        yield Fault('Content-Type:', f'Accept is {exchange.request.header("Accept")}')


@should(
    'ACCEPT-PREFERENCE',
    '§12.4.2',
    'Of two available types, the one with the higher q is sent.',
    'preference',
)
def check_preference(exchange: Exchange) -> Iterator[Fault]:
    preferred = exchange.request.header('Accept').split(', ')[-1].partition(';')[0]
    if exchange.response.media_type != preferred:
        yield Fault('Content-Type:', f'{preferred} is available and preferred')


@should('ACCEPT-SPECIFIC', '§12.5.1', 'The most specific range determines the q of a type.', 'specificity')
def check_specific(exchange: Exchange) -> Iterator[Fault]:
    preferred = exchange.request.header('Accept').split(', ')[-1]
    if exchange.response.media_type != preferred:
        yield Fault('Content-Type:', f'{preferred} is available and preferred')


@must(
    'ACCEPT-SENT',
    '§12.5.1',
    'The type of a success is acceptable; otherwise the request gets 406.',
    'variant',
)
def check_sent(exchange: Exchange) -> Iterator[Fault]:
    accepted = exchange.request.header('Accept')
    if (
        exchange.response.media_type in VARIANTS
        and exchange.is_fetch
        and exchange.response.media_type != accepted
    ) and exchange.response.media_type != exchange.source.response.media_type:
        yield Fault('Content-Type:', f'{accepted} is requested, and the default is another type')


@RULES.across(
    'VARY-ACCEPT',
    RFC9110,
    '§12.5.5',
    Level.SHOULD,
    'A response that depends on Accept says so in Vary.',
    lambda exchange: exchange.purpose == 'variant' and exchange.is_fetch,
)
def check_vary_accept(record: Sequence[Exchange]) -> Iterator[tuple[Exchange, Fault]]:
    for exchange in record:
        here, there = exchange.response, exchange.source.response
        if here.media_type != there.media_type and not {'accept', '*'} & set(here.elements('Vary')):
            yield exchange, Fault('Vary:', f'another Accept gives {there.media_type}')


@must('MISSING-404', '§15.5.5', 'A URL without a resource gets 404.', 'missing')
def check_missing(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status not in (404, 410, 406):
        yield Fault('status', 'should be 404')


@must('GZIP-DECODES', '§8.4.1.3', 'Content that is labelled gzip can be decompressed.', 'gzip')
def check_gzip(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.header('Content-Encoding').lower() == 'gzip':
        try:
            gzip.decompress(exchange.response.body)
        except (OSError, EOFError, zlib.error):
            yield Fault('Content-Encoding:', 'the content is not gzip')


@should('GZIP-VARY', '§12.5.5', 'A response that depends on Accept-Encoding says so in Vary.', 'gzip')
def check_gzip_vary(exchange: Exchange) -> Iterator[Fault]:
    is_named = {'accept-encoding', '*'} & set(exchange.response.elements('Vary'))
    if exchange.response.values('Content-Encoding') and not is_named:
        yield Fault('Vary:', 'does not name Accept-Encoding')


@must('RANGE-UNIT', '§14.2', 'An unknown range unit is ignored.', 'range-unknown')
def check_range_unit(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != exchange.source.response.status:
        yield Fault('status', f'should be {exchange.source.response.status}')


@must('RANGE-206', '§15.3.7.1', 'A response 206 has its range in Content-Range.', 'range')
def check_range(exchange: Exchange) -> Iterator[Fault]:
    response = exchange.response
    if response.status == 206 and not response.header('Content-Range').startswith('bytes 0-0/'):
        yield Fault('Content-Range:', 'should start with bytes 0-0/')


@should('RANGE-416', '§15.5.17', 'A response 416 has the length in Content-Range.', 'range-beyond')
def check_range_beyond(exchange: Exchange) -> Iterator[Fault]:
    response = exchange.response
    if response.status == 416 and not response.header('Content-Range').startswith('bytes */'):
        yield Fault('Content-Range:', 'should start with bytes */')


def is_shared(exchange: Exchange) -> bool:
    response = exchange.response
    return exchange.purpose in ('cors', 'preflight') and bool(response.values('Access-Control-Allow-Origin'))


@RULES.must(
    'CORS-ORIGIN',
    FETCH,
    'CORS protocol: HTTP responses',
    'Access-Control-Allow-Origin is *, null or the origin of the request.',
    is_shared,
)
def check_cors_origin(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.header('Access-Control-Allow-Origin') not in ('*', 'null', PEER):
        yield Fault('Access-Control-Allow-Origin:', f'the origin is {PEER}')


@RULES.must(
    'CORS-CREDENTIALS',
    FETCH,
    'CORS protocol and credentials',
    'Access-Control-Allow-Credentials is not sent for every origin (*).',
    is_shared,
)
def check_cors_credentials(exchange: Exchange) -> Iterator[Fault]:
    response = exchange.response
    origin = response.header('Access-Control-Allow-Origin')
    if origin == '*' and response.header('Access-Control-Allow-Credentials') == 'true':
        yield Fault('Access-Control-Allow-Credentials:', 'browsers refuse it together with *')


@RULES.should(
    'CORS-VARY',
    FETCH,
    'CORS protocol and HTTP caches',
    'A response that names the origin varies by Origin.',
    is_shared,
)
def check_cors_vary(exchange: Exchange) -> Iterator[Fault]:
    response = exchange.response
    is_named = {'origin', '*'} & set(response.elements('Vary'))
    if response.header('Access-Control-Allow-Origin') == PEER and not is_named:
        yield Fault('Vary:', 'does not name Origin')


@RULES.must(
    'CORS-PREFLIGHT',
    FETCH,
    'CORS-preflight fetch',
    'A preflight needs no credentials and gets 2xx.',
    for_purpose('preflight'),
)
def check_preflight(exchange: Exchange) -> Iterator[Fault]:
    if not exchange.response.is_success:
        yield Fault('status', 'browsers do not send the request then')
