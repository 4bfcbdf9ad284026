"""Credentials: reading those of a request, and the challenges of WWW-Authenticate (RFC 6750, 7617)."""

import binascii
import re
from base64 import b64decode

from service import urls
from service.config import Settings
from service.domain.errors import Unauthenticated
from service.domain.tokens import find_viewer
from service.domain.viewer import WRITE, Viewer
from service.http.request import Request

REALM = 'Halcyon'
_TOKEN = re.compile(r'[A-Za-z0-9._~+/-]+=*')


def authenticate(req: Request, token: str) -> Viewer:
    """Set `req.viewer` from a bearer token (RFC 6750 §2.1), and return it; raises Unauthenticated."""
    if not _TOKEN.fullmatch(token):
        raise Unauthenticated('The Bearer credentials are not a token.', 'token')
    req.viewer = viewer = find_viewer(req.db, token, audience=audience(req.db.settings))
    return viewer


def audience(settings: Settings) -> str:
    """Return the audience of signed tokens, which is this API (RFC 9068 §2.2); empty without BASE_URL."""
    return settings.base_url + urls.ENTRY if settings.base_url else ''


def read_basic(value: str) -> tuple[str, str]:
    """Return the name and the password of Basic credentials (RFC 7617 §2.1); raises Unauthenticated."""
    try:
        text = b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        text = ''
    name, colon, password = text.partition(':')
    if not colon:
        raise Unauthenticated('The Basic credentials are not base64 of name:password in UTF-8.', 'password')
    return name, password


INSUFFICIENT_SCOPE = f'Bearer realm="{REALM}", error="insufficient_scope", scope="{WRITE}"'


def www_authenticate(reason: str | None, *, basic: bool) -> str:
    """Return the value of WWW-Authenticate (RFC 6750 §3, RFC 7617 §2.1).

    It has an error code only if a token is invalid, not if credentials are missing or a password is wrong.
    """
    bearer = f'Bearer realm="{REALM}"' + (', error="invalid_token"' if reason == 'token' else '')
    return f'{bearer}, Basic realm="{REALM}", charset="UTF-8"' if basic else bearer
