"""Templates of documents: the common content of many documents, with variables in the URLs."""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from service.representation.action import Form
from service.representation.display import Crumb
from service.representation.document import Document, Link, Part, Relationship

# Private-use characters: our URLs do not contain them, and JSON does not escape them.
_START, _END = '\ue000', '\ue001'
_VARIABLE = re.compile(f'{_START}([a-z_]+){_END}')
MAX_TEMPLATES = 256  # cached for each kind of document: one for each origin and kind of viewer
_NOTHING: Mapping[str, Any] = {}


def variable(name: str) -> str:
    """Return a placeholder for a value in the URLs of a template."""
    return f'{_START}{name}{_END}'


class Template:
    """Makes documents that differ only in their properties, their embedded documents, and values in URLs.

    `outline` is a document with the links and forms that such documents have for one kind of viewer. It has
    a `variable` for each value in a URL, an identifier or a parent's label. Values in URLs must need no
    escaping. The forms of a document are filled with its properties.

    Making a document is fast: each format renders the links once for all documents, and Link objects are made
    only when they are read.
    """

    def __init__(self, outline: Document) -> None:
        self.outline = outline
        self._common = {
            'kind': outline.kind,
            'meta': outline.meta,
            'display': outline.display,
            'template': self,
        }
        self.format_strings = Document(
            outline.kind,
            None,
            {},
            _links(outline, _format_string),
            forms=_forms(outline, _format_string, {}),
            relationships=_relationships(outline, _format_string),
            parents=_parents(outline, _format_string),
        )
        self.href = self.format_strings.href
        self._parts: dict[Part, str] = {}

    def fill(
        self,
        id: str,
        properties: Mapping[str, Any],
        values: Mapping[str, Any],
        *,
        title: str = '',
        embedded: Mapping[str, Document] = _NOTHING,
    ) -> Document:
        """Return the document with these properties; `values` has the value of each variable."""
        document = object.__new__(_FilledTemplate)
        members = document.__dict__  # the constructor of a frozen dataclass takes several times as long
        members.update(self._common)
        members['id'] = id
        members['properties'] = properties
        members['values'] = values
        members['title'] = title
        members['embedded'] = embedded
        return document

    def render(self, part: Part, values: Mapping[str, Any]) -> str:
        """Return a part of the document with these values, which are escaped if the part is Markup."""
        text = self._parts.get(part)
        if text is None:
            rendered = self.outline.render(part)
            text = self._parts[part] = type(rendered)(_format_string(rendered))
        return text % values


class _FilledTemplate(Document):
    """A document whose links, forms, relationships and parents are made when they are first read.

    A copy made by `dataclasses.replace` has all of them, and no template.
    """

    template: Template | None = None
    values: Mapping[str, Any] = _NOTHING

    @cached_property
    def links(self) -> Mapping[str, Link | tuple[Link, ...]]:
        return _links(self._format_strings, self._fill)

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        return _forms(self._format_strings, self._fill, self.properties)

    @cached_property
    def relationships(self) -> Mapping[str, Relationship]:
        return _relationships(self._format_strings, self._fill)

    @cached_property
    def parents(self) -> tuple[Crumb, ...]:
        return _parents(self._format_strings, self._fill)

    @property
    def outline(self) -> Document:
        return self if self.template is None else self.template.outline

    @property
    def href(self) -> str:
        return super().href if self.template is None else self.template.href % self.values

    def render(self, part: Part) -> str:
        return super().render(part) if self.template is None else self.template.render(part, self.values)

    def href_of(self, rel: str) -> str:
        if self.template is None:
            return super().href_of(rel)
        link = self._format_strings.links.get(rel)
        return self._fill(link.href) if isinstance(link, Link) else ''

    @property
    def _format_strings(self) -> Document:
        assert self.template is not None
        return self.template.format_strings

    def _fill(self, text: str) -> str:
        return text % self.values


def _format_string(text: str) -> str:
    return _VARIABLE.sub(r'%(\1)s', text.replace('%', '%%'))


def _links(document: Document, change: Callable[[str], str]) -> dict[str, Link | tuple[Link, ...]]:
    return {
        rel: Link(change(link.href), *link[1:])
        if isinstance(link, Link)
        else tuple(Link(change(target.href), *target[1:]) for target in link)
        for rel, link in document.links.items()
    }


def _forms(document: Document, change: Callable[[str], str], values: Mapping[str, Any]) -> tuple[Form, ...]:
    return tuple(form.action.at(change(form.target), values) for form in document.forms)


def _relationships(document: Document, change: Callable[[str], str]) -> dict[str, Relationship]:
    return {
        rel: Relationship(href and change(href), to_one and to_one._replace(id=change(to_one.id)))
        for rel, (href, to_one) in document.relationships.items()
    }


def _parents(document: Document, change: Callable[[str], str]) -> tuple[Crumb, ...]:
    return tuple(Crumb(change(crumb.label), change(crumb.href)) for crumb in document.parents)
