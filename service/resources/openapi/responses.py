"""Responses of endpoints: their headers, their content in each format, and their links."""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson

from service.http.operation import RawResponse, Samples
from service.representation.document import Document, Link
from service.representation.examples import sample_problem
from service.representation.formats import Format
from service.representation.json_api import json_api_errors
from service.representation.json_schema import Schema
from service.representation.media_types import HAL, HAL_FORMS, HTML, JSON, JSON_API, PROBLEM
from service.representation.problem import PROBLEMS, Problem, problem_details, simple_error
from service.representation.url_builder import UrlBuilder
from service.resources.openapi.components import Components, reference
from service.resources.openapi.endpoints import DESCRIBED, Endpoint
from service.resources.openapi.headers import RATE_LIMIT_HEADERS, REPLAY_HEADERS, headers_with
from service.resources.openapi.samples import SampleDocuments
from service.resources.openapi.schemas import KindSchemas

SERVER_ERROR = 'ServerError'  # the response with any 5XX
_PAGE = {'schema': reference('schemas', 'HtmlPage')}
_JSON_API_ERRORS = reference('schemas', 'JsonApiErrors')
_ERROR = reference('schemas', 'Error')
_WITHOUT_CONTENT = {
    202: 'The request is accepted; there is no content.',
    204: 'The request succeeded; there is no content.',
    303: 'The request succeeded; continue at Location. This is for forms of HTML pages.',
    304: 'The representation named by If-None-Match is current.',
    308: 'The resource is now at Location.',
}


class Responses:
    """Describes the responses of endpoints, as components."""

    def __init__(self, samples: SampleDocuments, components: Components) -> None:
        self._samples = samples
        self._components = components
        self._schemas = KindSchemas(samples.kinds, components)

    def of(self, endpoint: Endpoint) -> dict[str, dict[str, str]]:
        """Return the Responses Object of an endpoint (OpenAPI 3.1 §4.8.16), by status."""
        successes = {
            str(status): self._success(endpoint, status, content)
            for status, content in endpoint.responses.items()
        }
        problems = {
            str(status): reference('responses', response_name(status)) for status in endpoint.problems
        }
        return successes | problems | {'5XX': reference('responses', SERVER_ERROR)}

    def _success(
        self, endpoint: Endpoint, status: int, content: Samples | RawResponse | None
    ) -> dict[str, str]:
        if isinstance(content, Samples):
            return self._document(endpoint, status, content)
        if isinstance(content, RawResponse):
            name = ''.join(word.capitalize() for word in content.name.split('-'))
            return self._refer(
                name,
                status,
                'OK.',
                without=(*RATE_LIMIT_HEADERS, *REPLAY_HEADERS),
                content=self._raw(content),
            )
        return self._refer(response_name(status), status, _WITHOUT_CONTENT[status])

    def _refer(
        self, name: str, status: int, description: str, *, without: Container[str] = (), **members: Any
    ) -> dict[str, str]:
        """Return a reference to a Response Object (OpenAPI 3.1 §4.8.17)."""
        headers = headers_with((status,), self._components, without=without)
        response = {'description': description, 'headers': headers, **members}
        return self._components.refer('responses', name, response)

    def _document(self, endpoint: Endpoint, status: int, samples: Samples) -> dict[str, str]:
        """Return a reference to the response with a document, in every available format.

        All pages of a kind share one response.
        """
        documents = self._samples.of_response(endpoint, status)
        name, description = _name_and_description(endpoint, status, samples, documents[0])
        if name in self._components.sections['responses']:
            return reference('responses', name)
        content = {
            format.media_type: self._content(endpoint, status, samples, format)
            for format in endpoint.formats(status)
        }
        is_resource = not documents[0].is_collection and not documents[0].is_relationship
        links = {'links': self._links(documents, content)} if is_resource else {}
        limited = () if endpoint.operation.limits else RATE_LIMIT_HEADERS
        replayed = () if status == HTTPStatus.CREATED or documents[0].is_relationship else REPLAY_HEADERS
        return self._refer(name, status, description, without=(*limited, *replayed), content=content, **links)

    def _content(self, endpoint: Endpoint, status: int, samples: Samples, format: Format) -> dict[str, Any]:
        """Return the Media Type Object (OpenAPI 3.1 §4.8.14) of a document; its example is the first sample.

        The example belongs to the schema. HAL-FORMS has the schema of HAL, and an example of its own if that
        shows how to fill in a form of a resource.
        """
        if format.media_type == HTML:
            return _PAGE
        document = next(iter(samples.in_dialect(self._samples.builder, format.dialect.names).values()))
        schema = self._schema(endpoint, samples, document, is_json_api=format.media_type == JSON_API)
        content: dict[str, Any] = {'schema': schema}
        if format.media_type in (HAL, JSON_API):
            self._components.set_example(schema, orjson.loads(format.render(document)))
        elif format.media_type == HAL_FORMS and status == HTTPStatus.OK and _has_inputs(document):
            content['example'] = orjson.loads(format.render(document))
        return content

    def _schema(
        self, endpoint: Endpoint, samples: Samples, document: Document, *, is_json_api: bool
    ) -> Schema:
        if document.is_relationship:
            is_page = document.is_collection
            return self._schemas.linkage() if is_page else self._schemas.identifier()
        if document.is_collection:
            return (self._schemas.json_api_page if is_json_api else self._schemas.hal_page)(samples.kind)
        describe = self._schemas.json_api if is_json_api else self._schemas.hal
        return describe(samples.kind, is_new=endpoint.method == 'POST')

    def _raw(self, raw: RawResponse) -> dict[str, Any]:
        example = raw.example(self._samples.builder)
        return {name: {'schema': raw.schema, 'example': example} for name in raw.content_types}

    def _links(self, documents: Iterable[Document], media_types: Container[str]) -> dict[str, Any]:
        """Return the Link Objects (§4.8.20) for the links and forms of the documents.

        Their parameters point into HAL, or into JSON:API if that is the only format.
        """
        links: dict[str, dict[str, Any]] = {}
        for document in documents:
            targets = [(rel, 'GET', link.href) for rel, link in document.links.items() if type(link) is Link]
            targets += [(form.action.name, form.action.method, form.target) for form in document.forms]
            for name, method, href in targets:
                for endpoint, variables in self._samples.endpoints_at(href, method):
                    parameters = _pointers(variables, document.properties, is_hal=HAL in media_types)
                    if parameters is not None:
                        link = {'operationId': endpoint.operation_id, 'parameters': parameters}
                        links[name.replace(':', '.')] = link
        return links


