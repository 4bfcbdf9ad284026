"""A clock that tests can move."""


class MovableClock:
    """A clock in UTC milliseconds that advances with each call, so that no two events have the same time."""

    def __init__(self, now: int = 1_795_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        self.now += 1
        return self.now

    def move(self, *, seconds: float) -> None:
        """Advance the clock, or set it back."""
        self.now += round(seconds * 1000)
