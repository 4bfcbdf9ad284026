"""HAL (draft-kelly-json-hal-11): `_links`, `_embedded` and the state as plain members."""

from collections.abc import Callable
from typing import Any

import orjson

from service.representation.document import Document, Link

Extras = Callable[[Document, bool], dict[str, Any]]


def no_extras(document: Document, outermost: bool) -> dict[str, Any]:
    """Return no extra members: plain HAL."""
    return {}


def to_dict(document: Document, extras: Extras, *, outermost: bool = True) -> dict[str, Any]:
    """Return the document as HAL; `extras` returns additional members for it and each embedded document.

    The second argument of `extras` is whether the document is the outermost one.
    """
    return _body(document, extras, outermost, lambda one: to_dict(one, extras, outermost=False))


def to_json(document: Document, extras: Extras, *, outermost: bool = True) -> bytes:
    """Return the result of `to_dict` as JSON.

    Embedded documents that were rendered before are copied, not rendered again.
    """

    def embed(one: Document) -> orjson.Fragment:
        return orjson.Fragment(to_json(one, extras, outermost=False))

    return document.render_once(
        (extras, outermost), lambda: orjson.dumps(_body(document, extras, outermost, embed))
    )


def _body(
    document: Document, extras: Extras, outermost: bool, embed: Callable[[Document], Any]
) -> dict[str, Any]:
    body: dict[str, Any] = {'_links': _links(document, outermost), **document.properties}
    if document.meta:
        body['_meta'] = dict(document.meta)
    if document.embedded:
        body['_embedded'] = {
            rel: [embed(one) for one in target] if isinstance(target, tuple) else embed(target)
            for rel, target in document.embedded.items()
        }
    body.update(extras(document, outermost))
    return body


def _links(document: Document, outermost: bool) -> dict[str, Any]:
    """Return the links; only the outermost document has `curies` (§8.2)."""
    return {
        rel: _link(target) if isinstance(target, Link) else [_link(one) for one in target]
        for rel, target in document.links.items()
        if outermost or rel != 'curies'
    }


def _link(link: Link) -> dict[str, Any]:
    members: dict[str, Any] = {'href': link.href}
    if link.templated:
        members['templated'] = True
    if link.name:
        members['name'] = link.name
    if link.type:
        members['type'] = link.type
    return members
