"""Rate limits, and what is left of them for a client."""

from typing import NamedTuple


class RateLimit(NamedTuple):
    """A number of attempts in a number of seconds."""

    name: str
    attempts: int
    seconds: int


class Quota(NamedTuple):
    """What is left of a rate limit: the remaining attempts, and in how many seconds there is one more.

    The seconds are 0 if all attempts remain.
    """

    limit: RateLimit
    remaining: int
    seconds: int


Quotas = dict[str, Quota]  # by the name of the limit
