"""CORS: the origins that may send requests, and the response headers that they may read."""

from __future__ import annotations

import pytest

from tests.client import Client
from tests.conftest import Start

pytestmark = pytest.mark.above_databases

LOCAL_ORIGINS = [
    'http://localhost',
    'http://localhost:3000',
    'https://localhost:8443',
    'http://127.0.0.1:5173',
    'http://[::1]:80',
]
OTHER_ORIGINS = [
    'https://example.org',
    'http://localhost.evil.test',
    'http://localhost:x',
    'null',
    'http://127.0.0.1.x',
    '',
]
PREFLIGHT = {'Access-Control-Request-Method': 'PUT', 'Access-Control-Request-Headers': 'authorization'}


@pytest.mark.parametrize('origin', LOCAL_ORIGINS)
def test_pages_of_localhost_are_allowed(client: Client, origin: str) -> None:
    headers = client.get('/api', headers={'Origin': origin}).headers
    assert headers['access-control-allow-origin'] == origin
    assert 'Origin' in headers['vary'].split(', ')
    exposed = (
        'Location, Link, ETag, Allow, Content-Location, WWW-Authenticate, Retry-After, RateLimit, '
        'RateLimit-Policy, X-Request-Id, Preference-Applied'
    )
    assert headers['access-control-expose-headers'] == exposed
    assert 'access-control-allow-credentials' not in headers


@pytest.mark.parametrize('origin', OTHER_ORIGINS)
def test_pages_of_other_origins_are_not_allowed(client: Client, origin: str) -> None:
    headers = client.get('/api', headers={'Origin': origin}).headers
    assert not [name for name in headers if name.startswith('access-control')]
    assert 'Origin' in headers['vary'].split(', ')


@pytest.mark.parametrize('url', ['/api', '/api/users/5', '/api/tokens', '/health/ready'])
def test_a_preflight_needs_no_credentials(client: Client, url: str) -> None:
    response = client.request('OPTIONS', url, headers=PREFLIGHT | {'Origin': LOCAL_ORIGINS[0]})
    assert response.status == 204
    assert response.headers['access-control-allow-methods'] == response.headers['allow']
    allowed = response.headers['access-control-allow-headers'].split(', ')
    assert allowed == [
        'Authorization',
        'Content-Type',
        'Accept',
        'If-Match',
        'If-None-Match',
        'Idempotency-Key',
        'Prefer',
        'X-Requested-With',
        'traceparent',
        'tracestate',
    ]
    assert response.headers['access-control-max-age']


@pytest.mark.parametrize('url', ['/nothing', '/api/nothing', '/api%2Fusers', '/api/users/x'])
def test_a_preflight_succeeds_at_a_url_without_a_resource(client: Client, url: str) -> None:
    """The page can then read the 404 response to its request, instead of getting a network error."""
    response = client.request('OPTIONS', url, headers=PREFLIGHT | {'Origin': LOCAL_ORIGINS[0]})
    assert response.status == 204
    assert 'PUT' in response.headers['access-control-allow-methods'].split(', ')
    assert client.put(url, headers={'Origin': LOCAL_ORIGINS[0]}).status == 404


@pytest.mark.parametrize('headers', [{}, PREFLIGHT, {'Origin': LOCAL_ORIGINS[0]}])
def test_other_options_requests_are_404_without_a_resource(client: Client, headers: dict[str, str]) -> None:
    assert client.request('OPTIONS', '/nothing', headers=headers).status == 404


@pytest.mark.parametrize('headers', [{}, {'Origin': 'https://anything.test'}])
@pytest.mark.parametrize('url', ['/api', '/api/docs', '/api/users', '/nothing', '/health/live'])
def test_every_response_allows_all_origins_if_configured(
    start: Start, url: str, headers: dict[str, str]
) -> None:
    response = Client(start(CORS_ORIGINS='*')).get(url, headers=headers, accept='*/*')
    assert response.headers['access-control-allow-origin'] == '*'


@pytest.mark.parametrize(
    ('url', 'status'), [('/nothing', 404), ('/api/users', 401), ('/api/users?page=0', 401)]
)
def test_errors_are_readable_across_origins(client: Client, url: str, status: int) -> None:
    response = client.get(url, headers={'Origin': LOCAL_ORIGINS[0]})
    assert response.status == status
    assert response.headers['access-control-allow-origin'] == LOCAL_ORIGINS[0]


@pytest.mark.parametrize(
    ('setting', 'origin', 'allowed'),
    [
        ('https://a.test https://b.test:8443', 'https://b.test:8443', 'https://b.test:8443'),
        ('https://a.test,https://b.test', 'https://a.test', 'https://a.test'),
        ('https://a.test', 'http://localhost', None),
        ('https://a.test', 'http://a.test', None),
        ('*', 'https://anything.test', '*'),
        ('*', 'null', '*'),
    ],
)
def test_the_allowed_origins_are_configurable(
    start: Start, setting: str, origin: str, allowed: str | None
) -> None:
    headers = Client(start(CORS_ORIGINS=setting)).get('/api', headers={'Origin': origin}).headers
    assert headers.get('access-control-allow-origin') == allowed
