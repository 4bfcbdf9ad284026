"""QUERY (RFC 10008): a collection with the parameters in the body; the response is that of GET."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from falcon.testing import simulate_request

from service.urls import FOLLOWED
from tests.client import (
    FORM,
    HAL,
    HAL_FORMS,
    HTML,
    JSON,
    JSON_API,
    ORIGIN,
    ApiResponse,
    Client,
    assert_problem,
)
from tests.routes import World, routes

pytestmark = pytest.mark.above_databases

FORMATS = [HAL, HAL_FORMS, JSON, JSON_API, HTML]


@pytest.fixture
def world(world: World, bob: Client) -> World:
    for name in ('Adele', 'Anna', 'Bert'):
        Client(bob.app).register(name)
    for number in range(3):
        world.ada.publish(f'post {number}')
    return world


def query(
    client: Client, url: str, body: bytes | str = b'', content_type: str = FORM, **options: Any
) -> ApiResponse:
    headers = {'Content-Type': content_type, **options.pop('headers', {})}
    return client.request('QUERY', url, body=body, headers=headers, **options)


def collections(app: Any) -> list[str]:
    """Return the URL templates of all collections."""
    return sorted(
        template
        for template, resource in routes(app)
        if 'GET' in resource.operations and resource.operations['GET'].query.paginated
    )


def formats(template: str) -> list[str]:
    """Return the media types in which a collection is available."""
    return [JSON_API] if '/relationships/' in template else FORMATS


def assert_same(queried: ApiResponse, expected: ApiResponse) -> None:
    """Assert that the responses to QUERY and GET are the same, except for the Content-Location of QUERY."""
    assert (queried.status, queried.text) == (expected.status, expected.text)
    headers = queried.stable_headers
    assert headers.pop('content-location').startswith(ORIGIN)
    assert headers == expected.stable_headers


def test_every_collection_responds_to_query_as_to_get(app: Any, world: World) -> None:
    templates = collections(app)
    assert {'/api/users', '/api/posts', '/api/tokens', '/api/users/{user_id}/feed', '/api/stores'} <= set(
        templates
    )
    for template in templates:
        url = world.url(template)
        for accept in formats(template):
            assert_same(query(world.ada, url, accept=accept), world.ada.get(url, accept=accept))
            assert_same(query(world.ada, url, b'{}', JSON, accept=accept), world.ada.get(url, accept=accept))


@pytest.mark.parametrize(
    ('url', 'parameters', 'accept'),
    [
        ('/api/users', {'q': 'a', 'per_page': '2'}, HAL),
        ('/api/users', {'q': 'a', 'per_page': '2', 'page': '2'}, HTML),
        ('/api/users', {'q': 'ä ö&=+%'}, HAL_FORMS),
        ('/api/posts', {'page': '2', 'per_page': '1'}, JSON),
        ('/api/posts', {'page': '9'}, HAL),
        ('/api/posts', {'page[number]': '2', 'page[size]': '1'}, JSON_API),
        ('/api/users', {'sort': '-username', 'fields[users]': 'username', 'page[size]': '3'}, JSON_API),
        ('/api/posts', {'include': 'author', 'fields[posts]': 'body,author'}, JSON_API),
        ('/api/posts', {'include': '', 'sort': '-created_at', 'page[size]': '2'}, HAL),
        ('/api/users', {'filter[q]': 'a', 'fields[users]': 'username', 'page[number]': '2'}, HAL_FORMS),
        ('/api/users', {'filter[username]': 'ada', 'include': 'posts'}, HTML),
        ('/api/posts', {'include': 'author.posts,author', 'per_page': '2'}, JSON_API),
        ('/api/posts', {'unknown': 'x'}, HAL),
        ('/api/posts', {}, HAL),
    ],
)
def test_query_accepts_the_parameters_of_get(
    world: World, url: str, parameters: dict[str, str], accept: str
) -> None:
    expected = world.ada.get(f'{url}?{urlencode(parameters)}', accept=accept)
    for body, content_type in ((urlencode(parameters), FORM), (json.dumps(parameters), JSON)):
        response = query(world.ada, url, body, content_type, accept=accept)
        assert_same(response, expected)
        assert_same(response, world.ada.get(response.headers['content-location'], accept=accept))


def test_a_query_in_json_may_have_numbers(world: World) -> None:
    response = query(world.ada, '/api/posts', b'{"page": 2, "per_page": 1}', JSON)
    assert_same(response, world.ada.get('/api/posts?page=2&per_page=1'))
    assert response.headers['content-location'] == f'{ORIGIN}/api/posts?page=2&per_page=1'


def test_the_parameters_of_the_url_apply_too(world: World) -> None:
    response = query(world.ada, '/api/posts?per_page=1', b'page=2')
    assert_same(response, world.ada.get('/api/posts?per_page=1&page=2'))


@pytest.mark.parametrize(
    ('url', 'body', 'content_type'),
    [
        ('/api/posts?page=1', b'page=2', FORM),
        ('/api/posts?page=1', b'{"page": 1}', JSON),
        ('/api/posts', b'page=1&page=1', FORM),
        ('/api/posts', b'page=0', FORM),
        ('/api/posts', b'page=x', FORM),
        ('/api/posts', b'page[after]=x', FORM),
        ('/api/posts', b'{"page": null}', JSON),
        ('/api/posts', b'{"page": true}', JSON),
        ('/api/posts', b'{"page": 1.0}', JSON),
        ('/api/posts', b'{"page": [1]}', JSON),
        ('/api/posts', b'{"page": {"after": "x"}}', JSON),
    ],
)
def test_an_invalid_parameter_is_400_and_is_named(
    world: World, url: str, body: bytes, content_type: str
) -> None:
    response = query(world.ada, url, body, content_type)
    assert_problem(response, 400)
    assert 'page' in response.json['detail']
    response = query(world.ada, url, body, content_type, accept=JSON_API)
    assert response.status == 400
    assert response.json['errors'][0]['source']['parameter'].startswith('page')


@pytest.mark.parametrize(
    ('body', 'content_type'),
    [
        (b'{', JSON),
        (b'[]', JSON),
        (b'"page"', JSON),
        (b'', JSON),
        (b'{"page": 1, "page": 1}', JSON),
        (b'{"page": NaN}', JSON),
        (b'{"page": "\\ud800"}', JSON),
        (b'{"\\ud800": "1"}', JSON),
        (b'page=%ff', FORM),
        (b'page=\xff', FORM),
        (b'&'.join(b'x%d=1' % number for number in range(101)), FORM),
    ],
)
def test_a_malformed_body_is_400(world: World, body: bytes, content_type: str) -> None:
    assert_problem(query(world.ada, '/api/posts', body, content_type), 400)


@pytest.mark.parametrize('body', [b'page=1', b''])
def test_a_query_without_content_type_is_400(world: World, body: bytes) -> None:
    response = world.ada.request('QUERY', '/api/posts', body=body)
    assert_problem(response, 400)
    assert 'Content-Type' in response.json['detail']


@pytest.mark.parametrize('body', [b'page=1', b''])
@pytest.mark.parametrize('content_type', ['text/plain', HAL, JSON_API, 'application/merge-patch+json', 'x'])
def test_another_content_type_is_415_with_accept_query(world: World, content_type: str, body: bytes) -> None:
    response = query(world.ada, '/api/posts', body, content_type, accept=HAL)
    assert_problem(response, 415)
    assert response.headers['accept-query'] == f'{FORM}, {JSON}'


def test_a_compressed_query_is_415(world: World) -> None:
    response = query(world.ada, '/api/posts', b'page=1', headers={'Content-Encoding': 'gzip'})
    assert_problem(response, 415)


def test_a_query_of_more_than_64_kib_is_413(world: World) -> None:
    assert_problem(query(world.ada, '/api/posts', b'x=' + b'y' * 65536), 413)


def test_a_query_too_long_for_a_url_is_413(world: World) -> None:
    for name in ('fields[posts]', 'unknown', 'ä'):
        body = urlencode({name: 'body,' * 1700})
        assert_problem(query(world.ada, '/api/posts', body), 413)
    assert query(world.ada, '/api/posts', 'unknown=' + 'x' * 7000).status == 200
    assert query(world.ada, '/api/posts?unknown=' + 'x' * 7000, 'other=' + 'x' * 7000).status == 413


def test_options_names_the_content_types_of_queries(app: Any, world: World) -> None:
    templates = [*collections(app), FOLLOWED]
    for template, _ in routes(app):
        headers = Client(app).request('OPTIONS', world.url(template)).headers
        assert ('QUERY' in headers['allow'].split(', ')) == (template in templates)
        assert headers.get('accept-query') == (f'{FORM}, {JSON}' if template in templates else None)


@pytest.mark.parametrize('url', ['/api', '/api/docs', '/health/live', '/api/users/5', '/api/openapi.json'])
def test_a_query_of_another_resource_is_405(client: Client, url: str) -> None:
    response = client.request('QUERY', url, headers={'Content-Type': FORM})
    assert_problem(response, 405)
    assert 'QUERY' not in response.headers['allow']


def test_a_query_needs_a_token(client: Client, world: World) -> None:
    assert_problem(query(client, '/api/posts'), 401)
    assert_problem(query(client, '/api/posts', b'x', 'text/plain'), 401)
    assert_problem(query(world.bob, world.url('/api/users/{user_id}/feed')), 403)


def test_accept_is_checked_before_the_body(world: World) -> None:
    assert_problem(query(world.ada, '/api/posts', b'x', 'text/plain', accept='image/png'), 406)


@pytest.mark.parametrize('accept', FORMATS)
def test_a_query_is_conditional_like_get(world: World, accept: str) -> None:
    body = b'page=1&per_page=2' if accept != JSON_API else b'page[size]=2'
    response = query(world.ada, '/api/posts', body, accept=accept)
    unchanged = query(world.ada, '/api/posts', body, accept=accept, headers={'If-None-Match': response.etag})
    assert unchanged.status == 304
    assert unchanged.etag == response.etag
    assert unchanged.headers['content-location'] == response.headers['content-location']
    matching = {'If-Match': response.etag}
    assert query(world.ada, '/api/posts', body, accept=accept, headers=matching).status == 200
    world.ada.publish('another')
    assert query(world.ada, '/api/posts', body, accept=accept, headers=matching).status == 412
    changed = query(world.ada, '/api/posts', body, accept=accept, headers={'If-None-Match': response.etag})
    assert changed.status == 200


def test_a_query_is_compressed_like_get(app: Any, world: World) -> None:
    sent = {'Accept': HAL, 'Accept-Encoding': 'gzip', 'Authorization': f'Bearer {world.ada.token}'}
    expected = simulate_request(app, 'GET', '/api/posts', headers=sent)
    queried = simulate_request(app, 'QUERY', '/api/posts', headers={**sent, 'Content-Type': FORM})
    assert queried.headers['content-encoding'] == 'gzip'
    assert (queried.content, queried.headers['etag']) == (expected.content, expected.headers['etag'])


def test_pages_of_other_origins_may_send_a_query(client: Client) -> None:
    headers = {'Origin': 'http://localhost', 'Access-Control-Request-Method': 'QUERY'}
    response = client.request('OPTIONS', '/api/posts', headers=headers)
    assert 'QUERY' in response.headers['access-control-allow-methods'].split(', ')


def test_a_query_is_not_treated_as_a_write(world: World) -> None:
    headers = {'Prefer': 'return=minimal', 'Idempotency-Key': '"one"'}
    assert_same(query(world.ada, '/api/posts', headers=headers), world.ada.get('/api/posts'))


def test_the_former_url_redirects_a_query(client: Client) -> None:
    response = client.request('QUERY', '/api/users/5/followed?page=2', headers={'Content-Type': FORM})
    assert response.status == 308
    assert response.headers['location'] == f'{ORIGIN}/api/users/5/following?page=2'
    assert 'deprecation' in response.headers
