"""Metrics: what Prometheus scrapes is what happened, in all processes, and clients cannot make it grow."""

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
import peewee
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.database.errors import Unavailable
from service.database.pool import MAX_CONNECTIONS
from service.database.session import Session
from service.database.transactions import transaction
from service.resources import entry_point
from tests.client import HAL, PROBLEM, Client, assert_problem
from tests.conftest import Start
from tests.description import description_of
from tests.server import ROOT, Server
from tests.test_server import wait_until

pytestmark = pytest.mark.above_databases

TYPE = 'text/plain; version=0.0.4; charset=utf-8'


class Scrape:
    """What was scraped: every sample by its name and labels."""

    def __init__(self, text: str) -> None:
        self.samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def sum(self, name: str, **labels: str) -> float:
        """Return the sum of all samples of the name that have these labels."""
        return sum(
            sample.value
            for sample in self.samples
            if sample.name == f'halcyon_{name}' and labels.items() <= sample.labels.items()
        )

    def labels(self, name: str) -> list[dict[str, str]]:
        """Return the labels of every sample of the name."""
        return [sample.labels for sample in self.samples if sample.name == f'halcyon_{name}']


@pytest.fixture
def counting(start: Start) -> Client:
    """Somebody who is not signed in, at a server that counts."""
    return Client(start(METRICS='on'))


def scrape(client: Client) -> Scrape:
    answer = falcon.testing.simulate_get(client.app, '/metrics', host='halcyon.test')
    assert answer.status_code == 200
    return Scrape(answer.text)


def growth(client: Client, name: str, do: Any, **labels: str) -> float:
    """Return by how much something grows while that is done."""
    before = scrape(client).sum(name, **labels)
    do()
    return scrape(client).sum(name, **labels) - before


def test_without_the_setting_nothing_is_there(client: Client) -> None:
    assert_problem(client.get('/metrics'), 404)


