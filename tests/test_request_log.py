"""The request log: one line for each request, without secrets."""

from __future__ import annotations

import json
import logging
import os
import re
from io import StringIO
from typing import Any

import falcon.testing
import pytest

from service import urls
from service.app import create_app
from service.database.errors import Unavailable
from service.database.session import Session
from service.http.application import redacted_path
from service.logs import NODE, JsonFormatter, RequestLog, TextFormatter, format_time
from service.resources import entry_point
from tests.client import Client
from tests.conftest import Start
from tests.description import description_of

pytestmark = pytest.mark.above_databases

TRUST_PROXIES = {'FORWARDED_ALLOW_IPS': '10.0.0.0/8'}
INJECTION = 'x\n2026-11-22T06:06:33.221Z INFO vm service.requests[1] GET /api 200\r\x1b[2J\x85\u2028'


@pytest.fixture
def visitor(start: Start, request_log: StringIO) -> Client:
    """An anonymous client of a server that logs in JSON, before its first request."""
    app = start(LOG_FORMAT='json')
    description_of(app)  # which Client requests first
    request_log.seek(0)
    request_log.truncate()
    return Client(app)


def last_line(request_log: StringIO) -> dict[str, Any]:
    """Return the last line, parsed as JSON."""
    line: dict[str, Any] = json.loads(request_log.getvalue().splitlines()[-1])
    return line


def test_a_text_line_has_request_status_user_and_request_id(ada: Client, request_log: StringIO) -> None:
    me = ada.me()
    pattern = (
        r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO '
        rf'{re.escape(NODE)} service\.requests\[{os.getpid()}\] '
        rf'GET /api/users/{me.json["id"]} 200 \d+\.\d ms viewer={me.json["id"]} request={me.request_id}'
    )
    assert re.fullmatch(pattern, request_log.getvalue().splitlines()[-1])


def test_a_json_line_has_request_status_user_and_request_id(visitor: Client, request_log: StringIO) -> None:
    response = visitor.get('/api/users?page=2')
    line = last_line(request_log)
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z', line.pop('time'))
    assert line.pop('ms') > 0
    assert line == {
        'level': 'INFO',
        'logger': 'service.requests',
        'node': NODE,
        'process': os.getpid(),
        'method': 'GET',
        'path': '/api/users',
        'status': 401,
        'viewer': None,
        'request': response.request_id,
    }


@pytest.mark.parametrize('format', ['text', 'json'])
def test_a_request_line_has_the_layout_of_a_log_record(format: str) -> None:
    request_log = StringIO()
    RequestLog(format, request_log).write('GET', '/api', 200, 0.001, None, 'one')
    record = logging.LogRecord('service.requests', logging.INFO, '', 0, 'GET /api 200', None, None)
    if format == 'json':
        formatted_record = json.loads(JsonFormatter().format(record))
        assert [*json.loads(request_log.getvalue())][:5] == [*formatted_record][:5]
    else:
        start = re.compile(r'\S+ INFO \S+ service\.requests\[\d+\] GET /api 200')
        assert start.match(request_log.getvalue())
        assert start.match(TextFormatter().format(record))


@pytest.mark.parametrize(
    ('method', 'url', 'status'),
    [
        ('GET', '/api', 200),
        ('HEAD', '/api', 200),
        ('OPTIONS', '/api', 204),
        ('DELETE', '/api', 405),
        ('GET', '/', 308),
        ('GET', '/api/rels/users', 200),
        ('POST', '/api/users', 400),
        ('OPTIONS', '/health/live', 204),
    ],
)
def test_the_line_has_the_status_of_the_response(
    visitor: Client, request_log: StringIO, method: str, url: str, status: int
) -> None:
    response = visitor.request(method, url)
    line = last_line(request_log)
    assert (line['method'], line['path'], line['status']) == (method, url, status)
    assert line['request'] == response.request_id
    assert response.status == status


def test_a_304_is_logged_as_304(visitor: Client, request_log: StringIO) -> None:
    visitor.get('/api', headers={'If-None-Match': visitor.get('/api').etag})
    assert last_line(request_log)['status'] == 304


def test_an_unknown_method_is_logged_as_other(visitor: Client, request_log: StringIO) -> None:
    visitor.request('FROB', '/api')
    assert (last_line(request_log)['method'], last_line(request_log)['status']) == ('other', 501)


