"""Responses to writes: 201, the edit flow, and links to the resources that a write changed."""

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
    """A record that can tell whether a viewer may change it."""

    @property
    def id(self) -> int: ...

    def is_editable_by(self, viewer: Viewer | None) -> bool: ...


Record = TypeVar('Record', bound=Editable)


def add_invalidation_links(resp: falcon.Response, *urls: str) -> None:
    """Link to the other resources that a write changed (draft-nottingham-linked-cache-inv §3).

    Only the first MAX_INVALIDATION_LINKS are sent, so callers pass the most general URLs first.
    """
    if urls:
        links = (f'<{url}>; rel="invalidates"' for url in urls[:MAX_INVALIDATION_LINKS])
        resp.append_header('Link', ', '.join(links))


def respond_created(resp: falcon.Response, document: Document) -> None:
    """Respond with a new resource and its URL (RFC 9110 §15.3.2)."""
    resp.status, resp.location, resp.media = falcon.HTTP_201, document.href, document


def respond_no_content(resp: falcon.Response, *urls: str) -> None:
    """Respond without content to a write (RFC 9110 §15.3.5), with links to the URLs that it changed."""
    resp.status = falcon.HTTP_204
    add_invalidation_links(resp, *urls)


def apply_edit(
    req: Request, record: Record, represent: Assembler[Record], change: Callable[..., Record]
) -> Document:
    """Apply the submitted form to the record, and return its new representation.

    Checks the permission, parses the form, and checks the precondition; `change` repeats both checks on the
    locked row. Raises Forbidden, and what `read_form` and `change` raise.
    """
    require_permission(record.is_editable_by(req.viewer), req.viewer)
    check = precondition(req, represent)
    changes: dict[str, Any] = read_form(req, lambda: check(record))
    changed = change(req.db, record.id, changes, by=req.user, precondition=check)
    return represent(changed, req.viewer, req.builder)
