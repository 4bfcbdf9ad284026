"""Health: whether this process lives, and whether it should get requests now."""

from dataclasses import replace
from typing import ClassVar

import falcon

from service.database.errors import Unavailable
from service.database.migrate import check_schema
from service.drain import Drain
from service.http.conditional import NO_STORE
from service.http.operation import Access, Formats, Operation, RawResponse
from service.http.request import Request
from service.representation.media_types import JSON

_OK = {'status': 'ok'}
_HEALTH = Operation(
    {200: RawResponse('health', (JSON,), lambda book: _OK)},
    Access.PUBLIC,
    formats=Formats.FIXED,
    cacheable=False,
)


class LiveResource:
    """Answers while the process lives."""

    tag = 'health'
    operation_name = 'Live'
    description = 'Answers while the process lives.'
    operations: ClassVar = {'GET': _HEALTH}

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.set_header('Cache-Control', NO_STORE)
        resp.media, resp.content_type = _OK, JSON


class ReadyResource:
    """Answers while requests should come: the database has the schema of this code, and no shutdown began."""

    tag = 'health'
    operation_name = 'Ready'
    description = (
        'Answers while requests should come: the database has the schema of this code, and no shutdown began.'
    )
    operations: ClassVar = {'GET': replace(_HEALTH, errors=(503,))}

    def __init__(self, drain: Drain) -> None:
        self._drain = drain

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.set_header('Cache-Control', NO_STORE)
        if self._drain.has_begun:
            raise Unavailable('The server is shutting down.')
        check_schema(req.db)
        resp.media, resp.content_type = _OK, JSON
