"""Reading JSON:API bodies: what is submitted of a resource (§9.1, §9.2), and linkage (§9.3.2)."""

from collections.abc import Mapping
from typing import Any

from service.database.ids import is_id
from service.domain.errors import NotFound
from service.representation.strict_input import MalformedBody


class ResourceMismatch(ValueError):
    """The type or the id in a body is not that of the resource at the address (§9.1.4, §9.2.4)."""

    def __init__(self, detail: str, pointer: str) -> None:
        super().__init__(detail)
        self.pointer = pointer


class ClientGeneratedId(ValueError):
    """A new resource came with an id, which is the server's to make (§9.1.2)."""

    pointer = '/data/id'


def read_resource(body: Mapping[str, Any], kind: str, resource_id: str | None) -> dict[str, Any]:
    """Return the attributes of the resource object, which is of this kind and has this id, or is new.

    Relationships and other members are ignored. Raises MalformedBody, ResourceMismatch, ClientGeneratedId.
    """
    data = _member(body, 'data', dict, 'a resource object', '')
    _check_kind(data, kind, '/data')
    if resource_id is None:
        if 'id' in data:
            raise ClientGeneratedId('A new resource has no id yet: the server makes it.')
    elif _member(data, 'id', str, 'text', '/data') != resource_id:
        raise ResourceMismatch(f'The id at this address is {resource_id}.', '/data/id')
    attributes: dict[str, Any] = _member(data, 'attributes', dict, 'an object', '/data', optional=True)
    return attributes


def read_linkage(body: Mapping[str, Any], kind: str) -> list[int]:
    """Return the ids of the resource identifier objects, which are of this kind.

    Raises MalformedBody, ResourceMismatch, and NotFound for an id that nothing can have.
    """
    ids = []
    for place, identifier in enumerate(_member(body, 'data', list, 'an array', '')):
        pointer = f'/data/{place}'
        if not isinstance(identifier, dict):
            raise MalformedBody(f'{pointer} must be a resource identifier object.', pointer)
        _check_kind(identifier, kind, pointer)
        resource_id = _member(identifier, 'id', str, 'text', pointer)
        if not is_id(resource_id):
            raise NotFound(f'Nothing of type {kind} has the id {resource_id[:80]!r}.')
        ids.append(int(resource_id))
    return ids


def _check_kind(data: Mapping[str, Any], kind: str, pointer: str) -> None:
    if _member(data, 'type', str, 'text', pointer) != kind:
        raise ResourceMismatch(f'The type at this address is {kind}.', f'{pointer}/type')


def _member(
    data: Mapping[str, Any], name: str, of: type, shape: str, pointer: str, *, optional: bool = False
) -> Any:
    if optional and name not in data:
        return of()
    if not isinstance(data.get(name), of):
        raise MalformedBody(f'{pointer}/{name} must be {shape}.', f'{pointer}/{name}')
    return data[name]
