"""Rules of JSON:API 1.1 about what the links of a document lead to, and about missing resources."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from service.conformance.client import Client
from service.conformance.exchange import JSON_API, Exchange, members, pointer
from service.conformance.json_api import (
    PAGE_LINKS,
    SPECIFICATION,
    UNKNOWN,
    href_of,
    identity_of,
    is_fetched,
    is_json_api,
    is_resource,
    primary,
    relationships,
    requires_rejection,
    resources,
    top,
)
from service.conformance.rules import Fault, Level, Rules, for_purpose
from service.conformance.syntax import join, parameters_of

RULES = Rules('json-api', SPECIFICATION, is_json_api)


def probe_missing(client: Client, exchange: Exchange) -> None:
    """Request a resource and a relationship that do not exist."""
    data = top(exchange).get('data')
    if is_json_api(exchange) and isinstance(data, dict) and is_resource(data):
        base = exchange.request.url.partition('?')[0]
        headers = {'Accept': JSON_API}
        client.get(f'{base}/relationships/{UNKNOWN}', 'ja-missing', exchange, headers=headers)
        if base.rstrip('/').endswith('/' + str(data.get('id'))):
            client.get(base.rstrip('/') + '0' * 3, 'ja-missing', exchange, headers=headers)


PROBES = (probe_missing,)


def is_fetched_by_link(exchange: Exchange) -> bool:
    return exchange.purpose == 'crawl' and exchange.origin is not None and is_json_api(exchange.origin)


@RULES.must(
    'JA-FETCH-LINK',
    '#fetching-resources',
    'Every self and related link can be fetched, and gets 200.',
    is_fetched_by_link,
)
def check_fetch_link(exchange: Exchange) -> Iterator[Fault]:
    link = exchange.context['link']
    if link.rel in ('self', 'related') and exchange.response.status not in (200, 401, 403, 429):
        yield Fault('status', f'the link at {link.where} leads to {exchange.response.status}')


def self_of(exchange: Exchange) -> tuple[str, str] | None:
    """Return the resource whose self link led to the exchange."""
    match = re.fullmatch(r'(/data(?:/\d+)?|/included/\d+)/links/self', exchange.context['link'].where)
    for where, resource in resources(exchange.source):
        if match and where == match[1]:
            return identity_of(resource)
    return None


@RULES.must(
    'JA-SELF-PRIMARY',
    '#document-resource-object-links',
    'The self link of a resource leads to a document with the resource as primary data.',
    lambda exchange: is_fetched_by_link(exchange) and exchange.is_fetch and self_of(exchange) is not None,
)
def check_self_primary(exchange: Exchange) -> Iterator[Fault]:
    resource = self_of(exchange)
    if resource not in [identity_of(entry.value) for entry in primary(exchange)]:
        yield Fault('/data', f'is not the resource {resource}')


def leads_to_relationship(exchange: Exchange) -> bool:
    return (
        is_fetched_by_link(exchange)
        and exchange.is_fetch
        and re.search(r'/relationships/[^/]+/links/self$', exchange.context['link'].where) is not None
    )


@RULES.must(
    'JA-RELATIONSHIP-FETCH',
    '#fetching-relationships-responses-200',
    'The self link of a relationship leads to linkage as primary data.',
    leads_to_relationship,
)
def check_relationship_fetch(exchange: Exchange) -> Iterator[Fault]:
    if any(is_resource(entry.value) for entry in primary(exchange)) or 'data' not in top(exchange):
        yield Fault('/data', 'is not linkage')


@RULES.must(
    'JA-RELATED-KIND',
    '#fetching-resources-responses-200',
    'The related link leads to an array if the relationship is to-many, else to a resource or null.',
    lambda exchange: (
        is_fetched_by_link(exchange) and exchange.is_fetch and exchange.context['link'].rel == 'related'
    ),
)
def check_related_kind(exchange: Exchange) -> Iterator[Fault]:
    for _, _, (where, value) in relationships(exchange.source):
        is_followed = exchange.context['link'].where == where + '/links/related' and 'data' in value
        is_array = isinstance(top(exchange).get('data'), list)
        if is_followed and isinstance(value['data'], list) != is_array:
            yield Fault('/data', f'is {"an" if is_array else "not an"} array, unlike the linkage of {where}')


@RULES.across(
    Level.MUST,
    'JA-IDENTITY',
    '#document-resource-object-identification',
    'Type and id identify one resource: its self link is the same everywhere.',
    is_fetched,
)
def check_identity(record: Sequence[Exchange]) -> Iterator[tuple[Exchange, Fault]]:
    selves: dict[tuple[str, str], str] = {}
    for exchange in record:
        for where, resource in resources(exchange):
            href = href_of(dict(members(resource.get('links'))).get('self'))
            url = (join(exchange.request.url, href) or '').partition('?')[0] if href is not None else None
            if url is not None and selves.setdefault(identity_of(resource), url) != url:
                yield exchange, Fault(where + '/links/self', f'was {selves[identity_of(resource)]} elsewhere')


@RULES.should(
    'JA-PAGE-REPEATS',
    '#fetching-pagination',
    'The next page repeats no resources of the page before it.',
    lambda exchange: (
        is_fetched_by_link(exchange) and exchange.is_fetch and exchange.context['link'].where == '/links/next'
    ),
)
def check_page_repeats(exchange: Exchange) -> Iterator[Fault]:
    current, previous = (
        {identity_of(entry.value) for entry in primary(page)} for page in (exchange, exchange.source)
    )
    if current & previous:
        yield Fault('/data', f'{len(current & previous)} of its resources were on the page before')


@RULES.should(
    'JA-PAGE-PARAMETERS',
    '#fetching-pagination',
    'Pagination links use parameters of the page family.',
    is_fetched,
)
def check_page_parameters(exchange: Exchange) -> Iterator[Fault]:
    for name, link in members(top(exchange).get('links')):
        query = parameters_of(href_of(link))
        if name in PAGE_LINKS and query and not any(key.partition('[')[0] == 'page' for key, _ in query):
            yield Fault(pointer('links', name), 'has no parameter of the page family')


RULES.must(
    'JA-404',
    '#fetching-resources-responses-404',
    'A resource or relationship that does not exist gets 404.',
    for_purpose('ja-missing'),
)(requires_rejection(404))
