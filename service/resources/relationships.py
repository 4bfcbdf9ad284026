"""Relationships by themselves, at URLs of their own (JSON:API 1.1 §6.2): which documents are related."""

import dataclasses
from typing import Any

import falcon

from service.http.operation import Formats, Operation, Samples
from service.http.request import Request
from service.representation.document import Document, Link, member
from service.representation.query_parameters import QueryOptions
from service.representation.url_builder import UrlBuilder

_PAGES = ('self', 'first', 'prev', 'next', 'last', 'hc:page')


class ToManyRelationship:
    """The identifiers of what is in a collection, page by page, as its resource lists it.

    `name` is what the description of the API calls it, `samples` are documents of what is in the collection.
    """

    def __init__(self, collection: Any, name: str, samples: Samples) -> None:
        listing: Operation = collection.operations['GET']
        self._collection = collection
        self.tag = collection.tag
        self.operation_name = f'{name}Relationship'
        self.operations = {
            'GET': dataclasses.replace(
                listing,
                summary=f'{listing.summary} by id',
                description=f'{listing.description} Their identifiers alone, in JSON:API.',
                responses={200: samples},
                query=listing.query._replace(can_include=False),
                formats=Formats.RELATIONSHIP,
            )
        }

    def on_get(self, req: Request, resp: falcon.Response, **ids: int) -> None:
        self._collection.on_get(req, resp, **ids)
        resp.media = as_relationship(resp.media, req.builder.url_for(req.path))


class ToOneRelationship:
    """The identifier of the one document that a relation of a resource leads to."""

    def __init__(self, resource: Any, rel: str, name: str, samples: Samples, related: Samples) -> None:
        self._resource = resource
        self._rel = rel
        self.tag = resource.tag
        self.operation_name = f'{name}Relationship'
        self.operations = {
            'GET': Operation(
                f'Identify the {member(rel)} of a {resource.operation_name.lower()}',
                f'The identifier of the {member(rel)} alone, in JSON:API; of a '
                f'{resource.operation_name.lower()}.',
                {200: Samples(related.kind, lambda builder: _samples(builder, samples, rel))},
                query=QueryOptions(related.kind.name),
                formats=Formats.RELATIONSHIP,
            )
        }

    def on_get(self, req: Request, resp: falcon.Response, **ids: int) -> None:
        self._resource.on_get(req, resp, **ids)
        resp.media = to_one_relationship(resp.media, self._rel)


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
    """Return a relation of the document that leads to one other, by itself."""
    relationship = document.relationships[rel]
    assert relationship.href is not None
    assert relationship.to_one is not None
    links = {
        'self': Link(relationship.href),
        'related': document.links[rel],
        'curies': document.links['curies'],
    }
    return Document(relationship.to_one.kind, relationship.to_one.id, {}, links)


def _samples(builder: UrlBuilder, samples: Samples, rel: str) -> dict[str, Document]:
    return {
        label: to_one_relationship(document, rel) for label, document in samples.documents(builder).items()
    }
