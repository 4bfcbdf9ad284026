"""Rejection of all requests while the schema of the database does not match this release."""

import falcon

from service import urls
from service.database.errors import SchemaMismatch, Unavailable
from service.database.migrate import check_schema
from service.http.request import Request

EXEMPT = frozenset((urls.LIVE, urls.READY, urls.METRICS))


class SchemaMiddleware:
    """Raises SchemaMismatch until the schema matches; readiness checks notice when it no longer does."""

    def process_request(self, req: Request, resp: falcon.Response) -> None:
        """Check the schema unless it is known to match."""
        if req.db.is_schema_current or req.path in EXEMPT:
            return
        try:
            check_schema(req.db)
        except SchemaMismatch:
            raise
        except Unavailable:
            return  # reported by whatever needs the database
