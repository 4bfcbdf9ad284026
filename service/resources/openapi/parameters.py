"""Parameters: what the address, the query and the headers of a request can say."""

from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from service.domain.clock import LARGEST_ID
from service.representation.document import Document, Link
from service.representation.json_api import member
from service.representation.json_api_queries import JsonApiDialect
from service.representation.json_schema import Schema, schema_of_field
from service.representation.media_types import JSON_API
from service.representation.queries import MOST_PER_PAGE
from service.resources import made_up
from service.resources.openapi.operations import Operation
from service.resources.openapi.shown import Shown

_ID: Schema = {'type': 'integer', 'format': 'int64', 'minimum': 1, 'maximum': LARGEST_ID}
_COUNT: Schema = {'type': 'integer', 'minimum': 1}
_TEXT: Schema = {'type': 'string'}
_MEMBERS = r'^[a-z_]+(,[a-z_]+)*$'
_CONDITIONS = {
    'If-Match': 'Change it only if one of these is its validator now.',
    'If-None-Match': 'Do it only if none of these is its validator now.',
    'Idempotency-Key': 'With the same key the same request takes effect once.',
}


def path_parameters(operation: Operation, shown: Shown) -> list[dict[str, Any]]:
    """Return the variables of the address, with values that the samples have."""
    values = shown.variables(operation)
    return [
        {
            'name': name,
            'in': 'path',
            'required': True,
            'schema': _ID if name.endswith('_id') else _TEXT,
            'example': int(values.get(name, made_up.USER.id)) if name.endswith('_id') else values[name],
        }
        for name in operation.variables
    ]


def query_parameters(operation: Operation, shown: Shown) -> list[dict[str, Any]]:
    """Return what can be asked of a collection: what its own links ask, and the form that GET reads."""
    if operation.own_method != 'GET':
        return []
    fields = {field.name: field for field in operation.action.fields} if operation.action else {}
    schemas = {name: schema_of_field(field) for name, field in fields.items()}
    for document in shown.documents(operation):
        for name, value in _queries(document):
            schemas.setdefault(name, _COUNT if value.isdigit() else _TEXT)
    described = [{'name': name, 'in': 'query', 'schema': schema} for name, schema in schemas.items()]
    return described + _json_api_parameters(operation, shown.kinds, schemas)


def _json_api_parameters(
    operation: Operation, kinds: Collection[str], known: Collection[str]
) -> list[dict[str, Any]]:
    """Return what can be asked in JSON:API beside what is known already (JSON:API 1.1 §6)."""
    vocabulary = operation.vocabulary
    if vocabulary is None or operation.kind not in kinds:
        return []
    names = JsonApiDialect.names
    schemas: dict[str, Schema] = {}
    if vocabulary.paged:
        schemas = {names.number: _COUNT, names.size: {**_COUNT, 'maximum': MOST_PER_PAGE}}
    schemas |= {f'filter[{name}]': _TEXT for name in vocabulary.filters}
    if vocabulary.sorts:
        schemas['sort'] = {'enum': [sign + name for name in vocabulary.sorts for sign in ('', '-')]}
    if vocabulary.relations:
        schemas['include'] = {'enum': [member(rel) for rel in vocabulary.relations]}
    schemas |= {f'fields[{kind}]': {'type': 'string', 'pattern': _MEMBERS} for kind in kinds}
    return [
        {'name': name, 'in': 'query', 'description': f'In {JSON_API}.', 'schema': schema}
        for name, schema in schemas.items()
        if name not in known
    ]


def header_parameters(operation: Operation) -> list[dict[str, Any]]:
    """Return the headers that say under which condition, or as which attempt, a request is to be done."""
    names: tuple[str, ...] = ('If-None-Match',) if 304 in operation.answers else ()
    if operation.is_conditional_write:
        names = ('If-Match', 'If-None-Match')
    if 422 in operation.problems():
        names += ('Idempotency-Key',)
    return [
        {'name': name, 'in': 'header', 'description': _CONDITIONS[name], 'schema': _TEXT} for name in names
    ]


def _queries(document: Document) -> Iterator[tuple[str, str]]:
    """Return the query parameters of a collection's links to its own pages, with their values."""
    if document.meta:
        for link in document.links.values():
            if isinstance(link, Link):
                yield from parse_qsl(urlsplit(link.href).query)