def test_without_the_setting_prometheus_client_is_not_loaded(tmp_path: Path) -> None:
    program = 'import sys, service.app; service.app.create_app(); print("prometheus_client" in sys.modules)'
    environment = {'DATABASE_URL': f'sqlite:///{tmp_path}/halcyon.db'}
    said = subprocess.run(
        [sys.executable, '-c', program], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout == 'False\n'


def test_it_is_served_as_prometheus_takes_it_and_never_kept(counting: Client) -> None:
    answer = counting.get('/metrics', accept='application/openmetrics-text;version=x,text/plain;version=x')
    assert answer.headers['content-type'] == TYPE
    assert answer.headers['cache-control'] == 'no-store'
    assert 'etag' not in answer.headers


def test_it_has_the_methods_of_other_resources(counting: Client) -> None:
    headed = counting.request('HEAD', '/metrics')
    assert (headed.status, headed.text) == (200, '')
    assert counting.request('OPTIONS', '/metrics').headers['allow'] == 'GET, HEAD, OPTIONS'
    assert_problem(counting.post('/metrics', {}), 405)
    assert_problem(counting.request('FROB', '/metrics'), 501)


def test_it_is_described_where_it_is_there(counting: Client, client: Client) -> None:
    assert '/metrics' in description_of(counting.app).document['paths']
    assert '/metrics' not in description_of(client.app).document['paths']


@pytest.mark.parametrize(
    ('method', 'address', 'accept', 'labels'),
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
def test_a_request_is_counted_by_what_it_was(
    counting: Client, method: str, address: str, accept: str, labels: tuple[str, ...]
) -> None:
    names = ('route', 'method', 'status', 'format')
    by_label = dict(zip(names, labels, strict=True))
    asked = lambda: counting.request(method, address, accept=accept)  # noqa: E731 (it is done in growth)
    asked()
    assert growth(counting, 'requests_total', asked, **by_label) == 1
    assert growth(counting, 'request_seconds_count', asked, route=labels[0]) == 1


def test_no_client_can_make_series(counting: Client) -> None:
    def ask_for_much() -> int:
        for number in range(20):
            counting.get(f'/nothing/{number}')
            counting.get(f'/api/users/{number}')
            counting.get(f'/api/rels/{number}')
            counting.request(f'FROB{number}', '/api')
            counting.get('/api', accept=f'text/x{number}')
            counting.post('/api/users', headers={'Content-Type': f'text/x{number}'}, body=b'x')
        return len(scrape(counting).samples)

    scrape(counting)
    assert ask_for_much() == ask_for_much()


def test_what_fails_is_counted_as_that(counting: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> Any:
        raise Unavailable('not now')

    counting.get('/api')
    monkeypatch.setattr(entry_point, 'Document', fail)
    assert growth(counting, 'requests_total', lambda: counting.get('/api'), route='/api', status='503') == 1


def test_statements_are_counted_and_timed(counting: Client) -> None:
    counting.register('ada')
    ada = counting.sign_in('ada')
    users = ada.entry().href('hc:users')
    seconds = scrape(counting).sum('statement_seconds_total')
    assert growth(counting, 'statements_total', lambda: ada.get(users)) == 3  # who asks, how many, which
    assert scrape(counting).sum('statement_seconds_total') > seconds
    assert growth(counting, 'statements_total', lambda: counting.get('/health/live')) == 0


def test_a_failed_sign_in_and_a_refusal_are_counted(counting: Client) -> None:
    counting.register('ada')

    def fail() -> None:
        counting.entry().submit('login', username='ada', password='wrong horse')

    for limit in ('account', 'address'):
        assert growth(counting, 'rate_limit_attempts_total', fail, limit=limit) == 1
    assert growth(counting, 'throttled_total', lambda: [fail() for _ in range(10)], limit='account') == 2
    assert scrape(counting).sum('throttled_total', limit='address') == 0
    assert scrape(counting).sum('rate_limit_attempts_total', limit='registration') == 1


@transaction
def refused_once(db: Session, refusals: list[Exception]) -> None:
    if refusals:
        raise refusals.pop()


def test_a_transaction_that_runs_again_is_counted(counting: Client) -> None:
    dbs: list[Session] = []
    counting.app.add_middleware(Keeper(dbs))
    collided = peewee.IntegrityError('UNIQUE constraint failed: users.id')
    assert growth(counting, 'transaction_retries_total', lambda: refused_once(dbs[0], [collided])) == 1


class Keeper:
    """Keeps the database that requests get."""

    def __init__(self, dbs: list[Session]) -> None:
        self._dbs = dbs

    def process_response(self, req: Any, *_: Any) -> None:
        self._dbs.append(req.db)


def test_connections_are_counted_while_they_are_lent(counting: Client) -> None:
    dbs: list[Session] = []
    counting.app.add_middleware(Keeper(dbs))
    before = scrape(counting)
    has_pool = dbs[0].engine.name != 'sqlite'
    assert before.sum('connections') == (MAX_CONNECTIONS if has_pool else 0)
    assert before.sum('connections_in_use') == 0
    dbs[0].execute('SELECT 1')
    assert dbs[0].instrumentation.exposed().count(b'connections_in_use 1.0\n') == has_pool  # type: ignore[attr-defined]
    dbs[0].release()
    dbs[0].execute('SELECT 1')
    dbs[0].engine.invalidate()
    assert scrape(counting).sum('connections_in_use') == 0


def test_what_runs_is_told(counting: Client) -> None:
    (labels,) = scrape(counting).labels('info')
    assert set(labels) == {'python', 'falcon', 'gunicorn', 'peewee', 'engine', 'schema'}
    assert all(labels.values())


@pytest.fixture(scope='module')
def server(tmp_path_factory: Any) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp('server')
    (folder / 'tmp').mkdir()
    with Server(folder, METRICS='on', LOG_FORMAT='json', TMPDIR=str(folder / 'tmp')) as server:
        yield server


def scraped(server: Server) -> Scrape:
    answer = server.ask('GET', '/metrics')
    assert (answer.status, answer.headers['content-type']) == (200, TYPE)
    return Scrape(answer.body.decode())


def ask_often(server: Server, times: int) -> set[int]:
    """Ask for the entry point so often, and return the workers that answered."""
    with ThreadPoolExecutor(4) as several:
        answers = list(several.map(lambda _: server.ask('GET', '/api'), range(times)))
    ids = {answer.headers['x-request-id'] for answer in answers}
    lines = [json.loads(line) for line in server.log.splitlines()]
    return {line['process'] for line in lines if line.get('request') in ids}


def test_any_worker_tells_what_all_have_counted(server: Server) -> None:
    assert len(ask_often(server, 60)) == 2
    for _ in range(10):
        said = scraped(server)
        assert said.sum('requests_total', route='/api', status='200') == 60
        assert said.sum('request_seconds_count', route='/api') == 60
        assert said.sum('request_seconds_bucket', route='/api', le='+Inf') == 60
    assert said.sum('info') == 1


def test_what_a_worker_that_was_killed_has_counted_stays(server: Server) -> None:
    before = scraped(server).sum('requests_total', route='/api')
    killed = server.workers()[0]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: len(server.workers()) == 2 and killed not in server.workers())
    server.wait_until_ready()
    assert scraped(server).sum('requests_total', route='/api') == before
    while killed_and_new := ask_often(server, 10):
        before += 10
        if killed_and_new == set(server.workers()):
            break
    assert scraped(server).sum('requests_total', route='/api') == before
    assert scraped(server).sum('info') == 1


def test_a_failed_sign_in_at_any_worker_is_counted(server: Server) -> None:
    nobody = 'Basic ' + b64encode(b'nobody:wrong horse').decode()
    before = scraped(server).sum('rate_limit_attempts_total', limit='account')
    for _ in range(5):
        assert server.ask('POST', '/api/tokens', Authorization=nobody).status == 401
    assert scraped(server).sum('rate_limit_attempts_total', limit='account') == before + 5


def test_a_server_that_was_stopped_leaves_no_files(tmp_path: Path) -> None:
    with Server(tmp_path, METRICS='on', TMPDIR=str(tmp_path)) as server:
        assert scraped(server).sum('info') == 1
        assert list(tmp_path.glob('halcyon-metrics-*/*.db'))
    assert not list(tmp_path.glob('halcyon-metrics-*'))
