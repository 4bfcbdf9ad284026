"""Authentication by Bearer tokens (RFC 6750)."""

from typing import Any

import falcon

from service.domain.errors import Unauthenticated
from service.http.credentials import authenticate
from service.http.operation import Access
from service.http.request import Request

_UNCHECKED = (Access.PUBLIC, Access.CREDENTIALS)  # only responders read the credentials, if at all
_OPTIONAL = (Access.ANYONE, Access.SHARED, Access.SECRET)


class AuthenticationMiddleware:
    """Finds the viewer, and rejects requests without a token if the operation's access requires one.

    BrowserSessionMiddleware may have found the viewer already.
    """

    def process_resource(
        self, req: Request, resp: falcon.Response, resource: Any, params: dict[str, Any]
    ) -> None:
        """Set `req.viewer`; raises Unauthenticated."""
        access = req.operation.access
        if access in _UNCHECKED or req.viewer is not None:
            return
        scheme, token = req.credentials
        if scheme == 'bearer':
            authenticate(req, token)
        elif access not in _OPTIONAL:
            raise Unauthenticated('A token is needed: "Authorization: Bearer …".')
