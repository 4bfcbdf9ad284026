"""Preconditions of requests (RFC 9110 §13), and the values of Cache-Control."""

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from service.domain.errors import Stale
from service.http.pages import page_of
from service.http.request import Request
from service.http.selection import apply_selection
from service.representation.assembler import Assembler
from service.representation.document import Document
from service.representation.formats import Format, entity_tag, formats_named_by
from service.representation.html import render_page
from service.representation.media_types import HTML

Thing = TypeVar('Thing')

NO_STORE = 'no-store'
PRIVATE = 'private, no-cache'
PUBLIC = 'public, max-age=3600'
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*+(?:,|$)')


def parse_etags(header: str) -> tuple[list[str], list[str]]:
    """Return the strong and the weak tags of a list (RFC 9110 §8.8.3); what is no tag is passed over."""
    strong: list[str] = []
    weak: list[str] = []
    for is_weak, tag in _TAG.findall(header):
        (weak if is_weak else strong).append(tag)
    return strong, weak


def precondition(req: Request, represent: Assembler[Thing]) -> Callable[[Thing | None], None]:
    """Return what raises Stale for a thing that does not meet the request's If-Match and If-None-Match.

    It compares with the strong validators of what GET would answer now (RFC 9110 §13.1.1, §13.1.2) in the
    formats that the tags name: a client that got the thing in one media type may write in another.
    """
    if_match, if_none_match = req.env.get('HTTP_IF_MATCH'), req.env.get('HTTP_IF_NONE_MATCH')

    def check(thing: Thing | None) -> None:
        if if_match is not None and not matches(if_match, thing, weakly=False):
            raise Stale('It is not what If-Match says.')
        if if_none_match is not None and matches(if_none_match, thing, weakly=True):
            raise Stale('It is what If-None-Match says it must not be.')

    def matches(header: str, thing: Thing | None, *, weakly: bool) -> bool:
        if thing is None or header.strip() == '*':
            return thing is not None
        strong, weak = parse_etags(header)
        tags = strong + weak if weakly else strong
        formats = formats_named_by(tags)
        if not formats:
            return False
        document = represent(thing, req.viewer, req.builder)
        return any(tag in tags for format in formats for tag in _current_tags(req, document, format))

    return check


def _current_tags(req: Request, document: Document, format: Format) -> Iterator[str]:
    """Yield the tag of the document in the format, and that of what this request selects of it."""
    viewer_id = req.viewer.user_id if req.viewer else None
    if format.media_type == HTML:
        page = page_of(req, document, is_public=False)
        yield entity_tag(render_page(page).encode(), format, viewer_id)
        return
    yield entity_tag(format.render(document), format, viewer_id)
    if format is req.format and document.selection != req.query.selection:
        yield entity_tag(format.render(apply_selection(req, document)), format, viewer_id)
