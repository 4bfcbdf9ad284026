"""Policies for browsers: security headers, and cross-origin requests (Fetch Standard, "CORS protocol")."""

import re
from typing import Any

import falcon

from service import urls
from service.config import Settings
from service.http.operation import SERVED_METHODS, Access, methods_of
from service.http.request import Request
from service.http.security_headers import security_headers

LOCAL = re.compile(r'https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?')
ALLOW_HEADERS = (
    'Authorization, Content-Type, Accept, If-Match, If-None-Match, Idempotency-Key, Prefer, '
    'X-Requested-With, traceparent, tracestate'
)
EXPOSE_HEADERS = (
    'Location, Link, ETag, Allow, Content-Location, WWW-Authenticate, Retry-After, RateLimit, '
    'RateLimit-Policy, X-Request-Id, Preference-Applied'
)
MAX_AGE = '600'


class BrowserPolicyMiddleware:
    """Sets what pages may do with a response, errors included.

    Pages of the allowed origins may send requests without cookies, and a preflight needs no credentials. API
    explorers may frame the pages of link relations.
    """

    def __init__(self, settings: Settings) -> None:
        self._is_https = settings.is_https
        self._origins = settings.cors_origins
        self._is_public = settings.allows_all_origins

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Set the security headers for the content type and the status, then the Access-Control headers."""
        resp.set_headers(
            security_headers(
                resp.content_type,
                resp.status_code,
                is_https=self._is_https,
                may_be_framed=req.uri_template == urls.RELATION,
                has_secret_url=req.operation.access is Access.SECRET,
            )
        )
        self._allow_origin(req, resp, resource)

    def _allow_origin(self, req: Request, resp: falcon.Response, resource: Any) -> None:
        """Set the Access-Control headers for an allowed Origin.

        If all origins are allowed, every response has them, because a shared cache may send it to a page.
        """
        if not self._is_public:
            resp.append_header('Vary', 'Origin')
        origin: str | None = req.env.get('HTTP_ORIGIN')
        is_preflight = (
            req.method == 'OPTIONS' and origin is not None and 'HTTP_ACCESS_CONTROL_REQUEST_METHOD' in req.env
        )
        if is_preflight and resp.status_code == 404 and resource is None:
            _accept_preflight(resp)
        allowed = '*' if self._is_public else origin
        if allowed is None or not self._allows(allowed):
            return
        resp.set_header('Access-Control-Allow-Origin', allowed)
        if is_preflight:
            methods = methods_of(resource) if resource else SERVED_METHODS
            resp.set_header('Access-Control-Allow-Methods', ', '.join(methods))
            resp.set_header('Access-Control-Allow-Headers', ALLOW_HEADERS)
            resp.set_header('Access-Control-Max-Age', MAX_AGE)
        else:
            resp.set_header('Access-Control-Expose-Headers', EXPOSE_HEADERS)

    def _allows(self, origin: str) -> bool:
        if self._origins is None:
            return LOCAL.fullmatch(origin) is not None
        return self._is_public or origin.lower() in self._origins


def _accept_preflight(resp: falcon.Response) -> None:
    """Respond with 204 for a URL without a route, so that the page can read the 404 of its request."""
    resp.status, resp.media, resp.data = falcon.HTTP_204, None, None
    resp.delete_header('Content-Type')
