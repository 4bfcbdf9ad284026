"""Which representation a request gets, decided before any work is done (RFC 9110 §12)."""

from typing import Any

import falcon

from service import urls
from service.http.operation import Formats
from service.http.request import Request
from service.representation.document import Document
from service.representation.formats import choose_format, format_for, offered


class NegotiationMiddleware:
    """Chooses the format by the Accept header, or refuses with 406; says what the choice depended on.

    An operation whose formats are its own, or fixed, has none to choose here.
    """

    def process_resource(
        self, req: Request, resp: falcon.Response, resource: Any, params: dict[str, Any]
    ) -> None:
        """Set `req.format`; raises HTTPNotAcceptable."""
        if req.operation.formats not in (Formats.DOCUMENT, Formats.RELATIONSHIP):
            return
        linkage = req.operation.is_relationship
        chosen = choose_format(req.env.get('HTTP_ACCEPT'), req.sent, linkage=linkage)
        if chosen is None:
            raise falcon.HTTPNotAcceptable(
                description=f'The media types that can be had are {", ".join(offered(linkage=linkage))}.'
            )
        req.format = chosen

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Label the document with its media type, and set Vary (RFC 9110 §12.5.5)."""
        if isinstance(resp.media, Document):
            req.format = format_for(resp.media, req.format, req.env.get('HTTP_ACCEPT'))
            resp.content_type = req.format.content_type
            if req.format.says_created and req.method == 'POST' and not resp.media.is_collection:
                resp.status, resp.location = falcon.HTTP_201, resp.media.href
        elif req.format.nothing and req.method == 'DELETE' and resp.status_code == 204:
            resp.status, resp.data = falcon.HTTP_200, req.format.nothing
            resp.content_type = req.format.content_type
        resp.append_header('Vary', 'Accept')
        if urls.is_api(req.uri_template) and not (resp.get_header('Cache-Control') or '').startswith(
            'public'
        ):
            resp.append_header('Vary', 'Authorization')
