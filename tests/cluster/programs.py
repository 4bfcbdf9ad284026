"""The programs of a deployment: servers, load balancer and databases."""

from __future__ import annotations

import contextlib
import glob
import http.client
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import psycopg
import pymysql

from tests.server import COMMANDS, ROOT, free_port

PATIENCE_SECONDS = 60.0
OPERATIONS = ROOT / 'service' / 'OPERATIONS.md'


class Missing(Exception):
    """A program that a scenario needs is not installed."""


def find_program(*names: str) -> str:
    """Return the path of the first program that is installed; raises Missing."""
    for name in names:
        found = shutil.which(name) or next(iter(sorted(glob.glob(name), reverse=True)), None)
        if found:
            return found
    raise Missing(f'{names[0]} is missing: .ci/cluster installs it')


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Wait until the condition holds; raises AssertionError after PATIENCE_SECONDS."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, f'not after {PATIENCE_SECONDS} s: {what}'
        time.sleep(0.05)


def get_status(href: str) -> int:
    """Return the status of a GET, 0 without a response."""
    try:
        with urllib.request.urlopen(href, timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
    except (OSError, http.client.HTTPException):
        return 0


class Program:
    """A program that can be started repeatedly; its output goes to `log`."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        environment: dict[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        self.command = list(command)
        self.log = log
        self._environment = {**os.environ, **(environment or {})}
        self._user = user if os.getuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *more: str) -> None:
        """Start the program."""
        with self.log.open('ab') as log:
            self._process = subprocess.Popen(
                [*self.command, *more],
                cwd=ROOT,
                env=self._environment,
                user=self._user,
                group=self._user,
                extra_groups=None if self._user is None else [],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def wait(self) -> None:
        """Wait until the program has ended."""
        assert self._process is not None
        self._process.wait(PATIENCE_SECONDS)

    def stop(self) -> None:
        """Terminate the program and wait; kill it if it does not end."""
        if self._process is None:
            return
        if self.is_running:
            self._process.terminate()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the program and its child processes (SIGKILL)."""
        if self.is_running:
            children = children_of(self.pid)
            assert self._process is not None
            self._process.kill()
            for pid in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
            self._process.wait(PATIENCE_SECONDS)


def children_of(pid: int) -> list[int]:
    """Return the process ids of the children of a process."""
    return [int(child) for child in Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]


class Node(Program):
    """A Halcyon server."""

    def __init__(
        self,
        name: str,
        folder: Path,
        url: str,
        *,
        program: str = 'gunicorn',
        workers: int = 1,
        drain: int = 2,
    ) -> None:
        self.port = free_port()
        self.origin = f'http://127.0.0.1:{self.port}'
        environment = {
            'PORT': str(self.port),
            'DATABASE_URL': url,
            'BCRYPT_COST': '4',
            'WEB_CONCURRENCY': str(workers),
            'DRAIN_SECONDS': str(drain),
            'FORWARDED_ALLOW_IPS': '127.0.0.1',
            'METRICS': 'on',
            'TMPDIR': str(folder),
        }
        super().__init__(COMMANDS[program], folder / f'{name}.log', environment=environment)

    def wait_until_ready(self) -> None:
        """Wait until the server is ready."""
        wait_until(lambda: get_status(f'{self.origin}/health/ready') == 200, f'{self.log} is ready')


class Balancer(Program):
    """HAProxy in front of several nodes, configured as service/OPERATIONS.md says."""

    def __init__(self, folder: Path, nodes: Iterable[Node]) -> None:
        self.port = free_port()
        self.origin = f'http://127.0.0.1:{self.port}'
        servers = (f'  server n{node.port} 127.0.0.1:{node.port}\n' for node in nodes)
        file = folder / 'haproxy.cfg'
        file.write_text(balancer_configuration(self.port, servers))
        super().__init__(
            (find_program('haproxy', '/usr/sbin/haproxy'), '-f', str(file)), folder / 'haproxy.log'
        )

    def start(self, *more: str) -> None:
        """Start it, and wait until it has a ready node."""
        super().start(*more)
        wait_until(lambda: get_status(f'{self.origin}/health/ready') == 200, 'the balancer has a ready node')


def balancer_configuration(port: int, servers: Iterable[str]) -> str:
    """Return the configuration in service/OPERATIONS.md, with another port and other servers."""
    (documented,) = re.findall('```haproxy\n(.*?)```', OPERATIONS.read_text(), re.DOTALL)
    shared = re.sub('^  server .*\n', '', documented, flags=re.MULTILINE)
    return shared.replace('bind :80\n', f'bind 127.0.0.1:{port}\n') + ''.join(servers)


class Postgresql(Program):
    """A PostgreSQL server."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f'postgresql://postgres@127.0.0.1:{self.port}/postgres'
        data = folder / 'postgresql'
        installer = Program(
            (
                find_program('initdb', '/usr/lib/postgresql/*/bin/initdb'),
                *('-D', str(data), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale', 'C.UTF-8'),
            ),
            folder / 'initdb.log',
            user='postgres',
        )
        make_folder(data, 'postgres')
        installer.start()
        installer.wait()
        command = (
            find_program('/usr/lib/postgresql/*/bin/postgres', 'postgres'),
            *('-D', str(data), '-p', str(self.port), '-k', str(data), '-c', 'listen_addresses=127.0.0.1'),
        )
        super().__init__(command, folder / 'postgresql.log', user='postgres')

    def start(self, *more: str) -> None:
        """Start it, and wait until it accepts connections."""
        super().start(*more)
        wait_until(self._is_reachable, 'PostgreSQL accepts connections')

    def _is_reachable(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.Error:
            return False
        return True


class PgBouncer(Program):
    """PgBouncer in transaction mode: a client gets another connection of the server for each transaction."""

    def __init__(self, folder: Path, postgresql: Postgresql) -> None:
        self.port = free_port()
        self.url = f'postgresql://postgres@127.0.0.1:{self.port}/postgres?prepared_statements=off'
        file = folder / 'pgbouncer.ini'
        file.write_text(PGBOUNCER.format(server=postgresql.port, port=self.port))
        command = (find_program('pgbouncer', '/usr/sbin/pgbouncer'), str(file))
        super().__init__(command, folder / 'pgbouncer.log', user='postgres')

    def start(self, *more: str) -> None:
        """Start it, and wait until it accepts connections."""
        super().start(*more)
        wait_until(self._is_reachable, 'PgBouncer accepts connections')

    def _is_reachable(self) -> bool:
        try:
            psycopg.connect(self.url.partition('?')[0], connect_timeout=2).close()
        except psycopg.Error:
            return False
        return True


PGBOUNCER = """
[databases]
postgres = host=127.0.0.1 port={server} dbname=postgres user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
"""


class GaleraNode(Program):
    """A MariaDB server in a Galera cluster of three."""

    def __init__(self, number: int, folder: Path) -> None:
        self.port = 4400 + number
        place = folder / f'galera{number}'
        data = place / 'data'
        make_folder(place, 'mysql')
        file = folder / f'galera{number}.cnf'
        members = ','.join(f'127.0.0.1:45{other}1' for other in (1, 2, 3))
        file.write_text(
            GALERA.format(
                place=place, data=data, port=self.port, number=number, base=f'45{number}', members=members,
                provider=find_program('/usr/lib/galera/libgalera_smm.so'),
            )
        )  # fmt: skip
        installer = Program(
            (
                find_program('mariadb-install-db'),
                *(f'--defaults-file={file}', '--auth-root-authentication-method=normal', '--skip-test-db'),
            ),
            folder / f'install{number}.log',
            user='mysql',
        )
        installer.start()
        installer.wait()
        super().__init__(
            (find_program('mariadbd', '/usr/sbin/mariadbd'), f'--defaults-file={file}'),
            folder / f'galera{number}.log',
            user='mysql',
        )

    def start(self, *more: str) -> None:
        """Start it, and wait until it is synchronized."""
        super().start(*more)
        wait_until(lambda: self.status() == 'Synced', f'{self.log} is synced')

    def status(self) -> str:
        """Return its state in the cluster."""
        try:
            return str(self.run("SHOW STATUS LIKE 'wsrep_local_state_comment'")[0][1])
        except pymysql.Error:
            return ''

    def run(self, *statements: str) -> Sequence[Sequence[object]]:
        """Run statements as its administrator, and return the rows of the last."""
        with pymysql.connect(host='127.0.0.1', port=self.port, user='root', connect_timeout=2) as server:
            cursor = server.cursor()
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall()


GALERA = """
[mysqld]
datadir={data}
socket={place}/s.sock
pid-file={place}/pid
bind-address=127.0.0.1
port={port}
binlog_format=ROW
default_storage_engine=InnoDB
innodb_autoinc_lock_mode=2
innodb_flush_log_at_trx_commit=2
innodb_buffer_pool_size=64M
innodb_log_file_size=48M
wsrep_on=ON
wsrep_provider={provider}
wsrep_cluster_name=halcyon
wsrep_cluster_address=gcomm://{members}
wsrep_node_name=n{number}
wsrep_node_address=127.0.0.1:{base}1
wsrep_provider_options="base_port={base}1;ist.recv_addr=127.0.0.1:{base}2;\
gmcast.listen_addr=tcp://127.0.0.1:{base}1;gcache.size=64M;\
evs.suspect_timeout=PT3S;evs.inactive_timeout=PT5S"
wsrep_sst_method=rsync
wsrep_sst_receive_address=127.0.0.1:{base}4
"""


def make_folder(place: Path, user: str) -> None:
    """Create a folder that a user can write to."""
    place.mkdir()
    place.chmod(0o700)
    if os.getuid() == 0:
        shutil.chown(place, user, user)
