"""The description of the API (OpenAPI 3.1), made of its routes, its Actions and its documents themselves."""

import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from wsgiref.util import setup_testing_defaults

import falcon
import orjson

from service.domain.clock import LARGEST_ID
from service.middleware.errors import write_problem
from service.middleware.request import Request
from service.representation.action import Field
from service.representation.addresses import AddressBook
from service.representation.document import Document, Link
from service.representation.examples import SAMPLE_MEMBERS
from service.representation.formats import FORMATS, Format
from service.representation.json_api import member
from service.representation.json_api_queries import JsonApiDialect
from service.representation.json_schema import (
    Schema,
    schema_of_action,
    schema_of_field,
    schema_of_linkage,
    schema_of_resource,
    schema_of_samples,
)
from service.representation.media_types import JSON_API, PROBLEM
from service.representation.problem import PROBLEMS, Problem
from service.representation.queries import MOST_PER_PAGE
from service.resources import samples
from service.resources.answers import Data, Samples
from service.resources.operations import Operation, operations_of

TITLE = 'Halcyon'
VERSION = '1.0.0'
SUMMARY = (
    "A microblog's people, follow relations, posts and expiring tokens, as hypermedia. Clients start at "
    '/api and follow links; this description says what can come of it.'
)
PASSWORD = 'correct horse battery staple'
_ID: Schema = {'type': 'integer', 'format': 'int64', 'minimum': 1, 'maximum': LARGEST_ID}
_COUNT: Schema = {'type': 'integer', 'minimum': 1}
_TEXT: Schema = {'type': 'string'}
_MEMBERS = r'^[a-z_]+(,[a-z_]+)*$'
_KEY = re.compile(r'[^A-Za-z0-9._-]+')

# Of each header what it says, and the statuses that it is always or sometimes with.
_HEADERS: dict[str, tuple[str, Container[int], Container[int]]] = {
    'Accept': ('The media types of bodies that are read.', frozenset(), frozenset((415,))),
    'Accept-Encoding': ('The content codings that are read.', frozenset(), frozenset((415,))),
    'Accept-Patch': ('The media types of patches that are read.', frozenset(), frozenset((415,))),
    'Allow': ('The methods that the resource has.', frozenset((405,)), frozenset()),
    'ETag': ('The validator of the representation.', frozenset((304,)), frozenset((200, 201))),
    'Link': ('Other pages, and what a write made stale.', frozenset(), frozenset((200, 201, 204, 303, 304))),
    'Location': ('The absolute address of what was made.', frozenset((201, 303, 308)), frozenset()),
    'Retry-After': ('Seconds after which to try again.', frozenset((429, 503)), frozenset((409,))),
    'WWW-Authenticate': ('The credentials that are asked for.', frozenset((401,)), frozenset()),
    'X-Request-Id': ('What the log of the server calls the request.', range(100, 600), frozenset()),
}
_CONDITIONS = {
    'If-Match': 'Change it only if one of these is its validator now.',
    'If-None-Match': 'Do it only if none of these is its validator now.',
    'Idempotency-Key': 'With the same key the same request takes effect once.',
}
# What may be left out of JSON:API resources at a client's wish (§6.4).
_SPARSE = frozenset(('attributes', 'relationships'))


class Description:
    """What the API is, for programs and for people; `routes` may grow until it is first asked for."""

    def __init__(self, routes: Sequence[tuple[str, Any]]) -> None:
        self._routes = routes
        self._at = lru_cache(maxsize=16)(self._make)

    def at(self, book: AddressBook) -> dict[str, Any]:
        """Return the OpenAPI document with the addresses of the book."""
        return self._at(book.origin, book.avatars)

    def _make(self, origin: str, avatars: bool) -> dict[str, Any]:
        operations = list(operations_of(self._routes))
        return _Writer(operations, AddressBook(origin, avatars=avatars)).write()


