"""Resources that their owners can edit and delete: their operations, and the flow of an edit."""

from collections.abc import Callable
from typing import Any

from service.domain.viewer import Record, require_editable
from service.http.conditional import precondition
from service.http.operation import Access, Operation, Samples
from service.http.request import Request
from service.http.request_body import read_form
from service.representation.action import Action
from service.representation.assembler import Assembler
from service.representation.document import Document
from service.representation.query_parameters import QueryOptions


def editable_operations(
    samples: Samples,
    form: Action,
    query: QueryOptions,
    *,
    get: tuple[str, str],
    put: tuple[str, str],
    patch: tuple[str, str],
    delete: tuple[str, str],
) -> dict[str, Operation]:
    """Return the operations of such a resource; each method has a summary and a description."""
    return {
        'GET': Operation(*get, {200: samples}, query=query),
        'PUT': Operation(*put, {200: samples}, Access.OWNER, form, query),
        'PATCH': Operation(*patch, {200: samples}, Access.OWNER, form, query),
        'DELETE': Operation(*delete, {204: None}, Access.OWNER, query=query),
    }


def apply_edit(
    req: Request, record: Record, represent: Assembler[Record], change: Callable[..., Record]
) -> Document:
    """Apply the submitted form to the record, and return its new representation.

    Checks the permission, parses the form, and checks the precondition; `change` repeats both checks on the
    locked row. Raises Forbidden, and what `read_form` and `change` raise.
    """
    require_editable(record, req.viewer)
    check = precondition(req, represent)
    changes: dict[str, Any] = read_form(req, lambda: check(record))
    changed = change(req.db, record.id, changes, by=req.user, precondition=check)
    return represent(changed, req.viewer, req.builder)
