"""Rules of Fetch about CORS."""

from __future__ import annotations

from collections.abc import Iterator

from service.conformance.client import Client
from service.conformance.exchange import Exchange
from service.conformance.rules import Fault, Rules, Standard, for_purpose

FETCH = Standard('Fetch', 'https://fetch.spec.whatwg.org/')
PEER = 'https://conform.example.org'

RULES = Rules('http', FETCH)


def probe_cors(client: Client, exchange: Exchange) -> None:
    """Send what a browser sends for a page of another origin."""
    sent = client.repeat(exchange, 'cors', Origin=PEER)
    if sent.response.header('Access-Control-Allow-Origin'):
        fields = {'Origin': PEER, 'Access-Control-Request-Method': 'GET'}
        headers = {**fields, 'Access-Control-Request-Headers': 'authorization'}
        client.send(
            'OPTIONS', exchange.request.url, 'preflight', exchange, headers=headers, is_anonymous=True
        )


PROBES = (probe_cors,)


def is_shared(exchange: Exchange) -> bool:
    response = exchange.response
    return exchange.purpose in ('cors', 'preflight') and bool(response.values('Access-Control-Allow-Origin'))


@RULES.must(
    'CORS-ORIGIN',
    'CORS protocol: HTTP responses',
    'Access-Control-Allow-Origin is *, null or the origin of the request.',
    is_shared,
)
def check_cors_origin(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.header('Access-Control-Allow-Origin') not in ('*', 'null', PEER):
        yield Fault('Access-Control-Allow-Origin:', f'the origin is {PEER}')


@RULES.must(
    'CORS-CREDENTIALS',
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
    'CORS protocol and HTTP caches',
    'A response that names the origin varies by Origin.',
    is_shared,
)
def check_cors_vary(exchange: Exchange) -> Iterator[Fault]:
    response = exchange.response
    if response.header('Access-Control-Allow-Origin') == PEER and not response.varies_by('Origin'):
        yield Fault('Vary:', 'does not name Origin')


@RULES.must(
    'CORS-PREFLIGHT',
    'CORS-preflight fetch',
    'A preflight needs no credentials and gets 2xx.',
    for_purpose('preflight'),
)
def check_preflight(exchange: Exchange) -> Iterator[Fault]:
    if not exchange.response.is_success:
        yield Fault('status', 'browsers do not send the request then')
