"""Origin: every URL begins with the origin of the request, which clients cannot forge."""

from __future__ import annotations

from typing import Any

import falcon.testing
import pytest

from tests.conftest import Start

pytestmark = pytest.mark.above_databases

PROXY, UNTRUSTED = '10.0.0.7', '192.0.2.1'


def origin(app: Any, host: str = 'h.test', **options: Any) -> str:
    """Return the origin of the URL of the entry point."""
    result = falcon.testing.simulate_get(app, '/api', host=host, **options)
    assert result.status_code == 200, result.text
    url: str = result.json['_links']['self']['href']
    assert url.endswith('/api')
    return url.removesuffix('/api')


@pytest.mark.parametrize(
    ('host', 'expected'),
    [
        ('h.test', 'http://h.test'),
        ('H.Test:80', 'http://h.test'),
        ('h.test:0080', 'http://h.test'),
        ('h.test:', 'http://h.test'),
        ('h.test:8000', 'http://h.test:8000'),
        ('127.0.0.1:8000', 'http://127.0.0.1:8000'),
        ('[::1]:8000', 'http://[::1]:8000'),
        ('[2001:DB8::1]', 'http://[2001:db8::1]'),
        ('under_score.test', 'http://under_score.test'),
    ],
)
def test_urls_begin_with_the_host(app: Any, host: str, expected: str) -> None:
    assert origin(app, extras={'HTTP_HOST': host}) == expected


@pytest.mark.parametrize(
    'host',
    ['', ' ', 'a b', 'a/b', 'a/evil?x="><b>', 'user@h.test', 'h.test:x', 'h.test:0', 'h.test:65536', '[::1',
     '[x]', '[1.2.3.4]', 'h.test:80:80', 'a,b', 'a#b', 'ä', 'h.test\\@e', '::1', 'a' * 254],
)  # fmt: skip
def test_a_malformed_host_is_rejected_everywhere(start: Start, host: str) -> None:
    for app in (start(), start(BASE_URL='https://halcyon.test')):
        for path in ('/api', '/nothing', '/health/live', '/'):
            sent = {'HTTP_HOST': host.encode().decode('latin-1')}
            result = falcon.testing.simulate_get(app, path, extras=sent)
            assert result.status_code == 400
            assert result.json['type'].endswith('/api/problems/bad-request')
            assert host.strip() == '' or host not in result.text


def test_a_host_of_the_maximum_length_is_accepted(app: Any) -> None:
    assert origin(app, extras={'HTTP_HOST': 'a' * 253}) == 'http://' + 'a' * 253


def test_http_1_1_without_a_host_is_rejected(app: Any) -> None:
    environ = falcon.testing.create_environ('/api')
    del environ['HTTP_HOST']
    status: list[str] = []
    app(environ, lambda line, _headers, _info=None: status.append(line))
    assert status == ['400 Bad Request']


def test_http_1_0_without_a_host_has_the_origin_of_the_server(app: Any) -> None:
    environ = falcon.testing.create_environ('/api', host='s.test', port=8001, http_version='1.0')
    environ.pop('HTTP_HOST', None)
    body = b''.join(app(environ, lambda *_: None))
    assert b'"href":"http://s.test:8001/api"' in body


def test_an_absolute_target_overrides_the_host(app: Any) -> None:
    assert origin(app, extras={'RAW_URI': 'http://other.test:81/api'}) == 'http://other.test:81'


@pytest.mark.parametrize('scheme', ['https', 'HTTPS', 'ftp', 'ws'])
def test_a_target_with_another_scheme_than_the_connection_is_rejected(app: Any, scheme: str) -> None:
    result = falcon.testing.simulate_get(app, '/api', extras={'RAW_URI': f'{scheme}://h.test/api'})
    assert result.status_code == 400
    assert result.json['detail'] == 'The target of the request must have the scheme http.'
    assert result.json['type'].startswith('http://h.test/')


def test_a_target_with_a_fragment_is_rejected(app: Any) -> None:
    result = falcon.testing.simulate_get(app, '/api', extras={'RAW_URI': '/api#x'}, host='h.test')
    assert result.status_code == 400
    assert result.json['detail'] == 'The target of the request must not have a fragment.'
    assert result.json['type'].startswith('http://h.test/')


