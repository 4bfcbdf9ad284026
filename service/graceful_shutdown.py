"""Graceful shutdown: report "not ready" for DRAIN_SECONDS after SIGTERM, then stop.

In that time load balancers notice and send requests to other nodes.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


class Shutdown:
    """The shutdown of a process: not begun, or about to stop it."""

    def __init__(self) -> None:
        self._begun = threading.Event()

    @property
    def has_begun(self) -> bool:
        """Whether this process is about to stop, and should receive no more requests."""
        return self._begun.is_set()

    def begin(self, seconds: float, stop: Callable[[], Any]) -> None:
        """Become not ready now, and call `stop` after the delay; further calls have no effect."""
        if not self._begun.is_set():
            self._begun.set()
            timer = threading.Timer(seconds, stop)
            timer.daemon = True
            timer.start()

    def install(self, seconds: float) -> None:
        """Delay the current handler of SIGTERM."""
        stop = signal.getsignal(signal.SIGTERM)

        def handle_sigterm(number: int, frame: FrameType | None) -> None:
            self.begin(seconds, lambda: callable(stop) and stop(number, frame))

        signal.signal(signal.SIGTERM, handle_sigterm)
        signal.siginterrupt(signal.SIGTERM, False)


PROCESS_SHUTDOWN = Shutdown()
