"""A real server, gunicorn or granian, on a free port."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
GUNICORN = str(Path(sys.executable).with_name('gunicorn'))
SERVE = (sys.executable, '-m', 'service', 'serve')
COMMANDS = {'gunicorn': (GUNICORN,), 'granian': (*SERVE, '--server', 'granian'), 'serve': SERVE}
PROGRAMS = ('gunicorn', 'granian')


def free_port() -> int:
    """Return an unused TCP port."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once the condition is true; raises TimeoutError after 20 s."""
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)


class Response(NamedTuple):
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """A server process for the duration of a block; `log` is its output."""

    def __init__(
        self,
        folder: Path,
        *,
        program: str = 'gunicorn',
        workers: int = 2,
        port: int | None = None,
        is_ready: bool = True,
        **environment: str,
    ) -> None:
        self.program = program
        self._status = 200 if is_ready else 503  # of readiness once it has started
        self.port = port or free_port()
        self.origin = f'http://127.0.0.1:{self.port}'
        self.log_file = folder / 'log'
        settings = {
            'PATH': os.environ['PATH'],
            'PORT': str(self.port),
            'WEB_CONCURRENCY': str(workers),
            'BCRYPT_COST': '4',
            'DATABASE_URL': f'sqlite:///{folder}/halcyon.db',
            'DRAIN_SECONDS': '0',
        }
        settings |= environment
        self.concurrency = int(settings['WEB_CONCURRENCY'] or 1)
        with self.log_file.open('wb') as log:
            self.process = subprocess.Popen(COMMANDS[program], cwd=ROOT, env=settings, stdout=log, stderr=log)

    def __enter__(self) -> Server:
        try:
            self.wait_until_ready()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.stop()

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def wait_until_ready(self) -> None:
        """Return once all workers run and every connection reaches one that is ready."""
        deadline = time.monotonic() + 20
        while True:
            try:
                statuses = {self.request('GET', '/health/ready').status for _ in range(20)}
                if statuses == {self._status} and len(self.workers()) >= self.concurrency:
                    return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(self.log) from None
            time.sleep(0.02)

    def connect(self) -> HTTPConnection:
        return HTTPConnection('127.0.0.1', self.port, timeout=10)

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Response:
        """Send one request on a new connection."""
        connection = self.connect()
        try:
            fields = {name.replace('_', '-'): value for name, value in headers.items()}
            connection.request(method, path, body, fields)
            response = connection.getresponse()
            return Response(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def send_raw(self, data: bytes) -> bytes:
        """Send bytes and return everything received until the connection is closed or reset.

        Under granian the request must have `Connection: close`.
        """
        received = b''
        with socket.create_connection(('127.0.0.1', self.port), timeout=10) as peer:
            with suppress(OSError):  # a reset, because the server does not read everything
                peer.sendall(data)
                if self.program != 'granian':  # granian drops a request when the client shuts down its side
                    peer.shutdown(socket.SHUT_WR)
            with suppress(ConnectionError):
                while chunk := peer.recv(65536):
                    received += chunk
        return received

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        children = Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children')
        return [int(pid) for pid in children.read_text().split()]

    def stop(self) -> int:
        """Stop the server and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=40)
