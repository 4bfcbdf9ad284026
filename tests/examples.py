"""Settings of hypothesis for tests of the whole application."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

IS_CI = os.environ.get('CI') == 'true'


def examples(number: int) -> settings:
    """Return settings for this many examples in CI and a quarter of that elsewhere, the same in every run."""
    return settings(
        max_examples=number if IS_CI else number // 4,
        derandomize=True,
        deadline=None,  # the speed of machines differs
        database=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
        ],
    )
