"""Server processes, with their CPU time and memory from /proc."""

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import NamedTuple

START_SECONDS = 30.0
STOP_SECONDS = 15.0
_TICK_MICROSECONDS = 1_000_000 / os.sysconf('SC_CLK_TCK')
ROOT = Path(__file__).parents[2]


class Process(NamedTuple):
    """The parent of a process, and the CPU time that it has used, in microseconds."""

    parent: int
    cpu: float


def _read_processes() -> dict[int, Process]:
    """Return all processes by their ids."""
    processes = {}
    for folder in Path('/proc').iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / 'stat').read_text().rpartition(')')[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended
            processes[int(folder.name)] = Process(
                int(fields[1]), (int(fields[11]) + int(fields[12])) * _TICK_MICROSECONDS
            )
    return processes


class Server:
    """A server on its own port; as a context manager it runs for the duration of the block."""

    def __init__(self, name: str, command: Sequence[str], port: int, environment: dict[str, str]) -> None:
        self.name = name
        self.port = port
        self.origin = f'http://127.0.0.1:{port}'
        self.start_cpu = 0.0
        self._command = command
        self._environment = {**os.environ, **environment, 'PORT': str(port)}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the server)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> 'Server':
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, env=self._environment, stdout=self._log, stderr=self._log
        )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in (*self.workers(), self._process.pid):
                os.kill(pid, 9)
            self._process.wait()
        self._log.close()

    def _wait(self) -> None:
        """Wait for the first response, and record the CPU time of the start."""
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                self._log.seek(0)
                raise SystemExit(f'{self.name} did not start:\n{self._log.read().decode()}')
            connection = HTTPConnection('127.0.0.1', self.port, timeout=5)
            try:
                connection.request('GET', '/api/users/1')
                connection.getresponse().read()
            except (OSError, HTTPException):
                time.sleep(0.05)
            else:
                self.start_cpu = sum(self.cpu().values())
                return
            finally:
                connection.close()
        raise SystemExit(f'{self.name} did not respond within {START_SECONDS:.0f} s.')

    def cpu(self) -> dict[int, float]:
        """Return the CPU time that the master and each of its descendants have used, in microseconds."""
        assert self._process is not None
        processes = _read_processes()
        pids, before = {self._process.pid}, 0
        while len(pids) > before:
            before = len(pids)
            pids |= {pid for pid, process in processes.items() if process.parent in pids}
        return {pid: processes[pid].cpu for pid in pids if pid in processes}

    def workers(self) -> list[int]:
        """Return the process ids of the workers: all processes but the master."""
        assert self._process is not None
        return sorted(set(self.cpu()) - {self._process.pid})

    def memory(self) -> float:
        """Return the resident memory of the largest worker, in MB."""
        pages = [int(Path(f'/proc/{pid}/statm').read_text().split()[1]) for pid in self.workers()]
        return max(pages, default=0) * os.sysconf('SC_PAGE_SIZE') / 2**20
