"""What is counted for Prometheus: what is asked and answered, and what it costs the database.

Every label has few values, all of them ours: no client can make a series.
"""

import os
import platform
import threading
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

from service.config import Settings
from service.database.instrumentation import Instrumentation
from service.database.migrate import LATEST
from service.database.pool import MAX_CONNECTIONS
from service.domain.throttle import ACCOUNT, ADDRESS, REGISTRATION
from service.metrics_multiprocess import DIRECTORY_VARIABLE

NONE = 'none'
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LIBRARIES = ('falcon', 'gunicorn', 'peewee')


class _Spent(threading.local):
    """What a thread's current request has spent in the database."""

    statements = 0
    seconds = 0.0


class Metrics(Instrumentation):
    """Counts, for this process or for all that share DIRECTORY_VARIABLE, and says what was counted."""

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self, settings: Settings) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            'halcyon_requests',
            'Requests, by the template of the address, and what was answered.',
            ('route', 'method', 'status', 'format'),
            registry=registry,
        )
        self._seconds = Histogram(
            'halcyon_request_seconds',
            'Seconds until a request was answered.',
            ('route',),
            buckets=SECONDS,
            registry=registry,
        )
        self._statements = Counter(
            'halcyon_statements', 'SQL statements, BEGIN and COMMIT included.', registry=registry
        )
        self._statement_seconds = Counter(
            'halcyon_statement_seconds',
            'Seconds in SQL statements, until their first row, with the wait for a connection.',
            registry=registry,
        )
        self._retries = Counter(
            'halcyon_transaction_retries', 'Transactions that were run again.', registry=registry
        )
        self._counted = Counter(
            'halcyon_counted_tries',
            'Failed sign-ins, by account and by address, and registrations: what counts against a limit.',
            ('limit',),
            registry=registry,
        )
        self._throttled = Counter(
            'halcyon_throttled', 'Requests refused for a limit used up.', ('limit',), registry=registry
        )
        for limit in (ACCOUNT, ADDRESS, REGISTRATION):
            self._counted.labels(limit.name)
            self._throttled.labels(limit.name)
        engine = settings.database_url.partition('://')[0]
        self._in_use = _gauge('halcyon_connections_in_use', 'Connections of the pools in use.', registry)
        _gauge('halcyon_connections', 'Connections that the pools may have.', registry).set(
            0 if engine == 'sqlite' else MAX_CONNECTIONS
        )
        Gauge(
            'halcyon_info',
            'What runs here.',
            ('python', *LIBRARIES, 'engine', 'schema'),
            registry=registry,
            multiprocess_mode='livemax',
        ).labels(platform.python_version(), *map(version, LIBRARIES), engine, LATEST).set(1)
        self._known: dict[tuple[str | None, str, int, str], tuple[Counter, Histogram]] = {}
        self._spent = _Spent()

    def answered(
        self, template: str | None, method: str, status: int, media_type: str, seconds: float
    ) -> None:
        """Count a request that this thread has answered, with what it spent in the database."""
        key = template, method, status, media_type
        known = self._known.get(key)
        if known is None:
            route = (template or NONE).replace(':id}', '}')
            known = self._known[key] = (
                self._requests.labels(route, method, status, media_type or NONE),
                self._seconds.labels(route),
            )
        known[0].inc()
        known[1].observe(seconds)
        spent = self._spent
        if spent.statements:
            self._statements.inc(spent.statements)
            self._statement_seconds.inc(spent.seconds)
            spent.statements, spent.seconds = 0, 0.0

    def statement_executed(self, event: Any) -> None:
        spent = self._spent
        spent.statements += 1
        spent.seconds += event.duration

    def connections_checked_out(self, change: int) -> None:
        self._in_use.inc(change)

    def transaction_retried(self) -> None:
        self._retries.inc()

    def attempt_counted(self, limit: str) -> None:
        self._counted.labels(limit).inc()

    def request_throttled(self, limit: str) -> None:
        self._throttled.labels(limit).inc()

    def exposed(self) -> bytes:
        """Return what was counted by all processes, in Prometheus' text format."""
        registry = self._registry
        if DIRECTORY_VARIABLE in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry)


def _gauge(name: str, meaning: str, registry: CollectorRegistry) -> Gauge:
    """Return a gauge that is the sum over all processes that live."""
    return Gauge(name, meaning, registry=registry, multiprocess_mode='livesum')
