"""JSON:API 1.1: finding the members of a document, and declaring rules about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from service.conformance.checks import Find, Found, requires_status
from service.conformance.crawler import FoundLink
from service.conformance.exchange import (
    JSON,
    JSON_API,
    Exchange,
    Located,
    entries,
    found_once,
    members,
    pointer,
)
from service.conformance.rules import Check, Fault, Standard

SPECIFICATION = Standard('JSON:API 1.1', 'https://jsonapi.org/format/1.1/')
TOP_MEMBERS = {'data', 'errors', 'meta', 'jsonapi', 'links', 'included'}
PAGE_LINKS = {'first', 'last', 'prev', 'next'}
TOP_LINKS = {'self', 'related', 'describedby'} | PAGE_LINKS
RESOURCE_MEMBERS = {'type', 'id', 'lid', 'attributes', 'relationships', 'links', 'meta'}
IDENTIFIER_MEMBERS = {'type', 'id', 'lid', 'meta'}
RELATIONSHIP_MEMBERS = {'links', 'data', 'meta'}
LINK_MEMBERS = {'href', 'rel', 'describedby', 'title', 'type', 'hreflang', 'meta'}
ERROR_MEMBERS = {'id', 'links', 'status', 'code', 'title', 'detail', 'source', 'meta'}
UNKNOWN = 'noSuchThing'  # a name that no server has


def is_json_api(exchange: Exchange) -> bool:
    """Return whether it is JSON:API, by its media type or, if that was requested, by its members."""
    response = exchange.response
    if not response.is_whole:
        return False
    return response.media_type == JSON_API or is_unlabelled(exchange)


def is_unlabelled(exchange: Exchange) -> bool:
    """Return whether JSON:API was requested and sent as plain JSON."""
    document = exchange.response.document
    is_requested = exchange.context.get('accept') == JSON_API
    is_document = isinstance(document, dict) and bool({'data', 'errors'} & set(document))
    return is_requested and is_document and exchange.response.media_type == JSON


def is_fetched(exchange: Exchange) -> bool:
    return is_json_api(exchange) and exchange.is_fetch


def is_error(exchange: Exchange) -> bool:
    return is_json_api(exchange) and exchange.response.status >= 400


def without_at_members(pairs: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield the members except @-members, which are ignored (#document-member-names-at-members)."""
    return ((name, value) for name, value in pairs if not name.startswith('@'))


def is_extension_member(name: str) -> bool:
    """Return whether the name is that of an extension member: it has a namespace (#extension-members)."""
    return ':' in name


def top(exchange: Exchange) -> dict[str, Any]:
    """Return the top-level object, {} if there is none."""
    document = exchange.response.document
    return document if isinstance(document, dict) else {}


def primary(exchange: Exchange) -> Iterator[Located]:
    """Yield the entries of the primary data."""
    data = top(exchange).get('data')
    if isinstance(data, list):
        yield from (Located(pointer('data', number), entry) for number, entry in enumerate(data))
    elif data is not None:
        yield Located('/data', data)


def is_resource(value: Any) -> bool:
    """Return whether it is a resource object: it has more than an identifier may have."""
    return isinstance(value, dict) and bool(set(value) - IDENTIFIER_MEMBERS)


@found_once
def resources(exchange: Exchange) -> Iterator[Located]:
    """Yield the resource objects of primary and included data, if they are objects."""
    for located in primary(exchange):
        if isinstance(located.value, dict):
            yield located
    for number, entry in entries(top(exchange).get('included')):
        if isinstance(entry, dict):
            yield Located(pointer('included', number), entry)


@found_once
def relationships(exchange: Exchange) -> Iterator[tuple[Located, str, Located]]:
    """Yield resource, name and value of every relationship."""
    for resource in resources(exchange):
        for name, value in without_at_members(members(resource.value.get('relationships'))):
            yield resource, name, Located(resource.where + pointer('relationships', name), value)


