"""Moves the time of day by the number of seconds in the file that CLOCK_FILE names.

Python imports this module at startup if its directory is in PYTHONPATH. Monotonic clocks are not moved.
libfaketime is no alternative: if it does not fake monotonic clocks, time.sleep fails with EINVAL on Debian.
"""

import os
import time
from pathlib import Path

NANOSECONDS = 1_000_000_000

_file = Path(os.environ['CLOCK_FILE'])
_time_ns = time.time_ns


def moved_time_ns() -> int:
    """Return the moved time of day in nanoseconds since 1970."""
    return _time_ns() + int(_file.read_text()) * NANOSECONDS


def moved_time() -> float:
    """Return the moved time of day in seconds since 1970."""
    return moved_time_ns() / NANOSECONDS


time.time_ns = moved_time_ns
time.time = moved_time
