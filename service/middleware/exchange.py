"""An exchange from its outermost edge: the request gets its id, and its outcome is told, whatever it is."""

import os
import re
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, Protocol

import falcon

from service import urls
from service.config import Settings
from service.http.operation import HTTP_METHODS
from service.logs import RequestLog
from service.middleware.forwarded import is_trusted
from service.middleware.request import REQUEST, REQUEST_ID, Request

OTHER = 'other'
_GIVEN = re.compile(r'[A-Za-z0-9._:=+/-]{1,64}', re.ASCII)
_TEMPLATES = [str(value) for name, value in vars(urls).items() if name.isupper() and value.startswith('/')]
_WORDS = {word for template in _TEMPLATES for word in template.split('/') if word and '{' not in word}
_MOST_SEGMENTS = 8
_TELLABLE = re.compile(rf'(?:{"|".join(map(re.escape, sorted(_WORDS)))}|[1-9][0-9]{{0,15}})?')
_OURS = re.compile(rf'(?:/{_TELLABLE.pattern}){{1,{_MOST_SEGMENTS}}}')
_QUIET = frozenset((urls.LIVE, urls.READY, urls.METRICS))


class Meter(Protocol):
    """Counts what is answered; a template is None where nothing is at the address."""

    def answered(
        self, template: str | None, method: str, status: int, media_type: str, seconds: float
    ) -> None: ...


def told_path(path: str) -> str:
    """Return the path as it may be told: a segment that is no word of our addresses and no id is `*`.

    Whoever makes addresses by hand may put anything into them, an e-mail address or a token too.
    """
    if _OURS.fullmatch(path):
        return path
    segments = path.split('/', _MOST_SEGMENTS)[:_MOST_SEGMENTS]
    return '/'.join(segment if _TELLABLE.fullmatch(segment) else '*' for segment in segments)


class App(falcon.App[Any, Any]):
    """falcon's application, each of whose answers says `X-Request-Id` and is a line in the log.

    This is the outermost edge: what is told is what the server was given to send, be it that the answer
    turned into a 304 or an error on its way, or that an exception ended it, which servers answer with 500.
    A trusted proxy may have named the request already. That a health check or a scrape went well is no line:
    balancers ask twice a second.
    """

    def __init__(self, settings: Settings, log: RequestLog, meter: Meter | None, **options: Any) -> None:
        super().__init__(**options)
        self._trusted = settings.forwarded_allow_ips
        self._log = log
        self._meter = meter

    def __call__(self, env: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        began = perf_counter()
        env[REQUEST_ID] = request_id = self._id_of(env)
        status = '500'
        headers: list[tuple[str, str]] = []

        def start(said: str, fields: list[tuple[str, str]], *exc_info: Any) -> Any:
            nonlocal status, headers
            status, headers = said, fields
            fields.append(('x-request-id', request_id))
            return start_response(said, fields, *exc_info)

        try:
            return super().__call__(env, start)
        finally:
            self._tell(env, int(status[:3]), headers, perf_counter() - began)

    def _id_of(self, env: dict[str, Any]) -> str:
        if self._trusted:
            given = str(env.get('HTTP_X_REQUEST_ID', ''))
            if _GIVEN.fullmatch(given) and is_trusted(env.get('REMOTE_ADDR', ''), self._trusted):
                return given
        return os.urandom(8).hex()

    def _tell(self, env: dict[str, Any], status: int, headers: list[tuple[str, str]], seconds: float) -> None:
        req: Request | None = env.pop(REQUEST, None)
        template = req.uri_template if req else None
        method = env['REQUEST_METHOD']
        if method not in HTTP_METHODS:
            method = OTHER
        if status != 200 or template not in _QUIET:
            viewer_id = req.viewer.user_id if req and req.viewer else None
            self._log.write(method, told_path(env['PATH_INFO']), status, seconds, viewer_id, env[REQUEST_ID])
        if self._meter is not None:
            content_type = dict(headers).get('content-type', '')
            self._meter.answered(template, method, status, content_type.partition(';')[0], seconds)
