"""Security headers of every response of the application."""

from typing import Any

import falcon

from service import urls
from service.config import Settings
from service.http.operation import Access
from service.http.request import Request
from service.http.security_headers import security_headers


class SecurityHeadersMiddleware:
    """Sets the security headers; explorers of the API may frame the pages of link relations."""

    def __init__(self, settings: Settings) -> None:
        self._is_https = settings.is_https

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Set the headers that the content type and the status require."""
        headers = security_headers(
            resp.content_type,
            resp.status_code,
            is_https=self._is_https,
            may_be_framed=req.uri_template == urls.RELATION,
            has_secret_url=req.operation.access is Access.SECRET,
        )
        resp.set_headers(headers)