def identifiers(where: str, data: Any) -> Iterator[Located]:
    """Yield the resource identifier objects of linkage, also those of a wrong type."""
    if isinstance(data, list):
        yield from (Located(where + pointer(number), entry) for number, entry in enumerate(data))
    elif data is not None:
        yield Located(where, data)


@found_once
def all_identifiers(exchange: Exchange) -> Iterator[Located]:
    """Yield the identifiers of all relationships, and those that are primary data."""
    for _, _, relationship in relationships(exchange):
        if isinstance(relationship.value, dict):
            yield from identifiers(relationship.where + '/data', relationship.value.get('data'))
    for located in primary(exchange):
        if isinstance(located.value, dict) and not is_resource(located.value):
            yield located


def attributes_of(resource: Any) -> dict[str, Any]:
    """Return the attributes of a resource; {} if it has none."""
    return dict(members(resource.get('attributes'))) if isinstance(resource, dict) else {}


def identity_of(value: Any) -> tuple[str, str]:
    """Return the type and the id of a resource object or identifier."""
    return (str(value.get('type')), str(value.get('id'))) if isinstance(value, dict) else ('', '')


@found_once
def links_objects(exchange: Exchange) -> Iterator[Located]:
    """Yield every links object, also one of a wrong type."""
    document = top(exchange)
    holders = [Located('', document), *resources(exchange)]
    holders += [relationship for _, _, relationship in relationships(exchange)]
    holders += errors(exchange)
    for where, value in holders:
        if isinstance(value, dict) and 'links' in value:
            yield Located(where + '/links', value['links'])


@found_once
def links(exchange: Exchange) -> Iterator[Located]:
    """Yield every link, also one of a wrong type."""
    for where, value in links_objects(exchange):
        for name, link in without_at_members(members(value)):
            if not (isinstance(link, list) and name in ('type', 'profile')):
                yield Located(where + pointer(name), link)


def errors(exchange: Exchange) -> list[Located]:
    """Return the error objects, also those of a wrong type."""
    reported = entries(top(exchange).get('errors'))
    return [Located(pointer('errors', number), error) for number, error in reported]


def error_objects(exchange: Exchange) -> Iterator[Located]:
    return (error for error in errors(exchange) if isinstance(error.value, dict))


def href_of(link: Any) -> str | None:
    """Return the reference of a link; None if it has none."""
    href = link.get('href') if isinstance(link, dict) else link
    return href if isinstance(href, str) else None


def find_links(exchange: Exchange) -> Iterator[FoundLink]:
    """Yield the links that a crawler may follow."""
    if is_json_api(exchange):
        for where, link in links(exchange):
            href = href_of(link)
            if href is not None:
                yield FoundLink(where.rpartition('/')[2], href, where)


def metas(exchange: Exchange) -> Iterator[Located]:
    """Yield every meta member."""
    document = top(exchange)
    holders = [Located('', document), *resources(exchange), *errors(exchange), *all_identifiers(exchange)]
    holders += [relationship for _, _, relationship in relationships(exchange)]
    holders += [Located('/jsonapi', document.get('jsonapi')), *links(exchange)]
    for where, value in holders:
        if isinstance(value, dict) and 'meta' in value:
            yield Located(where + '/meta', value['meta'])


def undefined_members(located: Found, allowed: set[str]) -> Iterator[Fault]:
    """Yield a fault for each member that the specification does not define."""
    for name, _ in without_at_members(members(located.value)):
        if name not in allowed and not is_extension_member(name):
            yield Fault(located.where + pointer(name), 'is not defined by the specification')


def requires_defined(find: Find, allowed: set[str]) -> Check:
    """Return a check that the values of `find` have only members that are allowed."""

    def check(exchange: Exchange) -> Iterator[Fault]:
        for located in find(exchange):
            yield from undefined_members(located, allowed)

    return check


def requires_rejection(status: int) -> Check:
    """Return a check that the server rejects the request with this status."""
    return requires_status(status, 401, 403, 405, 429)
