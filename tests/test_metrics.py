"""Metrics: exact totals over all processes, and a bounded number of time series."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import falcon.testing
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.database.errors import ErrorKind, Unavailable
from service.database.session import Session
from service.database.transactions import transaction
from service.resources import entry_point
from tests.client import HAL, PROBLEM, Client, assert_problem
from tests.conftest import Start
from tests.description import description_of
from tests.server import ROOT, Server, wait_until

pytestmark = pytest.mark.above_databases

CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'


class Scrape:
    """The samples in a response of /metrics, by name and labels."""

    def __init__(self, text: str) -> None:
        self.samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def sum(self, name: str, **labels: str) -> float:
        """Return the sum of the samples with the name and these labels."""
        return sum(
            sample.value
            for sample in self.samples
            if sample.name == f'halcyon_{name}' and labels.items() <= sample.labels.items()
        )

    def labels(self, name: str) -> list[dict[str, str]]:
        """Return the labels of every sample with the name."""
        return [sample.labels for sample in self.samples if sample.name == f'halcyon_{name}']


@pytest.fixture
def metered(start: Start) -> Client:
    """An anonymous client of a server with metrics."""
    return Client(start(METRICS='on'))


def scrape(client: Client) -> Scrape:
    response = falcon.testing.simulate_get(client.app, '/metrics', host='halcyon.test')
    assert response.status_code == 200
    return Scrape(response.text)


def increase(client: Client, name: str, call: Any, **labels: str) -> float:
    """Return the increase of a metric during a call."""
    before = scrape(client).sum(name, **labels)
    call()
    return scrape(client).sum(name, **labels) - before


def test_metrics_are_off_by_default(client: Client) -> None:
    assert_problem(client.get('/metrics'), 404)


def test_prometheus_client_is_not_imported_by_default(tmp_path: Path) -> None:
    program = 'import sys, service.app; service.app.create_app(); print("prometheus_client" in sys.modules)'
    environment = {'DATABASE_URL': f'sqlite:///{tmp_path}/halcyon.db'}
    result = subprocess.run(
        [sys.executable, '-c', program], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout == 'False\n'


def test_metrics_are_prometheus_text_and_not_cached(metered: Client) -> None:
    response = metered.get('/metrics', accept='application/openmetrics-text;version=x,text/plain;version=x')
    assert response.headers['content-type'] == CONTENT_TYPE
    assert response.headers['cache-control'] == 'no-store'
    assert 'etag' not in response.headers


def test_metrics_support_the_standard_methods(metered: Client) -> None:
    head = metered.request('HEAD', '/metrics')
    assert (head.status, head.text) == (200, '')
    assert metered.request('OPTIONS', '/metrics').headers['allow'] == 'GET, HEAD, OPTIONS'
    assert_problem(metered.post('/metrics', {}), 405)
    assert_problem(metered.request('FROB', '/metrics'), 501)


def test_metrics_are_described_only_if_they_are_served(metered: Client, client: Client) -> None:
    assert '/metrics' in description_of(metered.app).document['paths']
    assert '/metrics' not in description_of(client.app).document['paths']


@pytest.mark.parametrize(
    ('method', 'url', 'accept', 'labels'),
    [
        ('GET', '/api', '*/*', ('/api', 'GET', '200', HAL)),
        ('GET', '/api', 'text/html', ('/api', 'GET', '200', 'text/html')),
        ('HEAD', '/api', '*/*', ('/api', 'HEAD', '200', HAL)),
        ('OPTIONS', '/api', '*/*', ('/api', 'OPTIONS', '204', 'none')),
        ('GET', '/api/users/12', '*/*', ('/api/users/{user_id}', 'GET', '401', PROBLEM)),
        ('GET', '/health/live', '*/*', ('/health/live', 'GET', '200', 'application/json')),
        ('GET', '/nothing', '*/*', ('none', 'GET', '404', PROBLEM)),
        ('FROB', '/api', '*/*', ('/api', 'other', '501', PROBLEM)),
    ],
)  # fmt: skip
def test_a_request_is_counted_by_route_method_status_and_format(
    metered: Client, method: str, url: str, accept: str, labels: tuple[str, ...]
) -> None:
    names = ('route', 'method', 'status', 'format')
    by_label = dict(zip(names, labels, strict=True))

    def send() -> None:
        metered.request(method, url, accept=accept)

    send()
    assert increase(metered, 'requests_total', send, **by_label) == 1
    assert increase(metered, 'request_seconds_count', send, route=labels[0]) == 1


def test_clients_cannot_create_time_series(metered: Client) -> None:
    def send_many() -> int:
        for number in range(20):
            metered.get(f'/nothing/{number}')
            metered.get(f'/api/users/{number}')
            metered.get(f'/api/rels/{number}')
            metered.request(f'FROB{number}', '/api')
            metered.get('/api', accept=f'text/x{number}')
            metered.post('/api/users', headers={'Content-Type': f'text/x{number}'}, body=b'x')
        return len(scrape(metered).samples)

    scrape(metered)
    assert send_many() == send_many()


def test_a_failed_request_is_counted_with_its_status(
    metered: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> Any:
        raise Unavailable('not now')

    metered.get('/api')
    monkeypatch.setattr(entry_point, 'Document', fail)
    assert increase(metered, 'requests_total', lambda: metered.get('/api'), route='/api', status='503') == 1


def test_statements_are_counted_and_timed(metered: Client) -> None:
    metered.register('ada')
    ada = metered.sign_in('ada')
    users = ada.entry().href('hc:users')
    seconds = scrape(metered).sum('statement_seconds_total')
    # The statements of the token, the total and the page.
    assert increase(metered, 'statements_total', lambda: ada.get(users)) == 3
    assert scrape(metered).sum('statement_seconds_total') > seconds
    assert increase(metered, 'statements_total', lambda: metered.get('/health/live')) == 0


def test_failed_sign_ins_and_throttled_requests_are_counted(metered: Client) -> None:
    metered.register('ada')

    def fail() -> None:
        metered.entry().submit('login', username='ada', password='wrong horse')

    for limit in ('account', 'address'):
        assert increase(metered, 'rate_limit_attempts_total', fail, limit=limit) == 1
    assert increase(metered, 'throttled_total', lambda: [fail() for _ in range(10)], limit='account') == 2
    assert scrape(metered).sum('throttled_total', limit='address') == 0
    assert scrape(metered).sum('rate_limit_attempts_total', limit='registration') == 1


def test_the_former_name_of_rate_limit_attempts_is_kept_for_one_release(metered: Client) -> None:
    metered.register('ada')
    assert scrape(metered).sum('counted_tries_total', limit='registration') == 1


class SessionRecorder:
    """Middleware that records the sessions of requests."""

    def __init__(self, sessions: list[Session]) -> None:
        self._sessions = sessions

    def process_response(self, req: Any, *_: Any) -> None:
        self._sessions.append(req.db)


@transaction
def fail_once(db: Session, errors: list[Exception]) -> None:
    """Raise the error in the list when it is called first."""
    if errors:
        raise errors.pop()


def test_retried_transactions_are_counted(metered: Client) -> None:
    sessions: list[Session] = []
    metered.app.add_middleware(SessionRecorder(sessions))
    conflict = Unavailable('a serialization failure', ErrorKind.CONFLICT)
    assert increase(metered, 'transaction_retries_total', lambda: fail_once(sessions[0], [conflict])) == 1


def test_connections_are_counted_while_checked_out(metered: Client) -> None:
    sessions: list[Session] = []
    metered.app.add_middleware(SessionRecorder(sessions))
    before = scrape(metered)
    has_pool = sessions[0].engine.name != 'sqlite'
    assert before.sum('connections') == (8 if has_pool else 0)
    assert before.sum('connections_in_use') == 0
    sessions[0].execute('SELECT 1')
    assert sessions[0].instrumentation.exposed().count(b'connections_in_use 1.0\n') == has_pool  # type: ignore[attr-defined]
    sessions[0].release()
    sessions[0].execute('SELECT 1')
    sessions[0].engine.invalidate()
    assert scrape(metered).sum('connections_in_use') == 0


def test_the_info_metric_has_the_versions(metered: Client) -> None:
    (labels,) = scrape(metered).labels('info')
    assert set(labels) == {'python', 'falcon', 'gunicorn', 'peewee', 'engine', 'schema'}
    assert all(labels.values())


@pytest.fixture(scope='module')
def server(tmp_path_factory: Any, program: str) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp('server')
    (folder / 'tmp').mkdir()
    settings = {'METRICS': 'on', 'LOG_FORMAT': 'json', 'TMPDIR': str(folder / 'tmp')}
    with Server(folder, program=program, **settings) as server:
        yield server


def scrape_server(server: Server) -> Scrape:
    response = server.request('GET', '/metrics')
    assert (response.status, response.headers['content-type']) == (200, CONTENT_TYPE)
    return Scrape(response.body.decode())


def request_entry_point(server: Server, times: int) -> set[int]:
    """Request the entry point this many times, and return the process ids of the workers that responded."""
    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(lambda _: server.request('GET', '/api'), range(times)))
    ids = {response.headers['x-request-id'] for response in responses}
    lines = [json.loads(line) for line in server.log.splitlines()]
    return {line['process'] for line in lines if line.get('request') in ids}


def test_every_worker_reports_the_totals_of_all_workers(server: Server) -> None:
    expected = scrape_server(server).sum('requests_total', route='/api')
    workers: set[int] = set()
    while workers != set(server.workers()):  # one worker may accept many successive connections
        workers, expected = workers | request_entry_point(server, 20), expected + 20
    for _ in range(10):
        totals = scrape_server(server)
        assert totals.sum('requests_total', route='/api', status='200') == expected
        assert totals.sum('request_seconds_count', route='/api') == expected
        assert totals.sum('request_seconds_bucket', route='/api', le='+Inf') == expected
    assert totals.sum('info') == 1


def test_the_counts_of_a_killed_worker_are_kept(server: Server) -> None:
    before = scrape_server(server).sum('requests_total', route='/api')
    killed = server.workers()[0]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: len(server.workers()) == 2 and killed not in server.workers())
    server.wait_until_ready()
    assert scrape_server(server).sum('requests_total', route='/api') == before
    workers: set[int] = set()
    while workers != set(server.workers()):
        workers, before = workers | request_entry_point(server, 10), before + 10
    assert scrape_server(server).sum('requests_total', route='/api') == before
    assert scrape_server(server).sum('info') == 1


def test_failed_sign_ins_are_counted_across_workers(server: Server) -> None:
    wrong = 'Basic ' + b64encode(b'unknown:wrong horse').decode()
    before = scrape_server(server).sum('rate_limit_attempts_total', limit='account')
    for _ in range(5):
        assert server.request('POST', '/api/tokens', Authorization=wrong).status == 401
    assert scrape_server(server).sum('rate_limit_attempts_total', limit='account') == before + 5


def test_a_stopped_server_leaves_no_files(tmp_path: Path, program: str) -> None:
    with Server(tmp_path, program=program, METRICS='on', TMPDIR=str(tmp_path)) as server:
        assert scrape_server(server).sum('info') == 1
        assert list(tmp_path.glob('halcyon-metrics-*/*.db'))
    assert not list(tmp_path.glob('halcyon-metrics-*'))


def test_the_disk_space_of_metrics_is_allocated_when_a_worker_starts(server: Server) -> None:
    """Formerly a worker that wrote to a sparse file on a full disk was killed by SIGBUS."""
    folder = server.log_file.with_name('tmp')
    files = [file.stat() for file in folder.glob('halcyon-metrics-*/*.db')]
    assert files
    assert all(file.st_blocks * 512 >= file.st_size for file in files)  # POSIX: blocks of 512 bytes
