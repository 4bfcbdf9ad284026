"""A generic hypermedia client, which knows `/api` and the media types, follows links and fills in forms."""

from __future__ import annotations

import re
from base64 import b64encode
from json import dumps
from typing import Any
from urllib.parse import unquote, urlsplit

import falcon.testing
import uritemplate

from service.representation.cursor_pagination import PROFILES, profiled_type
from tests.description import description_of
from tests.lint import lint
from tests.strict_hal import check_hal
from tests.strict_json_api import check_json_api

ORIGIN = 'http://halcyon.test'
HAL = 'application/hal+json'
HAL_FORMS = 'application/prs.hal-forms+json'
JSON_API = 'application/vnd.api+json'
JSON = 'application/json'
HTML = 'text/html'
FORM = 'application/x-www-form-urlencoded'
PROBLEM = 'application/problem+json'
PASSWORD = 'correct horse'
LOGIN = {'username': 'ada', 'password': PASSWORD}


class ApiResponse:
    """A response and its document."""

    def __init__(self, client: Client, result: falcon.testing.Result, target: str = '') -> None:
        self.client = client
        self.target = target
        self.status = result.status_code
        self.headers = result.headers
        self.text = result.text
        self.content_type = self.headers.get('content-type', '').partition(';')[0]
        self.json: dict[str, Any] = result.json if self.content_type.endswith('json') and self.text else {}

    @property
    def etag(self) -> str:
        return self.headers['etag']

    @property
    def request_id(self) -> str:
        return self.headers['x-request-id']

    @property
    def stable_headers(self) -> dict[str, str]:
        """All headers except X-Request-Id, which differs in each response."""
        return {name: value for name, value in self.headers.items() if name != 'x-request-id'}

    @property
    def items(self) -> list[dict[str, Any]]:
        return self.json['_embedded']['item']

    def href(self, rel: str, **variables: Any) -> str:
        """Return the URL of a link, with the variables of its template."""
        return href_of(self.json, rel, **variables)

    def follow(self, rel: str, **options: Any) -> ApiResponse:
        """Get the target of a link; options other than accept and headers are variables of its template."""
        request = {name: options.pop(name) for name in ('accept', 'headers') if name in options}
        return self.client.get(self.href(rel, **options), **request)

    def submit(self, form: str, **values: Any) -> ApiResponse:
        """Submit a form of this document."""
        return self.client.submit(self.json, form, **values)


def href_of(document: dict[str, Any], rel: str, **variables: Any) -> str:
    """Return the URL of a link of a HAL document, with the variables of its template."""
    link = document['_links'][rel]
    return uritemplate.expand(link['href'], variables) if link.get('templated') else link['href']


