"""Purging what has expired, on the way of some writes: a GET writes nothing."""

import logging
from typing import Any

import falcon

from service.database.errors import Unavailable
from service.domain.expiry import purge
from service.middleware.request import Request

INTERVAL_SECONDS = 60

log = logging.getLogger(__name__)


class PurgeMiddleware:
    """Has one write a minute in each process purge a batch, and the next ones too while there is more."""

    def __init__(self) -> None:
        self._purged_at = 0

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Purge after a write where it is time; that it cannot be done now is no matter of the request."""
        if req.method not in ('POST', 'PUT', 'PATCH', 'DELETE'):
            return
        now = req.db.now()
        if abs(now - self._purged_at) < INTERVAL_SECONDS * 1000:
            return
        self._purged_at = now
        try:
            if purge(req.db):
                self._purged_at = 0
        except Unavailable as refused:
            log.warning('Nothing is purged now: %s', refused.__cause__)
