"""The API's own description, which every answer in any test is held against."""

from __future__ import annotations

import functools
import re
from typing import Any, NamedTuple

import falcon.testing
import jsonschema_rs

DESCRIBED_HEADERS = (
    'location',
    'etag',
    'allow',
    'retry-after',
    'www-authenticate',
    'accept-patch',
    'link',
    'x-request-id',
)


class Described(NamedTuple):
    """An operation as the description has it, at its path template."""

    template: str
    method: str
    operation: dict[str, Any]


class Description:
    """An OpenAPI document, asked about single answers."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._patterns = [(_pattern(path, item), path) for path, item in document['paths'].items()]
        self._validators: dict[str, Any] = {}

    def operations(self) -> list[Described]:
        """Return every operation that is described."""
        return [
            Described(template, method.upper(), operation)
            for template, item in self.document['paths'].items()
            for method, operation in item.items()
            if method != 'parameters'
        ]

    def template_of(self, path: str) -> str | None:
        """Return the template of a path, None where the description has no such path."""
        path = path.removesuffix('/') or '/'
        return next((template for pattern, template in self._patterns if pattern.fullmatch(path)), None)

    def resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return what a reference leads to, or the value itself."""
        if '$ref' not in value:
            return value
        return functools.reduce(lambda tree, name: tree[name], value['$ref'][2:].split('/'), self.document)

    def check(self, method: str, path: str, answer: Any) -> None:
        """Assert that the answer is one that the description promises."""
        if path.startswith('/static/'):  # the files of pages are no part of the API
            return
        template = self.template_of(path)
        item = self.document['paths'].get(template, {})
        said = f'{method} {path} answered {answer.status}'
        operation = item.get(method.lower())
        if operation is None:
            assert answer.status in (400, 404, 501) if template is None else (400, 405, 501), said
            response = self.document['components']['responses'][str(answer.status)]
        else:
            assert str(answer.status) in operation['responses'], f'{said}, which is not described'
            response = self.resolved(operation['responses'][str(answer.status)])
        self._check_headers(response.get('headers', {}), answer, said)
        if method != 'HEAD':
            self._check_content(response.get('content'), answer, said)
        if answer.content_type == 'application/prs.hal-forms+json' and method != 'HEAD':
            self._check_forms(answer.state)

    def _check_headers(self, described: dict[str, Any], answer: Any, said: str) -> None:
        lower = {name.lower() for name in described}
        for name, header in described.items():
            assert name.lower() in answer.headers or not header.get('required'), f'{said} without {name}'
        for name in DESCRIBED_HEADERS:
            assert name not in answer.headers or name in lower, f'{said} with {name}, not described'

    def _check_content(self, content: dict[str, Any] | None, answer: Any, said: str) -> None:
        if content is None:
            assert answer.text == '', f'{said} with a body, not described'
            return
        types = {media_type.partition(';')[0]: described for media_type, described in content.items()}
        assert answer.content_type in types, f'{said} as {answer.content_type}, not described'
        if answer.content_type.endswith('json'):
            self.validate(types[answer.content_type]['schema'], answer.state)

    def validate(self, schema: dict[str, Any], value: Any) -> None:
        """Assert that the value is valid against a schema of the description."""
        key = repr(schema)
        if key not in self._validators:
            whole = {**schema, 'components': self.document['components']}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        self._validators[key].validate(value)

    def _check_forms(self, document: dict[str, Any]) -> None:
        """Assert that what each form sends is a request that is described, field by field."""
        for form in document.get('_templates', {}).values():
            path = re.sub(r'^https?://[^/]+', '', form['target']).partition('?')[0]
            operation = self.document['paths'][self.template_of(path)][form['method'].lower()]
            names = [field['name'] for field in form['properties']]
            if form['method'] == 'GET':
                asked = {each['name'] for each in operation['parameters'] if each['in'] == 'query'}
                assert set(names) <= asked
            elif names:
                content = operation['requestBody']['content'][form['contentType']]
                schema = self.resolved(content['schema'])
                # a token is renewed with less than it is asked for with
                described = [name for name in schema['properties'] if name in names]
                assert names == (described if 'dependentRequired' in schema else list(schema['properties']))
                for field in form['properties']:
                    needed = schema.get('required', schema.get('dependentRequired', ()))
                    assert field.get('required', False) == (field['name'] in needed)
                    assert field.get('maxLength') == schema['properties'][field['name']].get('maxLength')
        embedded = document.get('_embedded', {})
        for what in embedded.values():
            for one in what if isinstance(what, list) else [what]:
                self._check_forms(one)


def _pattern(path: str, item: dict[str, Any]) -> re.Pattern[str]:
    """Return what matches the paths of a template: ids where the schema is of integers, else a segment."""
    kinds = {each['name']: each['schema']['type'] for each in item.get('parameters', ())}
    pieces = re.split(r'{(\w+)}', path)
    pieces[1::2] = ['[1-9][0-9]{0,15}' if kinds[name] == 'integer' else '[^/]+' for name in pieces[1::2]]
    pieces[::2] = [re.escape(piece) for piece in pieces[::2]]
    return re.compile(''.join(pieces))


_KNOWN: list[Description] = []


def description_of(app: Any) -> Description:
    """Return what applications say of themselves; one is asked in all tests."""
    if not _KNOWN:
        _KNOWN.append(ask(app))
    return _KNOWN[0]


def ask(app: Any) -> Description:
    """Return what this very application says of itself."""
    answer = falcon.testing.simulate_get(app, '/api/openapi.json', host='halcyon.test')
    assert answer.status_code == 200, answer.text
    return Description(answer.json)


def check_described(app: Any, method: str, path: str, answer: Any) -> None:
    """Assert that the answer is described; an application with settings of its own may say otherwise."""
    try:
        description_of(app).check(method, path, answer)
    except (AssertionError, ValueError):
        ask(app).check(method, path, answer)
