"""Post, redirect, get: a browser that posts a form is sent on to a page (RFC 9110 §15.4.4)."""

from typing import Any

import falcon

from service import urls
from service.http.request import Request
from service.representation.media_types import FORM, HTML, parse_media_type


class SeeOtherMiddleware:
    """Answers 303 instead of 201 to a form that a page posted without its script."""

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Lead to what is new, or to the entry point who is not signed in and could not read it."""
        if resp.status_code != 201 or req.format.media_type != HTML:
            return
        media_type = parse_media_type(req.env.get('CONTENT_TYPE') or '')
        if media_type is None or media_type.name != FORM:
            return
        resp.status = falcon.HTTP_303
        resp.media = None
        if req.viewer is None:
            resp.location = req.book.href(urls.ENTRY)
