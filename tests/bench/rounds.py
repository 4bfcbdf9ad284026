"""Rounds of measurement: each round measures every case once, so that disturbances affect all cases alike."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from tests.bench.load import Case, Load, Wrk
from tests.bench.processes import Server

MAX_SHARE = 0.9  # of the CPU time of all workers that one may have used in a valid round


class Round(NamedTuple):
    """One run of one subject: the result of wrk, and the cost of the server.

    `cpu` is the CPU time of master and workers in microseconds, `share` the part of it that the busiest
    worker used.
    """

    load: Load
    cpu: float
    share: float


@dataclass
class Subject:
    """A case on a server, alone or while another case runs in the background, and its results."""

    server: Server
    case: Case
    background: Case | None = None  # its `connections` are open during the whole round
    rounds: list[Round] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f'{self.server.name}: {self.case.name}'

    @property
    def valid_rounds(self) -> list[Round]:
        """The rounds in which the workers shared the work."""
        return [one for one in self.rounds if one.share <= MAX_SHARE]

    def median(self, value: Callable[[Round], float]) -> float:
        """Return the median over the valid rounds, NaN without any request."""
        rounds = [one for one in self.valid_rounds if one.load.requests]
        return median(map(value, rounds)) if rounds else float('nan')

    @property
    def cpu(self) -> float:
        """CPU microseconds of one request."""
        return self.median(lambda one: one.cpu / one.load.requests)

    @property
    def per_second(self) -> float:
        return self.median(lambda one: one.load.requests / one.load.duration * 1_000_000)

    @property
    def p50(self) -> float:
        return self.median(lambda one: one.load.p50)

    @property
    def p99(self) -> float:
        return self.median(lambda one: one.load.p99)

    @property
    def requests(self) -> int:
        return sum(one.load.requests for one in self.rounds)

    @property
    def errors(self) -> int:
        return sum(one.load.errors for one in self.rounds)

    def run(self, seconds: int, connections: int) -> Round:
        """Load the server for some seconds, and return the result."""
        before = self.server.cpu()
        background = Wrk(self.background, seconds, connections) if self.background else None
        try:
            load = Wrk(self.case, seconds, connections).finish()
        finally:
            if background:
                background.finish()
        spent = {pid: cpu - before.get(pid, 0.0) for pid, cpu in self.server.cpu().items()}
        workers = [spent[pid] for pid in self.server.workers() if pid in spent]
        busy = sum(workers)
        share = max(workers) / busy if len(workers) > 1 and busy else 0.0
        return Round(load, sum(spent.values()), share)


def measure(
    subjects: Sequence[Subject], *, rounds: int, seconds: int, connections: int, report: Callable[[str], None]
) -> None:
    """Run the rounds, after a short warm-up that does not count."""
    report(f'about {len(subjects) * (rounds * seconds + 1)} s: {len(subjects)} subjects, {rounds} rounds')
    for subject in subjects:
        subject.run(1, connections)
    for number in range(1, rounds + 1):
        report(f'round {number} of {rounds}, load average {os.getloadavg()[0]:.1f}')
        for subject in subjects:
            subject.rounds.append(subject.run(seconds, connections))
