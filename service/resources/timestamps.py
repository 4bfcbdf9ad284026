"""Timestamps in RFC 3339."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)  # a page of 100 users has 200 timestamps
def represent_time(milliseconds: int) -> str:
    """Return UTC milliseconds as ISO 8601 with an offset (RFC 3339 §5.6): `2026-11-22T15:04:27.123+00:00`."""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec='milliseconds')
