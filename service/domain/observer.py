"""The observer: is told what happens in the domain, and need not be there."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec('P')
R = TypeVar('R')


class Observer:
    """Keeps nothing of what it is told, at next to no cost; who counts overrides what it counts."""

    def timed(self, do: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do what the database is asked for, and take the time of it."""
        return do(*args, **kwargs)

    def lent(self, change: int) -> None:
        """Note that so many more connections of the pool are in use."""

    def tried_again(self) -> None:
        """Note that a transaction runs again, for what another one did or for a broken connection."""

    def counted(self, limit: str) -> None:
        """Note that a try counts against a limit: a failed sign-in, or a registration."""

    def throttled(self, limit: str) -> None:
        """Note that somebody is refused for having used up a limit."""
