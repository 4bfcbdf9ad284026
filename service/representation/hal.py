"""HAL (draft-kelly-json-hal-11): `_links`, `_embedded` and the state as plain members."""

from typing import Any, Protocol

import orjson

from service.representation.document import Document, Link, json_part


class Members(Protocol):
    """Returns the members of a document, which may be Documents themselves."""

    def __call__(self, document: Document, *, is_outermost: bool = False) -> dict[str, Any]: ...


def hal_members(document: Document, *, is_outermost: bool = False) -> dict[str, Any]:
    """Return the members of the document in HAL; only the outermost one has `curies` (§8.2)."""
    links = document.render(_ALL_LINKS if is_outermost else _LINKS)
    members: dict[str, Any] = {'_links': orjson.Fragment(links), **document.properties}
    if document.meta:
        members['_meta'] = document.meta
    if document.embedded:
        members['_embedded'] = document.embedded
    return members


def to_json(document: Document, members_of: Members = hal_members) -> bytes:
    """Return the document as JSON, each embedded one with its `members_of`."""
    return orjson.dumps(members_of(document, is_outermost=True), members_of, orjson.OPT_PASSTHROUGH_DATACLASS)


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
