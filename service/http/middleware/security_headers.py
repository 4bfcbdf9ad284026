"""Security headers: Content-Security-Policy, Referrer-Policy and X-Content-Type-Options."""

from typing import Any

import falcon

from service import urls
from service.http.request import Request

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https://www.gravatar.com; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
)
NOWHERE = "'none'"
ANYWHERE = '*'


class SecurityHeadersMiddleware:
    """Sets the Content-Security-Policy of pages (CSP Level 3), and that no type is ever guessed."""

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Let pages load our own files alone; explorers of the API may frame the link relations' pages."""
        resp.set_header('X-Content-Type-Options', 'nosniff')
        if resp.content_type and resp.content_type.startswith('text/html'):
            framed = ANYWHERE if req.uri_template == urls.RELATION else NOWHERE
            resp.set_header('Content-Security-Policy', POLICY + framed)
            resp.set_header('Referrer-Policy', 'same-origin')
