"""Endpoints: each method of each URL template, with everything that its Operation implies."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from service.http.operation import Access, Formats, Operation, RawResponse, Resource, Route, Samples
from service.http.request_body import ACCEPTED_PATCH_TYPES, ACCEPTED_TYPES
from service.representation.action import Action
from service.representation.formats import FORMATS, Format
from service.representation.media_types import JSON_API

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
        """The declaration of the method."""
        return self.resource.operations[self.method]

    @property
    def operation_id(self) -> str:
        """The operationId: `getUser`."""
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
        if self.accepts_prefer and 200 in responses:
            responses[204] = None
        if self.method == 'DELETE' and 204 in declared:
            responses[200] = _DELETED
        if self.method == 'POST' and 200 in declared and not self.operation.is_relationship:
            responses[201] = declared[200]  # in formats in which every POST creates a resource
        is_form_target = self.method == 'POST' and not self.operation.is_relationship
        if is_form_target and any(status < 300 for status in declared):
            responses[303] = None  # to an HTML form that was submitted without a script
        return responses

    @property
    def accepts_prefer(self) -> bool:
        """Whether it accepts the header Prefer, by which a client can omit the content of the response."""
        is_write = self.method != 'GET' and self.operation.access is not Access.CREDENTIALS
        return is_write and any(status < 300 for status in self.operation.responses)

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
        """The media types of the documents in its responses of any status."""
        statuses = [status for status, content in self.responses.items() if isinstance(content, Samples)]
        return {format.media_type for status in statuses for format in self.formats(status)}

    @property
    def body(self) -> Action | None:
        """The Action that its body is read with, or None if it reads no body."""
        return None if self.method == 'GET' else self.operation.form

    @property
    def body_types(self) -> tuple[str, ...]:
        """The media types of the bodies that it accepts."""
        if self.body is None:
            return ()
        if self.operation.is_relationship:
            return (JSON_API,)
        return ACCEPTED_PATCH_TYPES if self.method == 'PATCH' else ACCEPTED_TYPES

    @property
    def header_names(self) -> list[str]:
        """The names of the header parameters that it accepts and that some operations do not."""
        names = {'Prefer': self.accepts_prefer, 'Idempotency-Key': _accepts_key(self)}
        return [name for name, is_accepted in names.items() if is_accepted]

    @property
    def problems(self) -> list[int]:
        """The statuses below 500 of the problems that it can respond with."""
        return [status for status in DESCRIBED if status in self.operation.errors or _APPLIES[status](self)]


def endpoints_of(routes: Iterable[Route]) -> Iterator[Endpoint]:
    """Return the endpoints of the resources that have a tag, the methods in alphabetical order."""
    for template, resource in routes:
        if resource.tag:
            for method in sorted(resource.operations):
                yield Endpoint(template, method, resource)


def _accepts_key(endpoint: Endpoint) -> bool:
    return endpoint.method == 'POST' and endpoint.operation.accepts_idempotency_key


def _reads_resource(endpoint: Endpoint) -> bool:
    """Return whether it reads JSON:API, where the type and the id may not match the URL (§9.1, §9.2)."""
    return JSON_API in endpoint.body_types


def _can_be_forbidden(endpoint: Endpoint) -> bool:
    """Return whether it requires ownership or a token for writes, or rejects client-generated ids."""
    creates = endpoint.method == 'POST' and _reads_resource(endpoint)
    operation = endpoint.operation
    needs_permission = operation.access is Access.OWNER or operation.needs_write_scope(endpoint.method)
    return (creates and not operation.is_relationship) or needs_permission


def _reads_body(endpoint: Endpoint) -> bool:
    return endpoint.body is not None


def _is_throttled(endpoint: Endpoint) -> bool:
    """Return whether it reads a password or an email address, which clients could try to guess."""
    fields = endpoint.body.fields if endpoint.body else ()
    return any(field.type in ('password', 'email') for field in fields)


# The endpoints that can respond with each status of PROBLEMS below 500; a method with 405 has no endpoint.
# Errors that the HTTP server reports before the application is called (411, 414, 417, 431) are not described.
_APPLIES: dict[int, Callable[[Endpoint], bool]] = {
    400: lambda endpoint: True,
    401: lambda endpoint: endpoint.operation.access is not Access.PUBLIC,
    403: _can_be_forbidden,
    404: lambda endpoint: bool(endpoint.variables) or endpoint.operation.linkage is not None,
    405: lambda endpoint: False,
    406: lambda endpoint: endpoint.operation.formats is not Formats.FIXED,
    409: lambda endpoint: _accepts_key(endpoint) or _reads_resource(endpoint),
    412: lambda endpoint: any(status < 300 for status in endpoint.responses),
    413: _reads_body,
    415: _reads_body,
    422: _accepts_key,
    429: _is_throttled,
}
DESCRIBED = tuple(_APPLIES)
