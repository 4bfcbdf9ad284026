"""Request bodies: a schema with an example for each media type that an endpoint accepts."""

from collections.abc import Mapping
from typing import Any

from service.http.operation import Access
from service.representation.action import Action, Field
from service.representation.json_schema import (
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
    if endpoint.operation.is_relationship:
        content, is_required = {JSON_API: _linkage(endpoint, samples, components)}, True
    else:
        plain, json_api = _resource(endpoint, action, samples, components)
        content = {name: json_api if name == JSON_API else plain for name in endpoint.body_types}
        has_other_credentials = endpoint.operation.access is Access.CREDENTIALS
        is_required = any(field.required for field in action.fields) and not has_other_credentials
    return {
        'required': is_required,
        'content': {media_type: {'schema': schema} for media_type, schema in content.items()},
    }


def _linkage(endpoint: Endpoint, samples: SampleDocuments, components: Components) -> dict[str, str]:
    """Return a reference to the schema of a body that identifies members of a relationship."""
    kind = samples.kinds[endpoint.operation.query.kind]
    schema = components.refer('schemas', f'{kind.title}Linkage', schema_of_linkage(kind.name))
    members = [{'type': kind.name, 'id': str(sample_data.FOLLOW.followed_id)}]
    components.set_example(schema, {'data': members})
    return schema


def _resource(
    endpoint: Endpoint, action: Action, samples: SampleDocuments, components: Components
) -> tuple[dict[str, str], dict[str, str]]:
    """Return references to the schemas of the body as plain members, and as JSON:API."""
    kind = samples.kinds[endpoint.operation.query.kind]
    name = kind.title + ''.join(word.capitalize() for word in action.name.split('-'))  # UserChangePassword
    rules = schema_of_action(action)
    if endpoint.operation.access is Access.CREDENTIALS:
        # Credentials are in the body or in the header, but not partly in each.
        required = rules.pop('required')
        rules['dependentRequired'] = {
            name: [other for other in required if other != name] for name in required
        }
    plain = components.refer('schemas', name, rules)
    is_new, is_optional = endpoint.method == 'POST', 'required' not in rules
    resource = schema_of_resource(plain, kind.name, is_new=is_new, is_optional=is_optional)
    json_api = components.refer('schemas', f'{name}Document', resource)
    values = sample_values(samples.of_resource(endpoint))
    attributes = {
        field.name: _example(field, values, samples.values)
        for field in action.fields
        if field.required or field.name in values
    }
    components.set_example(plain, attributes)
    data = {'type': kind.name, 'attributes': attributes} | ({} if is_new else {'id': samples.id_at(endpoint)})
    components.set_example(json_api, {'data': data})
    return plain, json_api


def _example(field: Field, values: Mapping[str, Any], others: Mapping[str, Any]) -> Any:
    """Return a value that the field accepts: from a sample, or PASSWORD."""
    if field.type == 'password':
        return PASSWORD
    return values[field.name] if field.name in values else others[field.name]
