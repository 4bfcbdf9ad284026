"""Health checks: liveness and readiness."""

from dataclasses import replace
from typing import ClassVar

import falcon

from service.database.errors import Unavailable
from service.database.migrate import check_schema, check_writable
from service.graceful_shutdown import Shutdown
from service.http.cache_control import NO_STORE
from service.http.operation import Access, Formats, Operation, RawResponse
from service.http.request import Request
from service.representation.json_schema import Schema
from service.representation.media_types import JSON

_OK = {'status': 'ok'}
_SCHEMA: Schema = {'type': 'object', 'properties': {'status': {'const': 'ok'}}, 'required': ['status']}
_LIVE = Operation(
    'Check liveness',
    'Succeeds as long as the process is alive.',
    {200: RawResponse('health', (JSON,), _SCHEMA, lambda builder: _OK)},
    Access.PUBLIC,
    formats=Formats.FIXED,
    cacheable=False,
)
_READY = replace(
    _LIVE,
    summary='Check readiness',
    description='Succeeds while requests should be sent here: the database is reachable and has the schema '
    'of this version, and no shutdown has begun.',
    errors=(503,),
)


class LiveResource:
    """Liveness: succeeds while the process runs."""

    tag = 'health'
    operation_name = 'Live'
    operations: ClassVar = {'GET': _LIVE}

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.set_header('Cache-Control', NO_STORE)
        resp.media, resp.content_type = _OK, JSON


class ReadyResource:
    """Readiness: succeeds if the database is writable, its schema is current, and no shutdown has begun."""

    tag = 'health'
    operation_name = 'Ready'
    operations: ClassVar = {'GET': _READY}

    def __init__(self, shutdown: Shutdown) -> None:
        self._shutdown = shutdown

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.set_header('Cache-Control', NO_STORE)
        if self._shutdown.has_begun:
            raise Unavailable('The server is shutting down.')
        check_schema(req.db)
        check_writable(req.db)
        resp.media, resp.content_type = _OK, JSON
