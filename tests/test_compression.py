"""Compression: the compressed responses, the accepted codings, and the validators of both codings."""

from __future__ import annotations

from gzip import decompress
from typing import Any

import falcon.testing
import pytest

from tests.client import Client
from tests.routes import World

pytestmark = pytest.mark.above_databases

LARGE = (
    '/api/users',
    '/api/posts',
    '/api/openapi.json',
    '/api/docs',
    '/api/rels/users',
    '/api/users/{user_id}',
)
PUBLIC = LARGE[2:5]


def fetch(client: Client, method: str, path: str, coding: str | None, **headers: str) -> Any:
    """Send a request with this Accept-Encoding, and return the undecoded response."""
    sent = {'Authorization': f'Bearer {client.token}', 'Accept': '*/*', **headers}
    if coding is not None:
        sent['Accept-Encoding'] = coding
    return falcon.testing.simulate_request(client.app, method, path, headers=sent, host='halcyon.test')


@pytest.mark.parametrize('template', LARGE)
def test_a_large_response_is_compressed_and_has_its_own_tag(world: World, template: str) -> None:
    path = world.url(template)
    plain, small = (fetch(world.ada, 'GET', path, coding) for coding in (None, 'gzip'))
    assert decompress(small.content) == plain.content
    assert len(small.content) < len(plain.content)
    assert (plain.headers.get('content-encoding'), small.headers['content-encoding']) == (None, 'gzip')
    assert small.headers['content-length'] == str(len(small.content))
    assert small.headers['etag'] != plain.headers['etag']
    assert not small.headers['etag'].startswith('W/')
    for response in (plain, small):
        assert 'Accept-Encoding' in response.headers['vary'].split(', ')
    assert (
        dict(fetch(world.ada, 'HEAD', path, 'gzip').headers).items()
        >= {name: value for name, value in small.headers.items() if name != 'x-request-id'}.items()
    )


@pytest.mark.parametrize('coding', [None, 'gzip'])
@pytest.mark.parametrize('template', LARGE)
def test_a_304_to_any_tag_has_the_tag_of_the_200(world: World, template: str, coding: str | None) -> None:
    path = world.url(template)
    tag = fetch(world.ada, 'GET', path, coding).headers['etag']
    again = fetch(world.ada, 'GET', path, coding, **{'If-None-Match': '*'})
    assert (again.status_code, again.headers['etag']) == (304, tag)


@pytest.mark.parametrize(
    ('coding', 'compressed'),
    [
        ('gzip', True),
        ('br, GZIP;q=0.5', True),
        ('*', True),
        ('deflate, *;q=0.1', True),
        ('identity', False),
        ('gzip;q=0', False),
        ('*;q=0', False),
        ('gzip;q=0, *', False),
        ('br', False),
        ('', False),
        ('gzip;q=x', False),
    ],
)
def test_only_accepted_codings_are_used(ada: Client, coding: str, compressed: bool) -> None:
    response = fetch(ada, 'GET', '/api/openapi.json', coding)
    assert (response.headers.get('content-encoding') == 'gzip') == compressed


@pytest.mark.parametrize('template', LARGE)
@pytest.mark.parametrize('coding', [None, 'gzip'])
def test_each_tag_matches_if_none_match_and_if_match(world: World, template: str, coding: str | None) -> None:
    path = world.url(template)
    tag = fetch(world.ada, 'GET', path, coding).headers['etag']
    again = fetch(world.ada, 'GET', path, coding, **{'If-None-Match': tag})
    assert (again.status_code, again.headers['etag'], again.content) == (304, tag, b'')
    assert 'Accept-Encoding' in again.headers['vary'].split(', ')
    for other in (None, 'gzip'):
        assert fetch(world.ada, 'GET', path, other, **{'If-Match': tag}).status_code == 200


def test_a_client_without_gzip_gets_no_304_for_the_gzip_tag(ada: Client) -> None:
    tag = fetch(ada, 'GET', '/api/openapi.json', 'gzip').headers['etag']
    assert fetch(ada, 'GET', '/api/openapi.json', None, **{'If-None-Match': tag}).status_code == 200


@pytest.mark.parametrize('coding', [None, 'gzip'])
def test_a_write_accepts_the_tag_of_each_coding(ada: Client, coding: str | None) -> None:
    path = '/api/users/{id}'.format_map(ada.me().json)
    tag = fetch(ada, 'GET', path, coding).headers['etag']
    assert ada.patch(path, {'about_me': 'new'}, headers={'If-Match': tag}).status == 200
    assert ada.patch(path, {'about_me': 'newer'}, headers={'If-Match': tag}).status == 412


def test_the_response_to_a_patch_has_the_tag_of_the_next_get(ada: Client) -> None:
    path = '/api/users/{id}'.format_map(ada.me().json)
    written = fetch(ada, 'PATCH', path, 'gzip')
    assert written.headers['content-encoding'] == 'gzip'
    assert written.headers['etag'] == fetch(ada, 'GET', path, 'gzip').headers['etag']


def test_secrets_errors_and_small_responses_are_not_compressed(ada: Client) -> None:
    for method, path in (('POST', '/api/tokens'), ('GET', '/nothing'), ('GET', '/health/live')):
        assert 'content-encoding' not in fetch(ada, method, path, 'gzip').headers


def test_public_documents_are_compressed_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [world.url(template) for template in PUBLIC]
    first = [fetch(world.ada, 'GET', path, 'gzip').content for path in paths]
    monkeypatch.setattr('service.http.middleware.compression.compress', lambda body, level: b'')
    assert [fetch(world.bob, 'GET', path, 'gzip').content for path in paths] == first
