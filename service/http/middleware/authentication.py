"""Authentication by Bearer tokens (RFC 6750)."""

from typing import Any

import falcon

from service.domain.errors import Unauthenticated
from service.domain.tokens import find_viewer
from service.http.credentials import read_authorization, token_of
from service.http.operation import Access
from service.http.request import Request

_UNCHECKED = (Access.PUBLIC, Access.CREDENTIALS)  # whose responders read the credentials, if anything does


class AuthenticationMiddleware:
    """Finds the viewer, and rejects requests that need a token and have none, by the operation's access."""

    def process_resource(
        self, req: Request, resp: falcon.Response, resource: Any, params: dict[str, Any]
    ) -> None:
        """Set `req.viewer`; raises Unauthenticated."""
        access = req.operation.access
        if access in _UNCHECKED:
            return
        scheme, value = read_authorization(req)
        if scheme == 'bearer':
            req.viewer = find_viewer(req.db, token_of(value))
        elif access is not Access.ANYONE:
            raise Unauthenticated('A token is needed: "Authorization: Bearer …".')
