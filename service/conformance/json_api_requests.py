"""Rules of JSON:API 1.1 about requests: negotiation, inclusion, sparse fieldsets, sorting, parameters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import quote, urlsplit

from service.conformance.client import Client
from service.conformance.exchange import JSON_API, Exchange, entries, members
from service.conformance.json_api import (
    SPECIFICATION,
    attributes_of,
    is_json_api,
    is_resource,
    name_of,
    primary,
    relationships,
    resources,
    top,
)
from service.conformance.rules import Check, Declare, Fault, Rules, for_purpose

RULES = Rules('json-api')
UNKNOWN = 'noSuchThing'
_UNSORTABLE = (dict, list, type(None), bool)


def with_query(url: str, name: str, value: str) -> str:
    """Return the URL with one more parameter."""
    return url + ('&' if urlsplit(url).query else '?') + quote(name, safe='') + '=' + quote(value, safe='')


def is_collection(exchange: Exchange) -> bool:
    return isinstance(top(exchange).get('data'), list)


def probe_negotiation(client: Client, exchange: Exchange) -> None:
    """Request the document by media types with parameters."""
    if is_json_api(exchange):
        client.repeat(exchange, 'ja-accept-parameter', Accept=f'{JSON_API}; charset=utf-8')
        client.repeat(
            exchange, 'ja-accept-ext', Accept=f'{JSON_API}; ext="https://example.org/no-such-extension"'
        )
        profile = f'{JSON_API}; profile="https://example.org/no-such-profile"'
        client.repeat(exchange, 'ja-accept-profile', Accept=profile)
        mixed = f'{JSON_API}; charset=utf-8, {JSON_API}'
        client.repeat(exchange, 'ja-accept-mixed', Accept=mixed)


def probe_unknown(client: Client, exchange: Exchange) -> None:
    """Send query parameters that the server cannot know."""
    if is_json_api(exchange) and any(is_resource(one.value) for one in primary(top(exchange))):
        url = exchange.request.url
        client.repeat(exchange, 'ja-include-unknown', url=with_query(url, 'include', UNKNOWN))
        client.repeat(exchange, 'ja-query-unknown', url=with_query(url, 'nosuchparameter', '1'))
        if is_collection(exchange):
            client.repeat(exchange, 'ja-sort-unknown', url=with_query(url, 'sort', UNKNOWN))


def probe_include(client: Client, exchange: Exchange) -> None:
    """Request inclusion of a relationship, and of none."""
    names = {name for resource, name, _ in relationships(exchange) if resource.where.startswith('/data')}
    if is_json_api(exchange) and names and 'include' not in urlsplit(exchange.request.url).query:
        name = min(names)
        url = with_query(exchange.request.url, 'include', name)
        client.repeat(exchange, 'ja-include', url=url)
        client.repeat(exchange, 'ja-include-empty', url=with_query(exchange.request.url, 'include', ''))


def probe_fields(client: Client, exchange: Exchange) -> None:
    """Request one field of a type, and none."""
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


def probe_missing(client: Client, exchange: Exchange) -> None:
    """Request a resource and a relationship that do not exist."""
    data = top(exchange).get('data')
    if is_json_api(exchange) and isinstance(data, dict) and is_resource(data):
        base = exchange.request.url.partition('?')[0]
        headers = {'Accept': JSON_API}
        client.get(f'{base}/relationships/{UNKNOWN}', 'ja-missing', exchange, headers=headers)
        if base.rstrip('/').endswith('/' + str(data.get('id'))):
            client.get(base.rstrip('/') + '0' * 3, 'ja-missing', exchange, headers=headers)


PROBES = (probe_negotiation, probe_unknown, probe_include, probe_fields, probe_sort, probe_missing)


def requires_status(status: int) -> Check:
    """Return the check that the server rejects the request with this status."""

    def check(exchange: Exchange) -> Iterator[Fault]:
        if exchange.response.status not in (status, 401, 403, 405, 429):
            yield Fault('status', f'should be {status}')

    return check


def must(id: str, section: str, text: str, *purposes: str) -> Declare:
    return RULES.must(id, SPECIFICATION, section, text, for_purpose(*purposes))


must(
    'JA-406-PARAMETER',
    '#content-negotiation-servers',
    'An Accept whose instances of the media type all have a parameter other than ext and profile gets 406.',
    'ja-accept-parameter',
)(requires_status(406))
must(
    'JA-406-EXT',
    '#content-negotiation-servers',
    'An Accept whose instances of the media type all have an unsupported extension gets 406.',
    'ja-accept-ext',
)(requires_status(406))
must(
    'JA-INCLUDE-UNKNOWN',
    '#fetching-includes',
    'An unknown include path gets 400.',
    'ja-include-unknown',
)(requires_status(400))
must(
    'JA-SORT-UNKNOWN',
    '#fetching-sorting',
    'An unsupported sort field gets 400.',
    'ja-sort-unknown',
)(requires_status(400))
must(
    'JA-QUERY-UNKNOWN',
    '#query-parameters-custom',
    'A parameter whose name is neither defined nor allowed to implementations gets 400.',
    'ja-query-unknown',
)(requires_status(400))
must(
    'JA-404',
    '#fetching-resources-responses-404',
    'A resource or relationship that does not exist gets 404.',
    'ja-missing',
)(requires_status(404))


@must(
    'JA-PROFILE-IGNORED',
    '#content-negotiation-servers',
    'A profile that is not recognised is ignored.',
    'ja-accept-profile',
)
def check_profile(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != exchange.source.response.status:
        yield Fault('status', 'the unknown profile is rejected')


@must(
    'JA-ACCEPT-MIXED',
    '#content-negotiation-servers',
    'Instances of the media type with other parameters are ignored if there is one without.',
    'ja-accept-mixed',
)
def check_mixed(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != exchange.source.response.status:
        yield Fault('status', 'the instance without parameters is not honoured')


def supports_parameters(exchange: Exchange) -> bool:
    """Return whether the document says that the server supports `ext` and `profile`, which are new in 1.1."""
    document = exchange.response.document if is_json_api(exchange) else None
    declared = document.get('jsonapi') if isinstance(document, dict) else None
    return isinstance(declared, dict) and bool(
        {'ext', 'profile'} & set(declared) or declared.get('version') == '1.1'
    )


@RULES.should(
    'JA-VARY',
    SPECIFICATION,
    '#content-negotiation-servers',
    'Responses of a server that supports `ext` or `profile` vary by Accept.',
    lambda exchange: exchange.purpose == 'crawl' and supports_parameters(exchange),
)
def check_vary(exchange: Exchange) -> Iterator[Fault]:
    if not {'accept', '*'} & set(exchange.response.elements('Vary')):
        yield Fault('Vary:', 'does not name Accept')


def is_included(exchange: Exchange) -> bool:
    return exchange.purpose == 'ja-include' and exchange.is_fetch


@RULES.must(
    'JA-INCLUDE-KEY',
    SPECIFICATION,
    '#fetching-includes',
    'The response to a request with include has included, even if it is empty.',
    is_included,
)
def check_include_key(exchange: Exchange) -> Iterator[Fault]:
    if 'included' not in top(exchange):
        yield Fault('', 'has no included')


@RULES.must(
    'JA-INCLUDE-EMPTY',
    SPECIFICATION,
    '#fetching-includes',
    'An empty include includes nothing.',
    lambda exchange: exchange.purpose == 'ja-include-empty' and exchange.is_fetch,
)
def check_include_empty(exchange: Exchange) -> Iterator[Fault]:
    if top(exchange).get('included'):
        yield Fault('/included', 'has resources')


@RULES.must(
    'JA-INCLUDE-ONLY',
    SPECIFICATION,
    '#fetching-includes',
    'Nothing is included that was not requested.',
    is_included,
)
def check_include_only(exchange: Exchange) -> Iterator[Fault]:
    requested = exchange.request.url.rpartition('include=')[2]
    linked = set()
    for resource, name, relationship in relationships(exchange):
        if resource.where.startswith('/data') and quote(name, safe='') == requested:
            data = relationship.value.get('data') if isinstance(relationship.value, dict) else None
            linked |= {name_of(one) for one in (data if isinstance(data, list) else [data])}
    for number, one in entries(top(exchange).get('included')):
        if linked - {('', '')} and name_of(one) not in linked:
            yield Fault(f'/included/{number}', 'was not requested')


@must(
    'JA-FIELDS',
    '#fetching-sparse-fieldsets',
    'Resources of a type whose fields are restricted have no others.',
    'ja-fields',
)
def check_fields(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        if resource.get('type') == exchange.context['type'] and exchange.is_fetch:
            for group in ('attributes', 'relationships'):
                for name, _ in members(resource.get(group)):
                    if name not in exchange.context['fields']:
                        yield Fault(f'{where}/{group}/{name}', 'was not requested')


@must(
    'JA-SORT',
    '#fetching-sorting',
    'Sorting is ascending, and descending with a minus.',
    'ja-sort',
)
def check_sort(exchange: Exchange) -> Iterator[Fault]:
    name, is_descending = exchange.context['name'], exchange.context['is_descending']
    values = [attributes_of(one.value).get(name) for one in primary(top(exchange))]
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
    """Return whether collations may differ: the first difference is not between letters or digits."""
    if not isinstance(before, str):
        return False
    difference = next(
        ((one, other) for one, other in zip(before, after, strict=False) if one != other), ('', '')
    )
    are_letters = difference[0].isalpha() and difference[1].isalpha()
    return not are_letters and not (difference[0].isdigit() and difference[1].isdigit())
