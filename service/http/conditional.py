"""Preconditions of requests (RFC 9110 §13)."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TypeVar

import falcon

from service.database.pagination import InvalidCursor
from service.domain.errors import DomainError, Stale
from service.http.operation import SAFE_METHODS, Access
from service.http.request import Request
from service.http.selection import apply_selection
from service.representation.assembler import Assembler
from service.representation.document import Document
from service.representation.formats import Format, comparable_tag, formats_named_by, state_tag
from service.representation.parameter_values import InvalidParameter
from service.representation.query import Query

Record = TypeVar('Record')
CurrentTags = Callable[[Format], Iterable[str]]

NOT_MATCHED = ('The resource does not match If-Match.', 'If-Match')
_OPEN = (Access.ANYONE, Access.SHARED, Access.PUBLIC)
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*+(?:,|$)')


def parse_etags(header: str) -> tuple[list[str], list[str]]:
    """Return the strong and the weak tags of a list (RFC 9110 §8.8.3); invalid ones are skipped."""
    strong: list[str] = []
    weak: list[str] = []
    for is_weak, tag in _TAG.findall(header):
        (weak if is_weak else strong).append(tag)
    return strong, weak


def tag_viewer_id(req: Request) -> int | None:
    """Return the id of the viewer on whom entity tags depend; None if the response is the same for all."""
    return None if req.operation.access is Access.SHARED else req.viewer_id


def precondition(req: Request, represent: Assembler[Record]) -> Callable[[Record | None], None]:
    """Return a function that raises Stale for a record that does not meet If-Match and If-None-Match.

    It compares the tags with those of current responses to GET (RFC 9110 §13.1.1, §13.1.2) in the formats
    that the tags name, because a client may read in one media type and write in another. It also raises
    `req.deferred_error`.
    """

    def check(record: Record | None) -> None:
        def current_tags(format: Format) -> Iterator[str]:
            if record is not None:
                yield from _tags(req, represent(record, req.viewer, req.builder), format)

        _check(req, record is not None, current_tags)

    return check


def target_precondition(req: Request) -> Callable[..., None]:
    """Return a function that raises Stale unless the target's response to GET meets the preconditions.

    It also raises `req.deferred_error`.
    """

    def check(record: object = None) -> None:
        _check(req, 'GET' in req.resource.operations, partial(_target_tags, req))

    return check


def creation_check(req: Request) -> Callable[[], None] | None:
    """Return the precondition of a POST, to be checked again in its transaction; None if it has none."""
    has_precondition = 'HTTP_IF_MATCH' in req.env or 'HTTP_IF_NONE_MATCH' in req.env
    return target_precondition(req) if has_precondition else None


def check_if_match(req: Request, tag: str | None, document: Document | None) -> None:
    """Raise Stale unless If-Match matches the response, or another current representation of the target.

    `tag` and `document` are those of the response to GET, None if it has none.
    """

    def current_tags(format: Format) -> Iterator[str]:
        if tag is not None:
            yield comparable_tag(tag)
        if document is not None and format.dialect.names == req.format.dialect.names:
            yield from _tags(req, document, format)
        if document is not None and format is not req.format:
            yield from _target_tags(req, format)  # in the dialect of the format

    if_match = req.env.get('HTTP_IF_MATCH')
    if if_match is not None and not _matches(if_match, True, current_tags, weakly=False):
        raise Stale(*NOT_MATCHED)


def _check(req: Request, exists: bool, current_tags: CurrentTags) -> None:
    """Raise the deferred error of the request, if any, or Stale.

    Each write calls this after its target is found and permitted and its body is read, and before it takes
    effect.
    """
    if req.deferred_error is not None:
        raise req.deferred_error
    if_match, if_none_match = req.env.get('HTTP_IF_MATCH'), req.env.get('HTTP_IF_NONE_MATCH')
    if if_match is not None and not _matches(if_match, exists, current_tags, weakly=False):
        raise Stale(*NOT_MATCHED)
    if if_none_match is not None and _matches(if_none_match, exists, current_tags, weakly=True):
        raise Stale('The resource matches If-None-Match.', 'If-None-Match')


def _matches(header: str, exists: bool, current_tags: CurrentTags, *, weakly: bool) -> bool:
    if not exists or header.strip() == '*':
        return exists
    strong, weak = parse_etags(header)
    tags = {comparable_tag(tag) for tag in (strong + weak if weakly else strong)}
    return any(tag in tags for format in formats_named_by(tags) for tag in current_tags(format))


def _tags(req: Request, document: Document, format: Format) -> Iterator[str]:
    """Yield the tags of the whole document in the format, and of what this request selects of it."""
    yield state_tag(document, format, tag_viewer_id(req))
    selection = req.query.selection
    if document.selection != selection:
        with _asked_in(req, format, format.dialect.no_parameters._replace(selection=selection)):
            selected = apply_selection(req, document)
        yield state_tag(selected, format, tag_viewer_id(req))


def _target_tags(req: Request, format: Format) -> Iterator[str]:
    """Yield the tags of successful responses to GET of the target in the format.

    They are those with the query of the request, and for a write also those without a query.
    """
    get = req.resource.operations['GET']
    if req.viewer is None and get.access not in _OPEN:
        return
    queries = [] if req.params and req.method in SAFE_METHODS else [format.dialect.no_parameters]
    if req.params:
        with suppress(InvalidParameter):
            queries.append(format.dialect.read(req.params, get.query, req.related.kinds))
    for query in queries:
        document = _response_to_get(req, format, query)
        if document is not None:
            yield state_tag(document, format, tag_viewer_id(req))


def _response_to_get(req: Request, format: Format, query: Query) -> Document | None:
    """Return the document of a successful response to GET of the target, with this query."""
    resp = falcon.Response()
    with _asked_in(req, format, query), suppress(DomainError, InvalidCursor, InvalidParameter):
        req.resource.on_get(req, resp, **req.path_values)
        if isinstance(resp.media, Document):
            return apply_selection(req, resp.media)
    return None  # not found, or not for this viewer or with this query


@contextmanager
def _asked_in(req: Request, format: Format, query: Query) -> Iterator[None]:
    """Give the request another format and another query for a while."""
    asked = req.format, req.query
    req.format, req.query = format, query
    try:
        yield
    finally:
        req.format, req.query = asked
