"""Browser sessions: forms that name their method, and authentication by cookie."""

from typing import Any

import falcon

from service.domain.errors import Forbidden
from service.http.browser import (
    METHOD_FIELD,
    RETURN_FIELD,
    find_session,
    is_from_our_pages,
    read_session,
    renew_session,
    session_cookie,
)
from service.http.operation import SAFE_METHODS, Access
from service.http.request import Request, SubmittedForm
from service.http.request_body import read_bytes
from service.representation.formats import choose_format
from service.representation.media_types import FORM, HTML, parse_media_type
from service.representation.strict_input import MalformedBody, parse_form

_METHODS = frozenset(('PUT', 'PATCH', 'DELETE'))
_WITHOUT_SESSION = (Access.PUBLIC, Access.SHARED, Access.SECRET)


class BrowserSessionMiddleware:
    """Reads `_method` of forms before routing, and accepts the session cookie if the format is HTML.

    With the cookie, only our own pages may send unsafe methods. A sign-in is rejected if the browser says
    that a page of another site sent it.
    """

    def process_request(self, req: Request, resp: falcon.Response) -> None:
        """Set `req.submitted` and the method that the form names."""
        if req.method != 'POST' or not _is_form(req) or not _is_html(req):
            return
        try:
            data = read_bytes(req)
            fields = None if data is None else parse_form(data)
        except MalformedBody:
            fields = None
        if fields is None:
            return  # reported when the responder reads the body
        req.submitted = SubmittedForm(req.builder.origin + req.path, fields, fields.get(RETURN_FIELD, ''))
        if fields.get(METHOD_FIELD) in _METHODS:
            req.method = fields[METHOD_FIELD]

    def process_resource(
        self, req: Request, resp: falcon.Response, resource: Any, params: dict[str, Any]
    ) -> None:
        """Set `req.viewer` from the cookie; raises Forbidden for a request from another site."""
        access = req.operation.access
        # Our pages must not offer what another site filled in. Pages with a secret in the URL send no Origin.
        if req.submitted and access is not Access.SECRET and not is_from_our_pages(req, default=True):
            req.submitted = None
        if access in _WITHOUT_SESSION or 'HTTP_AUTHORIZATION' in req.env or not _is_html(req):
            return
        token = read_session(req)
        is_guarded = req.method not in SAFE_METHODS and (token or access is Access.CREDENTIALS)
        if is_guarded and not is_from_our_pages(req, default=token is None):
            req.submitted = None
            raise Forbidden('The request comes from a page of another site.')
        find_session(req)

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Clear a cookie with an invalid token.

        After a submitted form, renew the session, so that a session in use also lasts without scripts.
        """
        if req.is_session_invalid:
            session_cookie(req).clear(resp)
        is_form_done = resp.status_code == 303 and req.operation.access is not Access.CREDENTIALS
        if is_form_done and req.viewer is not None and req.credentials.value == read_session(req):
            renew_session(req, resp)


def _is_form(req: Request) -> bool:
    media_type = parse_media_type(req.env.get('CONTENT_TYPE') or '')
    return media_type is not None and media_type.name == FORM


def _is_html(req: Request) -> bool:
    chosen = choose_format(req.env.get('HTTP_ACCEPT'), req.body_content_type)
    return chosen is not None and chosen.media_type == HTML
