"""Results as Markdown tables."""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median

from tests.bench.rounds import MAX_SHARE, Subject


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are numbers."""
    lines = [headings, ['---', *['---:'] * (len(headings) - 1)], *rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def machine() -> str:
    """Return the machine and the versions; absolute figures are meaningful only with them."""
    models = [
        line for line in Path('/proc/cpuinfo').read_text().splitlines() if line.startswith('model name')
    ]
    model = models[0].partition(': ')[2] if models else platform.processor()
    parts = ' '.join(f'{name} {version(name)}' for name in ('falcon', 'gunicorn', 'peewee', 'orjson'))
    return f'{os.cpu_count()} x {model}, Python {platform.python_version()}, {parts}'


def load_table(subjects: Sequence[Subject], bare: Subject, statements: Mapping[int, int]) -> str:
    """Return the results relative to bare falcon; `statements` has the number of each id(subject)."""
    headings = ('case', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs', 'x bare falcon', 'own µs', 'SQL')
    return table(headings, (_load_row(subject, bare, statements.get(id(subject))) for subject in subjects))


def _load_row(subject: Subject, bare: Subject, statements: int | None) -> list[str]:
    times = [f'{subject.per_second:,.0f}', f'{subject.p50 / 1000:.2f}', f'{subject.p99 / 1000:.2f}']
    if subject.background:
        return [
            f'{subject.name}, during {subject.background.connections} x {subject.background.name}',
            *times,
            '',
            '',
            '',
            '',
        ]
    cost = [f'{subject.cpu:,.0f}', f'{subject.cpu / bare.cpu:.2f}', f'{subject.cpu - bare.cpu:,.0f}']
    return [subject.name, *times, *cost, '' if statements is None else str(statements)]


def peer_table(compared: Sequence[Sequence[Subject]]) -> str:
    """Return the requests per second of each case, with ours first, and the ratio to the best peer.

    The last column is the CPU time of a request on the peer that needs the least, divided by ours.
    """
    servers = [subject.server.name.partition(', ')[0] for subject in compared[0]]
    rows = (
        [
            f'{ours.server.name.partition(", ")[2]}: {ours.case.name}',
            *(f'{one.per_second:,.0f}' for one in (ours, *peers)),
            f'{ours.per_second / max(peer.per_second for peer in peers):.2f}',
            f'{min(peer.cpu for peer in peers) / ours.cpu:.2f}',
        ]
        for ours, *peers in compared
    )
    return table(('requests/s', *servers, 'ours / best peer', 'CPU: best peer / ours'), rows)


def growth_table(sizes: Sequence[int], subjects: Sequence[Sequence[Subject]]) -> str:
    """Return the CPU time of each case with data of these sizes, and the growth of CPU and response time.

    The growth is the ratio of the largest size to the smallest. The CPU time is that of the server alone; the
    median response time includes the database server, if there is one.
    """
    headings = (
        'CPU µs a request',
        *(f'{size:,} users' for size in sizes),
        'growth of CPU time',
        'growth of response time',
    )
    rows = (
        [
            group[0].case.name,
            *(f'{one.cpu:,.0f}' for one in group),
            f'{group[-1].cpu / group[0].cpu:.2f}',
            f'{group[-1].p50 / group[0].p50:.2f}',
        ]
        for group in zip(*subjects, strict=True)
    )
    return table(headings, rows)


def balance_table(subjects: Sequence[Subject]) -> str:
    """Return the share of the busiest worker in the CPU time of each server, over its rounds."""
    headings = (
        'workers',
        'rounds',
        'median share',
        'largest share',
        f'over {MAX_SHARE:.0%}',
        'CPU µs',
        'worst µs',
    )
    rows = []
    for subject in subjects:
        shares = [one.share for one in subject.rounds]
        costs = [one.cpu / one.load.requests for one in subject.rounds]
        unbalanced = sum(share > MAX_SHARE for share in shares)
        balance = [f'{median(shares):.2f}', f'{max(shares):.2f}', str(unbalanced)]
        cost = [f'{median(costs):,.0f}', f'{max(costs):,.0f}']
        rows.append([subject.server.name, str(len(shares)), *balance, *cost])
    return table(headings, rows)


def memory_table(subjects: Sequence[Subject], before: Mapping[str, float]) -> str:
    """Return the memory of the largest worker of each server before and after its requests."""
    servers = {subject.server.name: subject.server for subject in subjects}
    rows = []
    for name, server in servers.items():
        requests = sum(subject.requests for subject in subjects if subject.server is server)
        memory = (f'{before[name]:.1f}', f'{server.memory():.1f}')
        rows.append([name, f'{server.start_cpu / 1_000_000:.2f}', *memory, f'{requests:,}'])
    headings = ('server', 'start, CPU s', 'MB before', 'MB after', 'requests of all workers')
    return table(headings, rows)


def print_warnings(subjects: Sequence[Subject]) -> None:
    """Print how many rounds were left out, and how many responses were errors."""
    for subject in subjects:
        left_out = len(subject.rounds) - len(subject.valid_rounds)
        if left_out:
            print(
                f'{subject.name}: {left_out} of {len(subject.rounds)} rounds left out, '
                f'one worker had over {MAX_SHARE:.0%} of the CPU.\n'
            )
        if subject.errors:
            print(f'{subject.name}: {subject.errors} of {subject.requests} responses were errors.\n')
