"""Starting a real server: addresses, settings, output, and the replacement of workers and masters."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.server import COMMANDS, GUNICORN, ROOT, Server, free_port, wait_until

INVALID_SETTING, DATABASE_UNAVAILABLE = 3, 4  # exit codes


def run_to_end(folder: Path, program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a server whose startup fails, and return its output and exit code."""
    settings = {
        'PATH': os.environ['PATH'],
        'DATABASE_URL': f'sqlite:///{folder}/x.db',
        'PORT': str(free_port()),
    }
    return subprocess.run(
        COMMANDS[program],
        cwd=ROOT,
        env=settings | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def assert_one_line(result: subprocess.CompletedProcess[str], text: str, code: int = INVALID_SETTING) -> None:
    assert result.returncode == code, result.stderr
    assert result.stdout == ''
    (line,) = result.stderr.splitlines()
    assert text in line


def test_a_port_in_use_by_another_halcyon_aborts_startup(tmp_path: Path, program: str) -> None:
    with Server(tmp_path, program=program) as server:
        assert_one_line(
            run_to_end(tmp_path, program, PORT=str(server.port)), f'PORT: 127.0.0.1:{server.port} is in use'
        )
        assert server.request('GET', '/api').status == 200


def test_a_port_in_use_by_another_program_aborts_startup(tmp_path: Path, program: str) -> None:
    with socket.create_server(('127.0.0.1', 0)) as other:
        port = str(other.getsockname()[1])
        assert_one_line(run_to_end(tmp_path, program, PORT=port), 'is in use')
        result = run_to_end(tmp_path, program, PORT=port, LOG_FORMAT='json')
        assert result.returncode == INVALID_SETTING
        assert 'is in use' in json.loads(result.stderr)['message']


@pytest.mark.parametrize(
    ('environment', 'text'),
    [
        ({'PORT': 'x'}, 'PORT: '),
        ({'HOST': '192.0.2.1'}, 'HOST: 192.0.2.1:'),
        (
            {'METRICS': 'on', 'PROMETHEUS_MULTIPROC_DIR': '/nowhere'},
            "METRICS: cannot create a directory in '/nowhere'",
        ),
        ({'DATABASE_URL': 'sqlite:///nodir/x.db'}, 'nodir'),
    ],
    ids=['invalid number', 'foreign address', 'missing metrics directory', 'missing database directory'],
)
def test_an_invalid_setting_aborts_startup_with_one_line(
    tmp_path: Path, program: str, environment: dict[str, str], text: str
) -> None:
    assert_one_line(run_to_end(tmp_path, program, **environment), text)


@pytest.mark.parametrize('scheme', ['postgres', 'mariadb'])
def test_an_unreachable_database_aborts_startup_with_one_line(
    tmp_path: Path, program: str, scheme: str
) -> None:
    result = run_to_end(tmp_path, program, DATABASE_URL=f'{scheme}://ada:secret@127.0.0.1:1/halcyon')
    assert_one_line(result, 'DATABASE_URL: cannot use', DATABASE_UNAVAILABLE)
    assert 'secret' not in result.stderr


def test_a_file_that_is_not_a_database_aborts_startup_with_one_line(tmp_path: Path, program: str) -> None:
    (tmp_path / 'x.db').write_text('not a database, but text ' * 100)
    assert_one_line(run_to_end(tmp_path, program), 'file is not a database', DATABASE_UNAVAILABLE)


def test_one_line_reports_readiness_and_the_url(tmp_path: Path, program: str) -> None:
    with Server(tmp_path, program=program, DATABSE_URL='x') as server:
        wait_until(lambda: 'ready at' in server.log)  # another worker may respond first
        warning, ready, *others = server.log.splitlines()
        assert 'DATABSE_URL is not a setting: did you mean DATABASE_URL?' in warning
        for part in (server.origin, '2 workers', f'sqlite:///{tmp_path}/halcyon.db', 'Ctrl-C'):
            assert part in ready
        assert 'ready at' not in ''.join(others)


def test_a_server_on_another_schema_does_not_say_that_it_is_ready(tmp_path: Path, program: str) -> None:
    with closing(sqlite3.connect(tmp_path / 'halcyon.db')) as database:
        database.executescript((ROOT / 'tests' / 'first_schema.sql').read_text())
    with Server(tmp_path, program=program, is_ready=False) as server:
        wait_until(lambda: 'Press Ctrl-C' in server.log)
        (line,) = (line for line in server.log.splitlines() if 'Press Ctrl-C' in line)
        assert 'Halcyon is not ready, and responds with 503 until it is (The schema has version 1' in line
        assert server.origin in line
        assert 'is ready' not in server.log
        assert server.request('GET', '/health/ready').status == 503


def get_entry_point(path: Path, **headers: str) -> tuple[int, bytes]:
    """Request the entry point on a unix socket, and return status and body."""
    with closing(http.client.HTTPConnection('halcyon.test')) as connection:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(path))
        connection.request('GET', '/api', headers=headers)
        response = connection.getresponse()
        return response.status, response.read()


