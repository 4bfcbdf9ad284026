"""Reading JSON:API bodies: resource objects (§9.1, §9.2) and linkage (§9.3.2)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from service.representation.strict_input import MalformedBody

MAX_NAME_LENGTH = 80  # of a relationship, in an error
_RELATIONSHIP_MEMBERS = frozenset(('data', 'links', 'meta'))  # of which one is required (§7.2.2.2)


class ResourceMismatch(ValueError):
    """The type or the id in a body is not that of the resource at the URL (§9.1.2, §9.2.3)."""

    def __init__(self, detail: str, pointer: str) -> None:
        super().__init__(detail)
        self.pointer = pointer


class ClientGeneratedId(ValueError):
    """A new resource has an id, which only the server can assign (§9.1.1)."""

    pointer = '/data/id'


class RelationshipError(ValueError):
    """A relationship in a body cannot be set: it names unknown resources, or cannot be changed here."""

    def __init__(self, detail: str, relationship: str, *, names_unknown: bool = False) -> None:
        super().__init__(detail)
        self.pointer = relationship_pointer(relationship)
        self.names_unknown = names_unknown


def relationship_pointer(name: str) -> str:
    """Return the JSON Pointer to a relationship in a body (RFC 6901 §3)."""
    return '/data/relationships/' + name[:MAX_NAME_LENGTH].replace('~', '~0').replace('/', '~1')


class SubmittedResource(NamedTuple):
    """The attributes and relationships of a resource object in a body."""

    attributes: dict[str, Any]
    relationships: dict[str, Any]


def read_resource(body: Mapping[str, Any], kind: str, resource_id: str | None) -> SubmittedResource:
    """Return the attributes and relationships of the resource object; other members are ignored.

    It must be of this kind, and have this id, or no id if `resource_id` is None. Raises MalformedBody,
    ResourceMismatch and ClientGeneratedId.
    """
    data = _member(body, 'data', dict, 'a resource object', '')
    _check_kind(data, kind, '/data')
    if resource_id is None:
        if data.get('id') is not None:
            raise ClientGeneratedId('A new resource must not have an id: the server assigns it.')
    elif _member(data, 'id', str, 'text', '/data') != resource_id:
        raise ResourceMismatch(f'The id at this URL is {resource_id}.', '/data/id')
    relationships = _member(data, 'relationships', dict, 'an object', '/data', optional=True)
    for name in relationships:
        relationship = _member(relationships, name, dict, 'a relationship object', '/data/relationships')
        if not relationship.keys() & _RELATIONSHIP_MEMBERS:
            pointer = relationship_pointer(name)
            raise MalformedBody(f'{pointer} must have data, links or meta.', pointer)
    attributes = _member(data, 'attributes', dict, 'an object', '/data', optional=True)
    return SubmittedResource(attributes, relationships)


def read_linkage(body: Mapping[str, Any], kind: str) -> list[str]:
    """Return the ids of the resource identifier objects, which must be of this kind.

    Raises MalformedBody and ResourceMismatch.
    """
    identifiers = _member(body, 'data', list, 'an array', '')
    return [_read_id(identifier, kind, f'/data/{index}') for index, identifier in enumerate(identifiers)]


def read_identifiers(data: Any, kind: str, pointer: str, *, is_to_many: bool) -> set[str]:
    """Return the ids in the linkage of a relationship to documents of this kind; null is an empty set.

    Raises MalformedBody and ResourceMismatch.
    """
    if not is_to_many:
        return set() if data is None else {_read_id(data, kind, pointer)}
    if not isinstance(data, list):
        raise MalformedBody(f'{pointer} must be an array.', pointer)
    return {_read_id(identifier, kind, f'{pointer}/{index}') for index, identifier in enumerate(data)}


def _read_id(identifier: Any, kind: str, pointer: str) -> str:
    if not isinstance(identifier, dict):
        raise MalformedBody(f'{pointer} must be a resource identifier object.', pointer)
    _check_kind(identifier, kind, pointer)
    resource_id: str = _member(identifier, 'id', str, 'text', pointer)
    return resource_id


def existing_pointer(body: Any, pointer: str) -> str:
    """Return the pointer, or that of the nearest enclosing value that is in the body (RFC 6901)."""
    existing = ''
    for token in pointer.split('/')[1:]:
        key = token.replace('~1', '/').replace('~0', '~')
        if isinstance(body, list) and key.isdigit() and int(key) < len(body):
            body = body[int(key)]
        elif isinstance(body, dict) and key in body:
            body = body[key]
        else:
            break
        existing += f'/{token}'
    return existing


def _check_kind(data: Mapping[str, Any], kind: str, pointer: str) -> None:
    if _member(data, 'type', str, 'text', pointer) != kind:
        raise ResourceMismatch(f'{pointer}/type must be {kind}.', f'{pointer}/type')


def _member(
    data: Mapping[str, Any],
    name: str,
    expected: type,
    description: str,
    pointer: str,
    *,
    optional: bool = False,
) -> Any:
    if optional and name not in data:
        return expected()
    if not isinstance(data.get(name), expected):
        raise MalformedBody(f'{pointer}/{name} must be {description}.', f'{pointer}/{name}')
    return data[name]
