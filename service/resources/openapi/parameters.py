"""Parameters: what the address, the query and the headers of a request can say."""

from collections.abc import Sequence
from typing import Any

from service.database.ids import MAX_ID
from service.http.middleware.idempotency import KEY
from service.representation.json_schema import Schema, schema_of_field
from service.resources import sample_data
from service.resources.openapi.operations import Operation
from service.resources.openapi.shown import Shown

_ID: Schema = {'type': 'integer', 'format': 'int64', 'minimum': 1, 'maximum': MAX_ID}
_TEXT: Schema = {'type': 'string'}
_CONDITIONS: dict[str, tuple[str, Schema]] = {
    'If-Match': ('Change it only if one of these is its validator now.', _TEXT),
    'If-None-Match': ('Do it only if none of these is its validator now.', _TEXT),
    'Idempotency-Key': (
        'With the same key the same request takes effect once.',
        {'type': 'string', 'pattern': KEY},
    ),
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
            'example': int(values.get(name, sample_data.USER.id)) if name.endswith('_id') else values[name],
        }
        for name in operation.variables
    ]


def query_parameters(operation: Operation, shown: Shown) -> list[dict[str, Any]]:
    """Return what can be asked in one format or another: `x-media-types` says in which, if not in all."""
    options, formats = operation.declared.query, operation.document_formats
    schemas: dict[str, Schema] = {}
    takers: dict[str, list[str]] = {}
    for format in formats:
        for name, schema in format.dialect.parameters(options, shown.kinds).items():
            schemas.setdefault(name, schema)
            takers.setdefault(name, []).append(format.media_type)
    form = operation.action.fields if operation.action and operation.own_method == 'GET' else ()
    asked = {field.name: schema_of_field(field) for field in form}
    return [
        {'name': name, 'in': 'query', 'schema': asked.get(name, schema)}
        | ({} if len(takers[name]) == len(formats) else _only_in(takers[name]))
        for name, schema in schemas.items()
    ]


def _only_in(media_types: Sequence[str]) -> dict[str, Any]:
    return {'description': f'In {", ".join(media_types)}.', 'x-media-types': media_types}


def header_parameters(operation: Operation) -> list[dict[str, Any]]:
    """Return the headers that say under which condition, or as which attempt, a request is to be done."""
    names: tuple[str, ...] = ('If-None-Match',) if 304 in operation.answers else ()
    if operation.is_conditional_write:
        names = ('If-Match', 'If-None-Match')
    if 422 in operation.problems():
        names += ('Idempotency-Key',)
    conditions = {name: _CONDITIONS[name] for name in names}
    return [
        {'name': name, 'in': 'header', 'description': said, 'schema': schema}
        for name, (said, schema) in conditions.items()
    ]
