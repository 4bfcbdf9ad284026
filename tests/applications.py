"""Applications that successive tests reuse, because creating one takes longer than most tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any, NamedTuple

from service.app import create_app
from service.config import Settings
from service.database.ids import IdGenerator
from service.database.instrumentation import NO_INSTRUMENTATION
from service.database.session import Session
from service.domain.signing_keys import create_first_key
from service.domain.startup import open_session
from service.metrics import Metrics
from tests.clock import MovableClock
from tests.description import share_description


class Node(NamedTuple):
    """An application and its session."""

    app: Any
    db: Session


class ApplicationPool:
    """The idle applications by their settings; all write their request log to `log`.

    An application keeps no state of a test except its clock, its id generator and its metrics. The next test
    gets it with another clock; an application with metrics is not reused.
    """

    def __init__(self) -> None:
        self.log = StringIO()
        self._idle: dict[Settings, list[Node]] = {}

    @contextmanager
    def application(self, settings: Settings, clock: MovableClock) -> Iterator[Any]:
        """Provide an application on an empty database for the duration of the block."""
        idle = self._idle.setdefault(settings, [])
        node = reset(idle.pop(), clock) if idle else self._create(settings, clock)
        try:
            yield node.app
        finally:
            node.db.close()
            if not settings.metrics:
                idle.append(node)

    def _create(self, settings: Settings, clock: MovableClock) -> Node:
        metrics = Metrics(settings) if settings.metrics else None
        db = open_session(settings, clock, metrics or NO_INSTRUMENTATION)
        app = create_app(settings, clock=clock, db=db, lines=self.log, metrics=metrics)
        share_description(app, settings)
        return Node(app, db)


def reset(node: Node, clock: MovableClock) -> Node:
    """Return the node as if it had just started with this clock."""
    node.db.now = clock
    node.db.new_id = IdGenerator(clock)
    create_first_key(node.db)
    node.db.close()
    return node
