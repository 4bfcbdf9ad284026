"""Health: whether this process lives, and whether it should get requests now."""

from typing import ClassVar

import falcon

from service.database.errors import Unavailable
from service.database.migrate import check_schema
from service.graceful_shutdown import Shutdown
from service.middleware.conditional import NO_STORE
from service.middleware.request import Request
from service.representation.media_types import JSON
from service.resources.answers import Answers, Data

_OK = {'status': 'ok'}
_ANSWERS: Answers = {'GET': {200: Data('health', (JSON,), lambda book: _OK)}}


class LiveResource:
    """Answers while the process lives."""

    tag = 'health'
    operation_name = 'Live'
    description = 'Answers while the process lives.'
    answers: ClassVar[Answers] = _ANSWERS
    is_never_cached = True

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
    answers: ClassVar[Answers] = _ANSWERS
    is_never_cached = True
    may_be_unavailable = True

    def __init__(self, drain: Shutdown) -> None:
        self._drain = drain

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.set_header('Cache-Control', NO_STORE)
        if self._drain.has_begun:
            raise Unavailable('The server is shutting down.')
        check_schema(req.db)
        resp.media, resp.content_type = _OK, JSON
