"""Cross-origin requests (Fetch Standard §3.2): pages of the allowed origins may call, without cookies."""

import re
from typing import Any

import falcon

from service.config import Settings
from service.http.operation import methods_of
from service.http.request import Request

LOCAL = re.compile(r'https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?')
ALLOW_HEADERS = (
    'Authorization, Content-Type, Accept, If-Match, If-None-Match, Idempotency-Key, X-Requested-With'
)
EXPOSE_HEADERS = 'Location, Link, ETag, Allow, Content-Location, WWW-Authenticate, Retry-After'
MAX_AGE = '600'


class CorsMiddleware:
    """Says which other origins may read an answer, errors included; a preflight needs no credentials."""

    def __init__(self, settings: Settings) -> None:
        self._origins = settings.cors_origins

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Set the Access-Control headers for an allowed Origin."""
        if self._origins != ('*',):
            resp.append_header('Vary', 'Origin')
        origin = req.env.get('HTTP_ORIGIN')
        if origin is None or not self._allows(origin):
            return
        resp.set_header('Access-Control-Allow-Origin', '*' if self._origins == ('*',) else origin)
        if req.method == 'OPTIONS' and 'HTTP_ACCESS_CONTROL_REQUEST_METHOD' in req.env:
            resp.set_header(
                'Access-Control-Allow-Methods', ', '.join(methods_of(resource) if resource else ('OPTIONS',))
            )
            resp.set_header('Access-Control-Allow-Headers', ALLOW_HEADERS)
            resp.set_header('Access-Control-Max-Age', MAX_AGE)
        else:
            resp.set_header('Access-Control-Expose-Headers', EXPOSE_HEADERS)

    def _allows(self, origin: str) -> bool:
        if self._origins is None:
            return LOCAL.fullmatch(origin) is not None
        return '*' in self._origins or origin.lower() in self._origins
