"""Operations: every method of every resource, with what it takes and which statuses it can answer."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from service.http.operation import (
    Access,
    Formats,
    RawResponse,
    Resource,
    Route,
    Samples,
    methods_of,
    operation_of,
)
from service.http.operation import Operation as Declared
from service.http.request_body import ACCEPTED_PATCH_TYPES, ACCEPTED_TYPES
from service.representation.action import Action
from service.representation.formats import FORMATS, Format
from service.representation.media_types import JSON_API
from service.representation.problem import PROBLEMS

_AUDIENCES = {
    Access.PUBLIC: 'anyone',
    Access.ANYONE: 'anyone',
    Access.TOKEN: 'token',
    Access.OWNER: 'owner',
    Access.CREDENTIALS: 'password or token',
}
WRITES = ('PUT', 'PATCH', 'DELETE')
NOTHING = RawResponse(
    'nothing',
    tuple(name for name, format in FORMATS.items() if format.nothing),
    lambda book: {'meta': {}},
)


class Operation(NamedTuple):
    """One method of the resource at an address template."""

    template: str
    method: str
    resource: Resource

    @property
    def own_method(self) -> str:
        """The method that answers: GET answers HEAD too."""
        return 'GET' if self.method == 'HEAD' else self.method

    @property
    def name(self) -> str:
        """What it is called: `getUser`."""
        return f'{self.method.lower()}{self.resource.operation_name}'

    @property
    def tag(self) -> str:
        """The tag that groups it with others."""
        return self.resource.tag

    @property
    def summary(self) -> str:
        """The title of the form that it reads, or else its name in words: `User posts`."""
        if self.action is not None and self.own_method != 'GET':
            return self.action.title
        return ' '.join(re.findall('[A-Z][a-z]*', self.resource.operation_name)).capitalize()

    @property
    def description(self) -> str:
        """What it is about, in a sentence."""
        return self.resource.description

    @property
    def variables(self) -> list[str]:
        """The names of the variables in the address."""
        return re.findall(r'{(\w+)}', self.template)

    @property
    def declared(self) -> Declared:
        """Its declaration."""
        declared = operation_of(self.resource, self.method)
        assert declared is not None
        return declared

    @property
    def answers(self) -> dict[int, Samples | RawResponse | None]:
        """What it answers when it succeeds, by status."""
        declared = self.declared
        answers = dict(declared.responses)
        if self.own_method == 'GET' and 200 in answers and declared.cacheable:
            answers[304] = None
        if self.method == 'DELETE' and 204 in answers:
            answers[200] = NOTHING
        if self.method == 'POST' and 200 in answers and not self.is_linkage:
            answers[201] = answers[200]  # in formats that say of whatever is posted that it was made
        if 201 in declared.responses:
            answers[303] = None  # to a form that was posted without a script
        return answers

    def formats(self, status: int) -> list[Format]:
        """Return the formats in which it answers with a document and this status."""
        formats = [format for format in FORMATS.values() if format.has_linkage or not self.is_linkage]
        if self.method == 'POST' and 200 in self.answers and not self.is_linkage:
            return [format for format in formats if format.says_created == (status == 201)]
        return formats

    @property
    def document_formats(self) -> list[Format]:
        """The formats in which it answers with a document, whatever the status; none where it has none."""
        shown = [status for status, answer in self.answers.items() if isinstance(answer, Samples)]
        return list(dict.fromkeys(format for status in shown for format in self.formats(status)))

    @property
    def kind(self) -> str:
        """The kind of the documents that it is about."""
        return self.declared.query.kind or self.tag

    @property
    def is_linkage(self) -> bool:
        """Whether it is about a relation by itself."""
        return self.declared.is_relationship

    @property
    def action(self) -> Action | None:
        """What it reads: the body, or the query of a GET."""
        return self.declared.form

    @property
    def body_types(self) -> tuple[str, ...]:
        """The media types of the bodies that it reads; none where it reads none."""
        if self.action is None or self.own_method == 'GET':
            return ()
        if self.is_linkage:
            return (JSON_API,)
        return ACCEPTED_PATCH_TYPES if self.method == 'PATCH' else ACCEPTED_TYPES

    @property
    def is_public(self) -> bool:
        """Whether anyone may use it, without credentials."""
        return self.declared.access in (Access.PUBLIC, Access.ANYONE)

    @property
    def has_own_credentials(self) -> bool:
        """Whether it takes credentials of other kinds than a token."""
        return self.declared.access is Access.CREDENTIALS

    @property
    def audience(self) -> str:
        """Who may use it: `anyone`, who has a `token`, a `password or token`, or the `owner` alone."""
        return _AUDIENCES[self.declared.access]

    @property
    def is_conditional_write(self) -> bool:
        """Whether it changes what is there, and only if the preconditions hold."""
        is_write = self.method in WRITES or (self.method == 'POST' and self.is_linkage)
        return is_write and any(status < 300 for status in self.answers)

    def problems(self) -> list[int]:
        """Return the statuses of the problems that it can answer."""
        statuses = sorted({problem.status for problem in PROBLEMS.values()})
        return [status for status in statuses if status in self.declared.errors or _CAN_BE[status](self)]


def _is_api(operation: Operation) -> bool:
    return operation.declared.access is not Access.PUBLIC


def _negotiates(operation: Operation) -> bool:
    return operation.declared.formats is not Formats.FIXED


def _is_of_one(operation: Operation) -> bool:
    """Whether the address names one thing, which can be absent; OPTIONS does not look for it."""
    return any(name.endswith('_id') or operation.method != 'OPTIONS' for name in operation.variables)


def _takes_key(operation: Operation) -> bool:
    """Whether an Idempotency-Key means something: not where secrets are handed out."""
    return operation.method == 'POST' and operation.declared.accepts_idempotency_key


def _takes_resource(operation: Operation) -> bool:
    """Whether a body can say what it is about, and be wrong about that (JSON:API 1.1 §9.1, §9.2)."""
    return JSON_API in operation.body_types


def _is_refused(operation: Operation) -> bool:
    """Whether somebody else may not, or nobody, or what is new cannot have an id of the client's."""
    is_new = operation.method == 'POST' and _takes_resource(operation) and not operation.is_linkage
    return is_new or operation.declared.access is Access.OWNER


def _takes_password(operation: Operation) -> bool:
    """Whether passwords can be tried out."""
    return operation.action is not None and any(one.type == 'password' for one in operation.action.fields)


# When a status can be, where PROBLEMS has it; 405 and 501 are of methods that are no operations.
_CAN_BE: dict[int, Callable[[Operation], bool]] = {
    400: lambda operation: True,
    401: _is_api,
    403: _is_refused,
    404: _is_of_one,
    405: lambda operation: False,
    406: _negotiates,
    409: lambda operation: _takes_key(operation) or _takes_resource(operation),
    412: lambda operation: operation.is_conditional_write,
    413: lambda operation: bool(operation.body_types),
    415: lambda operation: bool(operation.body_types),
    422: _takes_key,
    429: _takes_password,
    500: _is_api,
    501: lambda operation: False,
    503: _is_api,
}


def operations_of(routes: Iterable[Route]) -> Iterator[Operation]:
    """Return every operation of the resources at these URL templates that have a tag."""
    for template, resource in routes:
        if resource.tag:
            for method in methods_of(resource):
                yield Operation(template, method, resource)
