"""Relationships and related resources at their own URLs (JSON:API 1.1 §8.1, §8.2)."""

import dataclasses
from typing import Any

import falcon

from service.domain.errors import NotFound
from service.http.operation import Formats, Operation, Route, Samples
from service.http.request import Request
from service.http.selection import find_related
from service.representation.document import Document, Link, member
from service.representation.query import PAGE_RELATIONS
from service.representation.query_parameters import QueryOptions
from service.representation.url_builder import UrlBuilder
from service.resources.response_samples import sample_pages

_PAGES = ('self', *PAGE_RELATIONS, 'hc:page')


class ToManyRelationship:
    """A relationship to the documents of a collection, with the same pages as the collection.

    `samples` are sample pages of the relationship.
    """

    def __init__(self, collection: Any, samples: Samples) -> None:
        listing: Operation = collection.operations['GET']
        self._collection = collection
        self.tag = collection.tag
        self.operation_name = f'{collection.operation_name}Relationship'
        self.operations = {
            'GET': dataclasses.replace(
                listing,
                summary=f'{listing.summary} by id',
                description=f'{listing.description} Only their identifiers, in JSON:API.',
                responses={200: samples},
                query=listing.query._replace(can_include=False),
                formats=Formats.RELATIONSHIP,
            )
        }

    def on_get(self, req: Request, resp: falcon.Response, **ids: int) -> None:
        self._collection.on_get(req, resp, **ids)
        resp.media = as_relationship(resp.media, req.builder.url_for(req.path))


def to_many_route(template: str, related: str, collection: Any, samples: Samples) -> Route:
    """Return the route of a relationship; `related` is the URL template of its collection.

    `samples` are those of the entries.
    """
    pages = sample_pages(template, samples, related=related)
    return template, ToManyRelationship(collection, pages)


class ToOneRelationship:
    """A relationship of a resource to one document; `related` has samples of the other document."""

    def __init__(self, resource: Any, rel: str, related: Samples) -> None:
        samples: Samples = resource.operations['GET'].responses[200]
        self._resource = resource
        self._rel = rel
        self.tag = resource.tag
        self.operation_name = f'{_name_of(resource, rel)}Relationship'
        noun = resource.operation_name.lower()
        owner = f'{"an" if noun[0] in "aeiou" else "a"} {noun}'
        self.operations = {
            'GET': Operation(
                f'Identify the {member(rel)} of {owner}',
                f'Only the identifier of the {member(rel)} of {owner}, in JSON:API.',
                {200: Samples(related.kind, lambda builder: _samples(builder, samples, rel))},
                query=QueryOptions(related.kind.name),
                formats=Formats.RELATIONSHIP,
            )
        }

    def on_get(self, req: Request, resp: falcon.Response, **ids: int) -> None:
        self._resource.on_get(req, resp, **ids)
        resp.media = to_one_relationship(resp.media, self._rel)


class RelatedResource:
    """The target of a to-one relationship of a resource, at the URL of its `related` link."""

    def __init__(self, resource: Any, rel: str, operation: Operation) -> None:
        self._resource = resource
        self._rel = rel
        self.tag = resource.tag
        self.operation_name = _name_of(resource, rel)
        self.operations = {'GET': operation}

    def on_get(self, req: Request, resp: falcon.Response, **ids: int) -> None:
        self._resource.on_get(req, resp, **ids)
        related = find_related(req, [resp.media], self._rel)
        if not related:
            raise NotFound('It has just been deleted.')
        [resp.media] = related.values()
        own_url = resp.media.href + req.query.selection.query
        resp.set_header('Content-Location', own_url)  # RFC 9110 §8.7


def as_relationship(listing: Document, href: str) -> Document:
    """Return the page of a collection as the same page of the relationship at `href`."""
    url = listing.href.partition('?')[0]
    links = {
        rel: link._replace(href=href + link.href.removeprefix(url))
        for rel in _PAGES
        if isinstance(link := listing.links.get(rel), Link)
    }
    related = {**listing.links, **links, 'related': Link(url)}
    return dataclasses.replace(listing, links=related, forms=())


def to_one_relationship(document: Document, rel: str) -> Document:
    """Return the relationship of the document to one other document."""
    relationship = document.relationships[rel]
    assert relationship.href is not None
    assert relationship.to_one is not None
    links = {
        'self': Link(relationship.href),
        'related': document.links[rel],
        'curies': document.links['curies'],
    }
    return Document(relationship.to_one.kind, relationship.to_one.id, {}, links)


def _name_of(resource: Any, rel: str) -> str:
    """Return the name of a related document in the OpenAPI document: `PostAuthor`."""
    return f'{resource.operation_name}{member(rel).capitalize()}'


def _samples(builder: UrlBuilder, samples: Samples, rel: str) -> dict[str, Document]:
    return {
        label: to_one_relationship(document, rel) for label, document in samples.documents(builder).items()
    }
