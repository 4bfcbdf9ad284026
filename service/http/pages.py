"""HTML pages: the navigation around a document or a problem, and the sections below it."""

import dataclasses
import json

from service import urls
from service.http.browser import RETURN_FIELD, failed_form, return_url
from service.http.request import Request
from service.representation.document import Document
from service.representation.formats import FORMATS
from service.representation.html import Page, Source
from service.representation.media_types import HAL, HAL_FORMS, JSON_API
from service.representation.problem import Problem

_SOURCES = {'hal': ('HAL', HAL), 'hal-forms': ('HAL-FORMS', HAL_FORMS), 'json-api': ('JSON:API', JSON_API)}
_RETRIED = frozenset((400, 401, 409, 429, 503))  # statuses of problems for which a form can be sent again


def page_of(req: Request, content: Document | Problem, *, is_public: bool) -> Page:
    """Return the page; a public page is the same for everybody."""
    # A server error may come from the entry point itself.
    is_server_error = isinstance(content, Problem) and content.status >= 500
    home = None if is_public or is_server_error else req.page_parts.home(req.viewer, req.builder)
    base = req.builder.path
    if isinstance(content, Problem):
        form = failed_form(req) if content.status in _RETRIED else None
        return Page(content, home, form, _back(req), base=base)
    source = _SOURCES.get(str(req.params.get('as'))) if home is not None and req.params else None
    if source is not None:
        return Page(content, home, source=_source(content, *source), base=base, document=content)
    return Page(_with_sections(req, content), home, base=base, document=content)


def _back(req: Request) -> str:
    """Return the URL to which a form on the page of a problem leads back."""
    if req.submitted is not None:
        return return_url(req, req.submitted.fields.get(RETURN_FIELD))
    url = req.builder.origin + req.path + (f'?{req.query_string}' if req.query_string else '')
    return url if req.method == 'GET' else req.builder.origin + urls.ENTRY


def _source(document: Document, name: str, media_type: str) -> Source:
    data = json.loads(FORMATS[media_type].render(document))
    return Source(name, media_type, json.dumps(data, indent=2, ensure_ascii=False))


def _with_sections(req: Request, document: Document) -> Document:
    """Return the document with the related documents that its page shows below it."""
    display = document.display
    if display is None or not display.includes or document.is_collection or req.viewer is None:
        return document
    embedded = dict(document.embedded)
    for rel in display.includes:
        expand = req.page_parts.sections.get((document.kind, rel))
        if expand is not None and rel in document.links:
            key = int(document.id) if document.id and document.id.isdigit() else req.viewer.user_id
            embedded[rel] = expand(req, (key,), req.query.first_page())[key]
    return dataclasses.replace(document, embedded=embedded)
