"""The database connection of a request: taken when it is first needed, given back at its end."""

from typing import Any

import falcon

from service.database.session import Session
from service.middleware.request import Request


class ConnectionMiddleware:
    """Gives back the connection that a request used; as the first in the chain it is the last to be asked."""

    def __init__(self, db: Session) -> None:
        self._db = db

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Let other requests have the connection: a Document needs nothing more from the database."""
        self._db.release()
