"""A path prefix of all URLs: the path of BASE_URL, or the one that proxies send in X-Forwarded-Prefix."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import falcon.testing
import pytest

from service.http.forwarded import without_prefix
from tests.client import FORM, HAL, HTML, JSON_API, LOGIN, new_user
from tests.conftest import Start
from tests.html import Page, loaded_files
from tests.links import Response, check_links, follow_all

PROXY = '10.0.0.7'
BASE = 'https://h.test/town/halcyon'


@pytest.fixture(
    params=['BASE_URL', 'BASE_URL, path kept', 'X-Forwarded-Prefix', 'X-Forwarded-Prefix, two proxies']
)
def send(request: pytest.FixtureRequest, start: Start) -> Any:
    """Return a function that requests a URL below BASE, and asserts that all links lead below it."""
    sent: dict[str, str] = {}
    if request.param.startswith('BASE_URL'):
        app = start(BASE_URL=BASE + '/')
    else:
        app = start(FORWARDED_ALLOW_IPS='10.0.0.0/8')
        sent = {'X-Forwarded-Proto': 'https', 'X-Forwarded-Prefix': '/town/halcyon'}
        if 'two' in request.param:
            sent['X-Forwarded-Prefix'] = '/evil, /town/, /halcyon'
            sent['X-Forwarded-For'] = '10.1.1.1, 192.0.2.1, 10.0.0.8'
    path_prefix = '/town/halcyon' if 'kept' in request.param else ''

    def send(method: str, url: str, **options: Any) -> Any:
        assert url.startswith(BASE), url
        parts = urlsplit(url)
        headers = {**sent, **options.pop('headers', {})}
        path = path_prefix + parts.path.removeprefix('/town/halcyon')
        result = falcon.testing.simulate_request(
            app, method, path or '/', query_string=parts.query, host='h.test', headers=headers,
            remote_addr=PROXY, extras={'RAW_URI': f'{path}?{parts.query}'.rstrip('?')}, **options
        )  # fmt: skip
        check_links(Response(result.status_code, result.headers, result.text), BASE)
        return result

    return send


def test_every_link_of_every_format_works(send: Any) -> None:
    assert send('POST', f'{BASE}/api/users', json=new_user('ada')).status_code == 201
    response = send('POST', f'{BASE}/api/tokens', json=LOGIN)
    token = {'Authorization': f'Bearer {response.json["token"]}'}
    for name in ('Hello', 'Good-bye'):
        assert send('POST', f'{BASE}/api/posts', headers=token, json={'body': name}).status_code == 201
    for accept in (HAL, JSON_API, HTML):

        def get(url: str, accept: str = accept) -> Response:
            result = send('GET', url, headers={'Accept': f'{accept}, */*;q=0.1', **token})
            return Response(result.status_code, result.headers, result.text)

        assert len(follow_all(get, BASE)) > 20


def test_a_page_has_its_files_below_the_base(send: Any) -> None:
    files = loaded_files(Page(send('GET', f'{BASE}/api', headers={'Accept': HTML}).text))
    assert len(files) >= 3
    for url in files:
        assert send('GET', f'https://h.test{url}').status_code == 200


def test_redirects_lead_below_the_base(send: Any) -> None:
    assert send('GET', BASE).headers['location'] == f'{BASE}/api'
    assert send('GET', f'{BASE}/').headers['location'] == f'{BASE}/api'
    assert send('GET', f'{BASE}/api/users/5/followed').headers['location'] == f'{BASE}/api/users/5/following'


def test_the_instance_of_a_problem_has_the_prefix_once(send: Any) -> None:
    for path in ('/api/nothing', '/nothing', '/api/%20x'):
        assert send('GET', BASE + path).json['instance'] == BASE + path


def test_the_session_cookie_is_only_for_the_base_path(send: Any) -> None:
    send('POST', f'{BASE}/api/users', json=new_user('ada'))
    headers = {'Accept': HTML, 'Content-Type': FORM}
    body = f'username=ada&password=correct+horse&_return={BASE}/api/posts'
    result = send('POST', f'{BASE}/api/tokens', headers=headers, body=body)
    assert (result.status_code, result.headers['location']) == (303, f'{BASE}/api/posts')
    name, value, attributes = re.match(r'([^=]*)=([^;]*); (.*)', result.headers['set-cookie']).groups()
    assert name == '__Secure-halcyon'
    assert attributes.split('; ')[0] == 'Path=/town/halcyon'
    page = send('GET', f'{BASE}/api/posts', headers={'Accept': HTML, 'Cookie': f'{name}={value}'})
    assert page.status_code == 200


@pytest.mark.parametrize(
    'prefix', ['x', '/a b', '/a/../b', '/.', '//a', '/a//b', '/a?b', '/a#b', '/{a}', '/"', '/é']
)
def test_an_invalid_prefix_of_a_proxy_is_400(start: Start, prefix: str) -> None:
    app = start(FORWARDED_ALLOW_IPS=PROXY)
    sent = {'X-Forwarded-Prefix': prefix.encode().decode('latin-1')}
    result = falcon.testing.simulate_get(app, '/api', headers=sent, remote_addr=PROXY)
    assert result.status_code == 400


def test_the_prefix_of_an_untrusted_peer_is_ignored(start: Start) -> None:
    app = start(FORWARDED_ALLOW_IPS='10.0.0.0/8')
    sent = {'X-Forwarded-Prefix': '/evil', 'X-Forwarded-Port': '99'}
    for options in ({'remote_addr': '192.0.2.1'}, {'remote_addr': ''}):
        result = falcon.testing.simulate_get(app, '/api', headers=sent, host='h.test', **options)
        assert result.json['_links']['self']['href'] == 'http://h.test/api'


@pytest.mark.parametrize(
    ('path', 'prefix', 'expected'),
    [
        ('/api/users', '/halcyon', '/api/users'),
        ('/halcyon/api/users', '/halcyon', '/api/users'),
        ('/halcyon', '/halcyon', '/'),
        ('/halcyon/', '/halcyon', '/'),
        ('/halcyonx/api', '/halcyon', '/halcyonx/api'),
        ('/halcyon/halcyon/api', '/halcyon', '/halcyon/api'),
        ('/api', '/api', '/api'),
        ('/api/users', '/api', '/api/users'),
        ('/api/api', '/api', '/api'),
        ('/api/api/users', '/api', '/api/users'),
        ('/api/health/live', '/api', '/health/live'),
        ('/', '/halcyon', '/'),
    ],
)
def test_a_prefix_that_the_proxy_keeps_is_removed_from_the_path(
    path: str, prefix: str, expected: str
) -> None:
    assert without_prefix(path, prefix) == expected
