"""Rules of JSON:API 1.1 about query parameters: inclusion, sparse fieldsets, sorting, unknown ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import quote, urlsplit

from service.conformance.client import Client
from service.conformance.exchange import JSON_API, Exchange, entries, members
from service.conformance.json_api import (
    SPECIFICATION,
    UNKNOWN,
    attributes_of,
    identity_of,
    is_json_api,
    is_resource,
    primary,
    relationships,
    requires_rejection,
    resources,
    top,
)
from service.conformance.rules import Fault, Rules, for_purpose

_UNSORTABLE = (dict, list, type(None), bool)

RULES = Rules('json-api', SPECIFICATION)


def with_query(url: str, name: str, value: str) -> str:
    """Return the URL with one more parameter."""
    return url + ('&' if urlsplit(url).query else '?') + quote(name, safe='') + '=' + quote(value, safe='')


def is_collection(exchange: Exchange) -> bool:
    return isinstance(top(exchange).get('data'), list)


def probe_unknown(client: Client, exchange: Exchange) -> None:
    """Send query parameters that no server supports."""
    if is_json_api(exchange) and any(is_resource(entry.value) for entry in primary(exchange)):
        url = exchange.request.url
        client.repeat(exchange, 'ja-include-unknown', url=with_query(url, 'include', UNKNOWN))
        client.repeat(exchange, 'ja-query-unknown', url=with_query(url, 'nosuchparameter', '1'))
        if is_collection(exchange):
            client.repeat(exchange, 'ja-sort-unknown', url=with_query(url, 'sort', UNKNOWN))


def probe_include(client: Client, exchange: Exchange) -> None:
    """Request the inclusion of a relationship, and of nothing."""
    names = {name for resource, name, _ in relationships(exchange) if resource.where.startswith('/data')}
    if is_json_api(exchange) and names and 'include' not in urlsplit(exchange.request.url).query:
        name = min(names)
        url = with_query(exchange.request.url, 'include', name)
        client.repeat(exchange, 'ja-include', url=url)
        client.repeat(exchange, 'ja-include-empty', url=with_query(exchange.request.url, 'include', ''))


def probe_fields(client: Client, exchange: Exchange) -> None:
    """Request one field of a type, and no fields."""
    for _, resource in resources(exchange):
        fields = [name for name, _ in members(resource.get('attributes'))]
        if is_json_api(exchange) and len(fields) > 1 and 'fields' not in urlsplit(exchange.request.url).query:
            kind = str(resource.get('type'))
            name = f'fields[{kind}]'
            context: dict[str, Any] = {'type': kind, 'fields': fields[:1]}
            send_fields(client, exchange, with_query(exchange.request.url, name, fields[0]), context)
            send_fields(
                client, exchange, with_query(exchange.request.url, name, ''), context | {'fields': []}
            )
            break


def send_fields(client: Client, exchange: Exchange, url: str, context: dict[str, Any]) -> None:
    client.get(url, 'ja-fields', exchange, headers={'Accept': JSON_API}, **context)


def probe_sort(client: Client, exchange: Exchange) -> None:
    """Sort a collection by an attribute, in both directions."""
    if not is_json_api(exchange) or not is_collection(exchange) or len(top(exchange)['data']) < 2:
        return
    first = top(exchange)['data'][0]
    for name, value in members(first.get('attributes') if isinstance(first, dict) else None):
        if not isinstance(value, _UNSORTABLE):
            for prefix in ('', '-'):
                url = with_query(exchange.request.url, 'sort', prefix + name)
                context = {'name': name, 'is_descending': prefix == '-'}
                sent = client.get(url, 'ja-sort', exchange, headers={'Accept': JSON_API}, **context)
                if sent.response.status != 200:
                    return
            return


PROBES = (probe_unknown, probe_include, probe_fields, probe_sort)


RULES.must(
    'JA-INCLUDE-UNKNOWN',
    '#fetching-includes',
    'An unknown include path gets 400.',
    for_purpose('ja-include-unknown'),
)(requires_rejection(400))
RULES.must(
    'JA-SORT-UNKNOWN',
    '#fetching-sorting',
    'An unsupported sort field gets 400.',
    for_purpose('ja-sort-unknown'),
)(requires_rejection(400))
RULES.must(
    'JA-QUERY-UNKNOWN',
    '#query-parameters-custom',
    'A parameter whose name is neither defined nor allowed for implementations gets 400.',
    for_purpose('ja-query-unknown'),
)(requires_rejection(400))


def is_included(exchange: Exchange) -> bool:
    return exchange.purpose == 'ja-include' and exchange.is_fetch


@RULES.must(
    'JA-INCLUDE-KEY',
    '#fetching-includes',
    'The response to a request with include has included, even if it is empty.',
    is_included,
)
def check_include_key(exchange: Exchange) -> Iterator[Fault]:
    if 'included' not in top(exchange):
        yield Fault('', 'has no included')


@RULES.must(
    'JA-INCLUDE-EMPTY',
    '#fetching-includes',
    'An empty include includes nothing.',
    lambda exchange: exchange.purpose == 'ja-include-empty' and exchange.is_fetch,
)
def check_include_empty(exchange: Exchange) -> Iterator[Fault]:
    if top(exchange).get('included'):
        yield Fault('/included', 'has resources')


@RULES.must(
    'JA-INCLUDE-ONLY', '#fetching-includes', 'Nothing is included that was not requested.', is_included
)
def check_include_only(exchange: Exchange) -> Iterator[Fault]:
    requested = exchange.request.url.rpartition('include=')[2]
    linked = set()
    for resource, name, relationship in relationships(exchange):
        if resource.where.startswith('/data') and quote(name, safe='') == requested:
            data = relationship.value.get('data') if isinstance(relationship.value, dict) else None
            linked |= {identity_of(identifier) for identifier in (data if isinstance(data, list) else [data])}
    for number, resource in entries(top(exchange).get('included')):
        if linked - {('', '')} and identity_of(resource) not in linked:
            yield Fault(f'/included/{number}', 'was not requested')


@RULES.must(
    'JA-FIELDS',
    '#fetching-sparse-fieldsets',
    'Resources of a type whose fields are restricted have no others.',
    for_purpose('ja-fields'),
)
def check_fields(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        if resource.get('type') == exchange.context['type'] and exchange.is_fetch:
            for group in ('attributes', 'relationships'):
                for name, _ in members(resource.get(group)):
                    if name not in exchange.context['fields']:
                        yield Fault(f'{where}/{group}/{name}', 'was not requested')


@RULES.must(
    'JA-SORT',
    '#fetching-sorting',
    'Sorting is ascending, and descending with a minus.',
    for_purpose('ja-sort'),
)
def check_sort(exchange: Exchange) -> Iterator[Fault]:
    name, is_descending = exchange.context['name'], exchange.context['is_descending']
    values = [attributes_of(entry.value).get(name) for entry in primary(exchange)]
    values = comparable(values) if exchange.is_fetch else []
    for before, after in pairwise(reversed(values) if is_descending else values):
        if before > after and not is_close(before, after):
            yield Fault('/data', f'{before!r} and {after!r} are in the wrong order')
            return


def comparable(values: list[Any]) -> list[Any]:
    """Return numbers as they are and ASCII texts without case; [] if not all are of one of these kinds."""
    if all(isinstance(value, int | float) for value in values):
        return values
    texts = [value.casefold() for value in values if isinstance(value, str) and value.isascii()]
    return texts if len(texts) == len(values) else []


def is_close(before: Any, after: Any) -> bool:
    """Return whether collations may differ: the first difference is not between two letters or two digits."""
    if not isinstance(before, str):
        return False
    difference = next(
        ((character, other) for character, other in zip(before, after, strict=False) if character != other),
        ('', ''),
    )
    are_letters = difference[0].isalpha() and difference[1].isalpha()
    return not are_letters and not (difference[0].isdigit() and difference[1].isdigit())
