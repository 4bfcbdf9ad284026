"""Content negotiation (RFC 9110 §12): choosing the format of a request, and presenting the response in it."""

from typing import Any

import falcon

from service.http.errors import problem_of, write_problem
from service.http.invalid_header import InvalidHeader
from service.http.operation import SAFE_METHODS, Formats
from service.http.pages import page_dialect
from service.http.presenter import present, set_rate_limit_headers
from service.http.request import Related, Request
from service.http.request_body import read_parameters
from service.http.selection import check_size
from service.representation.formats import available_media_types, choose_format
from service.representation.media_types import HTML
from service.representation.parameter_values import InvalidParameter
from service.representation.strict_input import MalformedBody


class NegotiationMiddleware:
    """Chooses the format by Accept and parses the query, before any work is done; then presents the response.

    `related` finds documents to include.
    """

    def __init__(self, related: Related) -> None:
        self._related = related

    def process_resource(
        self, req: Request, resp: falcon.Response, resource: Any, params: dict[str, Any]
    ) -> None:
        """Set `req.format` and `req.query`, or `req.deferred_error`; raises HTTPNotAcceptable.

        An operation that negotiates itself, or has one representation, is skipped.
        """
        operation = req.operation
        if operation.formats not in (Formats.DOCUMENT, Formats.RELATIONSHIP):
            return
        linkage = operation.is_relationship
        chosen = choose_format(req.env.get('HTTP_ACCEPT'), req.env.get('CONTENT_TYPE'), linkage=linkage)
        if chosen is None:
            raise falcon.HTTPNotAcceptable(
                description=f'Available media types: {", ".join(available_media_types(linkage=linkage))}.'
            )
        req.format = chosen
        req.related = self._related
        req.query = chosen.dialect.no_parameters
        try:
            _read_query(req)
        except (falcon.HTTPError, InvalidHeader, InvalidParameter, MalformedBody) as error:
            req.deferred_error = error

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Present the response unless it is a replay; one that cannot be presented becomes a problem."""
        if not resp.complete:
            try:
                present(req, resp)
            except Exception as error:
                write_problem(req, resp, problem_of(error, req))
                present(req, resp)
        set_rate_limit_headers(req, resp)


def _read_query(req: Request) -> None:
    if req.method == 'QUERY':
        req.queried = read_parameters(req)
    params = req.params
    if params:
        dialect = page_dialect(req) if req.format.media_type == HTML else req.format.dialect
        req.query = dialect.read(params, req.operation.query, req.related.kinds)
        if req.method not in SAFE_METHODS:
            check_size(req)
