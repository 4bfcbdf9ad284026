"""Graceful shutdown: report "not ready" for DRAIN_SECONDS after SIGTERM, then stop.

In that time load balancers notice and send requests to other nodes. A worker that has been replaced by new
ones stops at once, because the node keeps serving.
"""

import multiprocessing
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


class SharedFlag:
    """A flag in memory that a process shares with the processes that it forks."""

    def __init__(self) -> None:
        self._value = multiprocessing.Value('b', 0, lock=False)

    def is_set(self) -> bool:
        """Return whether a process has set the flag."""
        return bool(self._value.value)

    def set(self) -> None:
        """Set the flag for all processes."""
        self._value.value = 1


class Shutdown:
    """The shutdown of a process, or, with a SharedFlag, of all processes of a node."""

    def __init__(self, begun: SharedFlag | None = None) -> None:
        self._begun = begun or threading.Event()

    @property
    def has_begun(self) -> bool:
        """Whether the shutdown has begun, so that no more requests should be sent here."""
        return self._begun.is_set()

    def begin(self, seconds: float, stop: Callable[[], Any]) -> None:
        """Become not ready now, and call `stop` after the delay; further calls have no effect."""
        if not self._begun.is_set():
            self._begun.set()
            timer = threading.Timer(seconds, stop)
            timer.daemon = True
            timer.start()

    def install(self, seconds: float, is_replaced: Callable[[], bool]) -> None:
        """Delay the current handler of SIGTERM, unless this process has been replaced."""
        handler = signal.getsignal(signal.SIGTERM)

        def handle_sigterm(number: int, frame: FrameType | None) -> None:
            def stop() -> None:
                if callable(handler):
                    handler(number, frame)

            if is_replaced():
                stop()
            else:
                self.begin(seconds, stop)

        signal.signal(signal.SIGTERM, handle_sigterm)


class Generations:
    """The age up to which workers have been replaced, in memory that master and workers share."""

    def __init__(self) -> None:
        self._replaced = multiprocessing.Value('q', -1, lock=False)

    def replace(self, age: int) -> None:
        """Record that new workers replace those of this age and older."""
        self._replaced.value = age

    def is_replaced(self, age: int) -> bool:
        """Return whether new workers replace the one of this age."""
        return age <= int(self._replaced.value)


PROCESS_SHUTDOWN = Shutdown()
GENERATIONS = Generations()
