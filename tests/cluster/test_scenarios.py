"""Scenarios: whatever fails, what was acknowledged is there, once, counted, and nobody sees a 500.

Clients that send a request again, a POST with an Idempotency-Key, see no failure at all.
"""

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


def test_a_killed_node_loses_nothing_and_shows_no_error(judged: Judged) -> None:
    row = judged(killed_node)
    assert row.is_whole
    assert row.failed == 0


def test_a_restarted_postgresql_loses_nothing_and_shows_no_error(judged: Judged) -> None:
    row = judged(restarted_postgresql)
    assert row.is_whole
    assert row.failed == 0


def test_a_killed_galera_node_loses_nothing_and_shows_no_error(judged: Judged) -> None:
    row = judged(killed_galera_node)
    assert row.is_whole
    assert row.failed == 0


def test_killed_workers_on_sqlite_lose_nothing_and_show_no_error(judged: Judged) -> None:
    row = judged(killed_sqlite_workers)
    assert row.is_whole
    assert row.failed == 0


def test_a_full_disk_loses_nothing_and_is_503(judged: Judged) -> None:
    row = judged(full_disk)
    assert row.is_whole
    assert row.failed > 0
