"""The falcon.App subclass: request ids, the access log, request metrics, HEAD and OPTIONS."""

import os
import re
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, Protocol

import falcon
from falcon.inspect import inspect_compiled_router, register_router
from falcon.routing import BaseConverter, CompiledRouter

from service import urls
from service.config import Settings
from service.database.ids import is_id
from service.http.forwarded import is_trusted
from service.http.idempotency import idempotent
from service.http.operation import (
    HTTP_METHODS,
    SERVED_METHODS,
    Resource,
    has_patch,
    has_query,
    methods_of,
)
from service.http.request import REQUEST, REQUEST_ID, Request
from service.http.request_body import ACCEPTED_PATCH_TYPES, ACCEPTED_QUERY_TYPES
from service.logs import RequestLog

OTHER = 'other'
_REQUEST_ID = re.compile(r'[A-Za-z0-9._:=+/-]{1,64}', re.ASCII)
_TEMPLATES = [str(value) for name, value in vars(urls).items() if name.isupper() and value.startswith('/')]
_WORDS = {word for template in _TEMPLATES for word in template.split('/') if word and '{' not in word}
_MAX_SEGMENTS = 8
_SAFE_SEGMENT = re.compile(rf'(?:{"|".join(map(re.escape, sorted(_WORDS)))}|[1-9][0-9]{{0,15}})?')
_KNOWN_PATH = re.compile(rf'(?:/{_SAFE_SEGMENT.pattern}){{1,{_MAX_SEGMENTS}}}')
_QUIET = frozenset((urls.LIVE, urls.READY, urls.METRICS))


class ResponseObserver(Protocol):
    """Counts responses; the template is None if no route matches."""

    def response_sent(
        self, template: str | None, method: str, status: int, media_type: str, seconds: float
    ) -> None: ...


def redacted_path(path: str) -> str:
    """Return the path with `*` for each segment that is neither a word of our URL templates nor an id.

    Unknown segments may contain secrets, e.g. an email address or a token. A path with too many
    segments is truncated.
    """
    if _KNOWN_PATH.fullmatch(path):
        return path
    segments = path.split('/', _MAX_SEGMENTS)[:_MAX_SEGMENTS]
    return '/'.join(segment if _SAFE_SEGMENT.fullmatch(segment) else '*' for segment in segments)


class IdConverter(BaseConverter):
    """Converts ids in paths; a value that is not an id matches no route."""

    def convert(self, value: str) -> int | None:
        return int(value) if is_id(value) else None


class Router(CompiledRouter):
    """falcon's router with a converter of ids, and with the methods HEAD (RFC 9110 §9.3.2), OPTIONS (§9.3.7)
    and QUERY (RFC 10008).
    """

    def __init__(self) -> None:
        super().__init__()
        self.options.converters['id'] = IdConverter

    def add_route(self, uri_template: str, resource: object, **options: Any) -> None:
        """Add a route; a variable whose name ends with `_id` is an id."""
        super().add_route(re.sub(r'{(\w+_id)}', r'{\1:id}', uri_template), resource, **options)

    def map_http_methods(self, resource: Any, **options: Any) -> dict[str, Any]:
        """Return the responders by method; HEAD and QUERY have the responder of GET.

        The responder of POST handles Idempotency-Key if the operation accepts it.
        """
        responders: dict[str, Any] = dict(super().map_http_methods(resource, **options))
        if 'GET' in responders:
            responders['HEAD'] = responders['GET']
        if has_query(resource):
            responders['QUERY'] = responders['GET']
        if 'POST' in responders and resource.operations['POST'].accepts_idempotency_key:
            responders['POST'] = idempotent(responders['POST'])
        return responders | {'OPTIONS': _options_responder(resource)}


register_router(Router)(inspect_compiled_router)  # for falcon-inspect-app


def _options_responder(resource: Resource) -> Callable[..., None]:
    allowed = methods_of(resource)

    def on_options(req: Request, resp: falcon.Response, **params: Any) -> None:
        resp.status = falcon.HTTP_204
        resp.set_header('Allow', ', '.join(allowed))
        if has_patch(resource):
            resp.set_header('Accept-Patch', ', '.join(ACCEPTED_PATCH_TYPES))
        if has_query(resource):
            resp.set_header('Accept-Query', ', '.join(ACCEPTED_QUERY_TYPES))

    return on_options


def describe_server(req: Request, resp: falcon.Response, **params: Any) -> None:
    """Respond to `OPTIONS *`, which applies to the server in general (RFC 9110 §9.3.7)."""
    resp.status = falcon.HTTP_204
    resp.set_header('Allow', ', '.join(SERVED_METHODS))


class Application(falcon.App[Any, Any]):
    """falcon's application, which adds `X-Request-Id` to every response and logs one line for it.

    This is the outermost layer: it logs the status that is sent, including 304s, rendering errors and
    uncaught exceptions, for which servers respond with 500. A trusted proxy can set the request id in the
    request. Successful health checks and scrapes are not logged, because balancers send two a second.
    """

    def __init__(
        self, settings: Settings, log: RequestLog, observer: ResponseObserver | None, **options: Any
    ) -> None:
        super().__init__(**options)
        self._trusted = settings.forwarded_allow_ips
        self._log = log
        self._observer = observer

    def __call__(self, env: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Respond to a request (PEP 3333)."""
        began = perf_counter()
        env[REQUEST_ID] = request_id = self._id_of(env)
        status = '500'
        headers: list[tuple[str, str]] = []

        def start(line: str, fields: list[tuple[str, str]], *exc_info: Any) -> Any:
            nonlocal status, headers
            status, headers = line, fields
            fields.append(('x-request-id', request_id))
            return start_response(line, fields, *exc_info)

        try:
            return super().__call__(env, start)
        finally:
            self._record(env, int(status[:3]), headers, perf_counter() - began)

    def _id_of(self, env: dict[str, Any]) -> str:
        if self._trusted:
            sent = str(env.get('HTTP_X_REQUEST_ID', ''))
            if _REQUEST_ID.fullmatch(sent) and is_trusted(env.get('REMOTE_ADDR', ''), self._trusted):
                return sent
        return os.urandom(8).hex()

    def _record(
        self, env: dict[str, Any], status: int, headers: list[tuple[str, str]], seconds: float
    ) -> None:
        req: Request | None = env.pop(REQUEST, None)
        template = req.uri_template if req else None
        method = env['REQUEST_METHOD']
        if method not in HTTP_METHODS:
            method = OTHER
        if status != 200 or template not in _QUIET:
            viewer_id = req.viewer_id if req else None
            self._log.write(
                method, redacted_path(env['PATH_INFO']), status, seconds, viewer_id, env[REQUEST_ID]
            )
        if self._observer is not None:
            content_type = dict(headers).get('content-type', '')
            self._observer.response_sent(template, method, status, content_type.partition(';')[0], seconds)
