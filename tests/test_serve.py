"""The command `serve`: starts the server under gunicorn, like `gunicorn`, or under granian."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from service.config import Settings
from service.serving.granian_server import REQUIREMENT, Gateway
from tests.server import GUNICORN, ROOT, Server, wait_until
from tests.test_start import assert_one_line, run_to_end


def test_serve_starts_gunicorn_by_default(tmp_path: Path) -> None:
    with Server(tmp_path, program='serve') as server:
        assert server.request('GET', '/api').headers['Server'] == 'gunicorn'
        wait_until(lambda: len(server.workers()) == 2)
        assert server.stop() == 0


@pytest.mark.parametrize('program', ['serve', 'granian'])
@pytest.mark.parametrize('name', ['WEB_CONCURRENCY', 'FORWARDED_ALLOW_IPS'])
def test_an_invalid_setting_of_gunicorn_is_reported_in_one_line(
    tmp_path: Path, program: str, name: str
) -> None:
    assert_one_line(run_to_end(tmp_path, program, **{name: 'abc'}), f"{name}: 'abc' is invalid")


@pytest.mark.parametrize('program', ['serve', 'granian'])
def test_empty_settings_and_trusted_unix_sockets_are_accepted(tmp_path: Path, program: str) -> None:
    settings = {'WEB_CONCURRENCY': '', 'FORWARDED_ALLOW_IPS': 'unix,10.0.0.0/8'}
    with Server(tmp_path, program=program, **settings) as server:
        forwarded = server.request('GET', '/api', X_Forwarded_Host='evil.test')
        assert b'evil.test' not in forwarded.body


def test_environment_variables_are_not_header_fields(tmp_path: Path) -> None:
    settings = {'FORWARDED_ALLOW_IPS': '127.0.0.1', 'HTTP_X_FORWARDED_HOST': 'evil.test'}
    with Server(tmp_path, program='granian', workers=1, **settings) as server:
        assert b'evil.test' not in server.request('GET', '/api').body


@pytest.mark.parametrize('host', ['192.0.2.1', '::1', '/run/halcyon.sock'])
def test_an_unhandled_exception_is_a_problem_without_its_message(
    caplog: pytest.LogCaptureFixture, host: str
) -> None:
    message = 'secret'

    def fail(environ: dict[str, Any], start_response: Any) -> Any:
        raise SystemExit(message)

    started: list[Any] = []
    environ = {'SERVER_PROTOCOL': 'HTTP/1.1', 'SERVER_NAME': host, 'SERVER_PORT': '8000'}
    (body,) = Gateway(fail, Settings())(environ, lambda *line: started.append(line))
    ((status, fields),) = started
    problem = json.loads(body)
    assert status == '500 Internal Server Error'
    assert problem['reference'] == dict(fields)['X-Request-Id']
    origin = {'192.0.2.1': 'http://192.0.2.1:8000', '::1': 'http://[::1]:8000'}.get(host, 'http://localhost')
    assert problem['type'] == f'{origin}/api/problems/internal-error'
    assert f'request {problem["reference"]} failed: SystemExit' in caplog.text
    assert 'in fail' in caplog.text  # a line of the traceback
    assert message not in caplog.text


def test_a_missing_granian_is_reported_with_its_requirement(tmp_path: Path) -> None:
    (tmp_path / 'granian.py').write_text('raise ImportError')
    result = run_to_end(tmp_path, 'granian', PYTHONPATH=str(tmp_path))
    assert_one_line(result, f'granian is not installed: .venv/bin/pip install {REQUIREMENT}')


def test_the_documented_version_of_granian_is_the_tested_one() -> None:
    for name in ('tests/requirements.txt', 'service/OPERATIONS.md'):
        assert set(re.findall(r'granian==[\d.]+', (ROOT / name).read_text())) == {REQUIREMENT}


def test_gunicorn_uses_its_parser_in_python(tmp_path: Path) -> None:
    settings = {'PATH': os.environ['PATH'], 'DATABASE_URL': f'sqlite:///{tmp_path}/x.db'}
    printed = subprocess.check_output([GUNICORN, '--print-config'], cwd=ROOT, env=settings, text=True)
    assert re.search(r'^http_parser += python$', printed, re.MULTILINE)
