"""The programs of a deployment: servers and load balancer."""

from __future__ import annotations

import contextlib
import glob
import http.client
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.server import COMMANDS, ROOT, free_port

TIMEOUT_SECONDS = 60.0
MOVED_CLOCK = Path(__file__).parent / 'moved_clock'
OPERATIONS = ROOT / 'service' / 'OPERATIONS.md'


class Missing(Exception):
    """A program that a scenario needs is not installed."""


def find_program(*names: str) -> str:
    """Return the path of the first program that is installed; raises Missing."""
    for name in names:
        path = shutil.which(name) or next(iter(sorted(glob.glob(name), reverse=True)), None)
        if path:
            return path
    raise Missing(f'{names[0]} is missing: .ci/cluster installs it')


def wait_until(condition: Callable[[], bool], description: str) -> None:
    """Wait until the condition is true; raises AssertionError after TIMEOUT_SECONDS."""
    end = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < end, f'not within {TIMEOUT_SECONDS} s: {description}'
        time.sleep(0.05)


def get_status(href: str) -> int:
    """Return the status of a GET, 0 if there was no response."""
    try:
        with urllib.request.urlopen(href, timeout=2) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except (OSError, http.client.HTTPException):
        return 0


class Host(NamedTuple):
    """The address on which a program listens, and its network namespace, if it has its own."""

    address: str
    namespace: str | None = None


THIS_HOST = Host('127.0.0.1')


class Program:
    """A program that can be started repeatedly; its output goes to `log`.

    If the tests run as root, it runs as `user`.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        environment: dict[str, str] | None = None,
        user: str | None = None,
        host: Host = THIS_HOST,
    ) -> None:
        self.command = [*command_prefix(user, host), *command]
        self.log = log
        self._environment = {**os.environ, **(environment or {})}
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
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def wait(self) -> None:
        """Wait until the program has ended."""
        assert self._process is not None
        self._process.wait(TIMEOUT_SECONDS)

    def stop(self) -> None:
        """Terminate the program and wait; kill it if it does not end."""
        if self._process is None:
            return
        if self.is_running:
            self._process.terminate()
        try:
            self._process.wait(TIMEOUT_SECONDS)
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
            self._process.wait(TIMEOUT_SECONDS)


def command_prefix(user: str | None, host: Host) -> list[str]:
    """Return the beginning of a command that runs as the user in the network namespace of the host."""
    prefix = [] if host.namespace is None else ['ip', 'netns', 'exec', host.namespace]
    if user is not None and os.getuid() == 0:
        prefix += ['setpriv', '--reuid', user, '--regid', user, '--clear-groups']
    return prefix


def children_of(pid: int) -> list[int]:
    """Return the process ids of the children of a process."""
    return [int(child) for child in Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]


def terminate(pid: int) -> None:
    """Terminate a process that is not a child of this one, and wait until it has ended."""
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not Path(f'/proc/{pid}').exists(), f'process {pid} has ended')


class Node(Program):
    """A Halcyon server, by default with one worker; `settings` are additional environment variables.

    With `has_own_clock`, the clock of the node can be stepped without affecting other processes.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        url: str,
        *,
        program: str = 'gunicorn',
        has_own_clock: bool = False,
        **settings: str,
    ) -> None:
        self.port = free_port()
        self.origin = f'http://127.0.0.1:{self.port}'
        self._clock = folder / f'{name}.clock'
        environment = {
            'PORT': str(self.port),
            'DATABASE_URL': url,
            'BCRYPT_COST': '4',
            'WEB_CONCURRENCY': '1',
            'DRAIN_SECONDS': '2',
            'FORWARDED_ALLOW_IPS': '127.0.0.1',
            'METRICS': 'on',
            'TMPDIR': str(folder),
        }
        if has_own_clock:
            self.step_clock(0)
            environment |= {'PYTHONPATH': str(MOVED_CLOCK), 'CLOCK_FILE': str(self._clock)}
        super().__init__(COMMANDS[program], folder / f'{name}.log', environment=environment | settings)

    def wait_until_ready(self) -> None:
        """Wait until the server is ready."""
        wait_until(lambda: get_status(f'{self.origin}/health/ready') == 200, f'{self.log} is ready')

    def step_clock(self, seconds: int) -> None:
        """Set the clock of the node this many seconds ahead of the machine's."""
        new = self._clock.with_suffix('.new')
        new.write_text(str(seconds))
        new.replace(self._clock)

    def replace_master(self) -> int:
        """Start a new master alongside the old one (SIGUSR2), stop the old one, and return the new pid."""
        children, starts = set(children_of(self.pid)), self._count_starts()
        self.signal(signal.SIGUSR2)
        wait_until(lambda: self._count_starts() > starts, f'{self.log} has a new master')
        (new,) = set(children_of(self.pid)) - children
        self.signal(signal.SIGTERM)
        self.wait()
        return new

    def _count_starts(self) -> int:
        return self.log.read_text().count('Halcyon is ready')


class Balancer(Program):
    """HAProxy in front of several nodes, configured as in service/OPERATIONS.md."""

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
        """Start the balancer, and wait until it has a ready node."""
        super().start(*more)
        wait_until(lambda: get_status(f'{self.origin}/health/ready') == 200, 'the balancer has a ready node')


def balancer_configuration(port: int, servers: Iterable[str]) -> str:
    """Return the configuration in service/OPERATIONS.md, with another port and other servers."""
    (documented,) = re.findall('```haproxy\n(.*?)```', OPERATIONS.read_text(), re.DOTALL)
    shared = re.sub('^  server .*\n', '', documented, flags=re.MULTILINE)
    return shared.replace('bind :80\n', f'bind 127.0.0.1:{port}\n') + ''.join(servers)


def make_folder(directory: Path, user: str) -> None:
    """Create a folder that a user can write to."""
    directory.mkdir()
    directory.chmod(0o700)
    if os.getuid() == 0:
        shutil.chown(directory, user, user)