@contextmanager
def on_unix_socket(
    folder: Path, program: str, path: Path, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server on a unix socket for the duration of a block."""
    settings = {'PATH': os.environ['PATH'], 'DATABASE_URL': f'sqlite:///{folder}/x.db', 'DRAIN_SECONDS': '0'}
    settings |= {'HOST': f'unix:{path}', 'WEB_CONCURRENCY': '1'}
    process = subprocess.Popen(COMMANDS[program], cwd=ROOT, env=settings | environment)
    try:
        wait_until(path.exists)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def test_a_unix_socket_is_served_and_is_in_use_for_a_second_server(tmp_path: Path, program: str) -> None:
    path = tmp_path / 's.sock'
    with on_unix_socket(tmp_path, program, path):
        wait_until(lambda: is_serving(path))
        status, body = get_entry_point(path)
        assert status == 200
        assert get_entry_point(path, **{'X-Forwarded-Proto': 'https'})[1] == body  # no peer is trusted
        assert_one_line(run_to_end(tmp_path, program, HOST=f'unix:{path}'), f'HOST: unix:{path} is in use')
    assert not path.exists()


def test_a_stale_unix_socket_is_replaced(tmp_path: Path, program: str) -> None:
    path = tmp_path / 's.sock'
    with closing(socket.socket(socket.AF_UNIX)) as stale:
        stale.bind(str(path))
    with on_unix_socket(tmp_path, program, path, FORWARDED_ALLOW_IPS='*'):
        wait_until(lambda: is_serving(path))
        assert b'"https://halcyon.test/api"' in get_entry_point(path, **{'X-Forwarded-Proto': 'https'})[1]


def is_serving(path: Path) -> bool:
    try:
        return get_entry_point(path)[0] == 200
    except OSError:
        return False


def test_ipv6_is_served(tmp_path: Path, program: str) -> None:
    port = free_port()
    with on_ipv6(tmp_path, program, port) as log:
        wait_until(lambda: f'http://[::1]:{port}' in log.read_text())
        with closing(http.client.HTTPConnection('::1', port, timeout=10)) as connection:
            connection.request('GET', '/api')
            assert f'"http://[::1]:{port}/api"'.encode() in connection.getresponse().read()


@contextmanager
def on_ipv6(folder: Path, program: str, port: int) -> Iterator[Path]:
    """Run a server on the IPv6 loopback address for the duration of a block; return its log file."""
    log = folder / 'log'
    settings = {'PATH': os.environ['PATH'], 'DATABASE_URL': f'sqlite:///{folder}/x.db', 'DRAIN_SECONDS': '0'}
    with log.open('wb') as output:
        settings |= {'HOST': '[::1]', 'PORT': str(port)}
        process = subprocess.Popen(COMMANDS[program], cwd=ROOT, env=settings, stderr=output)
    try:
        yield log
    finally:
        process.terminate()
        process.wait(30)


class Traffic:
    """Sends requests on new and on persistent connections for the duration of a block."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._is_over = threading.Event()
        self.failures: list[object] = []
        self.count = 0
        self._threads = [
            threading.Thread(target=self._run, args=(is_persistent,)) for is_persistent in (True, False)
        ]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, is_persistent: bool) -> None:
        connection = self._server.connect()
        while not self._is_over.is_set():
            try:
                connection.request(
                    'GET', '/health/ready', headers={} if is_persistent else {'Connection': 'close'}
                )
                response = connection.getresponse()
                response.read()
                if response.status != 200:
                    self.failures.append(response.status)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(error)
                connection.close()
            self.count += 1
        connection.close()


