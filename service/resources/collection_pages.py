"""Representation of one page of a collection."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

from service.database.pagination import Page
from service.http.request import Request
from service.representation.action import Form
from service.representation.assembler import Assembler
from service.representation.display import Crumb, Display
from service.representation.document import Document, Link
from service.representation.kind import Kind
from service.representation.query import Query
from service.representation.url_builder import UrlBuilder

NO_LINKS: Mapping[str, Link] = {}


class PageExtras(TypedDict, total=False):
    """The members of Document that a collection sets for its pages."""

    forms: tuple[Form, ...]
    title: str
    display: Display | None
    parents: tuple[Crumb, ...]


def represent_listing(
    req: Request,
    kind: Kind,
    url: str,
    page: Page,
    represent: Assembler[Any],
    *,
    query: Query | None = None,
    links: Mapping[str, Link] = NO_LINKS,
    **extras: Unpack[PageExtras],
) -> Document:
    """Return the requested page of a collection, each entry as the viewer may see it.

    `query` replaces the query of the request if the page is included in another resource. The page has the
    display of the `kind` unless another one is passed.
    """
    extras.setdefault('display', kind.display)
    items = [represent(entry, req.viewer, req.builder) for entry in page.entries]
    return represent_page(kind.name, url, query or req.query, page, items, req.builder, links=links, **extras)


def represent_page(
    kind: str,
    url: str,
    query: Query,
    page: Page,
    items: Sequence[Document],
    builder: UrlBuilder,
    *,
    links: Mapping[str, Link] = NO_LINKS,
    **extras: Unpack[PageExtras],
) -> Document:
    """Return a page of a collection of `kind` at an absolute URL, with links to the other pages."""
    return Document(
        kind=kind,
        id=None,
        properties={},
        links={
            'self': Link(url + query.self_query()),
            'curies': builder.curies,
            **{rel: Link(url + other) for rel, other in query.page_links(page).items()},
            'hc:page': Link(url + query.page_template(), templated=True),
            **links,
        },
        embedded={'item': tuple(items)},
        meta=_meta(query, page),
        **extras,
    )


def _meta(query: Query, page: Page) -> dict[str, Any]:
    """Return the position of the page; a page that was requested by a cursor alone has no number."""
    number = {'page': page.page} if query.is_numbered else {}
    return number | {
        'per_page': page.per_page,
        'total_pages': page.total_pages,
        'total_items': page.total_items,
    }
