"""Validation of every response in every test against the OpenAPI document of the application."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from http import HTTPStatus
from io import StringIO
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import falcon.testing
import jsonschema_rs

from service.app import create_app
from service.config import Settings
from service.domain.startup import open_session

DESCRIBED_HEADERS = (
    'location',
    'etag',
    'allow',
    'retry-after',
    'content-location',
    'deprecation',
    'idempotency-replayed',
    'preference-applied',
    'www-authenticate',
    'accept-patch',
    'link',
    'ratelimit',
    'ratelimit-policy',
    'x-request-id',
)
METHODS = ('get', 'put', 'post', 'delete', 'patch')
# Statuses that the document describes in prose: of OPTIONS, and of requests without an operation.
OPTIONS_STATUSES = (204, 400, 401, 500, 503)
NO_OPERATION_STATUSES = (400, 405, 501)
NO_PATH_STATUSES = (400, 404, 501)


class DescribedOperation(NamedTuple):
    """An operation of the document, with its path template."""

    template: str
    method: str
    operation: dict[str, Any]

    def __str__(self) -> str:
        return f'{self.method} {self.template}'


class Description:
    """An OpenAPI document that responses are validated against."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._patterns = {path: self._pattern(path) for path in document['paths']}
        self._schemas = forbid_undeclared(document['components']['schemas'])
        self._validators: dict[str, Any] = {}

    def operations(self) -> list[DescribedOperation]:
        """Return every operation."""
        return [
            DescribedOperation(template, method.upper(), item[method])
            for template, item in self.document['paths'].items()
            for method in item
            if method in METHODS
        ]

    def parameters(self, template: str, method: str = '') -> list[dict[str, Any]]:
        """Return the parameters of a path, or of one of its operations."""
        item = self.document['paths'][template]
        parameters = (item[method] if method else item).get('parameters', ())
        return [self.resolve(parameter) for parameter in parameters]

    def response(self, operation: dict[str, Any], status: int) -> dict[str, Any]:
        """Return the response that an operation describes for a status, or for its range."""
        responses = operation['responses']
        return self.resolve(responses.get(str(status)) or responses[f'{status // 100}XX'])

    def template_of(self, path: str) -> str | None:
        """Return the template of a path, or None if it is not described."""
        path = path.removesuffix('/') or '/'
        templates = (template for template, pattern in self._patterns.items() if pattern.fullmatch(path))
        return next(templates, None)

    def resolve(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return the target of a reference, or the value itself."""
        if '$ref' not in value:
            return value
        return functools.reduce(lambda tree, name: tree[name], value['$ref'][2:].split('/'), self.document)

    def check(self, method: str, path: str, response: Any) -> None:
        """Assert that the response is as described."""
        if path.startswith('/static/'):  # static files are not part of the API
            return
        template = self.template_of(path)
        item = self.document['paths'].get(template, {})
        summary = f'{method} {path}: {response.status}'
        operation = item.get('get' if method == 'HEAD' else method.lower())
        if operation is not None:
            described_statuses = {str(response.status), f'{response.status // 100}XX'}
            assert described_statuses & set(operation['responses']), f'{summary} is not described'
            described = self.response(operation, response.status)
        elif method == 'QUERY' and item:  # GET with a body, which OpenAPI 3.1 cannot describe
            is_like_get = response.status in (200, 304, 308)
            described = (
                self.response(item['get'], response.status) if is_like_get else self.problem(response.status)
            )
        elif method == 'OPTIONS' and item:
            assert response.status in OPTIONS_STATUSES, summary
            described = options_response(item) if response.status == 204 else self.problem(response.status)
        elif method == 'OPTIONS' and response.status == 204:  # a preflight of any URL
            described = {'headers': {'X-Request-Id': {'required': True}}}
        else:
            assert response.status in (NO_OPERATION_STATUSES if item else NO_PATH_STATUSES), summary
            described = self.problem(response.status)
        self._check_headers(described.get('headers', {}), response, summary)
        if method != 'HEAD':
            self._check_content(described.get('content'), response, summary)
            if response.content_type == 'application/prs.hal-forms+json':
                self._check_forms(response.json)

    def problem(self, status: int) -> dict[str, Any]:
        """Return the response with a problem of this status, which is the same for all operations."""
        responses: dict[str, dict[str, Any]] = self.document['components']['responses']
        if status >= 500:
            return responses['ServerError']
        name = ''.join(word.capitalize() for word in re.split('[ -]', HTTPStatus(status).phrase))
        return responses[name]

    def _check_headers(self, described: dict[str, Any], response: Any, summary: str) -> None:
        described_names = {name.lower() for name in described}
        for name, header in described.items():
            is_required = self.resolve(header).get('required', False)
            assert name.lower() in response.headers or not is_required, f'{summary} without {name}'
        for name in DESCRIBED_HEADERS:
            assert name not in response.headers or name in described_names, (
                f'{summary} with {name}, which is not described'
            )

    def _check_content(self, content: dict[str, Any] | None, response: Any, summary: str) -> None:
        if content is None or response.headers.get('preference-applied') == 'return=minimal':
            assert response.text == '', f'{summary} with a body, which is not described'
            return
        types = {media_type.partition(';')[0]: described for media_type, described in content.items()}
        assert response.content_type in types, f'{summary} as {response.content_type}, which is not described'
        if response.content_type.endswith('json'):
            self.validate(types[response.content_type]['schema'], response.json)

    def validate(self, schema: dict[str, Any], value: Any) -> None:
        """Assert that the value is valid against a schema, without undeclared members."""
        key = json.dumps(schema)
        if key not in self._validators:
            complete_schema = {**forbid_undeclared(schema), 'components': {'schemas': self._schemas}}
            self._validators[key] = jsonschema_rs.Draft202012Validator(complete_schema, validate_formats=True)
        self._validators[key].validate(value)

    def _check_forms(self, document: dict[str, Any]) -> None:
        """Assert that the fields of each form are described in the request that it sends."""
        for form in document.get('_templates', {}).values():
            path = re.sub(r'^https?://[^/]+', '', form['target']).partition('?')[0]
            template = self.template_of(path)
            assert template is not None, f'a form has the target {path}, which is not described'
            operation = self.document['paths'][template][form['method'].lower()]
            names = [field['name'] for field in form['properties']]
            if form['method'] == 'GET':
                parameters = self.parameters(template, 'get')
                query = {parameter['name'] for parameter in parameters if parameter['in'] == 'query'}
                assert set(names) <= query
            elif names:
                content = operation['requestBody']['content'][form['contentType']]
                schema = self.resolve(content['schema'])
                # renewing a token needs fewer fields than signing in
                described = [name for name in schema['properties'] if name in names]
                assert names == (described if 'dependentRequired' in schema else list(schema['properties']))
                for field in form['properties']:
                    required = schema.get('required', schema.get('dependentRequired', ()))
                    assert field.get('required', False) == (field['name'] in required)
                    assert field.get('maxLength') == schema['properties'][field['name']].get('maxLength')
        for value in document.get('_embedded', {}).values():
            for embedded in value if isinstance(value, list) else [value]:
                self._check_forms(embedded)

    def _pattern(self, path: str) -> re.Pattern[str]:
        """Return the pattern of the paths of a template; integers are ids."""
        types = {parameter['name']: parameter['schema']['type'] for parameter in self.parameters(path)}
        pieces = re.split(r'{(\w+)}', path)
        pieces[1::2] = ['[1-9][0-9]{0,15}' if types[name] == 'integer' else '[^/]+' for name in pieces[1::2]]
        pieces[::2] = [re.escape(piece) for piece in pieces[::2]]
        return re.compile(''.join(pieces))


def options_response(item: dict[str, Any]) -> dict[str, Any]:
    """Return the response to OPTIONS, which the document describes in prose."""
    headers = {'Allow': {'required': True}, 'X-Request-Id': {'required': True}}
    if 'patch' in item:
        headers['Accept-Patch'] = {'required': 'requestBody' in item['patch']}
    return {'headers': headers}


def forbid_undeclared(schema: Any) -> Any:
    """Return the schema with undeclared members forbidden wherever it declares members.

    Clients must accept new members in the future; in tests every present member must be declared.
    """
    if isinstance(schema, list):
        return [forbid_undeclared(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    values = {name: forbid_undeclared(value) for name, value in schema.items()}
    return {'additionalProperties': False, **values} if declares_members(schema) else values


def declares_members(schema: dict[str, Any]) -> bool:
    """Return whether the schema declares the members of an object."""
    return schema.get('type') == 'object' and isinstance(schema.get('properties'), dict)


_BY_SETTINGS: dict[Settings, Description] = {}
_BY_APP: WeakKeyDictionary[Callable[..., Any], Description] = WeakKeyDictionary()


def share_description(app: Any, settings: Settings) -> None:
    """Share one OpenAPI document among the applications with these settings; generating it takes 0.1 s.

    The document is requested from another application, so that the application under test has no request.
    """
    if settings not in _BY_SETTINGS:
        db = open_session(settings)
        _BY_SETTINGS[settings] = description_of(create_app(settings, db=db, lines=StringIO()))
        db.close()
    _BY_APP[app] = _BY_SETTINGS[settings]


def description_of(app: Any) -> Description:
    """Return the OpenAPI document of an application, which is requested once."""
    if app not in _BY_APP:
        response = falcon.testing.simulate_get(app, '/api/openapi.json', host='halcyon.test')
        assert response.status_code == 200, response.text
        _BY_APP[app] = Description(json.loads(response.text))
    return _BY_APP[app]