def test_a_target_may_have_the_scheme_of_the_proxy_or_of_the_connection(start: Start) -> None:
    behind_proxy = {'remote_addr': PROXY, 'headers': {'X-Forwarded-Proto': 'https'}}
    for app, options in (
        (start(BASE_URL='https://h.test'), {}),
        (start(FORWARDED_ALLOW_IPS=PROXY), behind_proxy),
    ):
        for scheme in ('http', 'https'):
            target = {'RAW_URI': f'{scheme}://h.test/api'}
            assert origin(app, extras=target, **options) == 'https://h.test'


@pytest.mark.parametrize('base', ['https://halcyon.test', 'HTTPS://Halcyon.Test:443/'])
def test_base_url_overrides_the_host(start: Start, base: str) -> None:
    app = start(BASE_URL=base, FORWARDED_ALLOW_IPS='*')
    assert origin(app, headers={'Forwarded': 'host=evil.test'}) == 'https://halcyon.test'


FORGED = [
    {'Forwarded': 'proto=https;host=evil.test'},
    {'X-Forwarded-Host': 'evil.test', 'X-Forwarded-Proto': 'https'},
    {'X-Forwarded-For': '10.0.0.7', 'Forwarded': 'for=10.0.0.7;host=evil.test'},
]


@pytest.mark.parametrize('headers', FORGED)
@pytest.mark.parametrize('trusted', ['', '10.0.0.0/8', '2001:db8::/32'])
def test_forwarding_headers_of_untrusted_peers_are_ignored(
    start: Start, trusted: str, headers: dict[str, str]
) -> None:
    app = start(FORWARDED_ALLOW_IPS=trusted)
    assert origin(app, headers=headers, remote_addr=UNTRUSTED) == 'http://h.test'


@pytest.mark.parametrize('peer', ['', 'unix', 'x'])
def test_a_peer_without_an_ip_address_is_untrusted(start: Start, peer: str) -> None:
    app = start(FORWARDED_ALLOW_IPS='10.0.0.0/8')
    assert origin(app, headers=FORGED[0], extras={'REMOTE_ADDR': peer}) == 'http://h.test'


@pytest.mark.parametrize(
    ('headers', 'expected'),
    [
        ({}, 'http://h.test'),
        ({'Forwarded': 'proto=https;host=a.test'}, 'https://a.test'),
        ({'Forwarded': 'for=192.0.2.1;Proto=HTTPS;by=x;Host="a.test:8443"'}, 'https://a.test:8443'),
        ({'Forwarded': 'for="[::1]:80";proto=https;host="[::1]:8443"'}, 'https://[::1]:8443'),
        ({'Forwarded': 'for=1.2.3.4'}, 'http://h.test'),
        ({'Forwarded': 'host=evil.test, host=a.test'}, 'http://a.test'),
        ({'Forwarded': 'host="evil.test,x";for=b, host=a.test;proto=https'}, 'https://a.test'),
        ({'Forwarded': 'proto=https', 'X-Forwarded-Host': 'evil.test'}, 'https://h.test'),
        ({'X-Forwarded-Proto': 'https'}, 'https://h.test'),
        ({'X-Forwarded-Host': 'evil.test, a.test', 'X-Forwarded-Proto': 'http, https'}, 'https://a.test'),
    ],
)
@pytest.mark.parametrize('trusted', ['10.0.0.7', '10.0.0.0/8, 127.0.0.1', '*'])
def test_a_trusted_proxy_determines_the_origin(
    start: Start, trusted: str, headers: dict[str, str], expected: str
) -> None:
    assert origin(start(FORWARDED_ALLOW_IPS=trusted), headers=headers, remote_addr=PROXY) == expected


