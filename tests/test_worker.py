"""The gunicorn worker: a thread waits and answers, and nobody waits for who is slow.

What needs a look inside is asked of a worker in this process, with two threads; all else of a real server.
"""

from __future__ import annotations

import re
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from os import getppid
from pathlib import Path
from selectors import DefaultSelector
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from service import worker as module
from service.worker import LeaderWorker
from tests.server import Server, wait_until

MANY = 20  # more than a worker has threads
HEAD = b'Host: halcyon.test\r\n'
HALF = (
    b'POST /api/users HTTP/1.1\r\n' + HEAD + b'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{'
)


def get(path: str, more: bytes = b'') -> bytes:
    return b'GET %s HTTP/1.1\r\n' % path.encode() + HEAD + more + b'\r\n'


class Worker:
    """A worker in this process, for the time of a block; it answers with the path, `/wait` when it may."""

    def __init__(self, **settings: int) -> None:
        config = Config()
        for name, value in ({'threads': 2, 'keepalive': 60} | settings).items():
            config.set(name, value)
        listener = socket.create_server(('127.0.0.1', 0))
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as gunicorn does
        self.address = listener.getsockname()
        self.may = threading.Event()
        self.waiting = 0
        self.inner: Any = LeaderWorker(1, getppid(), [listener], None, 30, config, Logger(config))
        self.inner.wsgi = self._answer
        self.inner.tpool = self.inner.get_thread_pool()
        self.inner.poller = DefaultSelector()
        self.inner.method_queue.init()
        self._main = ThreadPoolExecutor(1)
        self.running: Future[None]

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ['PATH_INFO'].encode()
        if path == b'/wait':
            self.waiting += 1
            self.may.wait(10)
        start_response('200 OK', [('Content-Length', str(len(path)))])
        return [path]

    def __enter__(self) -> Worker:
        self.running = self._main.submit(self.inner.run)
        return self

    def __exit__(self, *error: object) -> None:
        self.may.set()
        self.inner.handle_exit(signal.SIGTERM, None)
        self._main.shutdown()
        self.inner.tpool.shutdown()
        for listener in self.inner.sockets:
            listener.close()
        self.inner.tmp.close()

    def send(self, stack: ExitStack, data: bytes) -> socket.socket:
        client = stack.enter_context(socket.create_connection(self.address, timeout=10))
        client.sendall(data)
        return client

    def busy(self, stack: ExitStack, number: int) -> list[socket.socket]:
        """Open connections each of which keeps a thread busy, and return once it does."""
        clients = [self.send(stack, get('/wait')) for _ in range(number)]
        wait_until(lambda: self.waiting == number)
        return clients


@contextmanager
def worker(**settings: int) -> Iterator[tuple[Worker, ExitStack]]:
    with Worker(**settings) as running, ExitStack() as stack:
        yield running, stack


def answer(client: socket.socket) -> bytes:
    """Return the body of the next answer, or nothing where there is none."""
    response = HTTPResponse(client)
    response.begin()
    return response.read()


def test_a_request_that_takes_long_keeps_no_other_waiting() -> None:
    with worker() as (one, stack):
        (long,) = one.busy(stack, 1)
        kept = one.send(stack, b'')
        for _ in range(100):
            kept.sendall(get('/short'))
            assert answer(kept) == b'/short'
        one.may.set()
        assert answer(long) == b'/wait'


def test_a_worker_all_of_whose_threads_are_busy_says_that_it_lives_and_answers_when_they_are_free() -> None:
    with worker() as (one, stack):
        busy = one.busy(stack, 2)
        late = [one.send(stack, get('/late')) for _ in range(MANY)]
        for _ in range(2):
            beat = one.inner.tmp.last_update()
            wait_until(lambda last=beat: one.inner.tmp.last_update() > last)  # type: ignore[misc]
        assert one.inner.nr_conns == 2
        one.may.set()
        assert [answer(client) for client in busy + late] == [b'/wait'] * 2 + [b'/late'] * MANY


