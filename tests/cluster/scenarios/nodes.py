"""Failures and replacements of nodes."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from pathlib import Path

from tests.cluster.deployment import on_postgresql
from tests.cluster.load import Load, Row
from tests.cluster.programs import Node, children_of, terminate, wait_until

BALANCER_SECONDS = 2  # after which the balancer uses a node again: it requires two successful health checks


def rolling_restart(folder: Path, seconds: float, program: str = 'gunicorn') -> Row:
    """Restart each of three nodes in turn."""
    with on_postgresql(folder, program=program) as (deployment, _):
        with Load(deployment.balancer.origin, retry_seconds=0) as load:
            for node in deployment.nodes:
                time.sleep(seconds / 6)
                node.stop()
                node.start()
                node.wait_until_ready()
                time.sleep(max(BALANCER_SECONDS, seconds / 6))
        return load.evaluate(f'rolling restart, {program}')


def rolling_restart_of_granian(folder: Path, seconds: float) -> Row:
    """Restart each of three nodes under granian in turn."""
    return rolling_restart(folder, seconds, 'granian')


def killed_node(folder: Path, seconds: float) -> Row:
    """Kill one of three nodes, and restart it."""
    with on_postgresql(folder) as (deployment, _):
        with Load(deployment.balancer.origin) as load:
            time.sleep(seconds / 3)
            deployment.nodes[0].kill()
            time.sleep(seconds / 3)
            deployment.nodes[0].start()
            deployment.nodes[0].wait_until_ready()
            time.sleep(seconds / 3)
        return load.evaluate('node killed -9')


def reloaded_nodes(folder: Path, seconds: float) -> Row:
    """Replace the workers of each of three nodes in turn by SIGHUP."""
    with on_postgresql(folder) as (deployment, _):
        with Load(deployment.balancer.origin, retry_seconds=0) as load:
            for node in deployment.nodes * 2:
                old = set(children_of(node.pid))
                time.sleep(seconds / 9)
                node.signal(signal.SIGHUP)
                wait_until(
                    lambda node=node, old=old: has_only_new_workers(node, old), 'the workers are replaced'
                )  # type: ignore[misc]
            time.sleep(seconds / 9)
        return load.evaluate('HUP')


def has_only_new_workers(node: Node, old: set[int]) -> bool:
    """Return whether a node has workers, and none of the old ones."""
    workers = set(children_of(node.pid))
    return bool(workers) and not old & workers


def upgraded_nodes(folder: Path, seconds: float) -> Row:
    """Replace the master of each of three nodes in turn by SIGUSR2."""
    with on_postgresql(folder) as (deployment, _), ExitStack() as stack:
        with Load(deployment.balancer.origin, retry_seconds=0) as load:
            for node in deployment.nodes:
                time.sleep(seconds / 6)
                stack.callback(terminate, node.replace_master())
            time.sleep(seconds / 3)
        return load.evaluate('USR2')
