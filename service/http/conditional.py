"""Validators and preconditions: ETag, 304 and 412 (RFC 9110 §8.8.3, §13), and what caches may keep."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import falcon

from service.domain.errors import Stale
from service.domain.viewer import Viewer
from service.http.middleware.query_parameters import as_asked
from service.http.request import Request
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.representation.formats import FORMATS, entity_tag

Thing = TypeVar('Thing')
Represent = Callable[[Thing, Viewer | None, AddressBook], Document]

NO_STORE = 'no-store'
PRIVATE = 'private, no-cache'
PUBLIC = 'public, max-age=3600'
_KEEPING = {308: PUBLIC}  # a permanent redirect is the same for everybody, and has no validator
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*+(?:,|$)')


def read_tags(header: str) -> tuple[list[str], list[str]]:
    """Return the strong and the weak tags of a list (RFC 9110 §8.8.3); what is no tag is passed over."""
    strong: list[str] = []
    weak: list[str] = []
    for is_weak, tag in _TAG.findall(header):
        (weak if is_weak else strong).append(tag)
    return strong, weak


class ConditionalMiddleware:
    """Gives every representation its ETag and its Cache-Control, and answers 304 to who has it already."""

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Tag what succeeded and may be kept; for GET and HEAD compare the tag (RFC 9110 §13.1.2)."""
        keeping = resp.get_header('Cache-Control')
        if keeping is None:
            keeping = _KEEPING.get(resp.status_code, PRIVATE if resp.status_code < 400 else NO_STORE)
            resp.set_header('Cache-Control', keeping)
        body = resp.render_body()  # here what cannot be rendered still becomes an answer
        if keeping == NO_STORE or resp.status_code >= 300 or not body:
            return
        tag = entity_tag(body, req.format, req.viewer.user_id if req.viewer else None)
        resp.set_header('ETag', tag)
        known = req.env.get('HTTP_IF_NONE_MATCH')
        if known is not None and req.method in ('GET', 'HEAD') and resp.status_code == 200:
            strong, weak = read_tags(known)
            if known.strip() == '*' or tag in strong or tag in weak:
                resp.status = falcon.HTTP_304
                resp.media = resp.data = None
                resp.delete_header('Content-Type')


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
        strong, weak = read_tags(header)
        tags = strong + weak if weakly else strong
        viewer_id = req.viewer.user_id if req.viewer else None
        document = represent(thing, req.viewer, req.book)
        answers = [(format, document) for format in FORMATS.values()]
        if (asked := as_asked(req, document)) is not document:
            answers.append((req.format, asked))
        return bool(tags) and any(
            entity_tag(format.render(answer), format, viewer_id) in tags for format, answer in answers
        )

    return check