def test_who_has_sent_nothing_yet_keeps_nobody_waiting() -> None:
    with worker() as (one, stack):
        silent = [one.send(stack, b'') for _ in range(MANY)]
        assert answer(one.send(stack, get('/a'))) == b'/a'
        for client in silent:
            client.sendall(get('/b'))
        assert [answer(client) for client in silent] == [b'/b'] * MANY


def test_who_never_closes_a_connection_that_has_ended_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, 'LINGER_SECONDS', 1000)
    with worker() as (one, stack):
        held = [one.send(stack, get('/a', b'Connection: close\r\n')) for _ in range(MANY)]
        assert [client.makefile('rb').read().endswith(b'/a') for client in held] == [True] * MANY
        assert answer(one.send(stack, get('/b'))) == b'/b'
        assert one.inner.nr_conns == MANY + 1
        for client in held:
            client.close()
        wait_until(lambda: one.inner.nr_conns == 1)


def test_who_never_closes_a_connection_that_has_ended_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, 'LINGER_SECONDS', 0)
    with worker() as (one, stack):
        held = one.send(stack, get('/a', b'Connection: close\r\n'))
        assert held.makefile('rb').read().endswith(b'/a')
        wait_until(lambda: one.inner.nr_conns == 0)


def test_what_comes_on_a_connection_that_has_ended_does_not_take_its_answer_away() -> None:
    with worker() as (one, stack):
        client = one.send(stack, get('/a', b'Connection: close\r\n'))
        for _ in range(20):
            client.sendall(b'x' * 10_000)
        assert answer(client) == b'/a'


def test_any_number_of_requests_sent_at_once_are_answered_in_their_order_beside_others() -> None:
    paths = [f'/{number}' for number in range(3000)]
    with worker() as (one, stack):
        client = one.send(stack, b'')
        sender = threading.Thread(target=client.sendall, args=(b''.join(map(get, paths)),))
        sender.start()
        other = one.send(stack, b'')
        with client.makefile('rb') as received:
            for path in paths:
                if path.endswith('00'):
                    other.sendall(get('/other'))
                    assert answer(other) == b'/other'
                head = b''.join(iter(received.readline, b'\r\n'))
                assert head.startswith(b'HTTP/1.1 200 ')
                assert received.read(len(path)) == path.encode()
        sender.join()


def test_no_connection_is_counted_that_is_gone() -> None:
    reset = struct.pack('ii', 1, 0)  # what SO_LINGER takes for closing without a farewell
    cases = (
        b'',
        b'GET /a',
        get('/a'),
        get('/a') * 50,
        get('/a', b'Connection: close\r\n'),
        HALF,
        b'\0\r\n\r\n',
    )
    with worker() as (one, stack):
        for data in cases * 10:
            for is_reset in (True, False):
                with socket.create_connection(one.address) as client:
                    client.sendall(data)
                    if is_reset:
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        assert answer(one.send(stack, get('/b'))) == b'/b'
        wait_until(lambda: len(one.inner.keepalived_conns) == one.inner.nr_conns == 1)
        wait_until(lambda: len(one.inner.poller.get_map()) == 3)  # with the listener and the queue of calls
        assert not one.inner._ending


def test_where_there_are_as_many_connections_as_there_may_be_the_next_waits_for_one_to_go() -> None:
    with worker(worker_connections=5) as (one, stack):
        first = [one.send(stack, b'') for _ in range(5)]
        wait_until(lambda: one.inner.nr_conns == 5)
        next_ones = [one.send(stack, get('/next')) for _ in range(5)]
        wait_until(lambda: not one.inner._accepting)
        assert one.inner.nr_conns == 5
        for client in first:
            client.close()
        assert [answer(client) for client in next_ones] == [b'/next'] * 5


