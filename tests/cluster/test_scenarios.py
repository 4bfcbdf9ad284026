"""Failures of a deployment: every acknowledged write takes effect once, and no response is a 500.

Clients that retry requests, and send an Idempotency-Key with each POST, see no failure at all.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster.load import Row
from tests.cluster.scenarios import SCENARIOS, Scenario
from tests.cluster.scenarios.sqlite import full_disk

pytestmark = pytest.mark.cluster
RunScenario = Callable[[Scenario], Row]


@pytest.mark.parametrize('scenario', [scenario for scenario in SCENARIOS if scenario is not full_disk])
def test_no_write_is_lost_and_no_request_fails(run_scenario: RunScenario, scenario: Scenario) -> None:
    row = run_scenario(scenario)
    assert row.is_correct
    assert row.failed == 0


def test_a_full_disk_is_503_and_loses_no_write(run_scenario: RunScenario) -> None:
    row = run_scenario(full_disk)
    assert row.is_correct
    assert row.failed > 0
