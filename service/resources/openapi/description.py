"""The OpenAPI document: every path with its operations, and the components that they share."""

from collections.abc import Sequence
from typing import Any

from service import VERSION
from service.http.operation import Access, Route
from service.representation.url_builder import UrlBuilder
from service.resources.openapi.bodies import request_body
from service.resources.openapi.components import Components
from service.resources.openapi.endpoints import Endpoint, endpoints_of
from service.resources.openapi.parameters import (
    PRECONDITIONS,
    header_parameters,
    path_parameters,
    query_parameters,
)
from service.resources.openapi.responses import Responses, add_problem_responses
from service.resources.openapi.samples import SampleDocuments
from service.resources.openapi.schemas import SHARED

TITLE = 'Halcyon'
SUMMARY = """\
A microblog: users, follows, posts and expiring tokens, and stores with items, as hypermedia. Clients start \
at /api and follow links and forms; this document describes all of them.

Every resource is available in several formats, selected by the Accept header: HAL \
(application/hal+json, the default; the same as application/json), HAL-FORMS \
(application/prs.hal-forms+json: HAL with forms), JSON:API (application/vnd.api+json) and HTML. A parameter \
with `x-media-types` works in these formats only. HAL ignores unknown parameters, JSON:API rejects them. \
JSON:API has the Cursor Pagination profile for clients whose Accept header requests it.

HEAD is supported wherever GET is. OPTIONS is supported everywhere, without a token: the response is 204 \
with the methods in Allow (and with Accept-Patch if PATCH is one of them). Every collection supports QUERY \
(RFC 10008), which OpenAPI 3.1 cannot describe: GET with the parameters in the body, form-encoded or as a \
JSON object; Accept-Query in the response to OPTIONS lists both. Other methods get 405, unknown ones 501. A \
form of an HTML page posts PUT, PATCH and DELETE with the method in the field `_method`; success is a 303.

Most operations need a token: post a user name and a password to /api/tokens, and send the token that is \
returned in the Authorization header. An invalid token gets 401 everywhere under /api.

Errors are problem details (RFC 9457) unless the client prefers another of the formats. The page at the URI \
of the problem type explains it. 5XX stands for 500, 501 and 503.

A 200 response to GET has a strong ETag. With If-None-Match the next GET responds with 304 if nothing has \
changed; with If-Match a write fails with 412 if the resource has changed. Follow links from page to page of \
a collection: `page[after]` and `page[before]` are opaque."""


class Description:
    """The OpenAPI document of the routes; the list may still be extended before the first call of `at`."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes

    def at(self, builder: UrlBuilder) -> dict[str, Any]:
        """Return the OpenAPI document with the URLs of the builder."""
        samples, components = SampleDocuments(list(endpoints_of(self._routes)), builder), Components()
        for name, schema in SHARED.items():
            components.refer('schemas', name, schema)
        add_problem_responses(builder, components)
        paths = _paths(samples, components)
        return {
            'openapi': '3.1.0',
            'info': {'title': TITLE, 'version': VERSION, 'description': SUMMARY},
            'servers': [{'url': builder.origin}],
            'tags': [
                {'name': name}
                for name in dict.fromkeys(endpoint.resource.tag for endpoint in samples.endpoints)
            ],
            'paths': paths,
            'components': {
                'securitySchemes': {
                    'bearer': {
                        'type': 'http',
                        'scheme': 'bearer',
                        'description': 'A token from /api/tokens.',
                    },
                    'basic': {
                        'type': 'http',
                        'scheme': 'basic',
                        'description': 'The user name and the password, to get a token.',
                    },
                },
                **components.described(),
            },
        }


def _paths(samples: SampleDocuments, components: Components) -> dict[str, dict[str, Any]]:
    """Return the Path Items with their operations (OpenAPI 3.1 §4.8.9)."""
    paths: dict[str, dict[str, Any]] = {}
    responses = Responses(samples, components)
    for endpoint in samples.endpoints:
        path = paths.setdefault(endpoint.template, {})
        path['parameters'] = [
            *path_parameters(endpoint, samples, components),
            *header_parameters(PRECONDITIONS, components),
        ]
        path[endpoint.method.lower()] = _operation(endpoint, samples, components, responses)
    return paths


def _operation(
    endpoint: Endpoint, samples: SampleDocuments, components: Components, responses: Responses
) -> dict[str, Any]:
    """Return the Operation Object (OpenAPI 3.1 §4.8.10)."""
    query = query_parameters(endpoint, samples, components)
    members: dict[str, Any] = {
        'operationId': endpoint.operation_id,
        'tags': [endpoint.resource.tag],
        'summary': endpoint.operation.summary,
        'description': endpoint.operation.description,
        'deprecated': endpoint.operation.deprecated,
        'security': _security(endpoint),
        'parameters': [*query, *header_parameters(endpoint.header_names, components)],
        'responses': responses.of(endpoint),
    }
    if endpoint.body_types:
        members['requestBody'] = request_body(endpoint, samples, components)
    return {name: value for name, value in members.items() if value or name == 'security'}


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    """Return the alternative Security Requirement Objects (§4.8.30); `{}` is access without credentials."""
    if endpoint.operation.access is Access.CREDENTIALS:
        return [{}, {'basic': []}, {'bearer': []}]
    if endpoint.operation.access is Access.PUBLIC:
        return []
    is_for_anyone = endpoint.operation.access in (Access.ANYONE, Access.SHARED, Access.SECRET)
    return [{}, {'bearer': []}] if is_for_anyone else [{'bearer': []}]
