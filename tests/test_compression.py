"""Compression: the compressed responses, the accepted codings, and the validators of both codings."""

from __future__ import annotations

from gzip import decompress
from typing import Any

import falcon.testing
import pytest

from service.http.middleware.compression import MAX_PUBLIC
from tests.client import Client
from tests.routes import World

pytestmark = pytest.mark.above_databases

PUBLIC_DOCUMENTS = ('/api/openapi.json', '/api/docs', '/api/rels/users')
LARGE_DOCUMENTS = (*PUBLIC_DOCUMENTS, '/api/users', '/api/posts', '/api/users/{user_id}')


def fetch(client: Client, method: str, path: str, coding: str | None, **headers: str) -> Any:
    """Send a request with this Accept-Encoding, and return the undecoded response."""
    all_headers = {'Authorization': f'Bearer {client.token}', 'Accept': '*/*', **headers}
    if coding is not None:
        all_headers['Accept-Encoding'] = coding
    return falcon.testing.simulate_request(client.app, method, path, headers=all_headers, host='halcyon.test')


@pytest.mark.parametrize('template', LARGE_DOCUMENTS)
def test_a_large_response_is_compressed_and_has_its_own_etag(world: World, template: str) -> None:
    path = world.url(template)
    plain, compressed = (fetch(world.ada, 'GET', path, coding) for coding in (None, 'gzip'))
    assert decompress(compressed.content) == plain.content
    assert len(compressed.content) < len(plain.content)
    assert (plain.headers.get('content-encoding'), compressed.headers['content-encoding']) == (None, 'gzip')
    assert compressed.headers['content-length'] == str(len(compressed.content))
    assert compressed.headers['etag'] != plain.headers['etag']
    assert not compressed.headers['etag'].startswith('W/')
    for response in (plain, compressed):
        assert 'Accept-Encoding' in response.headers['vary'].split(', ')
    assert (
        dict(fetch(world.ada, 'HEAD', path, 'gzip').headers).items()
        >= {name: value for name, value in compressed.headers.items() if name != 'x-request-id'}.items()
    )


@pytest.mark.parametrize('path', PUBLIC_DOCUMENTS)
def test_the_public_bodies_of_many_hosts_take_little_memory(client: Client, path: str) -> None:
    sizes = [len(fetch(client, 'GET', path, coding).content) for coding in (None, 'gzip')]
    assert sum(sizes) * MAX_PUBLIC < 20_000_000


@pytest.mark.parametrize('coding', [None, 'gzip'])
@pytest.mark.parametrize('template', LARGE_DOCUMENTS)
def test_a_304_response_has_the_etag_of_the_200_response(
    world: World, template: str, coding: str | None
) -> None:
    path = world.url(template)
    etag = fetch(world.ada, 'GET', path, coding).headers['etag']
    response = fetch(world.ada, 'GET', path, coding, **{'If-None-Match': '*'})
    assert (response.status_code, response.headers['etag']) == (304, etag)


@pytest.mark.parametrize(
    ('coding', 'is_compressed'),
    [
        ('gzip', True),
        ('br, GZIP;q=0.5', True),
        ('*', True),
        ('deflate, *;q=0.1', True),
        ('identity', False),
        ('identity, gzip;q=0.5', False),
        ('identity;q=0.5, gzip', True),
        ('gzip;q=0', False),
        ('*;q=0', False),
        ('gzip;q=0, *', False),
        ('br', False),
        ('', False),
        ('gzip;q=x', False),
    ],
)
def test_only_accepted_codings_are_used(ada: Client, coding: str, is_compressed: bool) -> None:
    response = fetch(ada, 'GET', '/api/openapi.json', coding)
    assert (response.headers.get('content-encoding') == 'gzip') == is_compressed


def test_a_large_error_is_compressed(client: Client) -> None:
    headers = {'Accept': 'text/html', 'Accept-Encoding': 'gzip'}
    response = falcon.testing.simulate_get(client.app, '/api/users', headers=headers, host='halcyon.test')
    assert (response.status_code, response.headers['content-encoding']) == (401, 'gzip')
    assert b'<!doctype html>' in decompress(response.content).lower()
    assert 'Accept-Encoding' in response.headers['vary'].split(', ')


@pytest.mark.parametrize('template', LARGE_DOCUMENTS)
@pytest.mark.parametrize('coding', [None, 'gzip'])
def test_each_etag_matches_in_if_none_match_and_if_match(
    world: World, template: str, coding: str | None
) -> None:
    path = world.url(template)
    etag = fetch(world.ada, 'GET', path, coding).headers['etag']
    unchanged = fetch(world.ada, 'GET', path, coding, **{'If-None-Match': etag})
    assert (unchanged.status_code, unchanged.headers['etag'], unchanged.content) == (304, etag, b'')
    assert 'Accept-Encoding' in unchanged.headers['vary'].split(', ')
    for other in (None, 'gzip'):
        assert fetch(world.ada, 'GET', path, other, **{'If-Match': etag}).status_code == 200


def test_a_client_without_gzip_gets_no_304_for_the_gzip_etag(ada: Client) -> None:
    etag = fetch(ada, 'GET', '/api/openapi.json', 'gzip').headers['etag']
    assert fetch(ada, 'GET', '/api/openapi.json', None, **{'If-None-Match': etag}).status_code == 200


@pytest.mark.parametrize('coding', [None, 'gzip'])
def test_a_write_accepts_the_etag_of_each_coding(ada: Client, coding: str | None) -> None:
    path = '/api/users/{id}'.format_map(ada.me().json)
    etag = fetch(ada, 'GET', path, coding).headers['etag']
    assert ada.patch(path, {'about_me': 'new'}, headers={'If-Match': etag}).status == 200
    assert ada.patch(path, {'about_me': 'newer'}, headers={'If-Match': etag}).status == 412


def test_the_response_to_a_patch_has_the_etag_of_the_next_get(ada: Client) -> None:
    path = '/api/users/{id}'.format_map(ada.me().json)
    patched = fetch(ada, 'PATCH', path, 'gzip')
    assert patched.headers['content-encoding'] == 'gzip'
    assert patched.headers['etag'] == fetch(ada, 'GET', path, 'gzip').headers['etag']


def test_secrets_errors_and_small_responses_are_not_compressed(ada: Client) -> None:
    for method, path in (('POST', '/api/tokens'), ('GET', '/nothing'), ('GET', '/health/live')):
        assert 'content-encoding' not in fetch(ada, method, path, 'gzip').headers


def test_public_documents_are_compressed_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [world.url(template) for template in PUBLIC_DOCUMENTS]
    first = [fetch(world.ada, 'GET', path, 'gzip').content for path in paths]
    monkeypatch.setattr('service.http.middleware.compression.compress', lambda body, level: b'')
    assert [fetch(world.bob, 'GET', path, 'gzip').content for path in paths] == first
