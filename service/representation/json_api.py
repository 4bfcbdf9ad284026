"""JSON:API 1.1: resource objects, their relationships, and what is included with them."""

import re
from typing import Any

from service.representation.document import EVERYTHING, Document, Link, Selection
from service.representation.problem import Problem

VERSION = {'version': '1.1'}
# Member names (§7.8) that need no escaping in an address, as far as there are such here.
MEMBER = re.compile(r'[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?')
NOTHING: dict[str, Any] = {'meta': {}}
ATTRIBUTES = '/data/attributes'
TOP_LEVEL = ('self', 'related', 'first', 'prev', 'next', 'last')
TOO_LARGE = 'https://jsonapi.org/profiles/ethanresnick/cursor-pagination/max-size-exceeded'


def member(rel: str) -> str:
    """Return the member name of a relation: ours lose their prefix, as a colon is for extensions (§7.8.4)."""
    return rel.rpartition(':')[2]


def json_api(document: Document) -> dict[str, Any]:
    """Return the document as JSON:API; what it embeds is included, or what its view wants of that."""
    body: dict[str, Any] = {'jsonapi': VERSION}
    items = _flatten(document)
    if document.is_collection:
        say = _identify if document.is_relationship else _resource
        body['links'] = {rel: href for rel, href in _hrefs(document).items() if rel in TOP_LEVEL}
        body['data'] = [say(item, document.selection) for item in items]
        body['meta'] = dict(document.meta)
    else:
        body['links'] = {'self': document.href + document.selection.query}
        body['data'] = _resource(document, document.selection)
    included = {_key(item): item for item in items}
    for item in () if document.is_relationship else items:
        _include(item, document.selection.embedded, included)
    if len(included) > len(items) or document.selection.embedded is not None:
        body['included'] = [
            _resource(one, document.selection) for one in list(included.values())[len(items) :]
        ]
    return body


def json_api_errors(problem: Problem) -> dict[str, Any]:
    """Return the problem as JSON:API errors (§11.2): one for each broken field."""
    error: dict[str, Any] = {
        'status': str(problem.status),
        'code': problem.name,
        'title': problem.title,
        'detail': problem.detail,
        'links': {'type': problem.type_url},
    }
    if problem.parameter is not None:
        error['source'] = {'parameter': problem.parameter}
    if problem.pointer is not None:
        error['source'] = {'pointer': problem.pointer}
    if problem.most is not None:
        error['links'] = {'type': TOO_LARGE}
        error['meta'] = {'page': {'maxSize': problem.most}}
    if problem.reference is not None:
        error['meta'] = {'reference': problem.reference}
    errors = [
        error | {'detail': wrong, 'source': {'pointer': ATTRIBUTES + pointer}}
        for pointer, wrong in problem.pointed()
    ]
    return {'jsonapi': VERSION, 'errors': errors or [error]}


def _resource(document: Document, view: Selection) -> dict[str, Any]:
    """Return the document as a resource object (§7.2), with the fields that the view wants."""
    fields = view.fields.get(document.kind)
    hrefs = _hrefs(document)
    related = dict.fromkeys((*document.relationships, *document.embedded))
    attributes = {
        name: value
        for name, value in document.properties.items()
        if name != 'id' and (fields is None or name in fields)
    }
    relationships = {
        member(rel): _relationship(document, rel, hrefs.get(rel))
        for rel in related
        if fields is None or member(rel) in fields
    }
    members = _identify(document, view)
    if attributes:
        members['attributes'] = attributes
    if relationships:
        members['relationships'] = relationships
    members['links'] = {member(rel): href for rel, href in hrefs.items() if rel not in related}
    return members


def _relationship(document: Document, rel: str, href: str | None) -> dict[str, Any]:
    """Return where a relation leads, and linkage where the document embeds what is there (§7.2.2.2)."""
    members: dict[str, Any] = {'links': {}}
    edit = document.relationships.get(rel)
    if edit is not None:
        members['links']['self'] = edit.href
    if href is not None:
        members['links']['related'] = href
    embedded = document.embedded.get(rel)
    if embedded is not None:
        named = [_identify(one, EVERYTHING) for one in _flatten(embedded)]
        is_one = isinstance(embedded, Document) and not embedded.is_collection
        members['data'] = named[0] if is_one else named
    if isinstance(embedded, Document) and embedded.is_collection:
        members['meta'] = dict(embedded.meta)
    return members


def _include(
    document: Document, wanted: frozenset[str] | None, included: dict[tuple[str, str | None], Document]
) -> None:
    """Add what the document embeds, once; what is wanted is said of the primary data alone."""
    for rel, embedded in document.embedded.items():
        if wanted is None or rel in wanted:
            for one in _flatten(embedded):
                if _key(one) not in included:
                    included[_key(one)] = one
                    _include(one, None if wanted is None else frozenset(), included)


def _flatten(embedded: Document | tuple[Document, ...]) -> list[Document]:
    """Return the single documents of what is embedded: of a collection its items."""
    if isinstance(embedded, tuple):
        return list(embedded)
    return _flatten(embedded.embedded['item']) if embedded.is_collection else [embedded]


def _hrefs(document: Document) -> dict[str, str]:
    """Return the links that are one address each: JSON:API has no templates, and no lists of links."""
    return {
        rel: link.href
        for rel, link in document.links.items()
        if isinstance(link, Link) and not link.templated
    }


def _identify(document: Document, view: Selection) -> dict[str, Any]:
    """Return the document as a resource identifier object (§7.3), whatever the view."""
    return {'type': document.kind, 'id': document.id}


def _key(document: Document) -> tuple[str, str | None]:
    return document.kind, document.id
