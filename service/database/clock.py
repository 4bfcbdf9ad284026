"""Times: UTC milliseconds since 1970, from the clock and as text."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

Clock = Callable[[], int]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def system_clock() -> int:
    """Return the current time in UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@lru_cache(maxsize=4096)  # a page of 100 users has 200 timestamps
def iso_time(milliseconds: int) -> str:
    """Return UTC milliseconds as ISO 8601 with an offset (RFC 3339 §5.6): `2026-11-22T15:04:27.123+00:00`."""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec='milliseconds')
