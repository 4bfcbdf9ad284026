"""Request bodies: a schema and an example for each media type that an endpoint accepts."""

from collections.abc import Mapping
from typing import Any

from service.http.operation import Access
from service.representation.action import Field
from service.representation.json_schema import (
    Schema,
    schema_of_action,
    schema_of_linkage,
    schema_of_resource,
)
from service.representation.media_types import JSON_API
from service.resources import sample_data
from service.resources.openapi.components import Components
from service.resources.openapi.endpoints import Endpoint
from service.resources.openapi.samples import SampleDocuments, sample_values

PASSWORD = 'correct horse battery staple'


def request_body(endpoint: Endpoint, samples: SampleDocuments, components: Components) -> dict[str, Any]:
    """Return the Request Body Object (OpenAPI 3.1 §4.8.13) of an endpoint that reads a body."""
    action = endpoint.body
    assert action is not None
    schemas, examples = _schemas(endpoint, samples, components), _examples(endpoint, samples, components)
    return {
        'required': (endpoint.operation.is_relationship or any(field.required for field in action.fields))
        and endpoint.operation.access is not Access.CREDENTIALS,
        'content': {
            media_type: {
                'schema': schemas[media_type == JSON_API],
                'examples': {action.name: examples[media_type == JSON_API]},
            }
            for media_type in endpoint.body_types
        },
    }


def _schemas(endpoint: Endpoint, samples: SampleDocuments, components: Components) -> Mapping[bool, Schema]:
    """Return references to the schemas of the body as plain members, and as JSON:API."""
    if endpoint.operation.is_relationship:
        linkage = schema_of_linkage(endpoint.operation.query.kind)
        return {
            True: components.refer(
                'schemas', f'{samples.kinds[endpoint.operation.query.kind].title}Linkage', linkage
            )
        }
    name, action = _name(endpoint, samples), endpoint.body
    assert action is not None
    rules = schema_of_action(action)
    if endpoint.operation.access is Access.CREDENTIALS:
        # Credentials are in the body or in the header, but not partly in each.
        required = rules.pop('required')
        rules['dependentRequired'] = {
            name: [other for other in required if other != name] for name in required
        }
    attributes = components.refer('schemas', name, rules)
    resource = schema_of_resource(
        attributes,
        endpoint.operation.query.kind,
        is_new=endpoint.method == 'POST',
        is_optional='required' not in rules,
    )
    return {False: attributes, True: components.refer('schemas', f'{name}Document', resource)}


def _examples(
    endpoint: Endpoint, samples: SampleDocuments, components: Components
) -> Mapping[bool, dict[str, str]]:
    """Return references to examples of the body as plain members, and as JSON:API."""
    action, name = endpoint.body, _name(endpoint, samples)
    assert action is not None
    if endpoint.operation.is_relationship:
        linkage = {
            'data': [{'type': endpoint.operation.query.kind, 'id': str(sample_data.FOLLOW.followed_id)}]
        }
        return {True: components.refer('examples', f'{name}Linkage', {'value': linkage})}
    values = sample_values(samples.of_resource(endpoint))
    members = {
        field.name: _example(field, values, samples.values)
        for field in action.fields
        if field.required or field.name in values
    }
    data: dict[str, Any] = {'type': endpoint.operation.query.kind, 'attributes': members}
    if endpoint.method != 'POST':
        data['id'] = samples.id_at(endpoint)
    return {
        False: components.refer('examples', name, {'value': members}),
        True: components.refer('examples', f'{name}Document', {'value': {'data': data}}),
    }


def _name(endpoint: Endpoint, samples: SampleDocuments) -> str:
    """Return the component name of the body: `UserChangePassword`."""
    assert endpoint.body is not None
    words = endpoint.body.name.split('-')
    return samples.kinds[endpoint.operation.query.kind].title + ''.join(word.capitalize() for word in words)


def _example(field: Field, values: Mapping[str, Any], others: Mapping[str, Any]) -> Any:
    """Return a value that the field accepts: from a sample, or PASSWORD."""
    if field.type == 'password':
        return PASSWORD
    return values[field.name] if field.name in values else others[field.name]
