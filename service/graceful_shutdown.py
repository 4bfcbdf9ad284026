"""Draining: serving on for a while after SIGTERM, so that a balancer can notice, then stopping."""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


class Shutdown:
    """Whether this process is about to stop."""

    def __init__(self) -> None:
        self._begun = threading.Event()

    @property
    def has_begun(self) -> bool:
        """Whether this process is about to stop, and should get no more requests."""
        return self._begun.is_set()

    def begin(self, seconds: float, stop: Callable[[], Any]) -> None:
        """Turn not ready now, and call `stop` after the seconds, once however often this is called."""
        if not self._begun.is_set():
            self._begun.set()
            timer = threading.Timer(seconds, stop)
            timer.daemon = True
            timer.start()

    def install(self, seconds: float) -> None:
        """Put the drain before what the process does on SIGTERM already."""
        stop = signal.getsignal(signal.SIGTERM)

        def handle_sigterm(number: int, frame: FrameType | None) -> None:
            self.begin(seconds, lambda: callable(stop) and stop(number, frame))

        signal.signal(signal.SIGTERM, handle_sigterm)
        signal.siginterrupt(signal.SIGTERM, False)


PROCESS_SHUTDOWN = Shutdown()
