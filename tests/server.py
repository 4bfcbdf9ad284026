"""A real server: gunicorn with several workers on a free loopback port, with a database of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[1]
START_SECONDS = 20.0


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """Runs the service while the block lasts; `origin` is where, `log` the file with what it says."""

    def __init__(self, folder: Path, *, workers: int = 2, **environment: str) -> None:
        self.port = free_port()
        self.origin = f'http://127.0.0.1:{self.port}'
        self.log = folder / 'server.log'
        self._environment = {
            **os.environ,
            'DATABASE_URL': f'sqlite:///{folder}/halcyon.db',
            'BCRYPT_COST': '4',
            'DRAIN_SECONDS': '0',
            'PORT': str(self.port),
            'WEB_CONCURRENCY': str(workers),
            **environment,
        }

    def __enter__(self) -> Server:
        command = [sys.executable, '-m', 'gunicorn', '--bind', f'127.0.0.1:{self.port}']
        with self.log.open('wb') as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            self._wait()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _wait(self) -> None:
        """Return when the server is ready; raises AssertionError where it stops, or takes too long."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                urllib.request.urlopen(f'{self.origin}/health/ready', timeout=1).close()  # noqa: S310 (it is ours)
                return
            time.sleep(0.05)
        raise AssertionError(f'It was not ready within {START_SECONDS} s: {self.log.read_text()}')
