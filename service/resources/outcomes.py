"""What a write that succeeded leads to: something new, or something changed."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import falcon

from service.domain.viewer import Viewer, require_permission
from service.middleware.body import submit
from service.middleware.conditional import Represent, precondition
from service.middleware.request import Request
from service.representation.action import Action
from service.representation.document import Document


class Editable(Protocol):
    """A thing that may be changed by some, and says by whom."""

    @property
    def id(self) -> int: ...

    def is_editable_by(self, viewer: Viewer | None) -> bool: ...


Thing = TypeVar('Thing', bound=Editable)


def created(resp: falcon.Response, document: Document) -> None:
    """Answer with what is new, and where it is (RFC 9110 §15.3.2)."""
    resp.status, resp.location, resp.media = falcon.HTTP_201, document.href, document


def edited(
    req: Request, thing: Thing, represent: Represent[Thing], action: Action, change: Callable[..., Thing]
) -> Document:
    """Return the thing as it is after the submitted form changed it.

    Who may is asked first, then the form is read, then the precondition is asked of the thing as it is; the
    domain's `change` asks both again of the row that it changes. Raises what `submit` and `change` raise,
    and Forbidden.
    """
    require_permission(thing.is_editable_by(req.viewer))
    given = precondition(req, represent)
    changes: dict[str, Any] = submit(req, action, given, thing)
    changed = change(req.db, thing.id, changes, by=req.caller, precondition=given)
    return represent(changed, req.viewer, req.book)
