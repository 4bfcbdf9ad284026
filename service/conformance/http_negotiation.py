"""Rules of HTTP about content negotiation and content codings."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence

from service.conformance.client import Client
from service.conformance.exchange import HAL, HAL_FORMS, HTML, JSON, JSON_API, Exchange
from service.conformance.http import RFC9110
from service.conformance.rules import Fault, Level, Rules, is_sent

VARIANTS = (HAL, HAL_FORMS, JSON_API, JSON, HTML)

RULES = Rules('http', RFC9110)


def probe_accept(client: Client, exchange: Exchange) -> None:
    """Request the resource with other Accept fields."""
    own = exchange.response.media_type
    client.repeat(exchange, 'unacceptable', Accept='application/x-no-such-type')
    client.repeat(exchange, 'accept-malformed', Accept=';;q=,/')
    if own:
        client.repeat(exchange, 'accept-case', Accept=own.upper())


def probe_variants(client: Client, exchange: Exchange) -> None:
    """Request the resource in each format, and with preferences between two that are available."""
    available = {exchange.response.media_type}
    for media_type in VARIANTS:
        if media_type not in available:
            sent = client.repeat(exchange, 'variant', Accept=media_type)
            if sent.response.media_type == media_type and sent.is_fetch:
                available.add(media_type)
    if len(available) > 1:
        own = exchange.response.media_type
        client.repeat(exchange, 'accept-q-0', Accept=f'{own};q=0, */*;q=0.5')
        other, preferred = sorted(available)[:2]
        client.repeat(exchange, 'preference', Accept=f'{other};q=0.2, {preferred};q=0.8')
        client.repeat(exchange, 'specificity', Accept=f'*/*;q=0.9, {other};q=0.1, {preferred}')


def probe_coding(client: Client, exchange: Exchange) -> None:
    """Request the content compressed, and not compressed."""
    client.repeat(exchange, 'gzip', Accept_Encoding='gzip')
    client.repeat(exchange, 'gzip-q-0', Accept_Encoding='gzip;q=0, identity')


PROBES = (
    probe_accept,
    probe_variants,
    probe_coding,
)


@RULES.must(
    'ETAG-VARIANTS',
    '§8.8.1',
    'Different representations of a resource have different strong tags.',
    is_sent('variant', 'gzip'),
)
def check_etag_variants(exchange: Exchange) -> Iterator[Fault]:
    response, original = exchange.response, exchange.source.response
    tag = response.header('ETag')
    if (
        exchange.is_fetch
        and tag.startswith('"')
        and tag == original.header('ETag')
        and response.body != original.body
    ):
        yield Fault('ETag:', 'is also the tag of another representation')


@RULES.should('ACCEPT-406', '§15.5.7', 'A response 406 lists what is available.', is_sent('unacceptable'))
def check_406(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status == 406 and not exchange.response.body:
        yield Fault('content', 'is empty')


@RULES.must('ACCEPT-CASE', '§8.3.1', 'Media types ignore case.', is_sent('accept-case'))
def check_accept_case(exchange: Exchange) -> Iterator[Fault]:
    response, original = exchange.response, exchange.source.response
    if (response.status, response.media_type) != (original.status, original.media_type):
        yield Fault('Content-Type:', f'Accept is {exchange.request.header("Accept")}')


@RULES.should(
    'ACCEPT-ZERO', '§12.4.2', 'A type with q=0 is not sent if another is available.', is_sent('accept-q-0')
)
def check_accept_zero(exchange: Exchange) -> Iterator[Fault]:
    if exchange.is_fetch and exchange.response.media_type == exchange.source.response.media_type:
        yield Fault('Content-Type:', f'Accept is {exchange.request.header("Accept")}')


@RULES.should(
    'ACCEPT-PREFERENCE',
    '§12.4.2',
    'Of two available types, the one with the higher q is sent.',
    is_sent('preference'),
)
def check_preference(exchange: Exchange) -> Iterator[Fault]:
    preferred = exchange.request.header('Accept').split(', ')[-1].partition(';')[0]
    if exchange.response.media_type != preferred:
        yield Fault('Content-Type:', f'{preferred} is available and preferred')


@RULES.should(
    'ACCEPT-SPECIFIC',
    '§12.5.1',
    'The most specific range determines the q of a type.',
    is_sent('specificity'),
)
def check_specific(exchange: Exchange) -> Iterator[Fault]:
    preferred = exchange.request.header('Accept').split(', ')[-1]
    if exchange.response.media_type != preferred:
        yield Fault('Content-Type:', f'{preferred} is available and preferred')


@RULES.must(
    'ACCEPT-SENT',
    '§12.5.1',
    'The type of a success is acceptable; otherwise the request gets 406.',
    is_sent('variant'),
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
    Level.SHOULD,
    'VARY-ACCEPT',
    '§12.5.5',
    'A response that depends on Accept says so in Vary.',
    lambda exchange: exchange.purpose == 'variant' and exchange.is_fetch,
)
def check_vary_accept(record: Sequence[Exchange]) -> Iterator[tuple[Exchange, Fault]]:
    for exchange in record:
        response, original = exchange.response, exchange.source.response
        if response.media_type != original.media_type and not response.varies_by('Accept'):
            yield exchange, Fault('Vary:', f'another Accept gives {original.media_type}')


@RULES.must('GZIP-DECODES', '§8.4.1.3', 'Content that is labelled gzip can be decompressed.', is_sent('gzip'))
def check_gzip(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.header('Content-Encoding').lower() == 'gzip':
        try:
            gzip.decompress(exchange.response.body)
        except (OSError, EOFError, zlib.error):
            yield Fault('Content-Encoding:', 'the content is not gzip')


@RULES.should(
    'GZIP-VARY', '§12.5.5', 'A response that depends on Accept-Encoding says so in Vary.', is_sent('gzip')
)
def check_gzip_vary(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.values('Content-Encoding') and not exchange.response.varies_by('Accept-Encoding'):
        yield Fault('Vary:', 'does not name Accept-Encoding')