@pytest.mark.parametrize(('error', 'status'), [(RuntimeError(), 500), (Unavailable('x'), 503)])
def test_a_failed_request_is_logged(
    visitor: Client, request_log: StringIO, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    monkeypatch.setattr(entry_point, 'Document', failing(error))
    response = visitor.get('/api')
    assert last_line(request_log)['status'] == response.status == status


def test_a_rendering_error_is_logged_as_500(
    visitor: Client, request_log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('service.resources.health._OK', {'status': object()})
    response = falcon.testing.simulate_get(visitor.app, '/health/live', host='halcyon.test')
    assert response.status_code == last_line(request_log)['status'] == 500
    assert last_line(request_log)['request'] in response.text


class Stop(BaseException):
    """An exception that no error handler catches."""


def test_an_uncaught_exception_is_logged_as_500(
    visitor: Client, request_log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_point, 'Document', failing(Stop()))
    with pytest.raises(Stop):
        falcon.testing.simulate_get(visitor.app, '/api', host='halcyon.test')
    assert (last_line(request_log)['path'], last_line(request_log)['status']) == ('/api', 500)


def failing(error: BaseException) -> Any:
    def fail(**_: Any) -> Any:
        raise error

    return fail


class FullDisk(StringIO):
    """A stream whose disk is full."""

    def write(self, _: str) -> int:
        raise OSError


def test_a_log_write_failure_does_not_affect_the_request(db: Session) -> None:
    assert Client(create_app(db.settings, db=db, lines=FullDisk())).get('/api').status == 200


@pytest.mark.parametrize('url', ['/health/live', '/health/ready'])
def test_successful_health_checks_are_not_logged(visitor: Client, request_log: StringIO, url: str) -> None:
    assert visitor.get(url).status == 200
    assert request_log.getvalue() == ''


@pytest.mark.parametrize(
    ('path', 'redacted'),
    [
        ('/', '/'),
        ('/api/', '/api/'),
        ('/api/users/890802396781952/relationships/following',) * 2,
        ('/.well-known/jwks.json', '/.well-known/jwks.json'),
        ('/api/users/ada@example.org', '/api/users/*'),
        ('/api/tokens/hc_secret/users', '/api/tokens/*/users'),
        ('/correct horse/api', '/*/api'),
        ('*', '*'),
        ('/api' * 9, '/api' * 7),
        ('/x' * 5000, '/*' * 7),
        ('/' + INJECTION, '/*/*'),
        ('/api\n', '/*'),
    ],
)  # fmt: skip
def test_unknown_path_segments_are_redacted(path: str, redacted: str) -> None:
    assert redacted_path(path) == redacted


def test_only_path_segments_of_routes_are_logged(app: Any) -> None:
    paths = [re.sub(r'{\w+}', '7', template) for template in description_of(app).document['paths']]
    assert [redacted_path(path) for path in paths] == paths
    segments = {segment for path in paths for segment in path.split('/')}
    names = {name.lower() for name in vars(urls)} - segments - {'metrics', 'static'}
    assert {redacted_path(f'/{name}') for name in names} == {'/*'}


@pytest.mark.parametrize('format', ['text', 'json'])
def test_a_request_is_always_one_line(format: str) -> None:
    request_log = StringIO()
    RequestLog(format, request_log).write(INJECTION, INJECTION, 200, 0.001, None, INJECTION)
    written = request_log.getvalue()
    assert written.endswith('\n')
    assert written[:-1].isprintable()


def test_lines_of_a_traceback_are_indented_and_escaped() -> None:
    try:
        raise RuntimeError(INJECTION)
    except RuntimeError as error:
        caught = (type(error), error, error.__traceback__)
    record = logging.LogRecord('x', logging.ERROR, '', 0, 'request one failed', None, caught)
    first, *more = TextFormatter().format(record).split('\n')
    assert first.endswith('request one failed')
    assert all(line.startswith('  ') and line.isprintable() for line in more)


def test_every_request_has_its_own_id(client: Client) -> None:
    ids = {client.get(url).request_id for url in ('/api', '/api', '/nothing', '/health/live')}
    assert len(ids) == 4
    assert all(re.fullmatch(r'[0-9a-f]{16}', request_id) for request_id in ids)


@pytest.mark.parametrize(
    'request_id', ['a', '9f86d081-884c-4d65-9a2f', '0A2B:1F90_AC10:0050', '1-67891233-abcdef', 'x' * 64]
)
def test_a_trusted_proxy_can_set_the_request_id(start: Start, request_id: str) -> None:
    response = Client(start(**TRUST_PROXIES)).get(
        '/nothing', headers={'X-Request-Id': request_id}, remote_addr='10.0.0.1'
    )
    assert response.request_id == request_id


@pytest.mark.parametrize(
    'request_id', ['', 'x' * 65, 'a b', 'a,b', '"a"', 'ada@example.org', 'a\x1b', 'ä', 'a;b', '<b>']
)
def test_an_invalid_request_id_is_replaced(start: Start, request_id: str) -> None:
    response = Client(start(**TRUST_PROXIES)).get(
        '/nothing', headers={'X-Request-Id': request_id}, remote_addr='10.0.0.1'
    )
    assert re.fullmatch(r'[0-9a-f]{16}', response.request_id)


@pytest.mark.parametrize(('settings', 'peer'), [(TRUST_PROXIES, '192.0.2.1'), ({}, '10.0.0.1')])
def test_other_peers_cannot_set_the_request_id(start: Start, settings: dict[str, str], peer: str) -> None:
    response = Client(start(**settings)).get('/api', headers={'X-Request-Id': 'mine'}, remote_addr=peer)
    assert response.request_id != 'mine'


def test_the_request_id_is_exposed_to_other_origins(client: Client) -> None:
    response = client.get('/api', headers={'Origin': 'http://localhost:3000'})
    assert 'x-request-id' in response.headers['access-control-expose-headers'].lower()


@pytest.mark.parametrize('milliseconds', [123, 999, 0, 500])
def test_a_time_has_its_exact_milliseconds(milliseconds: int) -> None:
    assert format_time((1732287867000 + milliseconds) / 1000) == f'2024-11-22T15:04:27.{milliseconds:03}Z'


def test_a_time_is_rounded_to_milliseconds() -> None:
    assert format_time(1732287867.9996) == '2024-11-22T15:04:28.000Z'
