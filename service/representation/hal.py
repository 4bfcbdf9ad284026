"""HAL (draft-kelly-json-hal-11): `_links`, `_embedded` and the state as plain members."""

from collections.abc import Callable
from typing import Any

import orjson

from service.representation.document import Document, Link, json_part

Extras = Callable[[Document, bool], dict[str, Any]]


def no_extras(document: Document, outermost: bool) -> dict[str, Any]:
    """Return no extra members: plain HAL."""
    return {}


def to_json(document: Document, extras: Extras, *, outermost: bool = True) -> bytes:
    """Return the document as HAL; `extras` returns additional members for it and each embedded document.

    The second argument of `extras` is whether the document is the outermost one.
    """
    body = b'{"_links":' + document.render(_ALL_LINKS if outermost else _LINKS).encode()
    if document.properties:
        body += b',' + orjson.dumps(document.properties)[1:-1]
    if document.meta:
        body += b',"_meta":' + orjson.dumps(document.meta)
    if document.embedded:
        body += b',"_embedded":' + orjson.dumps(_embedded(document, extras))
    more = extras(document, outermost)
    if more:
        body += b',' + orjson.dumps(more)[1:-1]
    return body + b'}'


def _embedded(document: Document, extras: Extras) -> dict[str, Any]:
    def embed(inner: Document) -> orjson.Fragment:
        return orjson.Fragment(to_json(inner, extras, outermost=False))

    return {
        rel: [embed(inner) for inner in target] if isinstance(target, tuple) else embed(target)
        for rel, target in document.embedded.items()
    }


def _all_links(document: Document) -> dict[str, Any]:
    links: dict[str, Any] = {
        rel: _link(target) if isinstance(target, Link) else [_link(link) for link in target]
        for rel, target in document.links.items()
    }
    if document.is_collection:
        links['item'] = [{'href': item.href} for item in document.items]
    return links


def _links(document: Document) -> dict[str, Any]:
    """Return the links without `curies`, which only the outermost document has (§8.2)."""
    return {rel: target for rel, target in _all_links(document).items() if rel != 'curies'}


_ALL_LINKS, _LINKS = json_part(_all_links), json_part(_links)


def _link(link: Link) -> dict[str, Any]:
    members: dict[str, Any] = {'href': link.href}
    if link.templated:
        members['templated'] = True
    if link.name:
        members['name'] = link.name
    if link.type:
        members['type'] = link.type
    return members
