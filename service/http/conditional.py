"""Preconditions of requests (RFC 9110 §13), and the values of Cache-Control."""

import re
from collections.abc import Callable
from typing import TypeVar

from service.domain.errors import Stale
from service.domain.viewer import Viewer
from service.http.request import Request
from service.http.selection import apply_selection
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.representation.formats import FORMATS, entity_tag

Thing = TypeVar('Thing')
Represent = Callable[[Thing, Viewer | None, AddressBook], Document]

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


def precondition(req: Request, represent: Represent[Thing]) -> Callable[[Thing | None], None]:
    """Return what raises Stale for a thing that is not what the request's If-Match and If-None-Match say.

    It compares with the strong validators of what GET would answer now in any format (RFC 9110 §13.1.1,
    §13.1.2): a client that got the thing in one media type may write in another.
    """
    wanted, unwanted = req.env.get('HTTP_IF_MATCH'), req.env.get('HTTP_IF_NONE_MATCH')

    def check(thing: Thing | None) -> None:
        if wanted is not None and not matches(wanted, thing, weakly=False):
            raise Stale('It is not what If-Match says.')
        if unwanted is not None and matches(unwanted, thing, weakly=True):
            raise Stale('It is what If-None-Match says it must not be.')

    def matches(header: str, thing: Thing | None, *, weakly: bool) -> bool:
        if thing is None:
            return False
        if header.strip() == '*':
            return True
        strong, weak = parse_etags(header)
        tags = strong + weak if weakly else strong
        viewer_id = req.viewer.user_id if req.viewer else None
        document = represent(thing, req.viewer, req.book)
        answers = [(format, document) for format in FORMATS.values()]
        if (asked := apply_selection(req, document)) is not document:
            answers.append((req.format, asked))
        return bool(tags) and any(
            entity_tag(format.render(answer), format, viewer_id) in tags for format, answer in answers
        )

    return check
