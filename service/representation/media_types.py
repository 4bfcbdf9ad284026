"""Media types and ranges: parsing and content negotiation (RFC 9110 §8.3.1, §12.5.1)."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

H = TypeVar('H', bound=str | None)
P = ParamSpec('P')
R = TypeVar('R')
_OfHeader = Callable[Concatenate[H, P], R]

HAL = 'application/hal+json'
HAL_ALIAS = 'application/vnd.hal+json'
HAL_FORMS = 'application/prs.hal-forms+json'
JSON_API = 'application/vnd.api+json'
JSON = 'application/json'
HTML = 'text/html'
PROBLEM = 'application/problem+json'
MERGE_PATCH = 'application/merge-patch+json'
FORM = 'application/x-www-form-urlencoded'
OPENAPI = 'application/vnd.oai.openapi+json'
LINKSET = 'application/linkset+json'

MAX_CACHED_HEADER = 256  # characters; browsers send fewer, and longer headers would fill caches
MAX_FIELD_LENGTH = 8190  # characters, in all lines of a field; servers reject longer lines
_ALIASES = {HAL_ALIAS: HAL}
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE = re.compile(rf'\s*({_TOKEN})/({_TOKEN})\s*')
_PARAMETER = re.compile(rf'\s*;\s*(?:({_TOKEN})\s*=\s*(?:({_TOKEN})|"((?:[^"\\]|\\.)*)"))?\s*')
_ELEMENT = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*+"?)+')
_QUALITY = re.compile(r'0?\.[0-9]+|[01](?:\.[0-9]*)?')


def split_list(header: str) -> list[str]:
    """Return the elements of a list (RFC 9110 §5.6.1); commas in quoted strings do not separate them."""
    elements: list[str] = _ELEMENT.findall(header)
    return elements


class MediaType(NamedTuple):
    """A media type or range; names are in lower case, the parameters of a range without `q`."""

    type: str
    subtype: str
    parameters: tuple[tuple[str, str], ...] = ()
    quality: float = 1.0

    @property
    def name(self) -> str:
        """The type and the subtype, without parameters: `application/json`."""
        return f'{self.type}/{self.subtype}'


def cached_by_header(maxsize: int) -> Callable[[_OfHeader[H, P, R]], _OfHeader[H, P, R]]:
    """Cache a function whose first argument is a header field, which clients repeat.

    Results for a field that is longer than MAX_CACHED_HEADER are not cached.
    """

    def decorate(function: _OfHeader[H, P, R]) -> _OfHeader[H, P, R]:
        cached = lru_cache(maxsize)(function)

        @wraps(function)
        def call(header: H, /, *args: P.args, **kwargs: P.kwargs) -> R:
            is_long = header is not None and len(header) > MAX_CACHED_HEADER
            return (function if is_long else cached)(header, *args, **kwargs)

        return call

    return decorate


@cached_by_header(maxsize=1024)
def parse_media_type(text: str) -> MediaType | None:
    """Return the media type, aliases resolved, or None if it is malformed (RFC 9110 §8.3.1)."""
    match = _TYPE.match(text)
    if match is None:
        return None
    parameters, end = [], match.end()
    while end < len(text):
        parameter = _PARAMETER.match(text, end)
        if parameter is None:
            return None
        end = parameter.end()
        name, token, quoted = parameter.groups()
        if name is None:
            continue
        value = token if token is not None else re.sub(r'\\(.)', r'\1', quoted)
        if value or name.lower() != 'ext':  # an empty `ext` means the same as no `ext`
            parameters.append((name.lower(), value))
    type, subtype = _ALIASES.get(match[0].strip().lower(), f'{match[1]}/{match[2]}'.lower()).split('/')
    return MediaType(type, subtype, tuple(parameters))


@cached_by_header(maxsize=1024)
def _parse_range(text: str) -> MediaType | None:
    """Return the media range, or None if it or its weight is malformed (RFC 9110 §12.5.1)."""
    text = '*/*' + text[1:] if re.match(r'\s*\*\s*(;|$)', text) else text  # old Java clients send `*`
    media_range = parse_media_type(text)
    if media_range is None:
        return None
    parameters = tuple(parameter for parameter in media_range.parameters if parameter[0] != 'q')
    weights = [value for name, value in media_range.parameters if name == 'q']
    if not all(_QUALITY.fullmatch(weight) and float(weight) <= 1 for weight in weights):
        return None
    return media_range._replace(parameters=parameters, quality=float(weights[-1]) if weights else 1.0)


def parse_accept(header: str) -> tuple[MediaType, ...]:
    """Return the ranges of an Accept header; malformed ones are ignored (RFC 9110 §12.5.1)."""
    return tuple(
        media_range
        for element in split_list(header)
        if (media_range := _parse_range(element.strip())) is not None
    )


class Offer(NamedTuple):
    """An available type, and the parameters that a range may have and still match it."""

    name: str
    ignored: frozenset[str] = frozenset(('charset', 'profile'))


def choose(ranges: Sequence[MediaType], offers: Sequence[Offer], default: str) -> str | None:
    """Return the offered type that the ranges prefer, or None if they match none.

    The most specific range determines the quality of each type, and the highest quality wins. Among types of
    the same quality, those that a range names precede those that only wildcards match. Then the order of
    `offers` decides, but among types that only wildcards match, `default` is the first.
    """
    acceptable = []
    for index, offer in enumerate(offers):
        covering = [
            (specificity, media_range.quality)
            for media_range in ranges
            if (specificity := _specificity(media_range, offer))
        ]
        if covering:
            specificity, quality = max(covering)
            if quality > 0:
                is_named = specificity > 2
                is_default = not is_named and offer.name == default
                acceptable.append((quality, is_named, is_default, -index, offer.name))
    return max(acceptable)[-1] if acceptable else None


def is_only_modified(ranges: Sequence[MediaType], name: str, allowed: frozenset[str]) -> bool:
    """Return whether ranges name the type, but each of these has a parameter that is not allowed."""
    naming = [media_range for media_range in ranges if media_range.name == name and media_range.quality > 0]
    return bool(naming) and all(
        any(parameter not in allowed for parameter, _ in media_range.parameters) for media_range in naming
    )


def _specificity(media_range: MediaType, offer: Offer) -> int:
    """Return how specifically a range matches the offered type; 0 if it does not match."""
    if any(name not in offer.ignored for name, _ in media_range.parameters):
        return 0
    if media_range.name == offer.name:
        return 4 if media_range.parameters else 3
    if media_range.subtype == '*':
        return 2 if offer.name.startswith(f'{media_range.type}/') else media_range.type == '*'
    return 0
