"""Security headers: what browsers may do with responses."""

from __future__ import annotations

import pytest

from tests.client import HAL, HTML, JSON, JSON_API, ApiResponse, Client
from tests.conftest import Start
from tests.html import Page, loaded_files

pytestmark = pytest.mark.above_databases

DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_HEADERS = ('cross-origin-resource-policy', 'permissions-policy', 'referrer-policy')


def check_security_headers(response: ApiResponse) -> None:
    """Assert that the response has the security headers of its media type."""
    headers = response.headers
    assert headers['x-content-type-options'] == 'nosniff'
    assert 'strict-transport-security' not in headers
    if response.status == 304:
        assert not {'content-security-policy', *PAGE_HEADERS} & set(headers)
    elif response.content_type == HTML:
        assert headers['referrer-policy'] == 'same-origin'
        assert headers['cross-origin-resource-policy'] in ('same-origin', 'cross-origin')
        assert 'camera=()' in headers['permissions-policy'].split(', ')
        policy = headers['content-security-policy']
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
        assert 'unsafe' not in policy
        if not response.target.startswith('http://halcyon.test/api/rels/'):
            assert policy.endswith("; frame-ancestors 'none'")
            assert headers['cross-origin-resource-policy'] == 'same-origin'
    else:
        assert headers['content-security-policy'] == DATA_POLICY
        assert not set(PAGE_HEADERS) & set(headers)


@pytest.mark.parametrize('accept', [HTML, HAL, JSON, JSON_API])
@pytest.mark.parametrize(
    'url', ['/', '/api', '/nothing', '/api/users', '/api/docs', '/api/openapi.json', '/health/live']
)
def test_a_response_has_the_security_headers_of_its_media_type(client: Client, url: str, accept: str) -> None:
    check_security_headers(client.get(url, accept=f'{accept}, */*;q=0.1'))
    check_security_headers(client.request('OPTIONS', url))
    check_security_headers(client.request('FROB', url, accept=accept))


def test_static_files_have_security_headers(client: Client) -> None:
    page = Page(client.entry(accept=HTML).text)
    for url in loaded_files(page):
        check_security_headers(client.get(url, accept='*/*'))
    check_security_headers(client.get('/static/nothing', accept='*/*'))


def test_only_the_page_of_a_relation_may_be_framed_by_any_site(client: Client) -> None:
    headers = client.get('/api/rels/users', accept=HTML).headers
    assert headers['content-security-policy'].endswith('; frame-ancestors *')
    assert headers['cross-origin-resource-policy'] == 'cross-origin'
    check_security_headers(client.get('/api/problems/not-found', accept=HTML))


@pytest.mark.parametrize('url', ['/api', '/api/docs', '/api/rels/users'])
@pytest.mark.parametrize('accept', [HTML, HAL, '*/*'])
def test_a_304_does_not_replace_the_cached_policies(client: Client, url: str, accept: str) -> None:
    tag = client.get(url, accept=f'{accept}, */*;q=0.1').etag
    response = client.get(url, accept=f'{accept}, */*;q=0.1', headers={'If-None-Match': tag})
    assert response.status == 304
    check_security_headers(response)


@pytest.mark.parametrize('url', ['/', '/api', '/nothing', '/api/users', '/health/live'])
def test_hsts_is_sent_only_if_base_url_is_https(start: Start, url: str) -> None:
    for base_url, expected in (
        ('https://halcyon.test', 'max-age=31536000'),
        ('http://halcyon.test', None),
        ('', None),
    ):
        response = Client(start(BASE_URL=base_url)).get(url, accept='*/*')
        assert response.headers.get('strict-transport-security') == expected


@pytest.mark.parametrize('accept', [HTML, HAL])
def test_a_request_with_an_invalid_host_gets_security_headers(client: Client, accept: str) -> None:
    response = client.get('/api', accept=accept, headers={'Host': 'a b'})
    assert response.status == 400
    check_security_headers(response)
