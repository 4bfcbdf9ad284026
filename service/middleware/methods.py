"""Methods: which a resource has, what OPTIONS says, and what the others get."""

from typing import Any

import falcon

from service.middleware.request import Request
from service.representation.media_types import FORM, HAL, HAL_FORMS, JSON, JSON_API, MERGE_PATCH

KNOWN = frozenset(('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'))
READ = (JSON, HAL, HAL_FORMS, JSON_API, FORM)
READ_ON_PATCH = (MERGE_PATCH, *READ)


def methods_of(resource: object) -> tuple[str, ...]:
    """Return the methods that a resource has, in alphabetical order: HEAD wherever GET is, OPTIONS always."""
    own = {name for name in KNOWN if hasattr(resource, f'on_{name.lower()}')}
    return tuple(sorted(own | {'OPTIONS'} | ({'HEAD'} if 'GET' in own else set())))


def with_standard_methods(resource: Any) -> Any:
    """Give a resource HEAD, which answers as GET does (RFC 9110 §9.3.2), and OPTIONS (§9.3.7)."""
    allowed = methods_of(resource)
    if 'GET' in allowed:
        resource.on_head = resource.on_get

    def on_options(req: Request, resp: falcon.Response, **parts: Any) -> None:
        resp.status = falcon.HTTP_204
        resp.set_header('Allow', ', '.join(allowed))
        if 'PATCH' in allowed and not getattr(resource, 'is_linkage', False):
            resp.set_header('Accept-Patch', ', '.join(READ_ON_PATCH))

    resource.on_options = on_options
    return resource


class MethodsMiddleware:
    """Refuses a method before all else: unknown 501, not here 405 with Allow (RFC 9110 §15.6.2, §15.5.6)."""

    def process_resource(
        self, req: Request, resp: falcon.Response, resource: object, params: dict[str, Any]
    ) -> None:
        """Raise HTTPNotImplemented or HTTPMethodNotAllowed for a method that the resource does not have."""
        if req.method not in KNOWN:
            raise falcon.HTTPNotImplemented(description='The server knows no such method.')
        if not hasattr(resource, f'on_{req.method.lower()}'):
            raise falcon.HTTPMethodNotAllowed(methods_of(resource))
