"""Halcyon below a path, behind nginx as service/OPERATIONS.md configures it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.client import FORM, HAL, HAL_FORMS, HTML, JSON_API, LOGIN, new_user
from tests.links import Response, check_links, follow_all
from tests.server import ROOT, Server, free_port, wait_until

CONFIGURATION = """\
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
{locations}
  }}
}}
"""


def documented_locations() -> str:
    """Return the configuration of locations in service/OPERATIONS.md."""
    (text,) = re.findall('```nginx\n(.*?)```', (ROOT / 'service' / 'OPERATIONS.md').read_text(), re.DOTALL)
    return text


def with_path_removed(locations: str) -> str:
    """Return the locations, changed so that nginx removes the path from requests."""
    changed = locations.replace('proxy_pass http://127.0.0.1:8000;', 'proxy_pass http://127.0.0.1:8000/;')
    assert changed != locations
    return changed


class Nginx:
    """nginx in front of a server, which is below the URL `base`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.base = f'http://127.0.0.1:{port}/halcyon'

    def send(self, method: str, url: str, body: str | None = None, **headers: str) -> Response:
        """Send a request, and check that every URL in the response is below `base`."""
        parts = urlsplit(url)
        connection = HTTPConnection('127.0.0.1', self.port, timeout=10)
        sent = {name.replace('_', '-'): value for name, value in headers.items()}
        target = f'{parts.path}?{parts.query}' if parts.query else parts.path
        connection.request(method, target, body, sent)
        received = connection.getresponse()
        fields = {name.lower(): value for name, value in received.getheaders()}
        if len(received.headers.get_all('Link', ())) > 1:
            fields['link'] = ', '.join(received.headers.get_all('Link', ()))
        response = Response(received.status, fields, received.read().decode())
        connection.close()
        check_links(response, self.base)
        return response


@contextmanager
def running(program: str, folder: Path, locations: str, *, has_base_url: bool = False) -> Iterator[Nginx]:
    """Run a server behind nginx with these locations for the duration of a block."""
    proxy = Nginx(free_port())
    settings = {'BASE_URL': proxy.base} if has_base_url else {'FORWARDED_ALLOW_IPS': '127.0.0.1'}
    file = folder / 'nginx.conf'
    with Server(folder, workers=1, **settings) as server:
        text = locations.replace('127.0.0.1:8000', f'127.0.0.1:{server.port}')
        file.write_text(CONFIGURATION.format(folder=folder, port=proxy.port, locations=text))
        with subprocess.Popen([program, '-p', str(folder), '-e', 'stderr', '-c', str(file)]) as process:
            try:
                wait_until(lambda: is_reachable(proxy))
                yield proxy
            finally:
                process.terminate()


def is_reachable(proxy: Nginx) -> bool:
    try:
        return proxy.send('GET', f'{proxy.base}/health/live').status == 200
    except ConnectionRefusedError:
        return False


@pytest.fixture(params=['documented', 'documented and BASE_URL', 'path removed'])
def proxy(request: pytest.FixtureRequest, nginx: str, tmp_path: Path) -> Iterator[Nginx]:
    """nginx as service/OPERATIONS.md configures it, or changed so that it removes the path from requests."""
    locations = (
        with_path_removed(documented_locations())
        if request.param == 'path removed'
        else documented_locations()
    )
    with running(nginx, tmp_path, locations, has_base_url='BASE_URL' in request.param) as proxy:
        yield proxy


def sign_up(proxy: Nginx) -> str:
    """Register a user, sign in and publish posts; return the Authorization header."""
    user = new_user('ada')
    new = proxy.send('POST', f'{proxy.base}/api/users', json.dumps(user), Content_Type='application/json')
    assert new.status == 201
    response = proxy.send(
        'POST', f'{proxy.base}/api/tokens', json.dumps(user), Content_Type='application/json'
    )
    authorization = f'Bearer {json.loads(response.text)["token"]}'
    for number in range(12):
        posted = proxy.send(
            'POST', f'{proxy.base}/api/posts', urlencode({'body': f'post {number}'}),
            Content_Type=FORM, Authorization=authorization,
        )  # fmt: skip
        assert posted.headers['location'].startswith(f'{proxy.base}/api/posts/')
    return authorization


def test_every_link_of_every_format_can_be_followed(proxy: Nginx) -> None:
    authorization = sign_up(proxy)
    for accept in (HAL, HAL_FORMS, JSON_API, HTML):
        visited = follow_all(
            lambda url, accept=accept: proxy.send(
                'GET', url, Accept=f'{accept}, */*;q=0.1', Authorization=authorization
            ),
            proxy.base,
        )
        assert len(visited) > 20


def test_a_browser_signs_in_and_out_below_the_path(proxy: Nginx) -> None:
    sign_up(proxy)
    form = LOGIN | {'_return': f'{proxy.base}/api/posts'}
    response = proxy.send('POST', f'{proxy.base}/api/tokens', urlencode(form), Accept=HTML, Content_Type=FORM)
    assert (response.status, response.headers['location']) == (303, f'{proxy.base}/api/posts')
    cookie, _, attributes = response.headers['set-cookie'].partition('; ')
    assert attributes.startswith('Path=/halcyon; ')
    page = proxy.send('GET', f'{proxy.base}/api/posts', Accept=HTML, Cookie=cookie)
    assert page.status == 200
    origin = proxy.base.removesuffix('/halcyon')
    response = proxy.send(
        'POST', f'{proxy.base}/api/tokens', '_method=DELETE',
        Accept=HTML, Content_Type=FORM, Cookie=cookie, Origin=origin,
    )  # fmt: skip
    assert (response.status, response.headers['location']) == (303, f'{proxy.base}/api')
    assert proxy.send('GET', f'{proxy.base}/api/posts', Accept=HTML, Cookie=cookie).status == 401


def test_forwarding_headers_of_clients_are_ignored(proxy: Nginx) -> None:
    forged = {
        'Forwarded': 'for=192.0.2.1;host=evil.test;proto=https',
        'X_Forwarded_For': '192.0.2.1',
        'X_Forwarded_Host': 'evil.test',
        'X_Forwarded_Port': '99',
        'X_Forwarded_Prefix': '/evil',
        'X_Forwarded_Proto': 'https',
    }
    response = proxy.send('GET', f'{proxy.base}/api', **forged)
    assert json.loads(response.text)['_links']['self']['href'] == f'{proxy.base}/api'


def test_conditional_requests_work_through_nginx(proxy: Nginx) -> None:
    url, sent = f'{proxy.base}/api', {'Accept': HAL_FORMS}
    response = proxy.send('GET', url, **sent)
    assert proxy.send('GET', url, If_None_Match=response.headers['etag'], **sent).status == 304
    assert proxy.send('GET', url, If_Match=response.headers['etag'], **sent).status == 200
    assert proxy.send('GET', url, If_Match='"other"', **sent).status == 412


def test_an_encoded_slash_is_not_a_separator(nginx: str, tmp_path: Path) -> None:
    with running(nginx, tmp_path, documented_locations()) as proxy:
        authorization = sign_up(proxy)
        response = proxy.send('DELETE', f'{proxy.base}/api%2Ftokens', Authorization=authorization)
        assert response.status == 404
        assert proxy.send('GET', f'{proxy.base}/api/posts', Authorization=authorization).status == 200
