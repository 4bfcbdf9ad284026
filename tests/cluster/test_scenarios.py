"""Failures of a deployment: every acknowledged write takes effect once, and no response is a 500.

Clients that retry, a POST with an Idempotency-Key, see no failure at all.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster.load import Row
from tests.cluster.scenarios import (
    Scenario,
    full_disk,
    hanging_postgresql,
    killed_galera_node,
    killed_node,
    killed_sqlite_workers,
    reloaded_nodes,
    restarted_pgbouncer,
    restarted_postgresql,
    rolling_restart,
    rolling_restart_of_granian,
)

pytestmark = pytest.mark.cluster
Judged = Callable[[Scenario], Row]


@pytest.mark.parametrize(
    'scenario',
    [
        rolling_restart,
        rolling_restart_of_granian,
        killed_node,
        restarted_postgresql,
        hanging_postgresql,
        restarted_pgbouncer,
        reloaded_nodes,
        killed_galera_node,
        killed_sqlite_workers,
    ],
)
def test_no_write_is_lost_and_no_request_fails(judged: Judged, scenario: Scenario) -> None:
    row = judged(scenario)
    assert row.is_whole
    assert row.failed == 0


def test_a_full_disk_is_503_and_loses_no_write(judged: Judged) -> None:
    row = judged(full_disk)
    assert row.is_whole
    assert row.failed > 0
