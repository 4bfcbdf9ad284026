"""schemathesis: thousands of requests generated from the OpenAPI document, with conforming responses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.server import Server

HERE = Path(__file__).parent
SCHEMATHESIS = Path(sys.executable).with_name('schemathesis')
SECONDS = 600  # a run takes a sixth of that on two idle cores
REQUESTS = 2000

pytestmark = pytest.mark.conformance


@pytest.fixture(scope='module', params=['anonymous', 'signed in'])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the report of schemathesis, run with all checks against a running server."""
    folder = tmp_path_factory.mktemp('schemathesis')
    path = folder / 'report.json'
    with Server(folder, workers=1, SQLITE_SYNCHRONOUS='off', DRAIN_SECONDS='0') as server:
        api = f'{server.origin}/api'
        environment = {'HALCYON_API': api, 'PYTHONPATH': str(HERE)}
        if request.param == 'signed in':
            environment['HALCYON_SIGNED_IN'] = 'yes'
        run = subprocess.run(
            [
                SCHEMATHESIS,
                *('--config-file', HERE / 'schemathesis.toml'),
                *('run', f'{api}/openapi.json', '--checks', 'all'),
                *('--report', 'json', '--report-json-path', path),
            ],
            env=os.environ | environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    print(run.stdout)
    return json.loads(path.read_text()) | {'output': run.stdout}


def test_no_check_fails(report: Any) -> None:
    assert report['complete']
    assert (report['failures'], report['errors']) == ([], []), report['output']


def test_every_phase_has_run(report: Any) -> None:
    phases = {name: phase['status'] for name, phase in report['phases'].items()}
    assert phases == dict.fromkeys(('examples', 'coverage', 'fuzzing', 'stateful'), 'success')


def test_every_operation_is_tested(report: Any) -> None:
    assert report['operations']['tested'] == report['operations']['total'] > 50


def test_thousands_of_requests_are_generated(report: Any) -> None:
    assert report['test_cases']['generated'] >= REQUESTS
