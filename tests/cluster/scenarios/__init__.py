"""The scenarios: failures of a deployment under load."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cluster.load import Row
from tests.cluster.scenarios.clock import stepped_clock
from tests.cluster.scenarios.galera import killed_galera_node, partitioned_galera_node, unplugged_galera_node
from tests.cluster.scenarios.mail import killed_senders
from tests.cluster.scenarios.nodes import (
    killed_node,
    reloaded_nodes,
    rolling_restart,
    rolling_restart_of_granian,
    upgraded_nodes,
)
from tests.cluster.scenarios.postgresql import (
    hanging_postgresql,
    killed_primary,
    restarted_pgbouncer,
    restarted_postgresql,
)
from tests.cluster.scenarios.sqlite import full_disk, killed_sqlite_workers

Scenario = Callable[[Path, float], Row]

SCENARIOS: tuple[Scenario, ...] = (
    rolling_restart,
    rolling_restart_of_granian,
    killed_node,
    reloaded_nodes,
    upgraded_nodes,
    stepped_clock,
    killed_senders,
    restarted_postgresql,
    hanging_postgresql,
    restarted_pgbouncer,
    killed_primary,
    killed_galera_node,
    partitioned_galera_node,
    unplugged_galera_node,
    killed_sqlite_workers,
    full_disk,
)
