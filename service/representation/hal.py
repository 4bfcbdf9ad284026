"""HAL (draft-kelly-json-hal-11): `_links`, `_embedded` and plain state."""

from collections.abc import Callable
from typing import Any

from service.representation.document import Document, Link


def hal(document: Document) -> dict[str, Any]:
    """Return the document as HAL."""
    return render(document, lambda document: {})


def render(document: Document, more: Callable[[Document], dict[str, Any]]) -> dict[str, Any]:
    """Return the document as HAL, and with `more` members, those embedded in it likewise.

    `curies` belong on the outermost document alone (§8.2).
    """
    return _body(document, _links(document), more)


def _embedded(document: Document, more: Callable[[Document], dict[str, Any]]) -> dict[str, Any]:
    links = _links(document)
    links.pop('curies', None)
    return _body(document, links, more)


def _body(
    document: Document, links: dict[str, Any], more: Callable[[Document], dict[str, Any]]
) -> dict[str, Any]:
    body: dict[str, Any] = {'_links': links, **document.properties}
    if document.meta:
        body['_meta'] = dict(document.meta)
    if document.embedded:
        body['_embedded'] = {
            rel: [_embedded(one, more) for one in what] if isinstance(what, tuple) else _embedded(what, more)
            for rel, what in document.embedded.items()
        }
    body.update(more(document))
    return body


def _links(document: Document) -> dict[str, Any]:
    return {
        rel: _link(what) if isinstance(what, Link) else [_link(one) for one in what]
        for rel, what in document.links.items()
    }


def _link(link: Link) -> dict[str, Any]:
    shown: dict[str, Any] = {'href': link.href}
    if link.templated:
        shown['templated'] = True
    if link.name:
        shown['name'] = link.name
    return shown
