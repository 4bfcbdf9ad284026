"""Methods: which a resource has, what OPTIONS says, and what the others get."""

from collections.abc import Callable
from typing import Any

import falcon
from falcon.inspect import inspect_compiled_router, register_router
from falcon.routing import CompiledRouter

from service.http.operation import HTTP_METHODS, Resource, has_patch, methods_of, operation_of
from service.middleware.request import Request
from service.representation.media_types import FORM, HAL, HAL_FORMS, JSON, JSON_API, MERGE_PATCH

READ = (JSON, HAL, HAL_FORMS, JSON_API, FORM)
READ_ON_PATCH = (MERGE_PATCH, *READ)


class Router(CompiledRouter):
    """falcon's router, which gives every resource HEAD (RFC 9110 §9.3.2) and OPTIONS (§9.3.7)."""

    def map_http_methods(self, resource: Any, **options: Any) -> dict[str, Any]:
        """Return the responders by method; HEAD is answered by that of GET."""
        responders: dict[str, Any] = dict(super().map_http_methods(resource, **options))
        if 'GET' in responders:
            responders['HEAD'] = responders['GET']
        return responders | {'OPTIONS': _options_responder(resource)}


register_router(Router)(inspect_compiled_router)  # for falcon-inspect-app


def _options_responder(resource: Resource) -> Callable[..., None]:
    allowed = methods_of(resource)

    def on_options(req: Request, resp: falcon.Response, **params: Any) -> None:
        resp.status = falcon.HTTP_204
        resp.set_header('Allow', ', '.join(allowed))
        if has_patch(resource):
            resp.set_header('Accept-Patch', ', '.join(READ_ON_PATCH))

    return on_options


class MethodsMiddleware:
    """Rejects unknown methods (501, RFC 9110 §15.6.2) and unsupported ones (405, §15.5.6) first."""

    def process_resource(
        self, req: Request, resp: falcon.Response, resource: Resource, params: dict[str, Any]
    ) -> None:
        """Set `req.operation`; raises HTTPNotImplemented or HTTPMethodNotAllowed."""
        if req.method not in HTTP_METHODS:
            raise falcon.HTTPNotImplemented(description='The server knows no such method.')
        operation = operation_of(resource, req.method)
        if operation is None:
            raise falcon.HTTPMethodNotAllowed(methods_of(resource))
        req.operation = operation
