"""The presenter: the pipeline that turns the result of a responder into the HTTP response."""

import falcon

from service.domain.rate_limits import Quotas
from service.domain.throttle import address_subjects, find_quotas
from service.http.browser import complete_browser_response
from service.http.cache_control import NO_STORE, PRIVATE, PUBLIC, is_public
from service.http.conditional import check_if_match, parse_etags, tag_viewer_id
from service.http.content_coding import is_compressed
from service.http.operation import SAFE_METHODS, Access
from service.http.pages import page_of
from service.http.preferences import prefers_minimal
from service.http.request import Request
from service.http.selection import apply_selection
from service.representation.document import Document, Link
from service.representation.formats import coded_tag, entity_tag, format_for, page_tag
from service.representation.html import Page
from service.representation.media_types import HTML
from service.representation.problem import Problem
from service.representation.query import PAGE_RELATIONS

RETRIEVAL_METHODS = ('GET', 'HEAD', 'QUERY')
_LINKED = ('self', *PAGE_RELATIONS)


def present(req: Request, resp: falcon.Response) -> None:
    """Complete the response; each step relies on those before it.

    A response to an Idempotency-Key is presented before it is stored, and not again when it is replayed.
    """
    document = _select(req, resp)
    _label(req, resp, document)
    if req.format.media_type == HTML:
        complete_browser_response(req, resp)
        document = _document_of(resp)
    if document is not None:
        _locate(req, resp, document)
        _link(resp, document)
    _surround(req, resp)
    _validate(req, resp, document)
    _minimize(req, resp)


def _document_of(resp: falcon.Response) -> Document | None:
    media = resp.media
    return media if isinstance(media, Document) else None


def _select(req: Request, resp: falcon.Response) -> Document | None:
    """Include the documents, and keep only the fields, that the query requests (JSON:API 1.1 §8.3, §8.4).

    Returns the document of the response, if it has one. Raises `req.deferred_error`.
    """
    document = _document_of(resp)
    if document is None:
        return None
    if req.deferred_error is not None:
        raise req.deferred_error
    if document.selection != req.query.selection:
        resp.media = document = apply_selection(req, document)
    return document


def _label(req: Request, resp: falcon.Response, document: Document | None) -> None:
    """Set Content-Type, Vary (RFC 9110 §12.5.5), and the format's own status for POST and DELETE."""
    if document is not None:
        req.format = format_for(document, req.format, req.env.get('HTTP_ACCEPT'))
        resp.content_type = req.format.content_type
        if req.format.post_creates and req.method == 'POST' and not document.is_collection:
            resp.status, resp.location = falcon.HTTP_201, document.href
    elif req.format.empty_body and req.method == 'DELETE' and resp.status_code == 204:
        resp.status, resp.data = falcon.HTTP_200, req.format.empty_body
        resp.content_type = req.format.content_type
    is_page = req.format.media_type == HTML or (resp.content_type or '').startswith(HTML)
    has_viewer = req.operation.access is not Access.PUBLIC or (is_page and isinstance(resp.media, Problem))
    depends_on_user = has_viewer and not is_public(resp)
    accept = req.env.get('HTTP_ACCEPT') or '*'  # with wildcards alone, the Content-Type selects the format
    vary = 'Accept, Content-Type' if '*' in accept else 'Accept'
    if depends_on_user:
        vary += ', Authorization'
    resp.set_header('Vary', f'{vary}, Cookie' if depends_on_user and is_page else vary)


def _locate(req: Request, resp: falcon.Response, document: Document) -> None:
    """Set Content-Location of a response to PUT, PATCH or QUERY that has a document (RFC 9110 §8.7)."""
    if req.method in ('PUT', 'PATCH', 'QUERY') and resp.status_code == 200:
        # The URL of a collection has its selection already.
        selected = '' if document.is_collection else document.selection.query
        resp.set_header('Content-Location', document.href + selected)


def _link(resp: falcon.Response, document: Document) -> None:
    """Repeat the links between the pages of a collection in the Link header (RFC 8288)."""
    if document.meta:
        links = ((rel, document.links.get(rel)) for rel in _LINKED)
        fields = (f'<{link.href}>; rel="{rel}"' for rel, link in links if isinstance(link, Link))
        resp.append_header('Link', ', '.join(fields))


def _surround(req: Request, resp: falcon.Response) -> None:
    """Put a document or a problem into its HTML page, with the navigation of the viewer."""
    is_page = (resp.content_type or '').startswith(HTML)
    if is_page and isinstance(resp.media, (Document, Problem)):
        depends_on_user = 'Cookie' in (resp.get_header('Vary') or '')
        resp.media = page_of(req, resp.media, resp.get_header('Link'), is_public=not depends_on_user)


