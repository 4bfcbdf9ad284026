"""The benchmarks: cost relative to baselines and to peers, growth with the data, and balance of workers."""

import argparse
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from itertools import chain

from tests.bench.cases import all_cases, baseline_cases, compared_cases, growing_cases, send
from tests.bench.data import POSTS_EACH, WRITER, plan_data, sign_in_users
from tests.bench.environment import Environment, report_progress
from tests.bench.load import Case, require_wrk
from tests.bench.peers import PEERS, install_peers
from tests.bench.processes import Server
from tests.bench.report import (
    balance_table,
    growth_table,
    load_table,
    machine,
    memory_table,
    peer_table,
    print_warnings,
)
from tests.bench.rounds import Subject, measure
from tests.bench.statements import StatementCounter

WORKERS = 2
GRANIAN_CASES = ('GET user', 'PUT user')
BACKGROUND = {'POST token': 8, 'PUT user': 16}  # cases that run while GET user is measured: their connections
APP, BARE = 'service.app:create_app()', 'tests.bench.baselines:bare_falcon()'


def measure_load(options: argparse.Namespace) -> None:
    """Measure the baselines and every case."""
    with ExitStack() as stack:
        environment = Environment(stack, options)
        unused = environment.database('unused')
        raw = environment.gunicorn('WSGI', 'tests.bench.baselines:wsgi', unused)
        bare = environment.gunicorn('falcon', BARE, unused)
        baselines = (raw, bare)
        subjects = [Subject(server, case) for server in baselines for case in baseline_cases(server.origin)]
        statements: dict[int, int] = {}
        for name, server_url in _engines(options).items():
            data, url = plan_data(options.users, options.posts), environment.database('load', server_url)
            counter = StatementCounter(environment.load(url, data).settings)
            server = environment.gunicorn(f'Halcyon, {name}', APP, url)
            measured = _subjects(server, all_cases(server.origin, data), options)
            statements |= {id(subject): counter.count(subject.case) for subject in measured}
            counter.close()
            subjects += measured
            if not options.only:
                by_name = {subject.case.name: subject.case for subject in measured}
                for background_name, connections in BACKGROUND.items():
                    background = by_name[background_name]._replace(connections=connections)
                    subjects.append(Subject(server, by_name['GET user'], background=background))
            if find_spec('granian'):
                other = environment.granian(f'Halcyon, {name}, granian', url)
                cases = (case for case in all_cases(other.origin, data) if case.name in GRANIAN_CASES)
                subjects += _subjects(other, cases, options)
        before = _measure(subjects, options)
        print(load_table(subjects, subjects[1], statements), memory_table(subjects, before), sep='\n\n')


def compare_with_peers(options: argparse.Namespace) -> None:
    """Measure the requests that the peers can handle, sent by one viewer and by many."""
    install_peers()
    with ExitStack() as stack:
        environment = Environment(stack, options)
        compared: list[Sequence[Subject]] = []
        for engine, server_url in _engines(options).items():
            by_server = []
            for number, (name, app) in enumerate([('Halcyon', APP), *PEERS.items()]):
                data = plan_data(options.users, options.posts)
                url = environment.database(f'peers{number}', server_url)
                numbers = range(WRITER, WRITER + options.viewers)
                viewers = sign_in_users(environment.load(url, data), data, numbers)
                start = environment.gunicorn if app is APP else environment.peer
                server = start(f'{name}, {engine}', app, url)
                by_server.append(_subjects(server, compared_cases(server.origin, data, viewers), options))
            compared += zip(*by_server, strict=True)
        _measure([*chain.from_iterable(compared)], options)
        print(peer_table(compared))


def measure_growth(options: argparse.Namespace) -> None:
    """Measure the cases whose cost must not depend on the size of the data, on each engine."""
    for name, server_url in _engines(options).items():
        with ExitStack() as stack:
            environment = Environment(stack, options)
            by_size = []
            for size in options.sizes:
                data, url = plan_data(size, options.posts), environment.database(f'{size}', server_url)
                environment.load(url, data)
                server = environment.gunicorn(f'{size:,} users', APP, url)
                by_size.append(_subjects(server, growing_cases(server.origin, data), options))
            _measure([*chain.from_iterable(zip(*by_size, strict=True))], options)
            print(name, growth_table(options.sizes, by_size), sep='\n\n')


def measure_balance(options: argparse.Namespace) -> None:
    """Measure how two workers share kept-alive connections."""
    with ExitStack() as stack:
        environment = Environment(stack, options)
        server = environment.gunicorn('falcon', BARE, environment.database('unused'))
        subjects = [Subject(server, case) for case in baseline_cases(server.origin)]
        _measure(subjects, options)
        print(balance_table(subjects))


def _subjects(server: Server, cases: Iterable[Case], options: argparse.Namespace) -> list[Subject]:
    """Return the selected cases on the server."""
    return [Subject(server, case) for case in cases if re.search(options.only, case.name)]


def _engines(options: argparse.Namespace) -> dict[str, str | None]:
    """Return the URL of a server by the name of the engine; SQLite has none."""
    sqlite: dict[str, str | None] = {} if options.no_sqlite else {'SQLite': None}
    return sqlite | {url.partition(':')[0]: url for url in options.database}


def _measure(subjects: Sequence[Subject], options: argparse.Namespace) -> dict[str, float]:
    """Measure, print the machine and the warnings, and return the memory of each server before the rounds."""
    before = {}
    for subject in subjects:
        send(subject.case)
        before[subject.server.name] = subject.server.memory()
    measure(
        subjects,
        rounds=options.rounds,
        seconds=options.seconds,
        connections=options.connections,
        report=report_progress,
    )
    print(
        f'{machine()}; {options.workers} workers, {options.connections} connections, '
        f'{options.rounds} rounds of {options.seconds} s.\n'
    )
    print_warnings(subjects)
    return before


BENCHMARKS = {
    'load': measure_load,
    'peers': compare_with_peers,
    'growth': measure_growth,
    'balance': measure_balance,
}


def read_options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog='python -m tests.bench', description=__doc__)
    parser.add_argument('benchmark', nargs='?', choices=BENCHMARKS, default='load')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=int, default=2, help='duration of one case in one round')
    parser.add_argument('--connections', type=int, default=16)
    parser.add_argument('--workers', type=int, default=min(WORKERS, os.cpu_count() or 1))
    parser.add_argument('--port', type=int, default=8900, help='first port of the servers')
    parser.add_argument('--bcrypt-cost', type=int, default=12)
    parser.add_argument('--only', default='', help='regular expression for the names of cases')
    parser.add_argument('--posts', type=int, default=POSTS_EACH, help='posts of each user')
    parser.add_argument('--users', type=int, default=1000, help='number of users, except in `growth`')
    parser.add_argument('--viewers', type=int, default=200, help='number of viewers in `peers`')
    parser.add_argument(
        '--database', action='append', default=[], help='URL of a server, on which databases are created'
    )
    parser.add_argument('--no-sqlite', action='store_true', help='measure only the --database')
    parser.add_argument(
        '--sizes',
        type=int,
        nargs='+',
        default=[1_000, 100_000, 1_000_000],
        help='numbers of users in `growth`',
    )
    return parser.parse_args()


if __name__ == '__main__':
    require_wrk()
    options = read_options()
    BENCHMARKS[options.benchmark](options)
