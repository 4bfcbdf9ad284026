"""Database states with which many tests start: created once by requests, and restored afterwards."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from io import StringIO
from typing import Any, NamedTuple

from tests.clock import MovableClock
from tests.databases import Rows, TestDatabase
from tests.description import description_of

MAX_STATES = 64


class State(NamedTuple):
    """The database and the clock after a step, and the result of the step."""

    rows: Rows
    now: int
    result: Any


_STATES: dict[Any, State] = {}


class Preparation:
    """Runs a step once for each initial state, and restores the resulting state when it is run again.

    A step registers a user, for example. Its result must not refer to the application of one test. The log
    of the application is empty afterwards in both cases.
    """

    def __init__(self, database: TestDatabase, clock: MovableClock, app: Any, request_log: StringIO) -> None:
        self.database, self.clock, self.request_log = database, clock, request_log
        self.settings = description_of(app)  # one object for all applications with the same settings

    def run(self, name: str, step: Callable[[], Any]) -> Any:
        """Run the step, or restore its resulting state if it has been run from the current state before."""
        initial = (name, self.settings, self.clock.now, self.database.rows())
        if initial in _STATES:
            state = _STATES[initial]
            self.database.restore(state.rows)
            self.clock.now = state.now
            return deepcopy(state.result)
        result = step()
        self.request_log.seek(0)
        self.request_log.truncate()
        if len(_STATES) >= MAX_STATES:
            _STATES.pop(next(iter(_STATES)))
        _STATES[initial] = State(self.database.rows(), self.clock.now, deepcopy(result))
        return result
