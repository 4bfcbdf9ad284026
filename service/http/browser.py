"""Browsers: session cookies (RFC 6265bis), requests from our own pages, and forms without scripts."""

from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import falcon

from service import urls
from service.database.errors import Unavailable
from service.domain.errors import DomainError, Unauthenticated
from service.domain.tokens import renew_aging_token
from service.http.cache_control import NO_STORE
from service.http.credentials import authenticate
from service.http.operation import SAFE_METHODS
from service.http.request import Request
from service.representation.action import Form
from service.representation.document import Document

METHOD_FIELD = '_method'
RETURN_FIELD = '_return'
DONE, USERNAME = 'done', 'username'  # parameters of a page: the action that succeeded, a user name
_NAME = 'halcyon'
# The actions whose outcome is announced, because the next page does not show it, by method and operation.
_ANNOUNCED = {
    ('POST', 'Users'): 'register',
    ('DELETE', 'User'): 'delete',
    ('PUT', 'Password'): 'change-password',
    ('POST', 'PasswordResets'): 'forgot-password',
    ('PUT', 'PasswordReset'): 'reset-password',
    ('POST', 'EmailVerifications'): 'request-verification',
    ('POST', 'EmailVerification'): 'verify-email',
}


class Cookie(NamedTuple):
    """The name and the attributes of the session cookie; `max_age` is in seconds."""

    name: str
    path: str
    secure: bool
    max_age: int

    def set(self, resp: falcon.Response, value: str) -> None:
        """Set the cookie."""
        attributes = f'Path={self.path}; Max-Age={self.max_age}; HttpOnly; SameSite=Lax'
        secure = '; Secure' if self.secure else ''
        resp.append_header('Set-Cookie', f'{self.name}={value}; {attributes}{secure}')

    def clear(self, resp: falcon.Response) -> None:
        """Make the browser forget the cookie."""
        self._replace(max_age=0).set(resp, '')


def session_cookie(req: Request) -> Cookie:
    """Return the session cookie at the origin; its prefix makes browsers enforce its attributes."""
    parts = urlsplit(req.builder.origin)
    path, secure = parts.path.rstrip('/') or '/', parts.scheme == 'https'
    prefix = ('__Host-' if path == '/' else '__Secure-') if secure else ''
    return Cookie(prefix + _NAME, path, secure, req.db.settings.token_max_age)


def read_session(req: Request) -> str | None:
    """Return the token in the session cookie, None without one."""
    values = req.get_cookie_values(session_cookie(req).name)
    return values[0] if values and values[0] else None


def find_session(req: Request) -> None:
    """Set `req.viewer` from the session cookie, unless the request has credentials of its own."""
    token = read_session(req)
    if token is None or req.is_session_invalid or 'HTTP_AUTHORIZATION' in req.env:
        return
    try:
        authenticate(req, token)
    except Unauthenticated:
        req.is_session_invalid = True
    else:
        req.env['HTTP_AUTHORIZATION'] = f'Bearer {token}'


def renew_session(req: Request, resp: falcon.Response) -> None:
    """Set the session cookie to a new token if the presented one is in the second half of its lifetime.

    The request has succeeded already: if the token cannot be renewed, the response stays as it is.
    """
    try:
        renewed = renew_aging_token(req.db, req.user, req.user_agent)
    except (DomainError, Unavailable):
        return
    if renewed is not None:
        session_cookie(req).set(resp, renewed.secret)
        resp.set_header('Cache-Control', NO_STORE)


def is_from_our_pages(req: Request, *, default: bool) -> bool:
    """Return whether the browser says that one of our own pages made the request.

    Sec-Fetch-Site decides, or else Origin; `default` is the result if the request has neither.
    """
    site, origin = req.env.get('HTTP_SEC_FETCH_SITE'), req.env.get('HTTP_ORIGIN')
    if site is not None:
        return bool(site == 'same-origin')
    if origin is not None:
        parts = urlsplit(req.builder.origin)
        return bool(origin == f'{parts.scheme}://{parts.netloc}')
    return default


def return_url(req: Request, url: object) -> str:
    """Return the URL if it is one of our own, else that of the entry point."""
    base = req.builder.origin
    is_own = isinstance(url, str) and url.startswith(f'{base}/') and url.isascii() and url.isprintable()
    return str(url) if is_own else base + urls.ENTRY


def failed_form(req: Request) -> Form | None:
    """Return the submitted form with its values except passwords, to be shown again."""
    submitted, action = req.submitted, req.operation.form
    if submitted is None or action is None or not action.fields:
        return None
    is_secret = {field.name: field.type == 'password' for field in action.fields}
    values = {name: value for name, value in submitted.fields.items() if not is_secret.get(name, True)}
    return Form(action, submitted.target, values)


def complete_browser_response(req: Request, resp: falcon.Response) -> None:
    """Set or clear the session cookie of a browser, and redirect it after a submitted form (303).

    The redirect leads to the page that the form names, else to the new resource, else to the entry point. Its
    query names an action that must be announced, and a new user, for the sign-in form.
    """
    if req.method in SAFE_METHODS or resp.status_code >= 300:
        return
    document = resp.media
    properties = document.properties if isinstance(document, Document) else {}
    token = properties.get('token')
    if token:
        session_cookie(req).set(resp, str(token))
        req.is_session_invalid = False
    elif req.method == 'DELETE' and req.uri_template == urls.TOKENS:
        session_cookie(req).clear(resp)
    if req.submitted is None:
        if token:  # the cookie has the secret
            public = {name: value for name, value in properties.items() if name != 'token'}
            resp.media = replace(document, properties=public)
        return
    back = req.submitted.back
    if not back and resp.status_code == 201 and req.viewer is not None:
        back = str(resp.get_header('Location'))
    url = return_url(req, back)
    action = _ANNOUNCED.get((req.method, req.resource.operation_name))
    location = _announcing(url, action, properties.get('username'))
    resp.status, resp.media, resp.location = falcon.HTTP_303, None, location


def _announcing(url: str, action: str | None, name: object) -> str:
    """Return the URL of a page that announces the action, if any, and no earlier one."""
    parts = urlsplit(url)
    query = [pair for pair in parts.query.split('&') if pair.partition('=')[0] not in ('', DONE, USERNAME)]
    if action is not None:
        query.append(urlencode({DONE: action} | ({USERNAME: name} if name else {})))
    return parts._replace(query='&'.join(query)).geturl()
