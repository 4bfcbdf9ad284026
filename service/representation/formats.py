"""The supported media types in order of preference, and their falcon media handlers."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple, NoReturn, TypeVar

import orjson
from falcon.media import BaseHandler

from service.representation.cursor_pagination import (
    PROFILES,
    cursor_pagination,
    cursor_pagination_errors,
    profiled_type,
    requested_profile,
)
from service.representation.document import Document
from service.representation.hal import to_json
from service.representation.hal_forms import hal_forms_members
from service.representation.html import Page, render_page
from service.representation.json_api import NOTHING, json_api, json_api_errors
from service.representation.media_types import (
    HAL,
    HAL_FORMS,
    HTML,
    JSON,
    JSON_API,
    MAX_FIELD_LENGTH,
    PROBLEM,
    MediaType,
    Offer,
    cached_by_header,
    choose,
    is_only_modified,
    parse_accept,
    parse_media_type,
)
from service.representation.problem import Problem, problem_details, simple_error
from service.representation.query_parameters import HAL_DIALECT, JSON_API_DIALECT, Dialect

T = TypeVar('T')


class Format(NamedTuple):
    """A media type: how documents and problems are rendered in it, and how it changes responses.

    Entity tags begin with `name`. `content_type` is that of documents, `problem_type` that of problems.
    `dialect` parses and writes query parameters. `empty_body` is sent after a DELETE (None: 204). If
    `post_creates`, every POST response is 201 with Location. If `supports_relationships`, a relationship can
    be represented by itself.
    """

    name: str
    media_type: str
    content_type: str
    problem_type: str
    render: Callable[[Document], bytes]
    render_problem: Callable[[Problem], bytes]
    dialect: Dialect = HAL_DIALECT
    empty_body: bytes | None = None
    post_creates: bool = False
    supports_relationships: bool = False


def _json(represent: Callable[[T], Any]) -> Callable[[T], bytes]:
    """Return a function that renders the result of the function as JSON."""
    return lambda content: orjson.dumps(represent(content))


def _html(content: Document | Problem) -> bytes:
    return render_page(Page(content)).encode()


_GZIP = '-gzip'  # ends the tag of a representation in that coding
_HTML_UTF8 = f'{HTML}; charset=utf-8'
_hal_forms = partial(to_json, members_of=hal_forms_members)
_problem = _json(problem_details)
FORMATS = {
    format.media_type: format
    for format in (
        Format('forms', HAL_FORMS, HAL_FORMS, PROBLEM, _hal_forms, _problem),
        Format('hal', HAL, HAL, PROBLEM, to_json, _problem),
        Format(
            'jsonapi',
            JSON_API,
            JSON_API,
            JSON_API,
            _json(json_api),
            _json(json_api_errors),
            JSON_API_DIALECT,
            empty_body=orjson.dumps(NOTHING),
            post_creates=True,
            supports_relationships=True,
        ),
        Format('json', JSON, JSON, JSON, to_json, _json(simple_error)),
        Format('html', HTML, _HTML_UTF8, _HTML_UTF8, _html, _html),
    )
}


def _with_cursor_pagination(profile: str) -> Format:
    """Return the format of JSON:API with the profile."""
    return FORMATS[JSON_API]._replace(
        name='cursors',
        content_type=profiled_type(profile),
        problem_type=profiled_type(profile),
        render=_json(partial(cursor_pagination, profile=profile)),
        render_problem=_json(partial(cursor_pagination_errors, profile=profile)),
    )


CURSOR_PAGINATION = {profile: _with_cursor_pagination(profile) for profile in PROFILES}
DEFAULT = HAL
# Of the parameters of JSON:API, a server may ignore profiles, but not extensions (JSON:API 1.1 §6.3).
_IGNORED = {JSON_API: frozenset(('profile',))}
_OFFERS = tuple(
    Offer(media_type, _IGNORED[media_type]) if media_type in _IGNORED else Offer(media_type)
    for media_type in FORMATS
)
_LINKAGE_OFFERS = tuple(offer for offer in _OFFERS if FORMATS[offer.name].supports_relationships)
_PROBLEM_OFFERS = (Offer(PROBLEM), *_OFFERS)
_HAL = (Offer(HAL),)
_OWN_PARAMETERS = frozenset(('charset', 'profile', 'version'))
_ANYTHING = (MediaType('*', '*'),)


def available_media_types(*, linkage: bool = False) -> list[str]:
    """Return the available media types; for linkage, only those that support relationships."""
    return [offer.name for offer in (_LINKAGE_OFFERS if linkage else _OFFERS)]


def choose_format(
    accept: str | None, content_type: str | None = None, *, linkage: bool = False
) -> Format | None:
    """Return the format that an Accept header prefers, or None if none is acceptable.

    `content_type` is that of the request's body, if it has one. `linkage` limits the choice to formats that
    support relationships.
    """
    return _choose_format(accept, _is_json_api(content_type), linkage)


@cached_by_header(maxsize=1024)
def _choose_format(accept: str | None, is_json_api: bool, linkage: bool) -> Format | None:
    ranges = _ranges(accept)
    if is_only_modified(ranges, JSON_API, _IGNORED[JSON_API]):
        return None
    offers = _LINKAGE_OFFERS if linkage else _OFFERS
    chosen = choose(ranges, offers, JSON_API if is_json_api else DEFAULT)
    return _with_profile(chosen, ranges) if chosen else None


def negotiate(accept: str | None, types: Sequence[str], *, default: str) -> str | None:
    """Return which of these media types an Accept header prefers, or None if none is acceptable.

    A client that accepts any format of documents gets the default, so that following a link never yields 406.
    """
    offers = (*(Offer(name, _OWN_PARAMETERS) for name in types), *_OFFERS)
    chosen = choose(_ranges(accept), offers, default)
    return chosen if chosen is None or chosen in types else default


def choose_problem_format(accept: str | None, content_type: str | None = None) -> Format:
    """Return the format that an Accept header prefers for a problem, or a default; never None."""
    ranges = _ranges(accept)
    chosen = choose(ranges, _PROBLEM_OFFERS, JSON_API if _is_json_api(content_type) else PROBLEM)
    return _with_profile(DEFAULT if chosen in (PROBLEM, None) else chosen, ranges)


def _with_profile(chosen: str, ranges: Sequence[MediaType]) -> Format:
    """Return the format of the chosen media type, with the profile that its ranges request, if any."""
    if chosen == JSON_API:
        profile = requested_profile(media_range for media_range in ranges if media_range.name == JSON_API)
        if profile is not None:
            return CURSOR_PAGINATION[profile]
    return FORMATS[chosen]


def _is_json_api(content_type: str | None) -> bool:
    """Return whether a Content-Type is JSON:API without parameters other than `profile`."""
    media_type = parse_media_type(content_type) if content_type else None
    if media_type is None or media_type.name != JSON_API:
        return False
    return all(name in _IGNORED[JSON_API] for name, _ in media_type.parameters)


def format_for(document: Document, chosen: Format, accept: str | None) -> Format:
    """Return the format to render: HAL instead of HAL-FORMS if there are no forms and HAL is acceptable."""
    if chosen.media_type == HAL_FORMS and not document.has_forms and choose(_ranges(accept), _HAL, HAL):
        return FORMATS[HAL]
    return chosen


def _ranges(accept: str | None) -> tuple[MediaType, ...]:
    """Return the ranges of an Accept header; a header that is too long is rejected, and so not parsed."""
    if not accept or len(accept) > MAX_FIELD_LENGTH or not accept.strip(', \t'):
        return _ANYTHING
    return parse_accept(accept)


def entity_tag(body: bytes, format: Format, viewer_id: int | None) -> str:
    """Return the strong validator of a representation, by media type and viewer (RFC 9110 §8.8.3).

    It starts with the name of the format, so that it can be compared with a representation in that format.
    """
    return f'"{format.name}-{_digest(body, format, viewer_id)}"'


def page_tag(body: bytes, document: Document, viewer_id: int | None) -> str:
    """Return the strong validator of an HTML page, whose first part is that of its document."""
    html = FORMATS[HTML]
    return f'{state_tag(document, html, viewer_id)[:-1]}.{_digest(body, html, viewer_id)}"'


def state_tag(document: Document, format: Format, viewer_id: int | None) -> str:
    """Return the part of a document's validator that preconditions compare: see `comparable_tag`."""
    rendered = FORMATS[HAL_FORMS] if format.media_type == HTML else format
    return f'"{format.name}-{_digest(rendered.render(document), rendered, viewer_id)}"'


