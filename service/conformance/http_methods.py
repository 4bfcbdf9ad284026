"""Rules of HTTP about methods: HEAD, OPTIONS, and URLs without a resource."""

from __future__ import annotations

from collections.abc import Iterator

from service.conformance.checks import requires_field, requires_same_status, requires_status
from service.conformance.client import Client
from service.conformance.exchange import Exchange
from service.conformance.http import RFC9110
from service.conformance.rules import Fault, Rules, Standard, is_sent

RFC5789 = Standard('RFC 5789', 'https://www.rfc-editor.org/rfc/rfc5789')
SAME_FIELDS = ('Content-Type', 'ETag', 'Last-Modified', 'Vary', 'Cache-Control', 'Content-Language', 'Allow')

RULES = Rules('http', RFC9110)


def probe_methods(client: Client, exchange: Exchange) -> None:
    """Send HEAD and OPTIONS."""
    head = client.repeat(exchange, 'head', 'HEAD')
    client.repeat(head, 'options', 'OPTIONS')


def probe_missing(client: Client, exchange: Exchange) -> None:
    """Request a URL that does not exist."""
    url = exchange.request.url.partition('?')[0].rstrip('/') + '/no-such-resource-4711'
    client.repeat(exchange, 'missing', url=url)


PROBES = (
    probe_methods,
    probe_missing,
)


@RULES.must('HEAD-CONTENT', '§9.3.2', 'A response to HEAD has no content.', is_sent('head'))
def check_head_content(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.body:
        yield Fault('content', 'is present')


RULES.must('HEAD-STATUS', '§9.3.2', 'HEAD gets the status of GET.', is_sent('head'))(requires_same_status())


@RULES.should('HEAD-FIELDS', '§9.3.2', 'HEAD gets the fields of GET.', is_sent('head'))
def check_head_fields(exchange: Exchange) -> Iterator[Fault]:
    is_supported = exchange.response.status == exchange.source.response.status
    for name in SAME_FIELDS if is_supported else ():
        value, expected = exchange.response.header(name), exchange.source.response.header(name)
        if value != expected and not (name == 'ETag' and value and expected):
            yield Fault(f'{name}:', f'GET has {expected or "none"}')


@RULES.should(
    'OPTIONS-ALLOW', '§9.3.7', 'OPTIONS gets the methods of the resource in Allow.', is_sent('options')
)
def check_options(exchange: Exchange) -> Iterator[Fault]:
    if not exchange.response.is_success or not exchange.response.values('Allow'):
        yield Fault('Allow:', f'OPTIONS gets {exchange.response.status}')


@RULES.must(
    'OPTIONS-GET', '§10.2.1', 'Allow has GET and HEAD if the resource supports them.', is_sent('options')
)
def check_options_get(exchange: Exchange) -> Iterator[Fault]:
    allowed = exchange.response.elements('Allow') if exchange.response.is_success else []
    supported = ('GET', 'HEAD') if exchange.source.response.is_success else ('GET',)
    for method in supported if allowed else ():
        if method.lower() not in allowed:
            yield Fault('Allow:', f'lacks {method}')


RULES.should(
    'OPTIONS-ACCEPT-PATCH',
    '§3.1',
    'A resource that supports PATCH lists its patch formats in Accept-Patch.',
    lambda exchange: exchange.purpose == 'options' and 'patch' in exchange.response.elements('Allow'),
    standard=RFC5789,
)(requires_field('Accept-Patch'))
RULES.must('MISSING-404', '§15.5.5', 'A URL without a resource gets 404.', is_sent('missing'))(
    requires_status(404, 410, 406)
)
