"""Request bodies: what an operation reads, in every media type that it is read in."""

from collections.abc import Mapping
from typing import Any

from service.representation.action import Field
from service.representation.json_schema import (
    Schema,
    schema_of_action,
    schema_of_linkage,
    schema_of_resource,
)
from service.representation.media_types import JSON_API
from service.resources import sample_data
from service.resources.openapi.components import Components, short
from service.resources.openapi.operations import Operation
from service.resources.openapi.parameters import path_parameters
from service.resources.openapi.shown import Shown, values_of

PASSWORD = 'correct horse battery staple'


def request_body(operation: Operation, shown: Shown, components: Components) -> dict[str, Any]:
    """Return the Request Body Object (OpenAPI 3.1 §4.8.13) of an operation that reads a body."""
    action = operation.action
    assert action is not None
    name = f'{operation.kind}-{action.name}'
    rules = schema_of_action(action)
    if operation.has_own_credentials:  # which may be in the header instead, but not in part
        needed = rules.pop('required')
        rules['dependentRequired'] = {one: [other for other in needed if other != one] for one in needed}
    values = values_of(shown.documents(operation))
    example = {
        field.name: _example(field, values, shown.values)
        for field in action.fields
        if field.required or field.name in values
    }
    return {
        'required': (operation.is_linkage or any(field.required for field in action.fields))
        and not operation.has_own_credentials,
        'content': {
            media_type: {
                'schema': components.refer('schemas', *_said(operation, media_type, name, rules)),
                'examples': {action.name: {'value': _sent(operation, media_type, example, shown)}},
            }
            for media_type in operation.body_types
        },
    }


def _said(operation: Operation, media_type: str, name: str, rules: Schema) -> tuple[str, Schema]:
    """Return the name and the schema of a body with members of these rules in the media type."""
    if media_type != JSON_API:
        return name, rules
    name = f'{name}.{short(JSON_API)}'
    if operation.is_linkage:
        return name, schema_of_linkage(operation.kind)
    return name, schema_of_resource(rules, operation.kind, is_new=operation.method == 'POST')


def _sent(operation: Operation, media_type: str, values: dict[str, Any], shown: Shown) -> dict[str, Any]:
    """Return a body with these values in the media type."""
    if media_type != JSON_API:
        return values
    if operation.is_linkage:
        return {'data': [{'type': operation.kind, 'id': str(sample_data.OTHER_USER.user_id)}]}
    data: dict[str, Any] = {'type': operation.kind, 'attributes': values}
    if operation.method != 'POST':
        path = path_parameters(operation, shown)
        data['id'] = '-'.join(str(variable['example']) for variable in path)
    return {'data': data}


def _example(field: Field, values: Mapping[str, Any], others: Mapping[str, Any]) -> Any:
    """Return a value that the field takes: one that a sample has, for a password one of our own."""
    if field.type == 'password':
        return PASSWORD
    return values[field.name] if field.name in values else others[field.name]
