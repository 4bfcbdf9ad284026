"""The benchmarks: cost relative to the limits, growth with the data, and balance between workers."""

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from service.config import Settings
from service.database.connect import open_engine
from service.domain.demo.generator import DemoData
from service.domain.startup import open_session
from tests.bench.cases import all_cases, growing_cases, limit_cases, send
from tests.bench.data import POSTS_EACH, load_data, plan_data
from tests.bench.load import require_wrk
from tests.bench.processes import Server
from tests.bench.report import balance_table, growth_table, load_table, machine, memory_table, print_doubts
from tests.bench.rounds import Subject, measure
from tests.bench.statements import StatementCounter

WORKERS = 2
CONFIG = 'gunicorn.conf.py'
GRANIAN_CASES = ('GET user', 'PUT user')
BARE = 'tests.bench.limits:bare_falcon()'


def report_progress(line: str) -> None:
    """Print progress to standard error; results go to standard output."""
    print(line, file=sys.stderr, flush=True)


def environment_for(database_url: str, options: argparse.Namespace) -> dict[str, str]:
    """Return the settings of every server."""
    return {
        'DATABASE_URL': database_url,
        'WEB_CONCURRENCY': str(options.workers),
        'BCRYPT_COST': str(options.bcrypt_cost),
        'SQLITE_SYNCHRONOUS': 'normal',
        'TOKEN_LIFETIME': '1000000',
        'DRAIN_SECONDS': '0',
    }


class Environment:
    """The servers, on consecutive ports, and the databases of a benchmark."""

    def __init__(self, stack: ExitStack, options: argparse.Namespace) -> None:
        self._stack = stack
        self._options = options
        self._port = options.port
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='halcyon-bench-')))

    def sqlite(self, name: str) -> str:
        """Return the URL of a temporary SQLite file."""
        return f'sqlite:///{self._folder / name}.db'

    def database(self, url: str | None, name: str) -> str:
        """Return the URL of a temporary database on the server of the URL, by default a SQLite file."""
        if url is None:
            return self.sqlite(name)
        parts = urlsplit(url)
        engine = open_engine(Settings.from_environment(environment_for(url, self._options)))
        name = f'halcyon_bench_{os.getpid()}_{name}'
        engine.execute_sql(f'CREATE DATABASE {name}')
        engine.close_all()

        def drop() -> None:
            engine.execute_sql(f'DROP DATABASE {name}')
            engine.close_all()

        self._stack.callback(drop)
        return parts._replace(path=f'/{name}').geturl()

    def loaded(self, database_url: str, data: DemoData) -> Settings:
        """Load the data into the database, and return the settings that open it."""
        report_progress(f'loading {data.users:,} users')
        settings = Settings.from_environment(environment_for(database_url, self._options))
        database = open_session(settings)
        load_data(database, data)
        database.close()
        return settings

    def gunicorn(self, name: str, app: str, database_url: str) -> Server:
        """Start an application under gunicorn, with the configuration of the service."""
        command = ['gunicorn', '-c', CONFIG, '--bind', f'127.0.0.1:{self._port}', app]
        return self._start(name, command, database_url)

    def granian(self, name: str, database_url: str) -> Server:
        """Start the service under granian."""
        return self._start(name, ['service', 'serve', '--server', 'granian'], database_url)

    def _start(self, name: str, command: Sequence[str], database_url: str) -> Server:
        environment = environment_for(database_url, self._options)
        server = Server(name, [sys.executable, '-m', *command], self._port, environment)
        self._port += 1
        return self._stack.enter_context(server)


def compare(options: argparse.Namespace) -> None:
    """Measure every case, and the limits."""
    with ExitStack() as stack:
        environment = Environment(stack, options)
        spare = environment.sqlite('spare')
        raw = environment.gunicorn('WSGI', 'tests.bench.limits:wsgi', spare)
        bare = environment.gunicorn('falcon', BARE, spare)
        limits = (raw, bare)
        subjects = [Subject(server, case) for server in limits for case in limit_cases(server.origin)]
        statements: dict[int, int] = {}
        databases = {'SQLite': environment.sqlite('data')}
        databases |= {url.partition(':')[0]: url for url in options.database}
        for name, url in databases.items():
            data = plan_data(options.users, options.posts)
            settings = environment.loaded(url, data)
            server = environment.gunicorn(f'Halcyon, {name}', 'service.app:create_app()', url)
            cases = all_cases(server.origin, data)
            measured = [Subject(server, case) for case in cases if re.search(options.only, case.name)]
            counter = StatementCounter(settings)
            statements |= {id(subject): counter.of(subject.case) for subject in measured}
            subjects += measured
            if not options.only:
                subjects.append(Subject(server, measured[0].case, beside=measured[-1].case))
            if find_spec('granian'):
                other = environment.granian(f'Halcyon, {name}, granian', url)
                cases = (case for case in all_cases(other.origin, data) if case.name in GRANIAN_CASES)
                subjects += [Subject(other, case) for case in cases if re.search(options.only, case.name)]
        before = _measure(subjects, options)
        print(load_table(subjects, subjects[1], statements), memory_table(subjects, before), sep='\n\n')


def grow(options: argparse.Namespace) -> None:
    """Measure the cases whose cost must not depend on the size of the data, on each engine."""
    for database in options.database or [None]:
        _grow(database, options)


def _grow(database: str | None, options: argparse.Namespace) -> None:
    with ExitStack() as stack:
        environment = Environment(stack, options)
        by_size = []
        for size in options.sizes:
            data, url = plan_data(size, options.posts), environment.database(database, f'{size}')
            environment.loaded(url, data)
            server = environment.gunicorn(f'{size:,} users', 'service.app:create_app()', url)
            by_size.append([Subject(server, case) for case in growing_cases(server.origin, data)])
        subjects = [subject for of_case in zip(*by_size, strict=True) for subject in of_case]
        _measure(subjects, options)
        print(growth_table(options.sizes, by_size))


def balance(options: argparse.Namespace) -> None:
    """Measure how two workers share kept-alive connections."""
    with ExitStack() as stack:
        environment = Environment(stack, options)
        server = environment.gunicorn('falcon', BARE, environment.sqlite('spare'))
        subjects = [Subject(server, case) for case in limit_cases(server.origin)]
        _measure(subjects, options)
        print(balance_table(subjects))


def _measure(subjects: Sequence[Subject], options: argparse.Namespace) -> dict[str, float]:
    """Measure, print the machine and doubtful results, and return the memory of each server before."""
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
    print_doubts(subjects)
    return before


def read_options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog='python -m tests.bench', description=__doc__)
    parser.add_argument('benchmark', nargs='?', choices=('load', 'growth', 'balance'), default='load')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=int, default=2, help='duration of one case in one round')
    parser.add_argument('--connections', type=int, default=16)
    parser.add_argument('--workers', type=int, default=min(WORKERS, os.cpu_count() or 1))
    parser.add_argument('--port', type=int, default=8900, help='first port of the servers')
    parser.add_argument('--bcrypt-cost', type=int, default=12)
    parser.add_argument('--only', default='', help='regular expression for the cases of `load`')
    parser.add_argument('--posts', type=int, default=POSTS_EACH, help='posts of each user')
    parser.add_argument('--users', type=int, default=1000, help='number of users in `load`')
    parser.add_argument('--database', action='append', default=[], help='URL of another empty database')
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
    {'load': compare, 'growth': grow, 'balance': balance}[options.benchmark](options)
