"""schemathesis: thousands of requests made of the server's own description, answered as it says."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent
SECONDS = 90

pytestmark = pytest.mark.conformance


@pytest.fixture(scope='module')
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the server as it is deployed, on a database of its own, and return its entry point."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp('server')
    settings = {
        'DATABASE_URL': f'sqlite:///{folder}/halcyon.db',
        'PORT': str(port),
        'WEB_CONCURRENCY': '1',
        'BCRYPT_COST': '4',
        'SQLITE_SYNCHRONOUS': 'off',
        'DRAIN_SECONDS': '0',
    }
    with (folder / 'log').open('w') as log:
        server = subprocess.Popen(
            [PROGRAMS / 'gunicorn'], env=os.environ | settings, cwd=HERE.parents[1], stdout=log, stderr=log
        )
        try:
            wait_for(f'http://127.0.0.1:{port}/health/ready')
            yield f'http://127.0.0.1:{port}/api'
        finally:
            server.terminate()
            server.wait()


def wait_for(address: str) -> None:
    """Return when the address answers; raises the last failure after half a minute."""
    for attempt in range(300):
        try:
            urllib.request.urlopen(address, timeout=10).close()
        except urllib.error.URLError:
            if attempt == 299:
                raise
            time.sleep(0.1)
        else:
            return


@pytest.fixture(scope='module', params=['anonymous', 'signed in'])
def report(request: pytest.FixtureRequest, api: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what schemathesis reports of one run with all its checks."""
    path = tmp_path_factory.mktemp('schemathesis') / 'report.json'
    environment = os.environ | {'HALCYON_API': api, 'PYTHONPATH': str(HERE)}
    if request.param == 'signed in':
        environment['HALCYON_SIGNED_IN'] = 'yes'
    run = subprocess.run(
        [
            PROGRAMS / 'schemathesis',
            *('--config-file', HERE / 'schemathesis.toml'),
            *('run', f'{api}/openapi.json', '--checks', 'all'),
            *('--report', 'json', '--report-json-path', path),
        ],
        env=environment,
        cwd=path.parent,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return json.loads(path.read_text()) | {'said': run.stdout + run.stderr}


def test_no_check_fails(report: Any) -> None:
    assert report['complete']
    assert (report['failures'], report['errors']) == ([], []), report['said']


def test_every_phase_has_run(report: Any) -> None:
    assert {phase['status'] for phase in report['phases'].values()} == {'success'}, report['phases']


def test_every_operation_is_tested_a_dozen_times_over(report: Any) -> None:
    assert report['operations']['tested'] == report['operations']['total']
    assert report['test_cases']['generated'] >= 2000