def _validate(req: Request, resp: falcon.Response, document: Document | None) -> None:
    """Set Cache-Control and ETag, and evaluate the preconditions of safe methods (RFC 9110 §13.2.2).

    It renders the body, so that rendering errors still become problems.
    """
    cache_control, status = resp.get_header('Cache-Control'), resp.status_code
    if cache_control is None:
        is_redirect = status == 308  # the same for all clients, and without a validator
        cache_control = PUBLIC if is_redirect else PRIVATE if status < 400 else NO_STORE
        resp.set_header('Cache-Control', cache_control)
    body = resp.render_body() or b''
    if status >= 300:
        return
    tag = resp.get_header('ETag')
    if cache_control != NO_STORE and body and _has_validator(req, resp, document):
        viewer_id = tag_viewer_id(req)
        if document is not None and isinstance(resp.media, Page):
            tag = page_tag(body, document, viewer_id)
        else:
            tag = entity_tag(body, req.format, viewer_id)
        resp.set_header('ETag', tag)
    if req.method in RETRIEVAL_METHODS:
        if 'HTTP_IF_MATCH' in req.env:
            check_if_match(req, tag, document)
        _respond_not_modified(
            req, resp, tag, is_coded=is_compressed(body, req.env.get('HTTP_ACCEPT_ENCODING'))
        )


def _has_validator(req: Request, resp: falcon.Response, document: Document | None) -> bool:
    """Return whether the body is what a GET responds with, so that the response has its validator.

    After a PUT, what is stored may differ from what was sent (RFC 9110 §9.3.4). A 201 has the representation
    of the new resource, but only without a selection (§15.3.2). After a DELETE, only relationships have one.
    """
    if req.method == 'DELETE':
        return document is not None
    is_selected = document is not None and bool(document.selection.query)
    return req.method != 'PUT' and not (resp.status_code == 201 and is_selected)


def _respond_not_modified(req: Request, resp: falcon.Response, tag: str | None, *, is_coded: bool) -> None:
    """Respond with 304 if the client has the representation, in a coding that it accepts."""
    if_none_match = req.env.get('HTTP_IF_NONE_MATCH')
    if if_none_match is None or tag is None or resp.status_code != 200:
        return
    strong, weak = parse_etags(if_none_match)
    current = [coded_tag(tag), tag] if is_coded else [tag]
    is_any = if_none_match.strip() == '*'
    matching = next((candidate for candidate in current if is_any or candidate in (*strong, *weak)), None)
    if matching is None:
        return
    resp.status, resp.media, resp.data = falcon.HTTP_304, None, None
    resp.set_header('ETag', matching)
    resp.delete_header('Content-Type')


def _minimize(req: Request, resp: falcon.Response) -> None:
    """Omit the content if the client prefers that (RFC 7240 §4.2), but never the secret of a token."""
    is_write = req.method not in SAFE_METHODS and req.operation.access is not Access.CREDENTIALS
    if not is_write or resp.status_code not in (200, 201, 204):
        return
    prefer = req.env.get('HTTP_PREFER')
    if prefer is None or not prefers_minimal(prefer):
        return
    if resp.status_code == 200:
        resp.status = falcon.HTTP_204
    resp.media, resp.data = None, None
    for name in ('Content-Type', 'Content-Location'):
        resp.delete_header(name)
    resp.set_header('Preference-Applied', 'return=minimal')


def set_rate_limit_headers(req: Request, resp: falcon.Response) -> None:
    """Set RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11).

    The quotas are those that the responder read, or else those of the client's IP address. They
    are not part of a stored response: a replayed one has the current quotas.
    """
    if resp.status_code >= 500:
        return
    quotas, limits = req.quotas, req.operation.limits
    if limits and not quotas:
        quotas = find_quotas(req.db, address_subjects(limits, req.client_address))
    if quotas:
        resp.set_headers(_rate_limit_headers(quotas))


def _rate_limit_headers(quotas: Quotas) -> dict[str, str]:
    """Return the fields of the quotas, which are lists of strings with parameters (RFC 9651 §3.1)."""
    policies, limits = [], []
    for name, (limit, remaining, seconds) in quotas.items():
        policies.append(f'"{name}";q={limit.attempts};w={limit.seconds}')
        limits.append(f'"{name}";r={remaining}' + (f';t={seconds}' if seconds else ''))
    return {'RateLimit-Policy': ', '.join(policies), 'RateLimit': ', '.join(limits)}
