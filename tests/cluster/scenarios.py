"""The scenarios: failures of a deployment under load."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.cluster.load import Load, Row
from tests.cluster.programs import (
    Balancer,
    GaleraNode,
    Node,
    PgBouncer,
    Postgresql,
    Program,
    children_of,
    get_status,
    wait_until,
)

Scenario = Callable[[Path, float], Row]
ROUNDS = 12
HANG_SECONDS = 20.0
SPACE_BYTES = 3 * 1024 * 1024
BALLAST_BYTES = 1024 * 1024


def run(stack: ExitStack, *programs: Program) -> None:
    """Start the programs, and stop them with the stack."""
    for program in programs:
        stack.callback(program.kill)
        stack.callback(program.stop)
        program.start()


@contextmanager
def three_nodes(folder: Path, url: str, program: str = 'gunicorn') -> Iterator[tuple[list[Node], Balancer]]:
    """Run three nodes on one database behind a balancer."""
    nodes = [Node(name, folder, url, program=program) for name in 'abc']
    with ExitStack() as stack:
        run(stack, *nodes)
        for node in nodes:
            node.wait_until_ready()
        balancer = Balancer(folder, nodes)
        run(stack, balancer)
        assert get_status(f'{nodes[0].origin}/metrics') == 200
        for spelling in ('metrics', 'metrics/', '%6Detrics', '/metrics', '%2Fmetrics'):
            assert get_status(f'{balancer.origin}/{spelling}') == 404, f'/{spelling} is exposed'
        yield nodes, balancer


def rolling_restart(folder: Path, seconds: float, program: str = 'gunicorn') -> Row:
    """Restart each of three nodes in turn."""
    with ExitStack() as stack:
        postgresql = Postgresql(folder)
        run(stack, postgresql)
        nodes, balancer = stack.enter_context(three_nodes(folder, postgresql.url, program))
        with Load(balancer.origin, patience=0) as load:
            for node in nodes:
                time.sleep(seconds / 6)
                node.stop()
                node.start()
                node.wait_until_ready()
                time.sleep(max(2, seconds / 6))  # the balancer requires two successful health checks
        return load.judge(f'rolling restart, {program}')


def rolling_restart_of_granian(folder: Path, seconds: float) -> Row:
    """Restart each of three nodes under granian in turn."""
    return rolling_restart(folder, seconds, 'granian')


def killed_node(folder: Path, seconds: float) -> Row:
    """Kill one of three nodes, and restart it."""
    with ExitStack() as stack:
        postgresql = Postgresql(folder)
        run(stack, postgresql)
        nodes, balancer = stack.enter_context(three_nodes(folder, postgresql.url))
        with Load(balancer.origin) as load:
            time.sleep(seconds / 3)
            nodes[0].kill()
            time.sleep(seconds / 3)
            nodes[0].start()
            nodes[0].wait_until_ready()
            time.sleep(seconds / 3)
        return load.judge('node killed -9')


def restarted_postgresql(folder: Path, seconds: float) -> Row:
    """Restart PostgreSQL under three nodes, once in fast and once in immediate mode."""
    with ExitStack() as stack:
        postgresql = Postgresql(folder)
        run(stack, postgresql)
        _, balancer = stack.enter_context(three_nodes(folder, postgresql.url))
        with Load(balancer.origin) as load:
            for how in (signal.SIGINT, signal.SIGQUIT):  # fast, immediate
                time.sleep(seconds / 3)
                postgresql.signal(how)
                postgresql.wait()
                postgresql.start()
            time.sleep(seconds / 3)
        return load.judge('PostgreSQL restarted')


def hanging_postgresql(folder: Path, seconds: float) -> Row:
    """Stop all processes of PostgreSQL for a while, which then neither answer nor close a connection."""
    with ExitStack() as stack:
        postgresql = Postgresql(folder)
        run(stack, postgresql)
        nodes, balancer = stack.enter_context(three_nodes(folder, postgresql.url))
        workers = [children_of(node.pid) for node in nodes]
        with Load(balancer.origin, patience=2 * HANG_SECONDS) as load:
            time.sleep(seconds / 3)
            stopped = [postgresql.pid, *children_of(postgresql.pid)]
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            try:
                end = time.monotonic() + HANG_SECONDS
                time.sleep(HANG_SECONDS / 4)
                while time.monotonic() < end:
                    for node in nodes:
                        assert get_status(f'{node.origin}/health/live') == 200, f'{node.log} is not live'
                        assert get_status(f'{node.origin}/health/ready') in (0, 503)  # 0: one waits itself
                    time.sleep(0.5)
            finally:
                for pid in stopped:
                    os.kill(pid, signal.SIGCONT)
            for node in nodes:
                node.wait_until_ready()
            time.sleep(seconds / 3)
        assert [children_of(node.pid) for node in nodes] == workers, 'a worker was killed'
        return load.judge(f'PostgreSQL hangs for {HANG_SECONDS:g} s')


def restarted_pgbouncer(folder: Path, seconds: float) -> Row:
    """Restart PgBouncer between three nodes and PostgreSQL."""
    with ExitStack() as stack:
        postgresql = Postgresql(folder)
        run(stack, postgresql)
        bouncer = PgBouncer(folder, postgresql)
        run(stack, bouncer)
        _, balancer = stack.enter_context(three_nodes(folder, bouncer.url))
        with Load(balancer.origin) as load:
            time.sleep(seconds / 2)
            bouncer.stop()
            bouncer.start()
            time.sleep(seconds / 2)
        return load.judge('PgBouncer restarted')


def reloaded_nodes(folder: Path, seconds: float) -> Row:
    """Replace the workers of each of three nodes in turn by SIGHUP."""
    with ExitStack() as stack:
        postgresql = Postgresql(folder)
        run(stack, postgresql)
        nodes, balancer = stack.enter_context(three_nodes(folder, postgresql.url))
        with Load(balancer.origin, patience=0) as load:
            for node in nodes * 2:
                old = set(children_of(node.pid))
                time.sleep(seconds / 9)
                node.signal(signal.SIGHUP)
                wait_until(lambda node=node, old=old: has_only_new(node, old), 'the workers are replaced')  # type: ignore[misc]
            time.sleep(seconds / 9)
        return load.judge('HUP')


def has_only_new(node: Node, old: set[int]) -> bool:
    """Return whether a node has workers, and none of the old ones."""
    workers = set(children_of(node.pid))
    return bool(workers) and not old & workers


def killed_galera_node(folder: Path, seconds: float) -> Row:
    """Kill one of three Galera nodes, and restart it."""
    with ExitStack() as stack:
        galera = [GaleraNode(number, folder) for number in (1, 2, 3)]
        for member in galera:
            stack.callback(member.kill)
            stack.callback(member.stop)
            member.start(*(['--wsrep-new-cluster'] if member is galera[0] else []))
        galera[0].run(
            'CREATE DATABASE app',
            "CREATE USER app@'127.0.0.1' IDENTIFIED BY 'app'",
            "CREATE USER app@localhost IDENTIFIED BY 'app'",
            "GRANT ALL ON app.* TO app@'127.0.0.1'",
            'GRANT ALL ON app.* TO app@localhost',
        )
        hosts = ','.join(f'127.0.0.1:{member.port}' for member in galera)
        _, balancer = stack.enter_context(three_nodes(folder, f'mysql://app:app@{hosts}/app'))
        with Load(balancer.origin) as load:
            time.sleep(seconds / 3)
            galera[1].kill()
            time.sleep(seconds / 3)
            galera[1].start()
            time.sleep(seconds / 3)
        return load.judge('Galera node killed -9')


def killed_sqlite_workers(folder: Path, seconds: float) -> Row:
    """Kill one of two workers on SQLite, in twelve rounds."""
    with ExitStack() as stack:
        node = Node('a', folder, f'sqlite:///{folder}/halcyon.db', workers=2)
        run(stack, node)
        node.wait_until_ready()
        with Load(node.origin) as load:
            for _ in range(ROUNDS):
                time.sleep(seconds / ROUNDS)
                workers = children_of(node.pid)
                subprocess.run(['/bin/kill', '-9', str(random.choice(workers))], check=True)
                wait_until(lambda: len(children_of(node.pid)) == 2, 'two workers')
            time.sleep(seconds / ROUNDS)
        return load.judge('SQLite workers killed -9')


def full_disk(folder: Path, seconds: float) -> Row:
    """Fill the disk of SQLite, and free space again."""
    disk = folder / 'disk'
    disk.mkdir()
    with ExitStack() as stack:
        subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={SPACE_BYTES}', 'tmpfs', str(disk)], check=True)
        stack.callback(subprocess.run, ['umount', str(disk)], check=True)
        ballast = disk / 'ballast'
        ballast.write_bytes(bytes(BALLAST_BYTES))
        node = Node('a', folder, f'sqlite:///{disk}/halcyon.db', workers=2)
        run(stack, node)
        node.wait_until_ready()
        with Load(node.origin, patience=0) as load:
            wait_until(lambda: sum(person.caller.failed for person in load.people) > 20, 'the disk is full')
            time.sleep(seconds / 3)
            ballast.unlink()
            time.sleep(seconds / 3)
        return load.judge('disk full')


SCENARIOS: tuple[Scenario, ...] = (
    rolling_restart,
    rolling_restart_of_granian,
    killed_node,
    restarted_postgresql,
    hanging_postgresql,
    restarted_pgbouncer,
    reloaded_nodes,
    killed_galera_node,
    killed_sqlite_workers,
    full_disk,
)