# granian closes the idle and the waiting connections of a worker that it replaces.
LOST_ON_HUP = {'gunicorn': (), 'granian': (http.client.RemoteDisconnected, ConnectionResetError)}


def test_hup_replaces_the_workers_without_failed_responses(tmp_path: Path, program: str) -> None:
    with Server(tmp_path, program=program) as server, Traffic(server) as traffic:
        old = set(server.workers())
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(server.workers()) == 2 and not old & set(server.workers()))
    assert [failure for failure in traffic.failures if not isinstance(failure, LOST_ON_HUP[program])] == []
    assert traffic.count > 20


def test_slow_clients_do_not_delay_hup(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        slow = socket.create_connection(('127.0.0.1', server.port), timeout=10)
        slow.sendall(b'POST /api/users HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{')
        with closing(slow), Traffic(server) as traffic:
            old = set(server.workers())
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: len(set(server.workers()) - old) == 2)
            before = traffic.count
            wait_until(lambda: traffic.count > before + 20)
        assert traffic.failures == []


@pytest.mark.parametrize('program', ['gunicorn', 'serve'])
def test_usr2_replaces_the_master_without_a_failed_request(tmp_path: Path, program: str) -> None:
    with Server(tmp_path, program=program) as server, Traffic(server) as traffic:
        old_workers = set(server.workers())
        server.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: server.log.count('Halcyon is ready') == 2)
        (new,) = set(server.workers()) - old_workers
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=40) == 0
        before = traffic.count
        wait_until(lambda: traffic.count > before + 20)
    os.kill(new, signal.SIGTERM)
    wait_until(lambda: not Path(f'/proc/{new}').exists())
    assert traffic.failures == []


SOCKET_ACTIVATION = """
import os, socket, sys
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ |= {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '1'}
os.execv(sys.argv[2], [sys.argv[2]])
"""


def test_a_socket_from_systemd_is_served(tmp_path: Path) -> None:
    port = free_port()
    settings = {
        'PATH': os.environ['PATH'],
        'DATABASE_URL': f'sqlite:///{tmp_path}/x.db',
        'DRAIN_SECONDS': '0',
    }
    process = subprocess.Popen(
        [sys.executable, '-c', SOCKET_ACTIVATION, str(port), GUNICORN], cwd=ROOT, env=settings, close_fds=True
    )
    try:
        wait_until(lambda: is_listening(port))
        with closing(http.client.HTTPConnection('127.0.0.1', port, timeout=20)) as connection:
            connection.request('GET', '/api')
            assert connection.getresponse().status == 200
    finally:
        process.terminate()
        assert process.wait(30) == 0


def is_listening(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(('127.0.0.1', port)) == 0


def test_a_worker_without_a_metrics_directory_serves_without_metrics(tmp_path: Path, program: str) -> None:
    folder = tmp_path / 'metrics'
    folder.mkdir()
    with Server(
        tmp_path, program=program, METRICS='on', PROMETHEUS_MULTIPROC_DIR=str(folder), workers=1
    ) as server:
        assert server.request('GET', '/metrics').status == 200
        (created,) = folder.iterdir()
        for file in created.iterdir():
            file.unlink()
        created.rmdir()
        created.write_text('a file, not a directory')
        (worker,) = server.workers()
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: 'serves without metrics' in server.log)
        server.wait_until_ready()
        assert server.request('GET', '/metrics').status == 404
        assert server.request('GET', '/api').status == 200
