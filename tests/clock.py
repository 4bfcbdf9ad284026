"""A clock that stands still until it is moved."""


class MovableClock:
    """Returns UTC milliseconds; every look lets one millisecond pass, as two things seldom happen in one."""

    def __init__(self, now: int = 1_795_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        self.now += 1
        return self.now

    def move(self, *, seconds: float) -> None:
        """Let time pass, or go back."""
        self.now += round(seconds * 1000)
