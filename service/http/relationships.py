"""Relationships in bodies (JSON:API 1.1 §9.1, §9.2.2): unchanged ones are accepted, changes are rejected."""

from collections.abc import Mapping
from typing import Any

from service.database.ids import is_id
from service.database.pagination import PageRequest
from service.domain.errors import NotFound
from service.http.request import Request
from service.representation.document import Document, Identifier, member
from service.representation.json_api_input import RelationshipError, read_identifiers, relationship_pointer


def check_relationships(req: Request, relationships: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise unless all linkage equals the linkage of the resource, or of the resource to be created.

    Raises MalformedBody for invalid linkage, ResourceMismatch for another type, and RelationshipError for a
    related resource that does not exist, and for a change, which is never supported here.
    """
    kind = req.operation.query.kind
    relations = {member(rel): rel for rel in req.related.kinds.get(kind, {})}
    for name, relationship in relationships.items():
        if 'data' not in relationship:
            continue
        rel = relations.get(name)
        if rel is None:
            raise RelationshipError(f'The relationship {name[:80]} cannot be set here.', name)
        is_to_many = (kind, rel) in req.related.pages
        related_kind = req.related.kinds[kind][rel]
        pointer = f'{relationship_pointer(name)}/data'
        submitted = read_identifiers(relationship['data'], related_kind, pointer, is_to_many=is_to_many)
        current = _current_members(req, kind, rel, len(submitted)) if is_to_many else _current(req, kind, rel)
        if current != submitted:
            _reject_change(req, related_kind, submitted - (current or set()), name)


def _reject_change(req: Request, kind: str, unrelated: set[str], name: str) -> None:
    ids = [int(text) for text in unrelated if is_id(text)]
    if len(req.related.resources[kind](req, ids)) < len(unrelated):
        detail = f'{name} has an id for which there is no resource of type {kind}.'
        raise RelationshipError(detail, name, names_unknown=True)
    raise RelationshipError(f'The relationship {name} cannot be changed here.', name)


def _current(req: Request, kind: str, rel: str) -> set[str]:
    """Return the id of the target of a to-one relation, as a set that is empty if there is no target."""
    if req.operation.linkage is not None:
        return {req.operation.linkage(req)[rel].id}
    target: Identifier | None = _document(req, kind).relationships[rel].to_one
    return {target.id} if target else set()


def _current_members(req: Request, kind: str, rel: str, count: int) -> set[str] | None:
    """Return the ids of the targets of a to-many relation, None unless there are `count` of them.

    A new resource has no targets.
    """
    if req.operation.linkage is not None or req.method == 'POST':
        return set()
    query = req.query.first_page()._replace(page_request=PageRequest(per_page=count + 1))
    page = req.related.pages[kind, rel](req, [int(req.resource_id)], query)[int(req.resource_id)]
    return {item.id or '' for item in page.items} if page.meta['total_items'] == count else None


def _document(req: Request, kind: str) -> Document:
    resource_id = int(req.resource_id)
    document = req.related.resources[kind](req, [resource_id]).get(resource_id)
    if document is None:
        raise NotFound(f'No resource of type {kind} has the id {resource_id}.')
    return document
