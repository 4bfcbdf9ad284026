"""Responses to writes: 201, the edit flow, and the links to what a write made stale."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import falcon

from service.domain.viewer import Viewer, require_permission
from service.http.conditional import precondition
from service.http.request import Request
from service.http.request_body import read_form
from service.representation.assembler import Assembler
from service.representation.document import Document

MAX_INVALIDATION_LINKS = 20  # servers and proxies limit the size of header fields


class Editable(Protocol):
    """An object that tells who may change it."""

    @property
    def id(self) -> int: ...

    def is_editable_by(self, viewer: Viewer | None) -> bool: ...


Thing = TypeVar('Thing', bound=Editable)


def add_invalidation_links(resp: falcon.Response, *addresses: str) -> None:
    """Link to the other resources that a write changed (draft-nottingham-linked-cache-inv §3).

    The most general ones come first, because no more than MAX_INVALIDATION_LINKS are sent.
    """
    for address in addresses[:MAX_INVALIDATION_LINKS]:
        resp.append_header('Link', f'<{address}>; rel="invalidates"')


def respond_created(resp: falcon.Response, document: Document) -> None:
    """Respond with a new resource and its URL (RFC 9110 §15.3.2)."""
    resp.status, resp.location, resp.media = falcon.HTTP_201, document.href, document


def respond_related(resp: falcon.Response, document: Document) -> None:
    """Respond with a resource that is at another URL, its own (RFC 9110 §8.7)."""
    resp.media = document
    resp.set_header('Content-Location', document.href)


def apply_edit(
    req: Request, thing: Thing, represent: Assembler[Thing], change: Callable[..., Thing]
) -> Document:
    """Return the thing as it is after the submitted form changed it.

    It checks the permission, parses the form, and checks the precondition; the domain's `change` repeats both
    checks on the locked row. Raises what `read_form` and `change` raise,
    and Forbidden.
    """
    require_permission(thing.is_editable_by(req.viewer))
    given = precondition(req, represent)
    changes: dict[str, Any] = read_form(req, lambda: given(thing))
    changed = change(req.db, thing.id, changes, by=req.user, precondition=given)
    return represent(changed, req.viewer, req.builder)
