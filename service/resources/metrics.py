"""Metrics in the text format of Prometheus."""

from contextlib import suppress
from typing import Protocol

import falcon

from service.database.errors import Unavailable
from service.domain.outbox import count_mails
from service.http.cache_control import NO_STORE
from service.http.operation import Access, Formats, Operation, RawResponse
from service.http.request import Request

_EXAMPLE = (
    '# HELP halcyon_statements_total SQL statements, BEGIN and COMMIT included.\n'
    '# TYPE halcyon_statements_total counter\n'
    'halcyon_statements_total 42.0\n'
)


class Exposition(Protocol):
    """The metrics as Prometheus scrapes them."""

    content_type: str

    def exposed(self) -> bytes: ...

    def set_outbox_pending(self, count: int) -> None: ...


class MetricsResource:
    """The metrics of all processes of this node since it started."""

    tag = 'metrics'
    operation_name = 'Metrics'

    def __init__(self, metrics: Exposition) -> None:
        self._metrics = metrics
        scrape = RawResponse('metrics', (metrics.content_type,), {'type': 'string'}, lambda builder: _EXAMPLE)
        self.operations = {
            'GET': Operation(
                'Get metrics',
                'The metrics of all processes of this node since it started, for Prometheus.',
                {200: scrape},
                Access.PUBLIC,
                formats=Formats.FIXED,
                cacheable=False,
            ),
        }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.set_header('Cache-Control', NO_STORE)
        if req.db.settings.mail_url is not None:
            with suppress(Unavailable):  # the other metrics need no database
                self._metrics.set_outbox_pending(count_mails(req.db))
        resp.data, resp.content_type = self._metrics.exposed(), self._metrics.content_type
