"""Halcyon satisfies every rule of the kit, except those in tests/accepted_violations.py."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from service.__main__ import main
from service.conformance.client import Client as Kit
from service.conformance.exchange import Request, Response
from service.conformance.suite import Report, run
from tests.accepted_violations import ACCEPTED_VIOLATIONS
from tests.client import ORIGIN, Client, new_user
from tests.server import Server

pytestmark = pytest.mark.conformance

START = f'{ORIGIN}/api'
ACCEPTED_ANONYMOUS = {'PROBLEM-EXTENSION-NAME'}
ACCEPTED_SIGNED_IN = ACCEPTED_ANONYMOUS | {'HF-KEY-DEFAULT'}
IGNORE_OPTIONS = [word for rule in ACCEPTED_VIOLATIONS for word in ('--ignore', rule)]


def served_by(app: Any) -> Callable[[Request], Response]:
    """Return a transport that calls a WSGI application as a server does."""

    def send(request: Request) -> Response:
        path, _, query = request.url.removeprefix(ORIGIN).partition('?')
        environ = {
            'REQUEST_METHOD': request.method,
            'PATH_INFO': path,
            'QUERY_STRING': query,
            'SERVER_NAME': 'halcyon.test',
            'SERVER_PORT': '80',
            'SERVER_PROTOCOL': 'HTTP/1.1',
            'HTTP_HOST': 'halcyon.test',
            'REMOTE_ADDR': '127.0.0.1',
            'wsgi.version': (1, 0),
            'wsgi.url_scheme': 'http',
            'wsgi.input': io.BytesIO(request.body or b''),
            'wsgi.errors': io.StringIO(),
        }
        for name, value in request.headers:
            key = name.upper().replace('-', '_')
            environ[key if key == 'CONTENT_TYPE' else f'HTTP_{key}'] = value
        if request.body is not None:
            environ['CONTENT_LENGTH'] = str(len(request.body))
        started: list[Any] = []
        chunks = app(environ, lambda status, headers, error=None: started.extend((status, headers)))
        body = b''.join(chunks)
        if hasattr(chunks, 'close'):
            chunks.close()
        headers = (*started[1], ('Date', formatdate(usegmt=True)))
        return Response(int(started[0].split()[0]), tuple(headers), body)

    return send


@pytest.fixture
def app(start: Any) -> Any:
    return start(CORS_ORIGINS='*')


@pytest.fixture
def active_user(ada: Client, bob: Client) -> Client:
    """A user who follows and is followed, with two pages of posts, and a store with items."""
    for follower, followee in ((ada, bob), (bob, ada)):
        follower.get(followee.me().href('self')).submit('follow')
    for number in range(11):
        ada.publish(f'number {number}')
    store = ada.follow('hc:stores').submit('create', name='Books')
    for name in ('Atlas', 'Novel', 'Poems'):
        store.follow('hc:items').submit('create', name=name, price='1.50')
    return ada


def run_kit(app: Any, token: str | None = None, *, may_write: bool = False) -> Report:
    authorization = f'Bearer {token}' if token else ''
    kit = Kit(served_by(app), START, authorization=authorization, max_requests=1500, may_write=may_write)
    return run(kit)


def failures(report: Report) -> dict[str, list[str]]:
    """Return the rules that failed, with their first findings."""
    return {
        result.rule.id: [
            f'{finding.fault.message} {finding.exchange.request.curl()}' for finding in result.findings[:3]
        ]
        for result in report.failed
    }


def unexpected(report: Report) -> dict[str, list[str]]:
    return {rule: findings for rule, findings in failures(report).items() if rule not in ACCEPTED_VIOLATIONS}


def test_an_anonymous_client_finds_nothing_unexpected(active_user: Client) -> None:
    report = run_kit(active_user.app)
    assert unexpected(report) == {}
    assert set(failures(report)) == ACCEPTED_ANONYMOUS
    assert report.is_complete


def test_a_signed_in_client_finds_nothing_unexpected(active_user: Client) -> None:
    report = run_kit(active_user.app, active_user.token)
    assert unexpected(report) == {}
    assert set(failures(report)) == ACCEPTED_SIGNED_IN
    assert report.count('not exercised') < 70


def test_a_client_that_writes_finds_nothing_unexpected_and_cleans_up(active_user: Client) -> None:
    before = [
        active_user.follow(rel).json['_meta']['total_items'] for rel in ('hc:posts', 'hc:stores', 'hc:users')
    ]
    report = run_kit(active_user.app, active_user.token, may_write=True)
    assert unexpected(report) == {}
    assert set(failures(report)) == set(ACCEPTED_VIOLATIONS)
    assert report.left_behind == []
    assert [
        active_user.follow(rel).json['_meta']['total_items'] for rel in ('hc:posts', 'hc:stores', 'hc:users')
    ] == before
    unused = {result.rule.id for result in report.results if result.outcome == 'not exercised'}
    assert len(unused) < 25, unused


def test_an_anonymous_client_that_writes_finds_nothing_unexpected(active_user: Client) -> None:
    report = run_kit(active_user.app, may_write=True)
    assert unexpected(report) == {}
    # Only the owner of an account can delete it.
    assert all('/api/users/' in url for url in report.left_behind)


@pytest.fixture(scope='module')
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp('conform'), workers=1) as server:
        yield server


def test_the_command_finds_nothing_unexpected_on_a_running_server(server: Server, tmp_path: Path) -> None:
    page, junit = tmp_path / 'report.html', tmp_path / 'report.xml'
    files = ['--html', str(page), '--junit', str(junit)]
    result = CliRunner().invoke(main, ['conform', f'{server.origin}/api', '--json', *files, *IGNORE_OPTIONS])
    report = json.loads(result.stdout)
    assert [rule['id'] for rule in report['rules'] if rule['outcome'] == 'failed'] == []
    assert {rule['id'] for rule in report['rules'] if rule['outcome'] == 'ignored'} == set(
        ACCEPTED_VIOLATIONS
    )
    assert report['counts']['ignored'] == len(ACCEPTED_VIOLATIONS)
    assert result.exit_code == 0
    assert report['complete']
    assert page.read_text().startswith('<!DOCTYPE html>')
    assert junit.read_text().startswith('<?xml')
    assert 'Requests' in result.stderr


def test_the_command_finds_nothing_unexpected_when_it_writes(server: Server) -> None:
    sign_up = json.dumps(new_user('ada'))
    server.request('POST', '/api/users', sign_up.encode(), Content_Type='application/json')
    sign_in = server.request('POST', '/api/tokens', sign_up.encode(), Content_Type='application/json')
    arguments = ['--token', sign_in.json['token'], '--write', '--max-requests', '1500', *IGNORE_OPTIONS]
    result = CliRunner().invoke(main, ['conform', f'{server.origin}/api', *arguments])
    assert result.exit_code == 0, result.stdout
    assert '0 MUST and 0 SHOULD failed' in result.stdout
    assert 'Ignored: PROBLEM-EXTENSION-NAME, ' in result.stdout
    assert 'Created and not deleted' not in result.stdout


def test_the_command_reports_that_credentials_were_rejected(server: Server) -> None:
    arguments = ['conform', f'{server.origin}/api', '--format', 'hal', '--token', 'hc_wrong']
    result = CliRunner().invoke(main, arguments)
    assert 'requests got 401 with these credentials.' in result.stdout
    anonymous = CliRunner().invoke(main, arguments[:-2])
    assert 'Not tested' not in anonymous.stdout


def test_the_option_format_limits_the_rules(server: Server) -> None:
    result = CliRunner().invoke(main, ['conform', f'{server.origin}/api', '--format', 'hal', '--json'])
    report = json.loads(result.stdout)
    assert {rule['family'] for rule in report['rules']} == {'hal'}
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ('arguments', 'code', 'line'),
    [
        (['http://127.0.0.1:9/api'], 4, 'Error: GET http://127.0.0.1:9/api'),
        (['ftp://127.0.0.1/'], 2, 'Error: URL must start with http:// or https://.'),
        (['http://127.0.0.1/', '--max-requests', '0'], 2, 'Error: Invalid value'),
        (
            ['http://127.0.0.1/', '--ignore', 'HAL-LINK-TITLE', '--ignore', 'HAL'],
            2,
            "Error: Invalid value for '--ignore': there is no rule HAL.",
        ),
        (['http://127.0.0.1:9/', '--user', 'ada'], 2, "Error: Invalid value for '--user': must be a name"),
        (['http://127.0.0.1:9/', '--junit', '/nowhere/x.xml'], 2, "cannot create a file in '/nowhere'."),
        (['http://127.0.0.1:9/', '--html', '/nowhere/x.html'], 2, "cannot create a file in '/nowhere'."),
    ],
)
def test_a_command_that_cannot_run_reports_why(arguments: list[str], code: int, line: str) -> None:
    result = CliRunner().invoke(main, ['conform', *arguments])
    assert result.exit_code == code
    assert line in result.stderr