def _digest(body: bytes, format: Format, viewer_id: int | None) -> str:
    digest = hashlib.sha256(f'{format.media_type} {viewer_id}\n'.encode())
    digest.update(body)  # SHA-256 has hardware support: it takes a third of the time of BLAKE2
    return digest.hexdigest()[:30]


def coded_tag(tag: str) -> str:
    """Return the tag of the same representation in the content coding gzip."""
    return f'{tag[:-1]}{_GZIP}"'


def comparable_tag(tag: str) -> str:
    """Return the part of a tag that preconditions compare: the state, in one media type.

    The content coding is not part of the state, nor is what surrounds a document on a page.
    """
    if tag.startswith(f'"{FORMATS[HTML].name}-') and '.' in tag:
        return tag.partition('.')[0] + '"'
    return tag.removesuffix(f'{_GZIP}"') + '"' if tag.endswith(f'{_GZIP}"') else tag


def formats_named_by(tags: Iterable[str]) -> list[Format]:
    """Return the formats whose representations can have any of these tags."""
    names = {tag.strip('"').partition('-')[0] for tag in tags}
    return [format for format in (*FORMATS.values(), *CURSOR_PAGINATION.values()) if format.name in names]


class FormatHandler(BaseHandler):
    """Serialises Documents and Problems for falcon in one format; bodies are read elsewhere."""

    def __init__(self, format: Format) -> None:
        self._format = format

    def serialize(self, media: Any, content_type: str | None = None) -> bytes:
        """Return the bytes of a Document or a Problem, or those of plain JSON data."""
        if isinstance(media, Document):
            return self._format.render(media)
        if isinstance(media, Problem):
            return self._format.render_problem(media)
        if isinstance(media, Page):
            return render_page(media).encode()
        return orjson.dumps(media)

    def deserialize(self, *arguments: Any, **keywords: Any) -> NoReturn:
        """Raise TypeError: http/request_body.py reads bodies, because falcon's handlers are not strict."""
        raise TypeError('http/request_body.py reads bodies')


HANDLERS = {media_type: FormatHandler(FORMATS[media_type]) for media_type in FORMATS}
HANDLERS |= {format.content_type: FormatHandler(format) for format in CURSOR_PAGINATION.values()}
HANDLERS[PROBLEM] = HANDLERS[DEFAULT]
