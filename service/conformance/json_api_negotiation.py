"""Rules of JSON:API 1.1 about content negotiation."""

from __future__ import annotations

from collections.abc import Iterator

from service.conformance.checks import requires_same_status
from service.conformance.client import Client
from service.conformance.exchange import JSON_API, Exchange
from service.conformance.json_api import SPECIFICATION, is_json_api, requires_rejection
from service.conformance.rules import Fault, Rules, for_purpose

RULES = Rules('json-api', SPECIFICATION)


def probe_negotiation(client: Client, exchange: Exchange) -> None:
    """Request the document with parameters of the media type in Accept."""
    if is_json_api(exchange):
        client.repeat(exchange, 'ja-accept-parameter', Accept=f'{JSON_API}; charset=utf-8')
        client.repeat(
            exchange, 'ja-accept-ext', Accept=f'{JSON_API}; ext="https://example.org/no-such-extension"'
        )
        profile = f'{JSON_API}; profile="https://example.org/no-such-profile"'
        client.repeat(exchange, 'ja-accept-profile', Accept=profile)
        mixed = f'{JSON_API}; charset=utf-8, {JSON_API}'
        client.repeat(exchange, 'ja-accept-mixed', Accept=mixed)


PROBES = (probe_negotiation,)


RULES.must(
    'JA-406-PARAMETER',
    '#content-negotiation-servers',
    'An Accept whose instances of the media type all have a parameter other than ext and profile gets 406.',
    for_purpose('ja-accept-parameter'),
)(requires_rejection(406))
RULES.must(
    'JA-406-EXT',
    '#content-negotiation-servers',
    'An Accept whose instances of the media type all have an unsupported extension gets 406.',
    for_purpose('ja-accept-ext'),
)(requires_rejection(406))


RULES.must(
    'JA-PROFILE-IGNORED',
    '#content-negotiation-servers',
    'A profile that is not recognised is ignored.',
    for_purpose('ja-accept-profile'),
)(requires_same_status('the unknown profile is rejected'))
RULES.must(
    'JA-ACCEPT-MIXED',
    '#content-negotiation-servers',
    'Instances of the media type with other parameters are ignored if there is one without.',
    for_purpose('ja-accept-mixed'),
)(requires_same_status('the instance without parameters is ignored'))


def supports_parameters(exchange: Exchange) -> bool:
    """Return whether the document says that the server supports `ext` and `profile`, which are new in 1.1."""
    document = exchange.response.document if is_json_api(exchange) else None
    declared = document.get('jsonapi') if isinstance(document, dict) else None
    return isinstance(declared, dict) and bool(
        {'ext', 'profile'} & set(declared) or declared.get('version') == '1.1'
    )


@RULES.should(
    'JA-VARY',
    '#content-negotiation-servers',
    'Responses of a server that supports `ext` or `profile` vary by Accept.',
    lambda exchange: exchange.purpose == 'crawl' and supports_parameters(exchange),
)
def check_vary(exchange: Exchange) -> Iterator[Fault]:
    if not exchange.response.varies_by('Accept'):
        yield Fault('Vary:', 'does not name Accept')