@pytest.mark.parametrize(
    ('headers', 'expected'),
    [
        ({'Forwarded': 'for=1.2.3.4;proto=https;host=a.test, for=10.0.0.1;proto=http;host=inner:8080'}, 'https://a.test'),
        ({'Forwarded': 'host=evil.test, for=1.2.3.4;host=a.test, for=10.0.0.1;host=inner'}, 'http://a.test'),
        ({'Forwarded': 'for=1.2.3.4;proto=https, for=10.0.0.1;host=a.test'}, 'https://a.test'),
        ({'Forwarded': 'for=10.0.0.3;host=a.test, for=10.0.0.2;host=b.test, for=10.0.0.1;host=c.test'}, 'http://a.test'),
        ({'Forwarded': 'for=1.2.3.4;host=evil.test, for=_hidden;host=a.test'}, 'http://a.test'),
        ({'Forwarded': 'for=10.0.0.9;host=evil.test, for=1.2.3.4;host=a.test'}, 'http://a.test'),
        (
            {
                'X-Forwarded-For': '1.2.3.4, 10.0.0.1',
                'X-Forwarded-Proto': 'https, http',
                'X-Forwarded-Host': 'a.test, inner:8080',
            },
            'https://a.test',
        ),
        (
            {
                'X-Forwarded-For': '10.0.0.9, 1.2.3.4, 10.0.0.1',
                'X-Forwarded-Proto': 'ftp, https, http',
                'X-Forwarded-Host': 'evil.test, a.test, inner:8080',
            },
            'https://a.test',
        ),
        (
            {
                'X-Forwarded-For': '1.2.3.4, 10.0.0.1',
                'X-Forwarded-Proto': 'https',
                'X-Forwarded-Host': 'a.test',
            },
            'https://a.test',
        ),
        ({'X-Forwarded-For': '1.2.3.4', 'X-Forwarded-Host': 'evil.test, a.test'}, 'http://a.test'),
    ],
)  # fmt: skip
def test_the_outermost_trusted_proxy_determines_the_origin(
    start: Start, headers: dict[str, str], expected: str
) -> None:
    assert origin(start(FORWARDED_ALLOW_IPS='10.0.0.0/29'), headers=headers, remote_addr=PROXY) == expected


@pytest.mark.parametrize(
    ('headers', 'expected'),
    [
        ({'X-Forwarded-Port': '8443', 'X-Forwarded-Proto': 'https'}, 'https://h.test:8443'),
        ({'X-Forwarded-Port': '443', 'X-Forwarded-Proto': 'https'}, 'https://h.test'),
        ({'X-Forwarded-Port': '8080', 'X-Forwarded-Host': 'a.test'}, 'http://a.test:8080'),
        ({'X-Forwarded-Port': '8080', 'X-Forwarded-Host': 'a.test:81'}, 'http://a.test:8080'),
        ({'X-Forwarded-Port': '8080', 'X-Forwarded-Host': '[::1]'}, 'http://[::1]:8080'),
        ({'X-Forwarded-Port': '99, 8080'}, 'http://h.test:8080'),
        ({'X-Forwarded-Port': '8080, 99', 'X-Forwarded-For': '1.2.3.4, 10.0.0.1'}, 'http://h.test:8080'),
        ({'X-Forwarded-Port': '99', 'Forwarded': 'host=a.test'}, 'http://a.test'),
    ],
)
def test_a_trusted_proxy_determines_the_port(start: Start, headers: dict[str, str], expected: str) -> None:
    assert origin(start(FORWARDED_ALLOW_IPS='10.0.0.0/29'), headers=headers, remote_addr=PROXY) == expected


@pytest.mark.parametrize('base', ['https://halcyon.test/a/b', 'https://halcyon.test/a/b/'])
def test_base_url_may_have_a_path(start: Start, base: str) -> None:
    app = start(BASE_URL=base, FORWARDED_ALLOW_IPS='*')
    assert origin(app, headers={'X-Forwarded-Prefix': '/c'}) == 'https://halcyon.test/a/b'


@pytest.mark.parametrize(
    'headers',
    [{'Forwarded': 'host="a b"'}, {'Forwarded': 'proto=javascript'}, {'Forwarded': 'host=""'},
     {'X-Forwarded-Host': 'a/b'},
     {'X-Forwarded-Proto': 'ftp'}, {'X-Forwarded-Port': 'x'},
     {'X-Forwarded-Port': '0'}, {'X-Forwarded-Port': '65536'}],
)  # fmt: skip
def test_malformed_forwarding_headers_of_a_proxy_are_rejected(start: Start, headers: dict[str, str]) -> None:
    app = start(FORWARDED_ALLOW_IPS=PROXY)
    result = falcon.testing.simulate_get(app, '/api', headers=headers, remote_addr=PROXY)
    assert result.status_code == 400
