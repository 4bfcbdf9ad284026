"""Authentication by Bearer tokens (RFC 6750)."""

from typing import Any

import falcon

from service import urls
from service.config import Settings
from service.domain.errors import Unauthenticated
from service.domain.tokens import find_viewer
from service.domain.viewer import Viewer
from service.http.credentials import parse_bearer, read_authorization
from service.http.operation import Access
from service.http.request import Request

_UNCHECKED = (Access.PUBLIC, Access.CREDENTIALS)  # only responders read the credentials, if at all


class AuthenticationMiddleware:
    """Finds the viewer, and rejects requests that need a token and have none, by the operation's access.

    BrowserSessionMiddleware may have found the viewer already.
    """

    def process_resource(
        self, req: Request, resp: falcon.Response, resource: Any, params: dict[str, Any]
    ) -> None:
        """Set `req.viewer`; raises Unauthenticated."""
        access = req.operation.access
        if access in _UNCHECKED or req.viewer is not None:
            return
        scheme, value = read_authorization(req)
        if scheme == 'bearer':
            authenticate(req, value)
        elif access not in (Access.ANYONE, Access.SECRET):
            raise Unauthenticated('A token is needed: "Authorization: Bearer …".')


def authenticate(req: Request, value: str) -> Viewer:
    """Set `req.viewer` by the value of Bearer credentials, and return it; raises Unauthenticated."""
    req.viewer = viewer = find_viewer(req.db, parse_bearer(value), audience=audience(req.db.settings))
    return viewer


def audience(settings: Settings) -> str:
    """Return the audience of signed tokens, which is this API (RFC 9068 §2.2); empty without BASE_URL."""
    return settings.base_url + urls.ENTRY if settings.base_url else ''
