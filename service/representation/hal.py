"""HAL (draft-kelly-json-hal-11): `_links`, `_embedded` and plain state."""

from collections.abc import Callable
from typing import Any

import orjson

from service.representation.document import Document, Link

More = Callable[[Document, bool], dict[str, Any]]


def plain(document: Document, outermost: bool) -> dict[str, Any]:
    """Return what HAL has beside the state, the links and what is embedded: nothing."""
    return {}


def render(document: Document, more: More, *, outermost: bool = True) -> dict[str, Any]:
    """Return the document as HAL, and with `more` members, those embedded in it likewise.

    `more` is told whether the document is the outermost one.
    """
    return _body(document, more, outermost, lambda one: render(one, more, outermost=False))


def write(document: Document, more: More, *, outermost: bool = True) -> bytes:
    """Return what `render` makes as JSON, with what is embedded copied as it was written before.

    A page of 100 is so mostly copied, where its entries have been asked for already.
    """

    def written(one: Document) -> orjson.Fragment:
        return orjson.Fragment(write(one, more, outermost=False))

    return document.rendered(
        (more, outermost), lambda: orjson.dumps(_body(document, more, outermost, written))
    )


def _body(
    document: Document, more: More, outermost: bool, embed: Callable[[Document], Any]
) -> dict[str, Any]:
    body: dict[str, Any] = {'_links': _links(document, outermost), **document.properties}
    if document.meta:
        body['_meta'] = dict(document.meta)
    if document.embedded:
        body['_embedded'] = {
            rel: [embed(one) for one in what] if isinstance(what, tuple) else embed(what)
            for rel, what in document.embedded.items()
        }
    body.update(more(document, outermost))
    return body


def _links(document: Document, outermost: bool) -> dict[str, Any]:
    """Return the links; `curies` belong on the outermost document alone (§8.2)."""
    return {
        rel: _link(what) if isinstance(what, Link) else [_link(one) for one in what]
        for rel, what in document.links.items()
        if outermost or rel != 'curies'
    }


def _link(link: Link) -> dict[str, Any]:
    shown: dict[str, Any] = {'href': link.href}
    if link.templated:
        shown['templated'] = True
    if link.name:
        shown['name'] = link.name
    if link.type:
        shown['type'] = link.type
    return shown
