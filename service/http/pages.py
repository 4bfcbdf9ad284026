"""HTML pages: a document or a problem with what its page shows around it."""

import json
import re
from dataclasses import replace
from functools import lru_cache

from service import urls
from service.database.errors import Unavailable
from service.domain.users import MAX_USERNAME_LENGTH, USERNAME_PATTERN
from service.domain.viewer import Viewer
from service.http.browser import DONE, RETURN_FIELD, USERNAME, failed_form, find_session, return_url
from service.http.cache_control import PRIVATE
from service.http.operation import Access
from service.http.request import Home, Request
from service.http.selection import find_related
from service.representation.document import Document
from service.representation.formats import FORMATS, entity_tag
from service.representation.html import Page, Site, Source, hints, sign_in_form
from service.representation.media_types import HAL, HAL_FORMS, JSON_API
from service.representation.problem import Problem
from service.representation.query_parameters import JSON_API_SOURCE_DIALECT, Dialect
from service.representation.url_builder import UrlBuilder

MAX_SITES = 256  # viewers whose header is cached
_SOURCES = {'hal': ('HAL', HAL), 'hal-forms': ('HAL-FORMS', HAL_FORMS), 'json-api': ('JSON:API', JSON_API)}
# Statuses of problems whose pages keep the submitted form, so that it can be sent again, or its text copied.
_RETRIED = frozenset((400, 401, 403, 404, 409, 412, 429, 503))


def page_of(req: Request, content: Document | Problem, link: str | None, *, is_public: bool) -> Page:
    """Return the page; a public page is the same for all viewers. `link` is the response's Link header."""
    site = None if is_public else _site_around(req, content)
    base = req.builder.path
    if isinstance(content, Problem):
        form = failed_form(req) if content.status in _RETRIED else None
        notice = _session_notice(req, content)
        return Page(content, site, form=form, back=_back(req), base=base, notice=notice)
    source = _SOURCES.get(str(req.params.get('as'))) if site is not None and req.params else None
    if source is not None:
        return Page(content, site, source=_source(req, content, link, *source), base=base)
    notice = hints(content).action(str(req.params.get(DONE))).outcome if req.params else ''
    if notice:
        content = _with_username(content, req.params.get(USERNAME))
    return Page(content, site, _related(req, content), base=base, notice=notice)


def page_dialect(req: Request) -> Dialect:
    """Return the dialect of the document of a page: that of JSON:API if the page shows such a response."""
    return JSON_API_SOURCE_DIALECT if req.params.get('as') == 'json-api' else req.format.dialect


def _site_around(req: Request, content: Document | Problem) -> Site | None:
    """Return the site as the viewer of the page sees it; None after a server error.

    A problem may have occurred before the session was looked up, e.g. because no route matched. If the lookup
    fails, the result is None, too.
    """
    if isinstance(content, Problem):
        if content.status >= 500:  # which representing the entry point may have caused
            return None
        if req.operation.access is not Access.SECRET:
            try:
                find_session(req)
            except Unavailable:
                return None
    return _site(req.home, req.viewer, req.builder, req.db.settings.token_lifetime)


@lru_cache(maxsize=MAX_SITES)
def _site(home: Home, viewer: Viewer | None, builder: UrlBuilder, token_lifetime: int) -> Site:
    return Site(home(viewer, builder), viewer and viewer.user_id, token_lifetime)


def _with_username(document: Document, name: object) -> Document:
    """Return the document with the user name as a value of its sign-in form, if it has one."""
    if not isinstance(name, str) or len(name) > MAX_USERNAME_LENGTH:
        return document
    if not re.fullmatch(USERNAME_PATTERN, name):
        return document
    sign_in = sign_in_form(document)
    forms = (replace(form, values={'username': name}) if form is sign_in else form for form in document.forms)
    return replace(document, forms=tuple(forms))


def _session_notice(req: Request, problem: Problem) -> str:
    """Return the notice that a form was submitted without a session, or an empty string."""
    is_needed = problem.status == 401 and req.submitted and req.operation.access is not Access.CREDENTIALS
    if not is_needed:
        return ''
    cause = 'Your session has ended.' if req.is_session_invalid else 'You are not signed in.'
    text = ' Your text is kept below.' if failed_form(req) else ''
    return f'{cause} Nothing has been published or changed.{text}'


def _back(req: Request) -> str:
    """Return the URL to which a form on the page of a problem leads back."""
    if req.submitted is not None:
        return return_url(req, req.submitted.fields.get(RETURN_FIELD))
    url = req.builder.origin + req.path + (f'?{req.query_string}' if req.query_string else '')
    return url if req.method in ('GET', 'HEAD') else req.builder.origin + urls.ENTRY


def _source(req: Request, document: Document, link: str | None, name: str, media_type: str) -> Source:
    """Return the response to a client that sends the session's token and accepts this media type only."""
    format = FORMATS[media_type]
    body = format.render(document)
    headers = {
        'Content-Type': media_type,
        'Cache-Control': PRIVATE,
        'ETag': entity_tag(body, format, req.viewer_id),
    }
    headers |= {'Link': link} if link else {}
    return Source(name, headers, json.dumps(json.loads(body), indent=2, ensure_ascii=False))


def _related(req: Request, document: Document) -> dict[str, Document]:
    """Return the related documents that the page of a single document shows, by relation."""
    display = document.display
    if display is None or document.is_collection or req.viewer is None:
        return {}
    rels = (*(display.includes or ()), *(link.rel for link in display.links))
    targets = {rel: find_related(req, [document], rel) for rel in rels if document.href_of(rel)}
    return {rel: target for rel, documents in targets.items() for target in documents.values()}
