"""Hooks that are called for statements, connections, retries and rate limits; no-ops by default."""

from typing import Any


class Instrumentation:
    """Ignores every event; subclasses override those that they measure."""

    def statement_executed(self, event: Any) -> None:
        """Called after each SQL statement, BEGIN and COMMIT included; `event.duration` is in seconds."""

    def connections_checked_out(self, change: int) -> None:
        """Called when connections are checked out of the pool (1) or returned to it (-1)."""

    def transaction_retried(self) -> None:
        """Called before a transaction runs again, after a conflict or a lost connection."""

    def attempt_counted(self, limit: str) -> None:
        """Called when an attempt counts against a rate limit, for example a failed sign-in."""

    def request_throttled(self, limit: str) -> None:
        """Called when a request is rejected because a rate limit is used up."""


NO_INSTRUMENTATION = Instrumentation()
