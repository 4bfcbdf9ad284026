"""The presenter: the one pipeline that turns what a responder left into the HTTP response."""

from typing import Any

import falcon

from service.http.browser import complete_browser_response
from service.http.conditional import NO_STORE, PRIVATE, PUBLIC, parse_etags
from service.http.errors import problem_of, write_problem
from service.http.operation import Access
from service.http.pages import page_of
from service.http.request import Request
from service.http.selection import apply_selection
from service.representation.document import Document, Link
from service.representation.formats import entity_tag, format_for
from service.representation.media_types import HTML
from service.representation.problem import Problem

_PAGES = ('self', 'first', 'prev', 'next', 'last')


class PresenterMiddleware:
    """Presents every response once: one to an idempotency key is presented when it is made, then stored."""

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Present the response unless it is complete; one that cannot be presented becomes a problem."""
        if resp.complete:
            return
        try:
            present(req, resp)
        except Exception as error:
            write_problem(req, resp, problem_of(error, req))
            present(req, resp)


def present(req: Request, resp: falcon.Response) -> None:
    """Complete the response in this order, for each step relies on those before it."""
    _select(req, resp)
    _label(req, resp)
    complete_browser_response(req, resp)
    _link(req, resp)
    _surround(req, resp)
    _validate(req, resp)


def _select(req: Request, resp: falcon.Response) -> None:
    """Include the documents, and leave the fields, that the query asks for (JSON:API 1.1 §6.3, §6.4)."""
    if isinstance(resp.media, Document) and resp.media.selection != req.query.selection:
        resp.media = apply_selection(req, resp.media)


def _label(req: Request, resp: falcon.Response) -> None:
    """Set Content-Type, Vary (RFC 9110 §12.5.5), and the status that the format has for POST and DELETE."""
    if isinstance(resp.media, Document):
        req.format = format_for(resp.media, req.format, req.env.get('HTTP_ACCEPT'))
        resp.content_type = req.format.content_type
        if req.format.post_creates and req.method == 'POST' and not resp.media.is_collection:
            resp.status, resp.location = falcon.HTTP_201, resp.media.href
    elif req.format.empty_body and req.method == 'DELETE' and resp.status_code == 204:
        resp.status, resp.data = falcon.HTTP_200, req.format.empty_body
        resp.content_type = req.format.content_type
    is_public = (resp.get_header('Cache-Control') or '').startswith('public')
    depends_on_user = req.operation.access is not Access.PUBLIC and not is_public
    vary = 'Accept, Authorization' if depends_on_user else 'Accept'
    is_page = req.format.media_type == HTML or (resp.content_type or '').startswith(HTML)
    resp.set_header('Vary', f'{vary}, Cookie' if depends_on_user and is_page else vary)


def _link(req: Request, resp: falcon.Response) -> None:
    """Repeat the links between the pages of a collection in the Link header (RFC 8288)."""
    if isinstance(resp.media, Document) and resp.media.meta:
        links = ((rel, resp.media.links.get(rel)) for rel in _PAGES)
        fields = (f'<{link.href}>; rel="{rel}"' for rel, link in links if isinstance(link, Link))
        resp.append_header('Link', ', '.join(fields))


def _surround(req: Request, resp: falcon.Response) -> None:
    """Put what is shown to people into its page, with the navigation of the viewer."""
    is_page = (resp.content_type or '').startswith(HTML)
    if is_page and isinstance(resp.media, (Document, Problem)):
        is_public = 'Cookie' not in (resp.get_header('Vary') or '')
        resp.media = page_of(req, resp.media, is_public=is_public)


def _validate(req: Request, resp: falcon.Response) -> None:
    """Set Cache-Control and ETag, and answer 304 to a client that has this representation (RFC 9110 §13.1.2).

    It renders the body, so that what cannot be rendered still becomes a problem.
    """
    cache_control = resp.get_header('Cache-Control')
    if cache_control is None:
        is_redirect = resp.status_code == 308  # the same for everybody, and without a validator
        cache_control = PUBLIC if is_redirect else PRIVATE if resp.status_code < 400 else NO_STORE
        resp.set_header('Cache-Control', cache_control)
    body = resp.render_body()
    if cache_control == NO_STORE or resp.status_code >= 300 or not body:
        return
    tag = entity_tag(body, req.format, req.viewer.user_id if req.viewer else None)
    resp.set_header('ETag', tag)
    if_none_match = req.env.get('HTTP_IF_NONE_MATCH')
    if if_none_match is not None and req.method in ('GET', 'HEAD') and resp.status_code == 200:
        strong, weak = parse_etags(if_none_match)
        if if_none_match.strip() == '*' or tag in strong or tag in weak:
            resp.status = falcon.HTTP_304
            resp.media = resp.data = None
            resp.delete_header('Content-Type')
