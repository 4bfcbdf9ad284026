"""Prometheus metrics: requests, SQL statements, retries, throttling, connections.

Every label has a bounded set of values, so clients cannot create time series.
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
from service.domain.throttle import RATE_LIMITS
from service.metrics_multiprocess import DIRECTORY_VARIABLE, forget_ended_processes

NONE = 'none'  # the label of a request without a route, or of a response without content
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LIBRARIES = ('falcon', 'gunicorn', 'peewee')


class _DatabaseUse(threading.local):
    """The statements of a thread's current request."""

    statements = 0
    seconds = 0.0


class Metrics(Instrumentation):
    """The metrics of this process, or of all processes that share a directory (metrics_multiprocess.py)."""

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self, settings: Settings) -> None:
        self._registry = CollectorRegistry()
        self._requests = self._counter(
            'halcyon_requests',
            'Requests, by URL template, method, status and media type of the response.',
            ('route', 'method', 'status', 'format'),
        )
        self._seconds = Histogram(
            'halcyon_request_seconds',
            'Seconds from a request to its response.',
            ('route',),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._statements = self._counter('halcyon_statements', 'SQL statements, BEGIN and COMMIT included.')
        self._statement_seconds = self._counter(
            'halcyon_statement_seconds',
            'Seconds in SQL statements until their first row, including the wait for a connection.',
        )
        self._retries = self._counter(
            'halcyon_transaction_retries', 'Transactions retried after a conflict or a lost connection.'
        )
        self._attempts = self._counter(
            'halcyon_rate_limit_attempts',
            'Attempts that count against a rate limit.',
            ('limit',),
        )
        self._counted_tries = self._counter(
            'halcyon_counted_tries', 'Deprecated: halcyon_rate_limit_attempts.', ('limit',)
        )
        self._throttled = self._counter(
            'halcyon_throttled', 'Requests rejected because a rate limit is used up.', ('limit',)
        )
        for limit in RATE_LIMITS:
            for counter in (self._attempts, self._counted_tries, self._throttled):
                counter.labels(limit.name)
        self._outbox = Gauge(
            'halcyon_outbox_pending',
            'Emails that are to be sent, of all nodes.',
            registry=self._registry,
            multiprocess_mode='livemostrecent',
        )
        engine = settings.database_url.partition('://')[0]
        self._in_use = self._gauge('halcyon_connections_in_use', 'Connections checked out of the pools.')
        self._gauge('halcyon_connections', 'The maximum number of connections of the pools.').set(
            0 if engine == 'sqlite' else settings.database_pool
        )
        Gauge(
            'halcyon_info',
            'The versions in use.',
            ('python', *LIBRARIES, 'engine', 'schema'),
            registry=self._registry,
            multiprocess_mode='livemax',
        ).labels(platform.python_version(), *map(version, LIBRARIES), engine, LATEST).set(1)
        self._children: dict[tuple[str | None, str, int, str], tuple[Counter, Histogram]] = {}
        self._database_use = _DatabaseUse()

    def _counter(self, name: str, description: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(name, description, labels, registry=self._registry)

    def _gauge(self, name: str, description: str) -> Gauge:
        """Return a gauge that is summed over all running processes."""
        return Gauge(name, description, registry=self._registry, multiprocess_mode='livesum')

    def response_sent(
        self, template: str | None, method: str, status: int, media_type: str, seconds: float
    ) -> None:
        """Count a request that this thread has processed, and its statements."""
        key = template, method, status, media_type
        children = self._children.get(key)
        if children is None:
            route = (template or NONE).replace(':id}', '}')
            children = self._children[key] = (
                self._requests.labels(route, method, status, media_type or NONE),
                self._seconds.labels(route),
            )
        children[0].inc()
        children[1].observe(seconds)
        use = self._database_use
        if use.statements:
            self._statements.inc(use.statements)
            self._statement_seconds.inc(use.seconds)
            use.statements, use.seconds = 0, 0.0

    def statement_executed(self, event: Any) -> None:
        use = self._database_use
        use.statements += 1
        use.seconds += event.duration

    def connections_checked_out(self, change: int) -> None:
        self._in_use.inc(change)

    def transaction_retried(self) -> None:
        self._retries.inc()

    def attempt_counted(self, limit: str) -> None:
        self._attempts.labels(limit).inc()
        self._counted_tries.labels(limit).inc()

    def request_throttled(self, limit: str) -> None:
        self._throttled.labels(limit).inc()

    def set_outbox_pending(self, count: int) -> None:
        """Set the number of emails in the outbox."""
        self._outbox.set(count)

    def exposed(self) -> bytes:
        """Return the metrics of all processes in Prometheus' text format."""
        registry = self._registry
        if DIRECTORY_VARIABLE in os.environ:
            forget_ended_processes()
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry)
