"""The clock: UTC milliseconds since 1970."""

import time
from collections.abc import Callable

Clock = Callable[[], int]


def system_clock() -> int:
    """Return the current time in UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000
