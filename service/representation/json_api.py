"""JSON:API 1.1: resource objects, their relationships, and what is included with them."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from service import urls
from service.representation.document import (
    Document,
    DocumentKey,
    Link,
    Relationship,
    Selection,
    json_part,
    member,
)
from service.representation.json_api_input import existing_pointer
from service.representation.problem import Problem
from service.representation.query import PAGE_RELATIONS

VERSION = {'version': '1.1'}
# Member names (§7.8) that need no escaping in a URL.
MEMBER = re.compile(r'[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?')
NOTHING: dict[str, Any] = {'meta': {}}
ATTRIBUTES = '/data/attributes'
TOP_LEVEL = ('self', 'related', *PAGE_RELATIONS)

Embedded = Document | tuple[Document, ...]
_NOTHING_EMBEDDED: Mapping[str, Embedded] = {}


def json_api(document: Document) -> dict[str, Any]:
    """Return the document as JSON:API; what it embeds is included."""
    selection = document.selection
    body: dict[str, Any] = {'jsonapi': VERSION}
    primary = [] if document.is_relationship else _entries(document)
    resources = _Resources(primary)
    body['links'] = _top_level_links(document)
    if document.is_relationship:
        identifiers = [_identify(entry) for entry in _entries(document)]
        body['data'] = identifiers if document.is_collection else identifiers[0]
    else:
        data = [_resource(entry, resources.embedded[entry.key], selection) for entry in primary]
        body['data'] = data if document.is_collection else data[0]
    if document.is_collection:
        body['meta'] = dict(document.meta)
    if resources.included or selection.include is not None:
        body['included'] = [
            _resource(included, resources.embedded[key], selection)
            for key, included in resources.included.items()
        ]
    return body


class _Resources:
    """The primary data and the `included` resources: each once, however many relations lead to it.

    `embedded` maps each resource to what any of its occurrences embeds.
    """

    def __init__(self, primary: list[Document]) -> None:
        self.embedded: dict[DocumentKey, dict[str, Embedded]] = {document.key: {} for document in primary}
        self.included: dict[DocumentKey, Document] = {}
        for document in primary:
            self._collect(document)

    def _collect(self, document: Document) -> None:
        relations = self.embedded[document.key]
        for rel, embedded in document.embedded.items():
            linked = {target.key for target in _flatten(relations.setdefault(rel, embedded))}
            for target in _flatten(embedded):
                key = target.key
                if key not in linked:
                    continue  # the linkage of an earlier occurrence does not name this document
                if key not in self.embedded:
                    self.embedded[key] = {}
                    self.included[key] = target
                self._collect(target)


def json_api_errors(problem: Problem) -> dict[str, Any]:
    """Return the problem as JSON:API errors (§11.2): one for each invalid field."""
    error: dict[str, Any] = {
        'status': str(problem.status),
        'code': problem.name,
        'title': problem.title,
        'detail': problem.detail,
        'links': {'type': problem.type_url},
    }
    if problem.parameter is not None:
        error['source'] = {'parameter': problem.parameter}
    if problem.header is not None:
        error['source'] = {'header': problem.header}
    if problem.pointer is not None:
        error |= _source_of(problem, problem.pointer)
    if problem.max_page_size is not None:
        error['meta'] = {'page': {'maxSize': problem.max_page_size}}
    if problem.reference is not None:
        error['meta'] = {'reference': problem.reference}
    errors = [
        error | {'detail': detail} | _source_of(problem, ATTRIBUTES + pointer)
        for pointer, detail in problem.errors_by_pointer()
    ]
    return {'jsonapi': VERSION, 'errors': errors or [error]}


def _source_of(problem: Problem, pointer: str) -> dict[str, Any]:
    """Return the `source` of an error in a body (§11.2); nothing if the body is not JSON:API."""
    if problem.body is None:
        return {}
    return {'source': {'pointer': existing_pointer(problem.body, pointer)}}


def _resource(
    document: Document, embedded: Mapping[str, Embedded], selection: Selection
) -> dict[str, Any] | orjson.Fragment:
    """Return the document as a resource object (§7.2), with the selected fields."""
    fields = selection.fields.get(document.kind)
    attributes = {
        name: value
        for name, value in document.properties.items()
        if name != 'id' and (fields is None or name in fields)
    }
    resource = _identify(document)
    if attributes:
        resource['attributes'] = attributes
    outline = document.outline
    if outline is document or fields is not None or not _are_identified(embedded, outline):
        return resource | _references(document, embedded, fields)
    return orjson.Fragment(orjson.dumps(resource)[:-1] + b',' + document.render(_REFERENCES)[1:].encode())


def _are_identified(embedded: Mapping[str, Embedded], outline: Document) -> bool:
    """Return whether all embedded documents are targets of to-one relationships, whose linkage is known."""
    to_one = (outline.relationships.get(rel, Relationship()).to_one for rel in embedded)
    return all(to_one) and all(isinstance(target, Document) for target in embedded.values())


def _references(
    document: Document,
    embedded: Mapping[str, Embedded] = _NOTHING_EMBEDDED,
    fields: frozenset[str] | None = None,
) -> dict[str, Any]:
    """Return the members of a resource object that lead to resources: `relationships`, `links`, `meta`."""
    links = _links(document)
    related = dict.fromkeys((*document.relationships, *embedded))
    relationships = {
        member(rel): _relationship(document, rel, links.get(rel), embedded.get(rel))
        for rel in related
        if fields is None or member(rel) in fields
    }
    other_links = {
        member(rel): {'href': href, 'rel': _relation_type(document, rel)}
        for rel, href in links.items()
        if rel not in related and rel != 'self'
    }
    references: dict[str, Any] = {'relationships': relationships} if relationships else {}
    references['links'] = {'self': document.href}
    if other_links:
        references['meta'] = {'links': other_links}
    return references


_REFERENCES = json_part(_references)


def _relationship(
    document: Document, rel: str, related: str | None, embedded: Embedded | None
) -> dict[str, Any]:
    """Return the relationship object of a relation, with linkage if its targets are known (§7.2.2.2).

    A relation to several documents has pagination links, which lead to the pages of the relationship itself.
    """
    relationship = document.relationships.get(rel, Relationship())
    links = {'self': relationship.href, 'related': related}
    body: dict[str, Any] = {}
    if isinstance(embedded, Document) and embedded.is_collection:
        body['data'] = [_identify(item) for item in embedded.items]
        body['meta'] = dict(embedded.meta)
        if relationship.href is not None:
            links |= {
                rel: relationship.href + href.removeprefix(embedded.href.partition('?')[0])
                for rel, href in _links(embedded).items()
                if rel in PAGE_RELATIONS
            }
    elif isinstance(embedded, Document):
        body['data'] = _identify(embedded)
    elif embedded is not None:
        body['data'] = [_identify(target) for target in embedded]
    elif relationship.to_one is not None:
        body['data'] = {'type': relationship.to_one.kind, 'id': relationship.to_one.id}
    present = {name: href for name, href in links.items() if href is not None}
    return {'links': present, **body} if present else body


def _top_level_links(document: Document) -> dict[str, str]:
    """Return the top-level links (§7.1), including the one to the OpenAPI document."""
    links = {rel: href for rel, href in _links(document).items() if rel in TOP_LEVEL}
    links['self'] = document.href if document.is_collection else document.href + document.selection.query
    base = _base(document)
    return links if base is None else links | {'describedby': base + urls.OPENAPI}


def _base(document: Document) -> str | None:
    """Return the beginning of all URLs of this API, taken from the CURIE of a document."""
    curies = document.links.get('curies', ())
    return None if isinstance(curies, Link) or not curies else curies[0].href.removesuffix(urls.RELATION)


def _relation_type(document: Document, rel: str) -> str:
    """Return the relation type of a link; our own is the URL of its documentation (RFC 8288 §2.1.2)."""
    base = _base(document)
    if ':' not in rel or base is None:
        return rel
    return base + urls.RELATION.format(rel=member(rel))


def _entries(document: Document) -> list[Document]:
    return _flatten(document) if document.is_collection else [document]


def _flatten(embedded: Embedded) -> list[Document]:
    """Return the embedded documents as a list: for a collection its items."""
    if isinstance(embedded, tuple):
        return list(embedded)
    return list(embedded.items) if embedded.is_collection else [embedded]


def _links(document: Document) -> dict[str, str]:
    """Return the links that JSON:API can represent: neither templates nor lists of links."""
    return {
        rel: link.href
        for rel, link in document.links.items()
        if isinstance(link, Link) and not link.templated
    }


def _identify(document: Document) -> dict[str, Any]:
    """Return the document as a resource identifier object (§7.3)."""
    return {'type': document.kind, 'id': document.id}
