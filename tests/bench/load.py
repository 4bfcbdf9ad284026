"""Load generation by wrk on loopback, one case at a time."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_SCRIPT = Path(__file__).with_name('wrk.lua')
VIEWER = 'VIEWER'  # in a URL: the id of the viewer who sends the request


class Case(NamedTuple):
    """One kind of request, and the status of its response; `{n}` in the body is replaced by a unique text.

    `viewers` are the tokens and ids of users who send the request in turn.
    """

    name: str
    href: str
    status: int = 200
    method: str = 'GET'
    headers: Mapping[str, str] = {}
    body: str | None = None
    connections: int | None = None  # overrides the option --connections, if that would be too many
    viewers: Sequence[tuple[str, int]] = ()


class Load(NamedTuple):
    """The result of wrk: times in microseconds; `errors` counts statuses from 400 on, and lost responses."""

    requests: int
    duration: float
    p50: float
    p99: float
    errors: int


def require_wrk() -> None:
    """Exit with one line if wrk is not installed."""
    if shutil.which('wrk') is None:
        raise SystemExit('wrk is not installed: apt-get install wrk')


class Wrk:
    """A running process of wrk; several can run at the same time."""

    def __init__(self, case: Case, seconds: int, connections: int) -> None:
        headers = [part for name, value in case.headers.items() for part in ('-H', f'{name}: {value}')]
        viewers = ' '.join(f'{token}:{user_id}' for token, user_id in case.viewers)
        environment = {**os.environ, 'BENCH_METHOD': case.method, 'BENCH_VIEWERS': viewers}
        if case.body is not None:
            environment['BENCH_BODY'] = case.body
        options = ['-t1', f'-c{case.connections or connections}', f'-d{seconds}s', '--timeout', '10s']
        self._seconds = seconds
        self._process = subprocess.Popen(
            ['wrk', *options, '-s', str(_SCRIPT), *headers, case.href],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self) -> Load:
        """Wait until wrk ends, and return its result."""
        try:
            output, _ = self._process.communicate(timeout=self._seconds + 30)
        except BaseException:
            self._process.kill()
            self._process.communicate()
            raise
        for line in output.splitlines():
            if line.startswith('BENCH '):
                requests, duration, p50, p99, errors = map(int, line.split()[1:])
                return Load(requests, duration, p50, p99, errors)
        raise SystemExit(f'wrk failed:\n{output}')