class _Writer:
    """Writes one OpenAPI document, collecting what its operations share."""

    def __init__(self, operations: Sequence[Operation], book: AddressBook) -> None:
        self._operations = operations
        self._book = book
        self._components: dict[str, dict[str, Any]] = {'schemas': {}, 'examples': {}}
        self._shown = {
            operation: {
                status: answer.documents(book) if isinstance(answer, Samples) else {}
                for status, answer in operation.answers.items()
            }
            for operation in operations
        }
        self._kinds = sorted({one.vocabulary.kind for one in operations if one.vocabulary})
        self._addresses = [(_pattern(one.template), one) for one in operations]
        self._values = _values_of(document for one in operations for document in self._documents(one))

    def write(self) -> dict[str, Any]:
        paths: dict[str, dict[str, Any]] = {}
        for operation in self._operations:
            path = paths.setdefault(operation.template, {})
            path[operation.method.lower()] = self._operation(operation)
        for operation in self._operations:
            if operation.variables:
                paths[operation.template]['parameters'] = self._path_parameters(operation)
        statuses = sorted({problem.status for problem in PROBLEMS.values()})
        responses = {str(status): self._problem_response(status) for status in statuses}
        return {
            'openapi': '3.1.0',
            'info': {'title': TITLE, 'version': VERSION, 'description': SUMMARY},
            'servers': [{'url': self._book.origin}],
            'tags': [{'name': name} for name in dict.fromkeys(one.part for one in self._operations)],
            'paths': paths,
            'components': {
                'responses': responses,
                'securitySchemes': {
                    'bearer': {'type': 'http', 'scheme': 'bearer', 'description': 'A token.'},
                    'basic': {'type': 'http', 'scheme': 'basic', 'description': 'User name and password.'},
                },
                **self._components,
            },
        }

    def _operation(self, operation: Operation) -> dict[str, Any]:
        """Return the Operation Object (OpenAPI 3.1 §4.8.10)."""
        described: dict[str, Any] = {
            'operationId': operation.name,
            'tags': [operation.part],
            'summary': _summary(operation),
            'description': type(operation.resource).__doc__,
            'security': _security(operation),
            'parameters': [*self._query_parameters(operation), *_conditions(operation)],
            'responses': {
                str(status): self._response(operation, status, answer)
                for status, answer in operation.answers.items()
            },
        }
        for status in operation.problems():
            described['responses'][str(status)] = (
                {'description': _phrase(status), **_headers(status)}
                if operation.method == 'HEAD'
                else {'$ref': f'#/components/responses/{status}'}
            )
        if operation.body_types:
            described['requestBody'] = self._request_body(operation)
        return {name: value for name, value in described.items() if value or name == 'security'}

    def _path_parameters(self, operation: Operation) -> list[dict[str, Any]]:
        """Return the variables of the address, with values that the samples have."""
        addresses = (document.href for document in self._documents(operation))
        matches = [match for href in addresses if (match := self._match(operation.template, href))]
        return [
            {
                'name': name,
                'in': 'path',
                'required': True,
                'schema': _ID if name.endswith('_id') else _TEXT,
                'example': self._path_value(operation, name, matches),
            }
            for name in operation.variables
        ]

    def _path_value(self, operation: Operation, name: str, matches: Sequence[re.Match[str]]) -> Any:
        value = matches[0][name] if matches else str(samples.USER.id)
        return int(value) if name.endswith('_id') else value

    def _match(self, template: str, href: str) -> re.Match[str] | None:
        return _pattern(template).fullmatch(href.removeprefix(self._book.origin).partition('?')[0])

    def _query_parameters(self, operation: Operation) -> list[dict[str, Any]]:
        """Return what can be asked of a collection: what its own links ask, and the form that GET reads."""
        if operation.own_method != 'GET':
            return []
        fields = {field.name: field for field in operation.action.fields} if operation.action else {}
        schemas = {name: schema_of_field(field) for name, field in fields.items()}
        for document in self._documents(operation):
            for name, value in _queries(document):
                schemas.setdefault(name, _COUNT if value.isdigit() else _TEXT)
        described = [{'name': name, 'in': 'query', 'schema': schema} for name, schema in schemas.items()]
        return described + self._json_api_parameters(operation, schemas)

    def _json_api_parameters(self, operation: Operation, known: Collection[str]) -> list[dict[str, Any]]:
        """Return what can be asked in JSON:API beside what is known already (JSON:API 1.1 §6)."""
        vocabulary = operation.vocabulary
        if vocabulary is None or operation.kind not in self._kinds:
            return []
        names = JsonApiDialect.names
        schemas: dict[str, Schema] = {}
        if vocabulary.paged:
            schemas = {names.number: _COUNT, names.size: {**_COUNT, 'maximum': MOST_PER_PAGE}}
        schemas |= {f'filter[{name}]': _TEXT for name in vocabulary.filters}
        if vocabulary.sorts:
            schemas['sort'] = {'enum': [sign + name for name in vocabulary.sorts for sign in ('', '-')]}
        if vocabulary.relations:
            schemas['include'] = {'enum': [member(rel) for rel in vocabulary.relations]}
        schemas |= {f'fields[{kind}]': {'type': 'string', 'pattern': _MEMBERS} for kind in self._kinds}
        return [
            {'name': name, 'in': 'query', 'description': f'In {JSON_API}.', 'schema': schema}
            for name, schema in schemas.items()
            if name not in known
        ]

    def _request_body(self, operation: Operation) -> dict[str, Any]:
        """Return the Request Body Object: one schema for every media type that is read."""
        action = operation.action
        assert action is not None
        name = f'{operation.kind}-{action.name}'
        rules = schema_of_action(action)
        if operation.has_own_credentials:  # which may be in the header instead, but not in part
            needed = rules.pop('required')
            rules['dependentRequired'] = {one: [other for other in needed if other != one] for one in needed}
        values = _values_of(self._documents(operation)) | {}
        example = {
            field.name: self._example(field, values)
            for field in action.fields
            if field.required or field.name in values
        }
        return {
            'required': (operation.is_linkage or any(field.required for field in action.fields))
            and not operation.has_own_credentials,
            'content': {
                media_type: {
                    'schema': self._component('schemas', *self._said(operation, media_type, name, rules)),
                    'examples': {action.name: {'value': self._sent(operation, media_type, example)}},
                }
                for media_type in operation.body_types
            },
        }

    def _said(self, operation: Operation, media_type: str, name: str, rules: Schema) -> tuple[str, Schema]:
        """Return the name and the schema of a body with members of these rules in the media type."""
        if media_type != JSON_API:
            return name, rules
        name = f'{name}.{_short(JSON_API)}'
        if operation.is_linkage:
            return name, schema_of_linkage(operation.kind)
        return name, schema_of_resource(rules, operation.kind, is_new=operation.method == 'POST')

    def _sent(self, operation: Operation, media_type: str, values: dict[str, Any]) -> dict[str, Any]:
        """Return a body with these values in the media type."""
        if media_type != JSON_API:
            return values
        if operation.is_linkage:
            return {'data': [{'type': operation.kind, 'id': str(samples.OTHER.user_id)}]}
        data: dict[str, Any] = {'type': operation.kind, 'attributes': values}
        if operation.method != 'POST':
            path = self._path_parameters(operation)
            data['id'] = '-'.join(str(variable['example']) for variable in path)
        return {'data': data}

    def _example(self, field: Field, values: Mapping[str, Any]) -> Any:
        """Return a value that the field takes: one that a sample has, for a password one of our own."""
        if field.type == 'password':
            return PASSWORD
        return values[field.name] if field.name in values else self._values[field.name]

    def _response(self, operation: Operation, status: int, answer: Samples | Data | None) -> dict[str, Any]:
        """Return the Response Object of a success (OpenAPI 3.1 §4.8.17)."""
        described: dict[str, Any] = {'description': _phrase(status), **_headers(status)}
        if operation.method == 'OPTIONS':
            names = ('Allow', 'Accept-Patch') if operation.has_patch else ('Allow',)
            described['headers'] |= {name: _header(name, is_required=True) for name in names}
        elif operation.method != 'HEAD' and isinstance(answer, Data):
            described['content'] = self._data(answer)
        elif operation.method != 'HEAD' and isinstance(answer, Samples):
            described['content'] = self._content(answer, operation.formats(status))
            described['links'] = self._links(self._shown[operation][status].values())
        return described

    def _content(self, answer: Samples, formats: Iterable[Format]) -> dict[str, Any]:
        """Return the documents in every format that they can be had in."""
        content: dict[str, Any] = {}
        for format in formats:
            if not format.media_type.endswith('json'):
                content[format.media_type] = {'schema': _TEXT}
                continue
            documents = answer.said(self._book, format.dialect.names)
            shown = {label: orjson.loads(format.render(one)) for label, one in documents.items()}
            name = f'{answer.name}.{_short(format.media_type)}'
            content[format.media_type] = self._json(name, shown, _SPARSE if format.dialect.strict else ())
        return content

    def _data(self, data: Data) -> dict[str, Any]:
        example = data.example(self._book)
        return {
            content_type: {'schema': _TEXT}
            if isinstance(example, str)
            else self._json(data.name, {'example': example})
            for content_type in data.content_types
        }

    def _json(self, name: str, shown: Mapping[str, Any], sparse: Collection[str] = ()) -> dict[str, Any]:
        """Return the Media Type Object of JSON values: the schema made of all of them, and each of them."""
        return {
            'schema': self._component(
                'schemas', name, schema_of_samples(list(shown.values()), sparse=sparse)
            ),
            'examples': {
                _key(label): self._component('examples', f'{name}.{_key(label)}', {'value': value})
                for label, value in shown.items()
            },
        }

    def _links(self, documents: Iterable[Document]) -> dict[str, Any]:
        """Return what can be done next (Link Object, §4.8.20): the links and the forms of the documents."""
        links: dict[str, Any] = {}
        for document in documents:
            targets = [(rel, 'GET', link.href) for rel, link in document.links.items() if type(link) is Link]
            targets += [(form.action.name, form.action.method, form.target) for form in document.forms]
            for name, method, href in targets:
                for pattern, operation in self._addresses:
                    match = pattern.fullmatch(href.removeprefix(self._book.origin))
                    if match and operation.method == method and not document.meta:
                        parameters = _pointers(match.groupdict(), document.properties)
                        if parameters is not None:
                            links[_key(name)] = {'operationId': operation.name, 'parameters': parameters}
        return links

    def _problem_response(self, status: int) -> dict[str, Any]:
        """Return the problems of a status in every media type that errors can be had in."""
        shown: dict[str, dict[str, Any]] = {}
        for name, problem_type in PROBLEMS.items():
            if problem_type.status == status:
                problem = Problem(name, problem_type.meaning, **SAMPLE_MEMBERS.get(name, {}))
                for content_type, body in _said(problem, self._book):
                    shown.setdefault(content_type.partition(';')[0], {})[name] = body
        content = {
            media_type: self._json(f'problem-{status}.{_short(media_type)}', values)
            if media_type.endswith('json')
            else {'schema': _TEXT}
            for media_type, values in shown.items()
        }
        return {'description': _phrase(status), 'content': content, **_headers(status)}

    def _component(self, section: str, name: str, value: Any) -> dict[str, str]:
        """Return a reference to what is shared; equal ones are one."""
        section_of = self._components[section]
        known = next((known for known, other in section_of.items() if other == value), name)
        if section_of.setdefault(known, value) != value:
            raise ValueError(f'there are two {section} called {name}')
        return {'$ref': f'#/components/{section}/{known}'}

    def _documents(self, operation: Operation) -> list[Document]:
        """Return the samples of all answers of the resource."""
        return [
            document
            for one, answers in self._shown.items()
            if one.template == operation.template
            for documents in answers.values()
            for document in documents.values()
        ]