def _name_and_description(
    endpoint: Endpoint, status: int, samples: Samples, document: Document
) -> tuple[str, str]:
    """Return the component name of a response with such a document, and its description."""
    kind = samples.kind
    words = re.sub('(?<!^)(?=[A-Z])', ' ', kind.title).lower()
    if document.is_relationship:
        is_page = document.is_collection
        return ('Linkage', 'A page of identifiers.') if is_page else ('Identifier', 'One identifier.')
    if document.is_collection:
        return f'{kind.title}Page', f'A page of {kind.name}.'
    if status == HTTPStatus.CREATED:
        return f'{kind.title}Created', f'The new {words}.'
    return (f'New{kind.title}' if endpoint.method == 'POST' else kind.title), f'The {words}.'


def response_name(status: int) -> str:
    """Return the component name of the response with a status: `NotFound`."""
    return ''.join(word.capitalize() for word in re.split('[ -]', HTTPStatus(status).phrase))


def add_problem_responses(builder: UrlBuilder, components: Components) -> None:
    """Add the responses with a problem to the components, each in every format of errors."""
    problems = {
        name: sample_problem(name, f'{problem_type.title}.', builder, '/')
        for name, problem_type in PROBLEMS.items()
    }
    for status in DESCRIBED:
        of_status = {name: problem for name, problem in problems.items() if problem.status == status}
        _add_problem_response(response_name(status), (status,), of_status, components)
    errors = {name: problem for name, problem in problems.items() if problem.status >= 500}
    _add_problem_response(
        SERVER_ERROR, sorted({problem.status for problem in errors.values()}), errors, components
    )
    problem = problems['invalid-values']
    components.set_example(_JSON_API_ERRORS, json_api_errors(problem))
    components.set_example(_ERROR, simple_error(problem))


def _add_problem_response(
    name: str, statuses: Sequence[int], problems: Mapping[str, Problem], components: Components
) -> None:
    """Add the response with one of the problems; problem details have an example of each."""
    examples = {name: {'value': problem_details(problem)} for name, problem in problems.items()}
    response = {
        'description': ' '.join(f'{problem.title}.' for problem in problems.values()),
        'headers': headers_with(statuses, components),
        'content': {
            PROBLEM: {'schema': reference('schemas', 'Problem'), 'examples': examples},
            JSON_API: {'schema': _JSON_API_ERRORS},
            JSON: {'schema': _ERROR},
            HTML: _PAGE,
        },
    }
    components.refer('responses', name, response)


def _has_inputs(document: Document) -> bool:
    return document.id is not None and any(form.action.fields for form in document.forms)


def _pointers(
    variables: Mapping[str, str], properties: Mapping[str, Any], *, is_hal: bool
) -> dict[str, str] | None:
    """Return the runtime expressions for the values of the variables, None if one is not in the body."""
    pointers = {
        str(value): _pointer(name, is_hal=is_hal) for name, value in properties.items() if value != ''
    }
    if not set(variables.values()) <= set(pointers):
        return None
    return {name: f'$response.body#/{pointers[value]}' for name, value in variables.items()}


def _pointer(name: str, *, is_hal: bool) -> str:
    """Return the path of a property in HAL or else in JSON:API."""
    if is_hal:
        return name
    return 'data/id' if name == 'id' else f'data/attributes/{name}'
