"""Guards, which come before all else: the size of header fields, and the method (RFC 9110 §5.4, §15)."""

from typing import Any

import falcon

from service.http.operation import HTTP_METHODS, Resource, methods_of, operation_of, options_of
from service.http.request import Request

MAX_FIELD_LENGTH = 8190  # characters, on however many lines the field came; servers reject longer lines


class GuardMiddleware:
    """Rejects oversized header fields, unknown methods, and methods that the resource does not have."""

    def process_request(self, req: Request, resp: falcon.Response) -> None:
        """Raise HTTPBadRequest for a field longer than MAX_FIELD_LENGTH, before any pattern is applied to it.

        A field of several lines gets here as one (RFC 9110 §5.3).
        """
        for name, value in req.env.items():
            is_long = isinstance(value, str) and len(value) > MAX_FIELD_LENGTH
            if is_long and name.startswith(('HTTP_', 'CONTENT_')):
                raise falcon.HTTPBadRequest(
                    description=f'A header field may have at most {MAX_FIELD_LENGTH} characters.'
                )

    def process_resource(
        self, req: Request, resp: falcon.Response, resource: Resource, params: dict[str, Any]
    ) -> None:
        """Set `req.operation`; raises HTTPNotImplemented or HTTPMethodNotAllowed."""
        operation = resource.operations.get(req.method) or operation_of(resource, req.method)
        req.operation = operation or options_of(resource)  # by which a problem varies like any response
        if req.method not in HTTP_METHODS:
            raise falcon.HTTPNotImplemented(description='The server knows no such method.')
        if operation is None:
            raise falcon.HTTPMethodNotAllowed(methods_of(resource))
