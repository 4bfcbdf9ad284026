"""Rules of HAL about what the links of a document lead to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from service.conformance.client import Client
from service.conformance.crawler import MISSING
from service.conformance.exchange import (
    Exchange,
    entries,
    members,
)
from service.conformance.hal import (
    DRAFT,
    curies,
    is_hal,
    is_templated,
    links,
    links_with_href,
    relations,
    selves,
)
from service.conformance.rules import Applies, Fault, Level, Rules, Standard, for_purpose
from service.conformance.syntax import (
    expand,
    join,
    parse_media_type,
)

RELATIONS = Standard(
    'IANA link relations', 'https://www.iana.org/assignments/link-relations/link-relations.xhtml'
)
MAX_CURIES = 10
MAX_TYPED = 5

RULES = Rules('hal', DRAFT, is_hal)


def probe_curies(client: Client, exchange: Exchange) -> None:
    """Fetch the page of each relation that a CURIE abbreviates."""
    if not is_hal(exchange):
        return
    templates = curies(exchange.response.document)
    fetched = {earlier.request.url for earlier in client.record if earlier.purpose == 'curie'}
    for where, rel in relations(exchange):
        prefix, separator, name = rel.partition(':')
        if separator and prefix in templates:
            url = client.resolve(exchange.request.url, expand(templates[prefix], {'rel': name}))
            if url is not None and url not in fetched and len(fetched) < MAX_CURIES:
                fetched.add(url)
                client.get(
                    url, 'curie', exchange, headers={'Accept': 'text/html, */*;q=0.5'}, where=where, rel=rel
                )


def probe_typed_links(client: Client, exchange: Exchange) -> None:
    """Fetch the targets of links with `type`, in that type."""
    fetched = {earlier.request.url for earlier in client.record if earlier.purpose == 'typed-link'}
    for link in links_with_href(exchange) if is_hal(exchange) else ():
        hint = None if is_templated(link) else parse_media_type(link.value.get('type'))
        url = client.resolve(exchange.request.url, link.href)
        if hint is not None and url is not None and url not in fetched and len(fetched) < MAX_TYPED:
            fetched.add(url)
            client.get(url, 'typed-link', exchange, headers={'Accept': hint[0]}, type=hint[0])


PROBES = (probe_curies, probe_typed_links)


@RULES.should(
    'HAL-CURIE-DOCUMENTED', '§8.2', 'The URI of a relation leads to its documentation.', for_purpose('curie')
)
def check_curie_documented(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status not in (200, 401, 403):
        yield Fault('status', f'the page of {exchange.context["rel"]} is {exchange.response.status}')


def leads_from_hal(exchange: Exchange) -> bool:
    return exchange.purpose == 'crawl' and exchange.origin is not None and is_hal(exchange.origin)


def is_fetched_by(rel: str) -> Applies:
    """Return the predicate that the exchange fetched a HAL document through a HAL link with the relation."""
    return lambda exchange: (
        leads_from_hal(exchange)
        and is_hal(exchange)
        and exchange.is_fetch
        and exchange.context['link'].rel == rel
    )


@RULES.across(
    Level.SHOULD,
    'HAL-LINK-DEAD',
    '§5.1',
    'A link leads to a resource.',
    lambda exchange: leads_from_hal(exchange) or exchange.purpose == 'options-missing',
)
def check_dead_links(record: Sequence[Exchange]) -> Iterator[tuple[Exchange, Fault]]:
    writable = {
        exchange.source
        for exchange in record
        if exchange.purpose == 'options-missing' and 'put' in exchange.response.elements('Allow')
    }
    for exchange in record:
        if exchange.response.status in MISSING and leads_from_hal(exchange) and exchange not in writable:
            link = exchange.context['link']
            yield exchange, Fault('status', f'{link.rel} leads to {exchange.response.status}')


@RULES.should(
    'HAL-LINK-TYPE-HINT',
    '§5.3',
    'A link with `type` leads to a resource that is available in that type.',
    for_purpose('typed-link'),
)
def check_type_hint(exchange: Exchange) -> Iterator[Fault]:
    is_other = exchange.is_fetch and exchange.response.media_type != exchange.context['type']
    if is_other or exchange.response.status == 406:
        yield Fault('Content-Type:', f'the link says {exchange.context["type"]}')


@RULES.should(
    'HAL-SELF-TARGET',
    '§8.1',
    'The resource that a self link leads to has the same self link.',
    is_fetched_by('self'),
)
def check_self_target(exchange: Exchange) -> Iterator[Fault]:
    for href in selves(exchange.response.document):
        if join(exchange.request.url, href) != exchange.request.url:
            yield Fault('/_links/self', 'differs from the URL that led here')


@RULES.should(
    'HAL-PAGE-PREV',
    'next, prev',
    'The page that next leads to has a prev link.',
    is_fetched_by('next'),
    standard=RELATIONS,
)
def check_prev(exchange: Exchange) -> Iterator[Fault]:
    if not any(link.rel in ('prev', 'previous') for link in links(exchange)):
        yield Fault('/_links', 'has no prev link')


@RULES.should(
    'HAL-PAGE-REPEATS',
    'next',
    'The page that next leads to repeats no items of the page before it.',
    is_fetched_by('next'),
    standard=RELATIONS,
)
def check_page_repeats(exchange: Exchange) -> Iterator[Fault]:
    current, previous = (set(embedded_selves(page.response.document)) for page in (exchange, exchange.source))
    if current & previous:
        yield Fault('/_embedded', f'{len(current & previous)} of its items were on the page before')


def embedded_selves(document: Any) -> Iterator[str]:
    """Yield the URLs of the resources that a document embeds directly in arrays."""
    for _, value in members(document.get('_embedded') if isinstance(document, dict) else None):
        for _, entry in entries(value):
            yield from selves(entry)
