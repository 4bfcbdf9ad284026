"""Attacks by a client that knows the API, at every URL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.client import FORM, HAL, HAL_FORMS, HTML, JSON, JSON_API, LOGIN, ApiResponse, Client, new_user
from tests.routes import World, methods_at, routes
from tests.test_security_headers import check_security_headers

FORMATS = (f'{HAL_FORMS}, {HAL};q=0.9', JSON_API, HTML, JSON)
VOLATILE = {'updated_at', 'last_seen', 'last_used_at'}  # members that every write changes
OVERRIDES = ('X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', '_method')
MALICIOUS_TEXT = '"><script>alert(1)</script>\'\u202e'


@pytest.fixture
def world(world: World, bob: Client) -> World:
    bob.publish('Hello from Bob')
    bob.get(world.ada.me().href('self')).submit('follow')
    return world


def urls(app: Any, world: World, method: str) -> Iterator[str]:
    """Yield every URL that supports the method."""
    for template, methods in sorted(methods_at(app).items()):
        if method in methods:
            yield world.url(template)


def different_value(value: Any) -> Any:
    """Return another value of the same type."""
    match value:
        case bool():
            return not value
        case int():
            return value + 7
        case str():
            return 'altered'
        case _:
            return [value]


def stable_members(client: Client, url: str) -> dict[str, Any]:
    """Return the members of a resource without those that every write changes."""
    document = client.get(url, accept=JSON).json
    return {
        name: value for name, value in document.items() if name not in VOLATILE and not name.startswith('_')
    }


@pytest.mark.parametrize('method', ['PUT', 'PATCH'])
def test_protected_members_cannot_be_assigned(app: Any, world: World, method: str) -> None:
    tested = 0
    for template, resource in routes(app):
        operation = resource.operations.get(method)
        form = operation and operation.form
        if form is None or not form.fields or 'GET' not in resource.operations:
            continue
        url = world.url(template)
        before = stable_members(world.ada, url)
        inputs = {field.name for field in form.fields}
        protected = {name: different_value(value) for name, value in before.items() if name not in inputs}
        protected |= {
            'password': 'another horse',
            'password_hash': 'x',
            'owner_id': 1,
            'author': 1,
            'is_admin': True,
        }
        assert world.ada.request(method, url, json=protected).status == 200
        resource_object = {'type': operation.query.kind, 'id': str(before['id']), 'attributes': protected}
        headers = {'Content-Type': JSON_API}
        body = json.dumps({'data': resource_object})
        assert world.ada.request(method, url, headers=headers, body=body).status == 200
        assert stable_members(world.ada, url) == before
        tested += 1
    assert tested == 4  # a user, a post, a store, an item
    assert world.ada.sign_in('ada').entry().status == 200


def test_protected_members_of_new_resources_are_set_by_the_server(world: World) -> None:
    ada, store = world.ada, world.url('/api/stores/{store_id}/items')
    forged = {'id': 7, 'created_at': '1999-01-01T00:00:00.000+00:00', 'member_since': 'x', 'post_count': 7,
              'follower_count': 7, 'item_count': 7, 'updated_at': 'x',
              'user_id': world.values['other_id'], 'owner_id': world.values['other_id'],
              '_embedded': {'author': {'id': 1}}}  # fmt: skip
    for url, body in (
        ('/api/users', new_user()),
        ('/api/posts', {'body': 'Hello'}),
        ('/api/stores', {'name': 'Wheels'}),
        (store, {'name': 'Spoke', 'price': '1'}),
    ):
        created = ada.post(url, forged | body).json
        assert created['id'] != 7
        assert [name for name in forged if name in created and created[name] == forged[name]] == []
        assert created.get('_embedded', {}).get('author', ada.me().json)['username'] == 'ada'
    assert ada.get(world.url('/api/users/{user_id}')).json['post_count'] == 2


QUERIES = {
    HAL: ('', '?q=b'),
    HTML: ('',),
    JSON_API: (
        '', '?fields[users]=email', '?include=author&fields[users]=email,username', '?include=author.email',
        '?include=followers,following,posts', '?filter[username]=bob',
    ),
}  # fmt: skip


def test_an_email_is_disclosed_only_to_its_owner(app: Any, world: World) -> None:
    disclosed = 0
    for client in (world.ada, Client(app)):
        for url in urls(app, world, 'GET'):
            for accept, queries in QUERIES.items():
                for query in queries:
                    response = client.get(url + query, accept=accept)
                    assert 'bob@example.org' not in response.text, url + query
                    disclosed += 'ada@example.org' in response.text
    assert disclosed > 20


@pytest.mark.parametrize('url', ['/api/users?sort=email', '/api/users?filter[email]=bob@example.org'])
def test_users_cannot_be_sorted_or_filtered_by_email(world: World, url: str) -> None:
    assert world.ada.get(url, accept=JSON_API).status == 400


def all_responses(app: Any, world: World, accept: str) -> Iterator[tuple[str, str, ApiResponse]]:
    """Yield method, URL and response of every kind of request, by an anonymous client and by Ada."""
    for client in (Client(app), world.ada):
        for template, methods in sorted(methods_at(app).items()):
            url = world.url(template)
            for method in ('GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', *methods):
                headers = {'Origin': 'https://evil.test'}
                if method not in ('GET', 'HEAD'):  # GET and HEAD with this If-Match would be 412
                    headers |= {'If-Match': '"another"', 'Content-Type': 'text/plain'}
                response = client.request(method, url, accept=accept, headers=headers, body=b'x')
                yield method, url, response


@pytest.mark.parametrize('accept', [HTML, HAL, JSON_API])
def test_every_response_has_its_security_headers(app: Any, world: World, accept: str) -> None:
    statuses = set()
    for _, _, response in all_responses(app, world, accept):
        check_security_headers(response)
        statuses.add(response.status)
    assert statuses >= {200, 204, 308, 401, 404, 405, 412, 415, 501}


def test_pages_of_other_origins_cannot_read_responses(app: Any, world: World) -> None:
    for method, url, response in all_responses(app, world, JSON):
        allowed = [name for name in response.headers if name.startswith('access-control')]
        assert allowed == [], f'{method} {url}'
        assert 'Origin' in response.headers['vary'].split(', ')
        assert 'set-cookie' not in response.headers


def test_trace_does_not_echo_the_request(app: Any, world: World) -> None:
    for url in urls(app, world, 'GET'):
        response = world.ada.request('TRACE', url, headers={'X-Secret': 'canary'})
        assert response.status == 405
        assert 'canary' not in response.text
        assert str(world.ada.token) not in response.text


@pytest.mark.parametrize('name', OVERRIDES)
@pytest.mark.parametrize('method', ['GET', 'POST'])
def test_no_header_field_or_parameter_changes_the_method(world: World, name: str, method: str) -> None:
    post = world.url('/api/posts/{post_id}')
    headers = {name: 'DELETE', 'Content-Type': FORM}
    body = f'{name}=DELETE'.encode()
    response = world.ada.request(method, f'{post}?{name}=DELETE', headers=headers, body=body)
    assert response.status == (200 if method == 'GET' else 405)
    assert world.ada.get(post).status == 200


def test_etags_of_another_user_never_match(app: Any, world: World) -> None:
    compared = 0
    for accept in FORMATS:
        for url in urls(app, world, 'GET'):
            own = world.ada.get(url, accept=accept)
            if own.status != 200 or 'Authorization' not in own.headers['vary'] or 'etag' not in own.headers:
                continue
            for other in (world.bob, Client(app)):
                response = other.get(url, accept=accept, headers={'If-None-Match': own.etag})
                assert response.status != 304, url
                assert own.headers['cache-control'] in ('private, no-cache', 'no-store'), url
            assert world.ada.get(url, accept=accept, headers={'If-None-Match': own.etag}).status == 304
            compared += 1
    assert compared > 40


def test_markup_in_user_text_is_escaped_in_pages_and_headers(app: Any, world: World) -> None:
    ada = world.ada
    assert ada.publish(MALICIOUS_TEXT).status == 201
    assert ada.me().submit('edit', about_me=MALICIOUS_TEXT).status == 200
    assert ada.follow('hc:stores').submit('create', name=MALICIOUS_TEXT).status == 201
    assert ada.post('/api/tokens', LOGIN, headers={'User-Agent': MALICIOUS_TEXT[:-1]}).status == 200
    escaped = 0
    for url in urls(app, world, 'GET'):
        response = ada.get(url, accept=HTML)
        assert '<script>alert' not in response.text
        assert 'alert' not in str(response.headers)
        escaped += '&lt;script&gt;alert(1)&lt;/script&gt;' in response.text
    assert escaped > 5


@pytest.mark.parametrize('q', ["'", "' OR '1'='1", '%', '_', '\\', 'a%', '*', '") OR 1=1 --', '0x61', 'ada%'])
def test_a_search_treats_sql_and_like_wildcards_as_text(world: World, q: str) -> None:
    users = world.ada.follow('hc:users')
    assert users.submit('search', q=q).items == []
    all_users = world.ada.get('/api/users', accept=JSON_API)
    assert len(all_users.json['data']) == 2


def test_responses_to_anonymous_clients_contain_only_public_data(app: Any, world: World) -> None:
    for url in urls(app, world, 'GET'):
        for accept in FORMATS:
            text = Client(app).get(url, accept=accept).text
            assert 'Hello from Bob' not in text
            assert 'bob' not in text.replace('"bob"', ''), url
