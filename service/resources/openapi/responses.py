"""Responses: what an operation answers, with which headers, in which formats, and what can be done next."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson

from service.http.operation import RawResponse, Samples, has_patch
from service.representation.addresses import AddressBook
from service.representation.document import Document, Link
from service.representation.examples import sample_problem
from service.representation.formats import FORMATS, Format
from service.representation.json_schema import Schema
from service.representation.problem import PROBLEMS
from service.resources.openapi.components import Components, as_key, short
from service.resources.openapi.headers import described_header, headers_with
from service.resources.openapi.operations import Operation
from service.resources.openapi.shown import Shown

_TEXT: Schema = {'type': 'string'}
# What may be left out of JSON:API resources at a client's wish (§6.4).
_SPARSE = frozenset(('attributes', 'relationships'))


class Responses:
    """Writes what operations answer, as the samples show it."""

    def __init__(self, shown: Shown, components: Components) -> None:
        self._shown = shown
        self._components = components

    def of(self, operation: Operation) -> dict[str, Any]:
        """Return the Responses Object of an operation (OpenAPI 3.1 §4.8.16), by status."""
        described = {
            str(status): self._success(operation, status, answer)
            for status, answer in operation.answers.items()
        }
        for status in operation.problems():
            described[str(status)] = (
                {'description': _phrase(status), **headers_with(status)}
                if operation.method == 'HEAD'
                else {'$ref': f'#/components/responses/{status}'}
            )
        return described

    def _success(
        self, operation: Operation, status: int, answer: Samples | RawResponse | None
    ) -> dict[str, Any]:
        """Return the Response Object of a success (OpenAPI 3.1 §4.8.17)."""
        described: dict[str, Any] = {'description': _phrase(status), **headers_with(status)}
        if operation.method == 'OPTIONS':
            names = ('Allow', 'Accept-Patch') if has_patch(operation.resource) else ('Allow',)
            described['headers'] |= {name: described_header(name, is_required=True) for name in names}
        elif operation.method != 'HEAD' and isinstance(answer, RawResponse):
            described['content'] = self._data(answer)
        elif operation.method != 'HEAD' and isinstance(answer, Samples):
            described['content'] = self._content(answer, operation.formats(status))
            described['links'] = self._links(self._shown.answer(operation, status))
        return described

    def _content(self, answer: Samples, formats: Iterable[Format]) -> dict[str, Any]:
        """Return the documents in every format that they can be had in."""
        content: dict[str, Any] = {}
        for format in formats:
            if not format.media_type.endswith('json'):
                content[format.media_type] = {'schema': _TEXT}
                continue
            documents = answer.in_dialect(self._shown.book, format.dialect.names)
            shown = {label: orjson.loads(format.render(one)) for label, one in documents.items()}
            name = f'{answer.name}.{short(format.media_type)}'
            sparse = _SPARSE if format.dialect.strict else ()
            content[format.media_type] = self._components.content(name, shown, sparse)
        return content

    def _data(self, data: RawResponse) -> dict[str, Any]:
        example = data.example(self._shown.book)
        return {
            content_type: {'schema': _TEXT}
            if isinstance(example, str)
            else self._components.content(data.name, {'example': example})
            for content_type in data.content_types
        }

    def _links(self, documents: Iterable[Document]) -> dict[str, Any]:
        """Return what can be done next (Link Object, §4.8.20): the links and the forms of the documents."""
        links: dict[str, Any] = {}
        for document in documents:
            if document.meta:
                continue
            targets = [(rel, 'GET', link.href) for rel, link in document.links.items() if type(link) is Link]
            targets += [(form.action.name, form.action.method, form.target) for form in document.forms]
            for name, method, href in targets:
                for operation, variables in self._shown.leads_to(href, method):
                    parameters = _pointers(variables, document.properties)
                    if parameters is not None:
                        links[as_key(name)] = {'operationId': operation.name, 'parameters': parameters}
        return links


def problem_response(status: int, book: AddressBook, components: Components) -> dict[str, Any]:
    """Return the problems of a status in every media type of errors."""
    problems = {
        name: sample_problem(name, problem_type.meaning, book, '/')
        for name, problem_type in PROBLEMS.items()
        if problem_type.status == status
    }
    content: dict[str, Any] = {}
    for format in FORMATS.values():
        media_type = format.problem_type.partition(';')[0]
        if not media_type.endswith('json'):
            content[media_type] = {'schema': _TEXT}
        elif media_type not in content:
            values = {name: orjson.loads(format.render_problem(one)) for name, one in problems.items()}
            content[media_type] = components.content(f'problem-{status}.{short(media_type)}', values)
    return {'description': _phrase(status), 'content': content, **headers_with(status)}


def _pointers(variables: Mapping[str, str], properties: Mapping[str, Any]) -> dict[str, str] | None:
    """Return where the body has the values of the variables, or None where it lacks one."""
    places = {str(value): name for name, value in properties.items() if value != ''}
    if not set(variables.values()) <= set(places):
        return None
    return {name: f'$response.body#/{places[value]}' for name, value in variables.items()}


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase
