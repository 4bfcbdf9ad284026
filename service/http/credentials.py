"""Credentials: parsing the Authorization header, and the challenges of WWW-Authenticate (RFC 6750, 7617)."""

import binascii
import re
from base64 import b64decode
from typing import NamedTuple

import falcon

from service.domain.errors import Unauthenticated
from service.domain.viewer import WRITE

REALM = 'Halcyon'
_TOKEN = re.compile(r'[A-Za-z0-9._~+/-]+=*')


class Credentials(NamedTuple):
    """The parts of an Authorization header; the scheme is in lower case, empty without the header."""

    scheme: str
    value: str


def read_authorization(req: falcon.Request) -> Credentials:
    """Return the credentials of a request (RFC 9110 §11.4)."""
    scheme, _, value = req.env.get('HTTP_AUTHORIZATION', '').strip().partition(' ')
    return Credentials(scheme.lower(), value.strip())


def read_basic(value: str) -> tuple[str, str]:
    """Return name and password of Basic credentials in UTF-8 (RFC 7617 §2.1); raises Unauthenticated."""
    try:
        text = b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        text = ''
    name, colon, password = text.partition(':')
    if not colon:
        raise Unauthenticated('The Basic credentials are not base64 of name:password in UTF-8.', 'password')
    return name, password


def parse_bearer(value: str) -> str:
    """Return the token of Bearer credentials (RFC 6750 §2.1); raises Unauthenticated if it is invalid."""
    if not _TOKEN.fullmatch(value):
        raise Unauthenticated('The Bearer credentials are not a token.', 'token')
    return value


INSUFFICIENT_SCOPE = f'Bearer realm="{REALM}", error="insufficient_scope", scope="{WRITE}"'


def www_authenticate(reason: str | None, *, basic: bool) -> str:
    """Return the value of WWW-Authenticate (RFC 6750 §3, RFC 7617 §2.1).

    It has an error code for an invalid token only, not without credentials or for a wrong password.
    """
    bearer = f'Bearer realm="{REALM}"' + (', error="invalid_token"' if reason == 'token' else '')
    return f'{bearer}, Basic realm="{REALM}", charset="UTF-8"' if basic else bearer
