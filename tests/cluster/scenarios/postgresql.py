"""Failures of PostgreSQL, of a primary with standbys, and of PgBouncer."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path

from tests.cluster.databases import PgBouncer, Postgresql
from tests.cluster.deployment import on_patroni, on_postgresql, run, three_nodes
from tests.cluster.load import Load, Row
from tests.cluster.programs import children_of, get_status, wait_until

HANG_SECONDS = 20.0
MAX_RESPONSE_SECONDS = 15.0  # DATABASE_TIMEOUT is 10 s
MAX_FAILOVER_SECONDS = 60.0  # the lock of the primary expires after 20 s


def restarted_postgresql(folder: Path, seconds: float) -> Row:
    """Restart PostgreSQL under three nodes, once in fast and once in immediate mode."""
    with on_postgresql(folder) as (deployment, postgresql):
        with Load(deployment.balancer.origin) as load:
            for stop_signal in (signal.SIGINT, signal.SIGQUIT):  # fast, immediate
                time.sleep(seconds / 3)
                postgresql.signal(stop_signal)
                postgresql.wait()
                postgresql.start()
            time.sleep(seconds / 3)
        return load.evaluate('PostgreSQL restarted')


def hanging_postgresql(folder: Path, seconds: float) -> Row:
    """Suspend all processes of PostgreSQL for a while: they neither respond nor close connections."""
    with on_postgresql(folder) as (deployment, postgresql):
        nodes = deployment.nodes
        workers = [children_of(node.pid) for node in nodes]
        with Load(deployment.balancer.origin, retry_seconds=2 * HANG_SECONDS) as load:
            time.sleep(seconds / 3)
            suspended = [postgresql.pid, *children_of(postgresql.pid)]
            for pid in suspended:
                os.kill(pid, signal.SIGSTOP)
            try:
                end = time.monotonic() + HANG_SECONDS
                time.sleep(HANG_SECONDS / 4)
                while time.monotonic() < end:
                    for node in nodes:
                        assert get_status(f'{node.origin}/health/live') == 200, f'{node.log} is not live'
                        assert get_status(f'{node.origin}/health/ready') in (0, 503)  # 0: it is still waiting
                    time.sleep(0.5)
            finally:
                for pid in suspended:
                    os.kill(pid, signal.SIGCONT)
            for node in nodes:
                node.wait_until_ready()
            time.sleep(seconds / 3)
        assert [children_of(node.pid) for node in nodes] == workers, 'a worker was killed'
        longest = max(user.client.longest_wait for user in load.users)
        assert longest < MAX_RESPONSE_SECONDS, f'a response took {longest:.1f} s'
        return load.evaluate(f'PostgreSQL hangs for {HANG_SECONDS:g} s')


def restarted_pgbouncer(folder: Path, seconds: float) -> Row:
    """Restart PgBouncer between three nodes and PostgreSQL."""
    with ExitStack() as stack:
        postgresql = Postgresql(folder)
        bouncer = PgBouncer(folder, postgresql)
        run(stack, postgresql, bouncer)
        deployment = stack.enter_context(three_nodes(folder, bouncer.url))
        with Load(deployment.balancer.origin) as load:
            time.sleep(seconds / 2)
            bouncer.stop()
            bouncer.start()
            time.sleep(seconds / 2)
        return load.evaluate('PgBouncer restarted')


def killed_primary(folder: Path, seconds: float) -> Row:
    """Kill the primary of three PostgreSQL servers with Patroni, and restart it as a standby."""
    with on_patroni(folder) as (deployment, servers):
        old, *others = servers
        with Load(deployment.balancer.origin, retry_seconds=MAX_FAILOVER_SECONDS) as load:
            time.sleep(seconds / 3)
            old.kill()
            wait_until(lambda: any(server.has_role('primary') for server in others), 'there is a new primary')
            time.sleep(seconds / 3)
            old.start()
            wait_until(lambda: old.has_role('replica'), 'the old primary is a standby')
            time.sleep(seconds / 3)
        return load.evaluate('Patroni, primary killed -9')
