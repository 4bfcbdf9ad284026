"""Rate limits, and the quotas that remain for a client."""

from typing import NamedTuple


class RateLimit(NamedTuple):
    """A number of attempts in a number of seconds."""

    name: str
    attempts: int
    seconds: int


class Quota(NamedTuple):
    """The remaining attempts of a rate limit, and the seconds until there is one more.

    The seconds are 0 if all attempts remain.
    """

    limit: RateLimit
    remaining: int
    seconds: int


Quotas = dict[str, Quota]  # by the name of the limit