def _summary(operation: Operation) -> str:
    action = operation.action
    if action is not None and operation.own_method != 'GET':
        return action.title
    return f'{operation.method} {operation.name[len(operation.method) :]}'


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    """Return the ways to show who asks, any of which will do; `{}` is to show nothing."""
    if operation.has_own_credentials:
        return [{}, {'basic': []}, {'bearer': []}]
    if not operation.is_public:
        return [{'bearer': []}]
    return [{}, {'bearer': []}] if 401 in operation.problems() else []


def _conditions(operation: Operation) -> list[dict[str, Any]]:
    names: tuple[str, ...] = ('If-None-Match',) if 304 in operation.answers else ()
    if operation.is_conditional_write:
        names = ('If-Match', 'If-None-Match')
    if 422 in operation.problems():
        names += ('Idempotency-Key',)
    return [
        {'name': name, 'in': 'header', 'description': _CONDITIONS[name], 'schema': _TEXT} for name in names
    ]


def _headers(status: int) -> dict[str, dict[str, Any]]:
    """Return the headers of an answer with the status."""
    headers = {
        name: _header(name, is_required=status in always)
        for name, (_, always, sometimes) in _HEADERS.items()
        if status in always or status in sometimes
    }
    return {'headers': headers}


def _header(name: str, *, is_required: bool) -> dict[str, Any]:
    described = {'description': _HEADERS[name][0], 'schema': _TEXT}
    return {**described, 'required': True} if is_required else described


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase


