"""RateLimit and RateLimit-Policy in every response of an operation that has rate limits."""

from typing import Any

import falcon

from service.domain.throttle import address_subjects, find_quotas
from service.http.rate_limits import rate_limit_headers
from service.http.request import Request


class RateLimitMiddleware:
    """Sets the fields to the current quotas, also in a stored response that is replayed."""

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Set the quotas that the responder found, or else those of the client's IP address."""
        limits = req.operation.limits
        if not limits or resp.status_code >= 500 or resp.get_header('RateLimit'):
            return
        quotas = req.quotas or find_quotas(req.db, address_subjects(limits, req.client_address))
        resp.set_headers(rate_limit_headers(quotas))