def test_a_worker_that_has_answered_as_many_requests_as_it_should_ends() -> None:
    with worker(max_requests=3) as (one, stack):
        client = one.send(stack, get('/a') * 3)
        assert client.makefile('rb').read().count(b'HTTP/1.1 200 ') == 3
        client.close()
        one.running.result(timeout=10)
        assert one.inner.nr_conns == 0


def test_at_the_end_who_has_connected_is_answered_and_who_comes_then_is_refused() -> None:
    with worker(threads=1) as (one, stack):
        (busy,) = one.busy(stack, 1)
        connected = one.send(stack, get('/b'))
        one.inner.handle_exit(signal.SIGTERM, None)

        def is_refused() -> bool:
            with suppress(ConnectionResetError), socket.socket() as client:
                return client.connect_ex(one.address) != 0
            return False

        wait_until(is_refused)
        assert not one.running.done()
        one.may.set()
        assert answer(busy) == b'/wait'
        assert answer(connected) == b'/b'


def test_a_failure_to_wait_ends_the_worker() -> None:
    def fail(listener: socket.socket) -> None:
        raise OSError('no more descriptors')

    one = Worker()
    one.inner.accept = fail
    with one, ExitStack() as stack:
        one.send(stack, b'')
        with pytest.raises(OSError, match='no more descriptors'):
            one.running.result(timeout=10)


@pytest.fixture(scope='module')
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp('worker')) as server:
        yield server


def ask(connection: HTTPConnection) -> str:
    """Send a request on a connection that is kept, and return the request's id."""
    connection.request('GET', '/api')
    response = connection.getresponse()
    response.read()
    assert (response.status, response.will_close) == (200, False)
    return response.headers['X-Request-Id']


def process_of(server: Server, request_id: str) -> int:
    """Return the worker that has answered a request, which it says in the log."""
    written: list[str] = []

    def is_written() -> bool:
        written[:] = re.findall(rf'\[(\d+)\] .* request={request_id}\n', server.log)
        return bool(written)

    wait_until(is_written)
    return int(written[0])


def test_kept_connections_are_spread_over_the_workers_and_stay_where_they_are(server: Server) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(server.connect())) for _ in range(64)]
        rounds = [[process_of(server, ask(connection)) for connection in connections] for _ in range(3)]
        assert set(rounds[0]) == set(server.workers())
        assert rounds[1] == rounds[2] == rounds[0]


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_server_that_is_told_to_stop_waits_for_no_idle_connection(
    tmp_path: Path, number: signal.Signals
) -> None:
    stopping = Server(tmp_path, DRAIN_SECONDS='0', GUNICORN_CMD_ARGS='--keep-alive 1000')
    with stopping as server, ExitStack() as stack:
        for _ in range(MANY):
            ask(stack.enter_context(closing(server.connect())))
            stack.enter_context(socket.create_connection(('127.0.0.1', server.port)))
        server.process.send_signal(number)
        assert server.process.wait(timeout=20) == 0
        assert 'Traceback' not in server.log


def test_requests_under_way_when_a_server_is_told_to_stop_are_answered(tmp_path: Path) -> None:
    with Server(tmp_path, workers=1, DRAIN_SECONDS='0') as server, ExitStack() as stack:
        address = ('127.0.0.1', server.port)
        clients = [stack.enter_context(socket.create_connection(address, timeout=10)) for _ in range(4)]
        for client in clients:
            client.sendall(HALF)
        assert server.ask('GET', '/api').status == 200
        server.process.send_signal(signal.SIGTERM)

        def is_refused() -> bool:
            try:
                server.ask('GET', '/health/live')
            except OSError:
                return True
            return False

        wait_until(is_refused)
        for client in clients:
            client.sendall(b'}')
        assert [client.recv(65536)[:12] for client in clients] == [b'HTTP/1.1 400'] * 4
        for client in clients:
            client.close()
        assert server.process.wait(timeout=20) == 0