class Client:
    """A client of the API, signed in if it has a token."""

    def __init__(self, app: Any, token: str | None = None, accept: str = HAL_FORMS + ', ' + HAL) -> None:
        self.app = app
        self.description = description_of(app)
        self.token = token
        self.accept = accept

    def request(
        self,
        method: str,
        href: str,
        *,
        accept: str | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> ApiResponse:
        """Send a request to a URL or a path, and check the response."""
        parts = urlsplit(href)
        if parts.netloc:
            assert f'{parts.scheme}://{parts.netloc}' == ORIGIN, f'{href} is not at {ORIGIN}'
        all_headers = {'Accept': accept or self.accept}
        if self.token:
            all_headers['Authorization'] = f'Bearer {self.token}'
        all_headers |= headers or {}
        result = falcon.testing.simulate_request(
            self.app,
            method,
            parts.path,
            query_string=parts.query,
            headers=all_headers,
            host='halcyon.test',
            **options,
        )
        response = ApiResponse(self, result, f'{ORIGIN}{parts.path}')
        check_response(method, response)
        lint(method, f'{ORIGIN}{parts.path}', {'Host': 'halcyon.test', **all_headers}, result)
        self.description.check(method, unquote(re.sub('%2[Ff]', '%252F', parts.path)), response)
        return response

    def get(self, href: str, **options: Any) -> ApiResponse:
        return self.request('GET', href, **options)

    def post(self, href: str, json: Any = None, **options: Any) -> ApiResponse:
        return self.request('POST', href, json=json, **options)

    def put(self, href: str, json: Any = None, **options: Any) -> ApiResponse:
        return self.request('PUT', href, json=json, **options)

    def patch(self, href: str, json: Any = None, **options: Any) -> ApiResponse:
        return self.request('PATCH', href, json=json, **options)

    def merge_patch(self, href: str, patch: dict[str, Any], method: str = 'PATCH') -> ApiResponse:
        """Send a merge patch (RFC 7396)."""
        headers = {'Content-Type': 'application/merge-patch+json'}
        return self.request(method, href, headers=headers, body=dumps(patch).encode())

    def delete(self, href: str, **options: Any) -> ApiResponse:
        return self.request('DELETE', href, **options)

    def entry(self, **options: Any) -> ApiResponse:
        return self.get('/api', **options)

    def follow(self, *rels: str, **options: Any) -> ApiResponse:
        """Follow a path of link relations from the entry point."""
        response = self.entry()
        for rel in rels[:-1]:
            response = response.follow(rel)
        return response.follow(rels[-1], **options)

    def submit(self, document: dict[str, Any], form: str, **values: Any) -> ApiResponse:
        """Submit a form of a HAL-FORMS document; fields without a value keep their current values."""
        template = document['_templates'][form]
        current = {field['name']: field['value'] for field in template['properties'] if 'value' in field}
        if template['method'] == 'GET':
            return self.get(template['target'] + uritemplate.expand('{?values*}', values=current | values))
        assert template['contentType'] == 'application/json'
        return self.request(template['method'], template['target'], json=current | values)

    def register(self, username: str, password: str = PASSWORD, **fields: str) -> ApiResponse:
        """Register a user with the form of the entry point."""
        email = fields.pop('email', f'{username}@example.org')
        return self.entry().submit('register', username=username, email=email, password=password, **fields)

    def sign_in(self, username: str, password: str = PASSWORD) -> Client:
        """Return a client that has signed in with the form of the entry point."""
        response = (
            Client(self.app, accept=self.accept).entry().submit('login', username=username, password=password)
        )
        assert response.status == 200, response.text
        return Client(self.app, response.json['token'], self.accept)

    def me(self) -> ApiResponse:
        return self.follow('hc:me')

    def publish(self, body: str) -> ApiResponse:
        return self.entry().submit('publish', body=body)


def new_user(username: str = 'eve') -> dict[str, str]:
    """Return the body of a request that registers a user."""
    return {'username': username, 'email': f'{username}@example.org', 'password': PASSWORD}


def basic(username: str = 'ada', password: str = PASSWORD) -> str:
    """Return an Authorization field with Basic credentials."""
    return 'Basic ' + b64encode(f'{username}:{password}'.encode()).decode()


def check_response(method: str, response: ApiResponse) -> None:
    """Assert the rules that apply to every response."""
    status, headers = response.status, response.headers
    assert 'Accept' in headers['vary'].split(', ')
    assert response.request_id
    assert status != 500 or response.request_id in response.text or method == 'HEAD'
    if status in (204, 304):
        assert 'content-type' not in headers
        assert response.text == ''
    elif status >= 400 and method != 'HEAD':
        assert response.text
    if status == 201:
        assert headers['location'].startswith(ORIGIN)
    if status in (200, 304) and method in ('GET', 'HEAD') and headers.get('cache-control') != 'no-store':
        assert re.fullmatch(r'"([a-z]+-)?[0-9a-f.]+"', response.etag)
    if status == 401:
        assert headers['www-authenticate'].startswith('Bearer realm="')
    if response.content_type == JSON_API and response.text:
        assert headers['content-type'] in (
            JSON_API,
            *map(profiled_type, PROFILES),
        )
        check_json_api(response.json)
    if response.content_type in (HAL, HAL_FORMS) and method != 'HEAD':
        check_hal(response.json, forms=response.content_type == HAL_FORMS)


def assert_problem(response: ApiResponse, status: int, *pointers: str) -> None:
    """Assert that the response is a problem document with the status and exactly these pointers."""
    assert response.status == status, response.text
    assert response.content_type == PROBLEM
    problem = response.json
    assert problem['status'] == status
    assert problem['type'].startswith(f'{ORIGIN}/api/problems/')
    assert problem['instance'].startswith(ORIGIN)
    assert problem['title']
    assert problem['detail']
    assert [error['pointer'] for error in problem.get('errors', [])] == list(pointers)
    assert all(error['detail'] for error in problem.get('errors', []))
