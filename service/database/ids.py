"""Identifiers that grow with time, generated without coordination between nodes."""

import secrets
import threading

from service.database.clock import Clock

EPOCH = 1_577_836_800_000  # 2020-01-01T00:00:00Z: 41 bits of milliseconds from here last until 2089
RANDOM_BITS = 12
MAX_ID = 2**53 - 1  # the largest integer that every JSON parser keeps exact (RFC 8259 §6)


def is_id(text: str) -> bool:
    """Return whether the text is an id in canonical form: a positive integer below 2^53."""
    return text.isascii() and text.isdigit() and text[0] != '0' and len(text) <= 16 and int(text) <= MAX_ID


class IdGenerator:
    """Generates ids: positive integers below 2^53, made of 41 bits of milliseconds and 12 random bits.

    Within one process ids always grow, also within a millisecond and when the clock steps back.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0
        self._lock = threading.Lock()

    def __call__(self) -> int:
        """Return a new id."""
        candidate = (self._clock() - EPOCH) << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
        with self._lock:
            self._last = max(self._last + 1, candidate)
            return self._last
