"""Scopes: with a read-only token, a client can read everything that its user may read, and change nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.client import HTML, JSON, JSON_API, PASSWORD, Client, assert_problem, href_of
from tests.routes import World
from tests.test_authorization import MATRIX

CHALLENGE = 'Bearer realm="Halcyon", error="insufficient_scope", scope="write"'
# The writes that a read-only token does not prevent, with their statuses: renewing and revoking the token;
# those that need no token; and those that fail earlier, because of their format.
PERMITTED = {
    ('POST', '/api/users'): 400,
    ('POST', '/api/tokens'): 200,
    ('DELETE', '/api/tokens'): 204,
    **{
        (method, '/api/users/{user_id}/followed'): 308 for method in ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')
    },
    **{
        (method, '/api/users/{user_id}/relationships/following'): 406
        for method in ('GET', 'POST', 'PATCH', 'DELETE')
    },
}
WRITES = [(method, template) for method, template in MATRIX if method != 'GET']


def sign_in_read_only(client: Client, name: str) -> Client:
    response = Client(client.app).entry().submit('login', username=name, password=PASSWORD, scope='read')
    assert response.json['scope'] == 'read'
    return Client(client.app, response.json['token'])


@pytest.fixture
def reader(ada: Client) -> Client:
    """Ada with a read-only token."""
    return sign_in_read_only(ada, 'ada')


@pytest.mark.parametrize(('method', 'template'), WRITES)
def test_a_read_only_token_changes_nothing(world: World, reader: Client, method: str, template: str) -> None:
    response = reader.request(method, world.url(template))
    expected = PERMITTED.get((method, template), 403)
    assert response.status == expected
    if expected == 403:
        assert response.json['type'].endswith('/insufficient-scope')
        assert response.headers['www-authenticate'] == CHALLENGE


@pytest.mark.parametrize('template', [template for method, template in MATRIX if method == 'GET'])
def test_a_read_only_token_can_read_what_its_user_may_read(
    world: World, reader: Client, template: str
) -> None:
    url = world.url(template)
    assert reader.get(url).status == world.ada.get(url).status


@pytest.mark.parametrize(('accept', 'media_type'), [(HTML, 'text/html'), (JSON, JSON), (JSON_API, JSON_API)])
def test_the_scope_is_checked_in_every_format(reader: Client, accept: str, media_type: str) -> None:
    response = reader.post('/api/posts', {'body': 'x'}, accept=accept)
    assert (response.status, response.content_type) == (403, media_type)
    assert response.headers['www-authenticate'] == CHALLENGE


@pytest.mark.parametrize('method', ['POST', 'DELETE', 'PATCH'])
def test_a_read_only_token_changes_no_relationship(world: World, reader: Client, method: str) -> None:
    url = world.url('/api/users/{user_id}/relationships/following')
    body = {'data': [{'type': 'users', 'id': str(world.values['other_id'])}]}
    headers = {'Content-Type': JSON_API}
    assert reader.request(method, url, body=json.dumps(body), headers=headers, accept=JSON_API).status == 403


def test_a_missing_resource_is_404_before_the_scope_is_checked(reader: Client) -> None:
    assert_problem(reader.delete('/api/posts/1'), 404)
    assert_problem(reader.patch('/api/users/1', {}), 404)


def test_the_scope_is_checked_before_the_body(reader: Client) -> None:
    response = reader.request('POST', '/api/posts', body=b'{', headers={'Content-Type': 'text/plain'})
    assert_problem(response, 403)


def forms_of(document: Any) -> Iterator[tuple[str, str]]:
    """Yield the names and methods of all forms of a document and of its embedded documents."""
    if isinstance(document, list):
        for entry in document:
            yield from forms_of(entry)
    elif isinstance(document, dict):
        for name, form in document.get('_templates', {}).items():
            yield name, form['method']
        yield from forms_of(list(document.get('_embedded', {}).values()))


@pytest.mark.parametrize('template', [template for method, template in MATRIX if method == 'GET'])
def test_documents_for_a_read_only_token_have_no_forms_that_write(
    world: World, reader: Client, template: str
) -> None:
    response = reader.get(world.url(template))
    assert {method for _, method in forms_of(response.json)} <= {'GET'}


def test_a_page_has_only_forms_to_search_and_to_sign_out(world: World, reader: Client) -> None:
    for rel in ('hc:me', 'hc:posts', 'hc:users', 'hc:tokens', 'hc:stores'):
        page = reader.get(reader.entry().href(rel), accept=HTML).text
        assert page.count('<form') - page.count('method="get"') == 1
        assert 'id="sign-out"' in page


def test_the_links_do_not_depend_on_the_scope(world: World, reader: Client) -> None:
    assert set(reader.me().json['_links']) == set(world.ada.me().json['_links'])
    assert reader.me().json['email'] == 'ada@example.org'
    other = world.url('/api/users/{other_id}')
    assert set(reader.get(other).json['_links']) == set(world.ada.get(other).json['_links'])


def test_a_read_only_token_can_revoke_only_itself(ada: Client, reader: Client) -> None:
    tokens = reader.follow('hc:tokens').items
    own = next(token for token in tokens if token['current'])
    other = next(token for token in tokens if not token['current'])
    assert reader.delete(href_of(other, 'self')).status == 403
    assert reader.delete(href_of(own, 'self')).status == 204
    assert reader.entry().status == 401
    assert ada.entry().status == 200


def test_a_renewed_token_keeps_its_scope(reader: Client) -> None:
    for body in ({}, {'scope': 'write'}):
        response = reader.post('/api/tokens', body)
        assert response.json['scope'] == 'read'
        assert Client(reader.app, response.json['token']).post('/api/posts', {'body': 'x'}).status == 403


@pytest.mark.parametrize('scope', ['', 'admin', 'write read', None, ['write'], 5])
def test_an_unknown_scope_is_rejected(client: Client, ada: Client, scope: Any) -> None:
    body = {'username': 'ada', 'password': PASSWORD, 'scope': scope}
    assert_problem(client.post('/api/tokens', body), 400, '#/scope')


def test_a_sign_in_gets_the_scope_write_by_default(client: Client, ada: Client) -> None:
    assert client.entry().submit('login', username='ada', password=PASSWORD).json['scope'] == 'write'
