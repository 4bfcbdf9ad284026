"""The environment of a benchmark: servers on consecutive ports, and temporary databases."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from service.config import Settings
from service.database.connect import open_engine
from service.database.session import Session
from service.domain.demo.generator import DemoData
from service.domain.startup import open_session
from tests.bench.data import load_data
from tests.bench.peers import peer_command
from tests.bench.processes import Server

CONFIG = 'gunicorn.conf.py'


def report_progress(line: str) -> None:
    """Print progress to standard error; results go to standard output."""
    print(line, file=sys.stderr, flush=True)


class Environment:
    """Starts servers and creates databases, which are stopped and dropped with the stack."""

    def __init__(self, stack: ExitStack, options: argparse.Namespace) -> None:
        self._stack = stack
        self._options = options
        self._port = options.port
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='halcyon-bench-')))

    def database(self, name: str, server_url: str | None = None) -> str:
        """Create a temporary database on the server, or a SQLite file if there is none; return its URL."""
        if server_url is None:
            return f'sqlite:///{self._folder / name}.db'
        engine = open_engine(Settings.from_environment(self._variables(server_url)))
        name = f'halcyon_bench_{os.getpid()}_{name}'

        def run(statement: str) -> None:
            engine.execute_sql(f'{statement} DATABASE {name}')
            engine.close_all()

        run('CREATE')
        self._stack.callback(run, 'DROP')
        return urlsplit(server_url)._replace(path=f'/{name}').geturl()

    def load(self, database_url: str, data: DemoData) -> Session:
        """Load the data into the database, and return a session on it."""
        report_progress(f'loading {data.users:,} users')
        session = open_session(Settings.from_environment(self._variables(database_url)))
        self._stack.callback(session.close)
        load_data(session, data)
        session.close()
        return session

    def gunicorn(self, name: str, app: str, database_url: str) -> Server:
        """Start an application under gunicorn, with the configuration of the service."""
        command = [sys.executable, '-m', 'gunicorn', '-c', CONFIG, '--bind', self._address, app]
        return self._start(name, command, database_url)

    def granian(self, name: str, database_url: str) -> Server:
        """Start the service under granian."""
        command = [sys.executable, '-m', 'service', 'serve', '--server', 'granian']
        return self._start(name, command, database_url)

    def peer(self, name: str, app: str, database_url: str) -> Server:
        """Start a peer under gunicorn."""
        return self._start(name, peer_command(app, self._address), database_url)

    @property
    def _address(self) -> str:
        return f'127.0.0.1:{self._port}'

    def _start(self, name: str, command: Sequence[str], database_url: str) -> Server:
        server = Server(name, command, self._port, self._variables(database_url))
        self._port += 1
        return self._stack.enter_context(server)

    def _variables(self, database_url: str) -> dict[str, str]:
        """Return the settings of every server."""
        return {
            'DATABASE_URL': database_url,
            'WEB_CONCURRENCY': str(self._options.workers),
            'BCRYPT_COST': str(self._options.bcrypt_cost),
            'SQLITE_SYNCHRONOUS': 'normal',
            'TOKEN_LIFETIME': '1000000',
            'DRAIN_SECONDS': '0',
        }