def _key(name: str) -> str:
    """Return the name as components may be called (OpenAPI 3.1 §4.8.7)."""
    return _KEY.sub('.', name)


def _short(media_type: str) -> str:
    return media_type.rpartition('/')[2].removesuffix('+json').removeprefix('prs.').removeprefix('vnd.')


def _pattern(template: str) -> re.Pattern[str]:
    """Return what matches the path of every address that the template can be."""
    pieces = re.split(r'{(\w+)}', template)
    groups = [f'(?P<{name}>{"[1-9][0-9]*" if name.endswith("_id") else "[^/]+"})' for name in pieces[1::2]]
    return re.compile(
        ''.join(re.escape(text) + group for text, group in zip(pieces[::2], [*groups, ''], strict=True))
    )


def _pointers(variables: Mapping[str, str], properties: Mapping[str, Any]) -> dict[str, str] | None:
    """Return where the body has the values of the variables, or None where it lacks one."""
    places = {str(value): name for name, value in properties.items() if value != ''}
    if not set(variables.values()) <= set(places):
        return None
    return {name: f'$response.body#/{places[value]}' for name, value in variables.items()}


def _queries(document: Document) -> Iterator[tuple[str, str]]:
    """Return the query parameters of a collection's links to its own pages, with their values."""
    if document.meta:
        for link in document.links.values():
            if isinstance(link, Link):
                yield from parse_qsl(urlsplit(link.href).query)


def _values_of(documents: Iterable[Document]) -> dict[str, Any]:
    """Return a value for every property that the documents, and those embedded in them, have."""
    values: dict[str, Any] = {}
    for document in documents:
        for name, value in document.properties.items():
            values[name] = values.get(name) or value
        for what in document.embedded.values():
            inner = _values_of(what if isinstance(what, tuple) else (what,))
            values = inner | {name: value for name, value in values.items() if value or name not in inner}
    return values


def _said(problem: Problem, book: AddressBook) -> Iterator[tuple[str, Any]]:
    """Return how the one writer of errors says the problem: each Content-Type, and the body."""
    for media_type in (PROBLEM, *FORMATS):
        environ: dict[str, Any] = {'HTTP_ACCEPT': media_type}
        setup_testing_defaults(environ)
        req, resp = Request(environ), falcon.Response()
        req.book = book
        write_problem(req, resp, problem)
        content_type, body = resp.content_type or '', resp.data or b''
        yield content_type, orjson.loads(body) if content_type.endswith('json') else body.decode()
