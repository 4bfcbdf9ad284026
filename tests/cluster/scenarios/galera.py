"""Failures of one node of a Galera cluster."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from tests.cluster.databases import GaleraNode
from tests.cluster.deployment import on_galera
from tests.cluster.load import Load, Row
from tests.cluster.network import separated, three_hosts, unplugged
from tests.cluster.programs import Host, wait_until

Separation = Callable[[Host, list[Host]], AbstractContextManager[None]]
PARTITION_SECONDS = 12.0  # the cluster excludes a node that was silent for 5 s


def killed_galera_node(folder: Path, seconds: float) -> Row:
    """Kill one of three Galera nodes, and restart it."""
    with on_galera(folder) as (deployment, galera):
        with Load(deployment.balancer.origin) as load:
            time.sleep(seconds / 3)
            member = busiest_of(galera)
            member.kill()
            time.sleep(seconds / 3)
            member.start()
            time.sleep(seconds / 3)
        return load.evaluate('Galera node killed -9')


def partitioned_galera_node(folder: Path, seconds: float) -> Row:
    """Separate one of three Galera nodes from the others, but not from Halcyon, and heal the partition."""
    return _without_one_node(folder, seconds, separated, 'Galera node partitioned')


def unplugged_galera_node(folder: Path, seconds: float) -> Row:
    """Separate one of three Galera nodes from everything, and heal the partition."""
    return _without_one_node(folder, seconds, lambda host, _: unplugged(host), 'Galera node unplugged')


def _without_one_node(folder: Path, seconds: float, separation: Separation, name: str) -> Row:
    with three_hosts() as hosts, on_galera(folder, hosts) as (deployment, galera):
        with Load(deployment.balancer.origin) as load:
            time.sleep(seconds / 3)
            member = busiest_of(galera)
            with separation(member.host, hosts):
                time.sleep(PARTITION_SECONDS)
                assert member.status() != 'Synced'
            wait_until(lambda: member.status() == 'Synced', 'the node is a member again')
            time.sleep(seconds / 3)
        return load.evaluate(name)


def busiest_of(galera: list[GaleraNode]) -> GaleraNode:
    """Return the node with the most connections: Halcyon chooses one at random."""
    return max(galera, key=GaleraNode.count_connections)
