"""HAL: finding the members of a document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from service.conformance.crawler import FoundLink
from service.conformance.exchange import (
    HAL,
    HAL_FORMS,
    HAL_TYPES,
    JSON,
    Exchange,
    Located,
    entries,
    found_once,
    members,
    pointer,
)
from service.conformance.rules import Standard
from service.conformance.syntax import expand

DRAFT = Standard('draft-kelly-json-hal-11', 'https://datatracker.ietf.org/doc/html/draft-kelly-json-hal-11')


class Link(NamedTuple):
    """An entry of `_links`, of any type, with its relation and its JSON Pointer."""

    where: str
    rel: str
    value: Any

    @property
    def href(self) -> Any:
        return self.value.get('href') if isinstance(self.value, dict) else None


def is_hal(exchange: Exchange) -> bool:
    """Return whether it is a HAL document, by its media type or, if HAL was requested, by its members."""
    response = exchange.response
    if not response.is_whole or not response.is_json:
        return False
    return response.media_type in HAL_TYPES or is_unlabelled(exchange)


def is_unlabelled(exchange: Exchange) -> bool:
    """Return whether it looks like HAL, was requested as HAL, and is labelled as plain JSON."""
    document = exchange.response.document
    is_requested = exchange.context.get('accept', '') in (HAL, HAL_FORMS)
    labelled = exchange.response.media_type == JSON
    return is_requested and labelled and isinstance(document, dict) and '_links' in document


@found_once
def resources(exchange: Exchange) -> Iterator[Located]:
    """Yield the resource objects of a document, the root first."""
    return _resources('', exchange.response.document)


def _resources(where: str, value: Any) -> Iterator[Located]:
    if isinstance(value, dict):
        yield Located(where, value)
        for rel, embedded in members(value.get('_embedded')):
            here = where + pointer('_embedded', rel)
            if isinstance(embedded, dict):
                yield from _resources(here, embedded)
            for number, entry in entries(embedded):
                yield from _resources(here + pointer(number), entry)


@found_once
def links(exchange: Exchange) -> Iterator[Link]:
    """Yield the links of all resource objects of a document."""
    for where, resource in resources(exchange):
        yield from links_of(resource, where)


def links_of(resource: dict[str, Any], where: str = '') -> Iterator[Link]:
    """Yield the links of one resource object."""
    for rel, value in members(resource.get('_links')):
        here = where + pointer('_links', rel)
        if isinstance(value, list):
            for number, entry in enumerate(value):
                yield Link(here + pointer(number), rel, entry)
        else:
            yield Link(here, rel, value)


@found_once
def link_objects(exchange: Exchange) -> Iterator[Link]:
    """Yield the links that are objects."""
    return (link for link in links(exchange) if isinstance(link.value, dict))


@found_once
def links_with_href(exchange: Exchange) -> Iterator[Link]:
    """Yield the link objects that have a string as href."""
    return (link for link in link_objects(exchange) if isinstance(link.href, str))


def selves(resource: Any) -> Iterator[str]:
    """Yield the references of a resource object's self links."""
    if isinstance(resource, dict):
        yield from (
            link.href for link in links_of(resource) if link.rel == 'self' and isinstance(link.href, str)
        )


def is_templated(link: Link) -> bool:
    return isinstance(link.value, dict) and link.value.get('templated') is True


def find_links(exchange: Exchange) -> Iterator[FoundLink]:
    """Yield the links that a crawler may follow: URLs, and templates with variables in the query only."""
    if not is_hal(exchange):
        return
    for link in links_with_href(exchange):
        if link.rel == 'curies':
            continue
        reference = expand(link.href, {}) if is_templated(link) else link.href
        if '{' not in re.sub(r'\{[?&][^}]*\}', '', link.href):
            yield FoundLink(link.rel, reference, link.where)


def curies(document: Any) -> dict[str, str]:
    """Return the templates of the root's CURIEs by name."""
    root = document if isinstance(document, dict) else {}
    templates = {}
    for link in links_of(root):
        if link.rel == 'curies' and isinstance(link.value, dict) and isinstance(link.href, str):
            templates[str(link.value.get('name'))] = link.href
    return templates


def relations(exchange: Exchange) -> Iterator[Located]:
    """Yield each relation of links and embedded resources."""
    for where, resource in resources(exchange):
        for reserved in ('_links', '_embedded'):
            for rel, _ in members(resource.get(reserved)):
                yield Located(where + pointer(reserved, rel), rel)
