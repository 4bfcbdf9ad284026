"""The description as a whole: every path with its operations, and what they share."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from service.http.operation import Route
from service.representation.addresses import AddressBook
from service.representation.problem import PROBLEMS
from service.resources.openapi.bodies import request_body
from service.resources.openapi.components import Components
from service.resources.openapi.operations import Operation, operations_of
from service.resources.openapi.parameters import header_parameters, path_parameters, query_parameters
from service.resources.openapi.responses import Responses, problem_response
from service.resources.openapi.shown import Shown

TITLE = 'Halcyon'
VERSION = '1.0.0'
SUMMARY = (
    "A microblog's people, follow relations, posts and expiring tokens, as hypermedia. Clients start at "
    '/api and follow links; this description says what can come of it.'
)


class Description:
    """What the API is, for programs and for people; `routes` may grow until it is first asked for."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes
        self._at = lru_cache(maxsize=16)(self._make)

    def at(self, book: AddressBook) -> dict[str, Any]:
        """Return the OpenAPI document with the addresses of the book."""
        return self._at(book.origin, book.avatars)

    def _make(self, origin: str, avatars: bool) -> dict[str, Any]:
        book = AddressBook(origin, avatars=avatars)
        shown, components = Shown(list(operations_of(self._routes)), book), Components()
        paths = _paths(shown, components)
        statuses = sorted({problem.status for problem in PROBLEMS.values()})
        problems = {str(status): problem_response(status, book, components) for status in statuses}
        return {
            'openapi': '3.1.0',
            'info': {'title': TITLE, 'version': VERSION, 'description': SUMMARY},
            'servers': [{'url': origin}],
            'tags': [{'name': name} for name in dict.fromkeys(one.tag for one in shown.operations)],
            'paths': paths,
            'components': {
                'responses': problems,
                'securitySchemes': {
                    'bearer': {'type': 'http', 'scheme': 'bearer', 'description': 'A token.'},
                    'basic': {'type': 'http', 'scheme': 'basic', 'description': 'User name and password.'},
                },
                **components.sections,
            },
        }


def _paths(shown: Shown, components: Components) -> dict[str, dict[str, Any]]:
    """Return the Path Items with their operations (OpenAPI 3.1 §4.8.9)."""
    paths: dict[str, dict[str, Any]] = {}
    responses = Responses(shown, components)
    for operation in shown.operations:
        path = paths.setdefault(operation.template, {})
        path[operation.method.lower()] = _operation(operation, shown, components, responses)
    for operation in shown.operations:
        if operation.variables:
            paths[operation.template]['parameters'] = path_parameters(operation, shown)
    return paths


def _operation(
    operation: Operation, shown: Shown, components: Components, responses: Responses
) -> dict[str, Any]:
    """Return the Operation Object (OpenAPI 3.1 §4.8.10)."""
    described: dict[str, Any] = {
        'operationId': operation.name,
        'tags': [operation.tag],
        'summary': operation.summary,
        'description': operation.description,
        'security': _security(operation),
        'parameters': [*query_parameters(operation, shown), *header_parameters(operation)],
        'responses': responses.of(operation),
    }
    if operation.body_types:
        described['requestBody'] = request_body(operation, shown, components)
    return {name: value for name, value in described.items() if value or name == 'security'}


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    """Return the ways to show who asks, any of which will do; `{}` is to show nothing."""
    if operation.has_own_credentials:
        return [{}, {'basic': []}, {'bearer': []}]
    if not operation.is_public:
        return [{'bearer': []}]
    return [{}, {'bearer': []}] if 401 in operation.problems() else []
