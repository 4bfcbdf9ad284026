"""Endpoints: each method of each URL template, with everything that follows from its Operation."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from service.http.operation import Access, Formats, Operation, RawResponse, Resource, Route, Samples
from service.http.request_body import ACCEPTED_PATCH_TYPES, ACCEPTED_TYPES
from service.representation.action import Action
from service.representation.formats import FORMATS, Format
from service.representation.media_types import JSON_API
from service.representation.problem import PROBLEMS

WRITES = ('PUT', 'PATCH', 'DELETE')
_DELETED = RawResponse(
    'deleted',
    tuple(name for name, format in FORMATS.items() if format.empty_body),
    {'type': 'object', 'properties': {'meta': {'type': 'object'}}, 'required': ['meta']},
    lambda builder: {'meta': {}},
)


class Endpoint(NamedTuple):
    """One method of the resource at a URL template; HEAD and OPTIONS are the same everywhere."""

    template: str
    method: str
    resource: Resource

    @property
    def operation(self) -> Operation:
        """Its declaration."""
        return self.resource.operations[self.method]

    @property
    def operation_id(self) -> str:
        """What it is called: `getUser`."""
        return f'{self.method.lower()}{self.resource.operation_name}'

    @property
    def variables(self) -> list[str]:
        """The names of the variables in the URL."""
        return re.findall(r'{(\w+)}', self.template)

    @property
    def responses(self) -> Mapping[int, Samples | RawResponse | None]:
        """The content of its successful responses in all formats, by status."""
        declared = self.operation.responses
        responses = dict(declared)
        if self.method == 'GET' and 200 in declared and self.operation.cacheable:
            responses[304] = None
        if self.method == 'DELETE' and 204 in declared:
            responses[200] = _DELETED
        if self.method == 'POST' and 200 in declared and not self.operation.is_relationship:
            responses[201] = declared[200]  # in formats that always answer a POST as a creation
        if 201 in declared:
            responses[303] = None  # to a form that was posted without a script
        return responses

    def formats(self, status: int) -> list[Format]:
        """Return the formats of a document in a response with this status."""
        is_relationship = self.operation.is_relationship
        formats = [
            format for format in FORMATS.values() if format.supports_relationships or not is_relationship
        ]
        if self.method == 'POST' and 200 in self.operation.responses and not is_relationship:
            return [format for format in formats if format.post_creates == (status == 201)]
        return formats

    @property
    def document_formats(self) -> set[str]:
        """The media types of the documents that it responds with, whatever the status."""
        statuses = [status for status, content in self.responses.items() if isinstance(content, Samples)]
        return {format.media_type for status in statuses for format in self.formats(status)}

    @property
    def body(self) -> Action | None:
        """What its body is read with, None where it reads none."""
        return None if self.method == 'GET' else self.operation.form

    @property
    def body_types(self) -> tuple[str, ...]:
        """The media types of the bodies that it reads; none where it reads none."""
        if self.body is None:
            return ()
        if self.operation.is_relationship:
            return (JSON_API,)
        return ACCEPTED_PATCH_TYPES if self.method == 'PATCH' else ACCEPTED_TYPES

    @property
    def is_conditional_write(self) -> bool:
        """Whether it changes an existing resource, and only if the preconditions hold."""
        is_write = self.method in WRITES or (self.method == 'POST' and self.operation.is_relationship)
        return is_write and any(status < 300 for status in self.responses)

    @property
    def problems(self) -> list[int]:
        """The statuses of the problems that it can respond with."""
        statuses = sorted({problem.status for problem in PROBLEMS.values()})
        return [one for one in statuses if one in self.operation.errors or _CAN_BE[one](self)]


def endpoints_of(routes: Iterable[Route]) -> Iterator[Endpoint]:
    """Return the endpoints of the resources that have a tag, the methods in alphabetical order."""
    for template, resource in routes:
        if resource.tag:
            for method in sorted(resource.operations):
                yield Endpoint(template, method, resource)


def _checks_credentials(endpoint: Endpoint) -> bool:
    return endpoint.operation.access is not Access.PUBLIC


def _accepts_key(endpoint: Endpoint) -> bool:
    return endpoint.method == 'POST' and endpoint.operation.accepts_idempotency_key


def _reads_resource(endpoint: Endpoint) -> bool:
    """Return whether a body names the resource that it is about, maybe wrongly (JSON:API §9.1, §9.2)."""
    return JSON_API in endpoint.body_types


def _can_be_forbidden(endpoint: Endpoint) -> bool:
    """Return whether it is for the owner alone, or creates what must not have an id of the client's."""
    creates = endpoint.method == 'POST' and _reads_resource(endpoint)
    return (creates and not endpoint.operation.is_relationship) or endpoint.operation.access is Access.OWNER


def _reads_body(endpoint: Endpoint) -> bool:
    return endpoint.body is not None


def _reads_password(endpoint: Endpoint) -> bool:
    """Return whether passwords can be guessed."""
    return endpoint.body is not None and any(one.type == 'password' for one in endpoint.body.fields)


# Which endpoints can respond with the statuses of PROBLEMS; 405 and 501 are of methods that are no endpoints.
_CAN_BE: dict[int, Callable[[Endpoint], bool]] = {
    400: lambda endpoint: True,
    401: _checks_credentials,
    403: _can_be_forbidden,
    404: lambda endpoint: bool(endpoint.variables) or _reads_resource(endpoint),
    405: lambda endpoint: False,
    406: lambda endpoint: endpoint.operation.formats is not Formats.FIXED,
    409: lambda endpoint: _accepts_key(endpoint) or _reads_resource(endpoint),
    412: lambda endpoint: endpoint.is_conditional_write,
    413: _reads_body,
    415: _reads_body,
    422: _accepts_key,
    429: _reads_password,
    500: _checks_credentials,
    501: lambda endpoint: False,
    503: _checks_credentials,
}
