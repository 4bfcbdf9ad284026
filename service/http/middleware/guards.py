"""Guards: early checks of the schema, header fields, transfer codings, paths and methods (RFC 9110 §15)."""

from typing import Any

import falcon

from service import urls
from service.database.errors import SchemaMismatch, Unavailable
from service.database.migrate import check_schema
from service.http.operation import HTTP_METHODS, Resource, methods_of, operation_of, options_of
from service.http.request import Request
from service.representation.media_types import MAX_FIELD_LENGTH

_WITHOUT_DATABASE = frozenset((urls.LIVE, urls.READY, urls.METRICS))
_ASSETS = urls.ASSET.partition('{')[0]


class GuardMiddleware:
    """Rejects all requests while the schema of the database does not match this release, oversized header
    fields, transfer codings other than chunked, encoded slashes, unknown methods, and methods that the
    resource does not have.
    """

    def process_request(self, req: Request, resp: falcon.Response) -> None:
        """Check the schema, the header fields and the path.

        Raises SchemaMismatch until the schema matches, except for health checks, metrics, and the static
        files of the page that says so; readiness checks notice when it no longer does. Raises HTTPBadRequest
        for a field longer than MAX_FIELD_LENGTH, before any pattern is applied to it; WSGI servers join the
        lines of a field (RFC 9110 §5.3). Raises HTTPNotImplemented for a transfer coding that is not
        supported (RFC 9112 §6.1), and HTTPNotFound for an encoded slash, which is not a separator (RFC 3986
        §2.2): no segment of our URLs contains a slash.
        """
        if not req.db.is_schema_current and not _works_without_database(req.path):
            _check_schema(req)
        for name, value in req.env.items():
            if (
                type(value) is str
                and len(value) > MAX_FIELD_LENGTH
                and name.startswith(('HTTP_', 'CONTENT_'))
            ):
                raise falcon.HTTPBadRequest(
                    description=f'A header field may have at most {MAX_FIELD_LENGTH} characters.'
                )
        if req.env.get('HTTP_TRANSFER_ENCODING', 'chunked').strip().lower() != 'chunked':
            raise falcon.HTTPNotImplemented(description='The only transfer coding supported is chunked.')
        if '%2f' in req.env.get('RAW_URI', '').lower() and '%2f' in req.raw_path.lower():
            raise falcon.HTTPNotFound()

    def process_resource(
        self, req: Request, resp: falcon.Response, resource: Resource, params: dict[str, Any]
    ) -> None:
        """Set the resource and the operation; raises HTTPNotImplemented or HTTPMethodNotAllowed."""
        operation = resource.operations.get(req.method) or operation_of(resource, req.method)
        req.resource, req.path_values = resource, params
        req.operation = operation or options_of(resource)  # the Vary header of a problem depends on it, too
        if req.method not in HTTP_METHODS:
            raise falcon.HTTPNotImplemented(description='The server does not support this method.')
        if operation is None:
            raise falcon.HTTPMethodNotAllowed(methods_of(resource))


def _works_without_database(path: str) -> bool:
    return path in _WITHOUT_DATABASE or path.startswith(_ASSETS)


def _check_schema(req: Request) -> None:
    try:
        check_schema(req.db)
    except SchemaMismatch:
        raise
    except Unavailable:
        return  # reported by whatever needs the database
