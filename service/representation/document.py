"""The format-neutral model of documents, from which all formats are rendered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from service.representation.action import Form
from service.representation.display import Crumb, Display


class Link(NamedTuple):
    """A link to an absolute URL, or to a URI template (RFC 6570) if it is `templated`.

    `type` is the media type of the target, if that is not one of our documents.
    """

    href: str
    templated: bool = False
    name: str | None = None
    type: str | None = None


DocumentKey = tuple[str, str | None]
"""The kind and the id of a document."""

Inclusion = Mapping[str, 'Inclusion']
"""A tree of the relations whose documents are to be included."""


class Selection(NamedTuple):
    """The related documents and the fields that a client requests with a document.

    `include` has the relations to include, None if the client did not specify any; `fields` maps kinds to the
    names of the requested fields; `query` is the query string with both.
    """

    include: Inclusion | None = None
    fields: Mapping[str, frozenset[str]] = {}
    query: str = ''


EVERYTHING = Selection()


def member(rel: str) -> str:
    """Return the member name of a relation: without our prefix, because JSON:API allows no colon in names."""
    return rel.rpartition(':')[2]


class Identifier(NamedTuple):
    """Identifies a document."""

    kind: str
    id: str


class Relationship(NamedTuple):
    """A relation to other documents of this API.

    `href` is the URL of the relationship itself, if it has one; `to_one` identifies the target of a relation
    to one document.
    """

    href: str | None = None
    to_one: Identifier | None = None


@dataclass(frozen=True)
class Document:
    """One resource as one viewer may see it now; it is complete, so rendering reads nothing else.

    `kind` is the plural name of its type (`users`); `id` is None if it has no id; `title` is its display
    name, if any. Each relation maps either to one Link or Document or to a tuple of them, the same for all
    documents of a kind. A collection embeds its `item`s and has `meta`; one with a `related` link is a
    relationship, of which only the identifiers of the items are rendered. `relationships` are the relations
    to other documents. `display` and the breadcrumbs in `parents` are for pages only.
    """

    kind: str
    id: str | None
    properties: Mapping[str, Any]
    links: Mapping[str, Link | tuple[Link, ...]]
    embedded: Mapping[str, 'Document | tuple[Document, ...]'] = field(default_factory=dict)
    forms: tuple[Form, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    title: str = ''
    relationships: Mapping[str, Relationship] = field(default_factory=dict)
    selection: Selection = EVERYTHING
    display: Display | None = None
    parents: tuple[Crumb, ...] = ()

    @property
    def outline(self) -> 'Document':
        """A document with the same relations and forms, whose URLs may have variables."""
        return self

    def render(self, part: 'Part') -> str:
        """Return a part of the document in one format."""
        return part(self)

    def href_of(self, rel: str) -> str:
        """Return the URL of a relation to one target, empty if there is none."""
        link = self.links.get(rel)
        return link.href if isinstance(link, Link) else ''

    @property
    def key(self) -> DocumentKey:
        """The kind and the id, which identify it."""
        return self.kind, self.id

    @property
    def is_collection(self) -> bool:
        """Whether it is a page of other documents."""
        return 'item' in self.embedded

    @property
    def items(self) -> tuple['Document', ...]:
        """The documents on the page; () if it is not a collection."""
        items = self.embedded.get('item', ())
        assert isinstance(items, tuple)
        return items

    @property
    def is_relationship(self) -> bool:
        """Whether it is a relationship itself: it has only the identifiers of other documents."""
        return 'related' in self.links

    @property
    def href(self) -> str:
        """The document's own URL."""
        link = self.links['self']
        assert isinstance(link, Link)
        return link.href

    @property
    def has_forms(self) -> bool:
        """Whether it, or anything embedded in it, offers a form."""
        return bool(self.outline.forms) or any(
            document.has_forms
            for documents in self.embedded.values()
            for document in (documents if isinstance(documents, tuple) else (documents,))
        )


Part = Callable[[Document], str]
"""A function that renders the links, forms or relationships of a document in one format.

It must not read anything else of the document: all documents of a Template share the result.
"""


def json_part(represent: Callable[[Document], Any]) -> Part:
    """Return the part that renders the result of the function as JSON."""

    def part(document: Document) -> str:
        return orjson.dumps(represent(document)).decode()

    return part
