"""Scenarios: whatever fails, what was acknowledged is there, once, counted, and nobody sees a 500."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster.load import Row
from tests.cluster.scenarios import (
    Scenario,
    full_disk,
    killed_galera_node,
    killed_node,
    killed_sqlite_workers,
    restarted_postgresql,
    rolling_restart,
)

pytestmark = pytest.mark.cluster
Judged = Callable[[Scenario], Row]


def test_a_rolling_restart_fails_no_request(judged: Judged) -> None:
    row = judged(rolling_restart)
    assert row.is_whole
    assert row.failed == 0


def test_a_killed_node_loses_nothing(judged: Judged) -> None:
    assert judged(killed_node).is_whole


def test_a_restarted_postgresql_loses_nothing(judged: Judged) -> None:
    assert judged(restarted_postgresql).is_whole


def test_a_killed_galera_node_loses_nothing(judged: Judged) -> None:
    assert judged(killed_galera_node).is_whole


def test_killed_workers_on_sqlite_lose_nothing(judged: Judged) -> None:
    assert judged(killed_sqlite_workers).is_whole


def test_a_full_disk_loses_nothing_and_is_503(judged: Judged) -> None:
    row = judged(full_disk)
    assert row.is_whole
    assert row.failed > 0
