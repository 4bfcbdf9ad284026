"""Time and identity: UTC milliseconds, and the ids that grow with them."""

import secrets
import threading
import time
from collections.abc import Callable

Clock = Callable[[], int]

EPOCH = 1_577_836_800_000  # 2020-01-01T00:00:00Z: 41 bits of milliseconds from here last until 2089
RANDOM_BITS = 12
LARGEST_ID = 2**53 - 1  # what every JSON reader keeps exact (RFC 8259 §6)


def system_clock() -> int:
    """Return the time, in milliseconds since 1970 in UTC."""
    return time.time_ns() // 1_000_000


def is_id(text: str) -> bool:
    """Whether the text is an id in its one spelling: a positive integer below 2^53."""
    return (
        text.isascii() and text.isdigit() and text[0] != '0' and len(text) <= 16 and int(text) <= LARGEST_ID
    )


class Ids:
    """Makes ids: positive integers below 2^53 that grow with time, without a sequence that nodes would share.

    An id is 41 bits of milliseconds and 12 random ones. Within one process ids always grow, also
    within a millisecond and when the clock steps back.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0
        self._lock = threading.Lock()

    def __call__(self) -> int:
        fresh = (self._clock() - EPOCH) << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
        with self._lock:
            self._last = max(self._last + 1, fresh)
            return self._last
