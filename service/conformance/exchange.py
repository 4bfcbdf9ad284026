"""HTTP messages as recorded: a request, its response, and the purpose of the request."""

from __future__ import annotations

import functools
import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from service.conformance.syntax import parse_media_type

HAL = 'application/hal+json'
HAL_FORMS = 'application/prs.hal-forms+json'
JSON_API = 'application/vnd.api+json'
PROBLEM = 'application/problem+json'
JSON = 'application/json'
HTML = 'text/html'
HAL_TYPES = (HAL, 'application/vnd.hal+json', HAL_FORMS)
T = TypeVar('T')
Headers = tuple[tuple[str, str], ...]


class Invalid:
    """The value of content that is not JSON."""

    def __bool__(self) -> bool:
        return False


INVALID = Invalid()


@dataclass(frozen=True)
class Request:
    """An HTTP request; the URL is absolute and without a fragment."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes | None = None

    def header(self, name: str) -> str:
        """Return the value of a field, empty if it is absent."""
        return ', '.join(value for other, value in self.headers if other.lower() == name.lower())

    def curl(self) -> str:
        """Return a shell command that repeats the request."""
        words = ['curl', '-i']
        words += {'HEAD': ['--head'], 'GET': []}.get(self.method, ['-X', self.method])
        for name, value in self.headers:
            words += ['-H', f'{name}: {value}']
        if self.body is not None:
            words += ['--data-binary', self.body.decode(errors='backslashreplace')]
        return shlex.join([*words, self.url])


@dataclass(frozen=True)
class Response:
    """An HTTP response as received: fields in their order, and all octets of the content."""

    status: int
    headers: Headers = ()
    body: bytes = b''

    def values(self, name: str) -> list[str]:
        """Return the value of each field line of that name."""
        return [value for other, value in self.headers if other.lower() == name.lower()]

    def header(self, name: str) -> str:
        """Return the combined value of a field, empty if it is absent (RFC 9110 §5.3)."""
        return ', '.join(self.values(name))

    def elements(self, name: str) -> list[str]:
        """Return the members of a field that is a list of tokens, in lower case."""
        return [element.strip().lower() for element in self.header(name).split(',') if element.strip()]

    def varies_by(self, name: str) -> bool:
        """Return whether Vary has the name of a request field, or the asterisk."""
        return bool({name.lower(), '*'} & set(self.elements('Vary')))

    @cached_property
    def media_type(self) -> str:
        """The media type without parameters, in lower case; empty if there is none."""
        parsed = parse_media_type(self.header('Content-Type'))
        return parsed[0] if parsed else ''

    @property
    def is_json(self) -> bool:
        return self.media_type == JSON or self.media_type.endswith('+json')

    @property
    def is_whole(self) -> bool:
        """Whether the response has its whole content, without a content coding."""
        return bool(self.body) and self.status != 206 and not self.values('Content-Encoding')

    @cached_property
    def document(self) -> Any:
        """The JSON value of the content, or INVALID."""
        try:
            return json.loads(self.body.decode())
        except (ValueError, RecursionError):
            return INVALID

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, eq=False)
class Exchange:
    """A request and its response.

    `purpose` names why the request was sent, `origin` is the exchange that it was derived from, and
    `context` has details of the request for the rules.
    """

    request: Request
    response: Response
    purpose: str
    origin: Exchange | None = None
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_fetch(self) -> bool:
        """Whether it is a successful GET with content."""
        return self.request.method == 'GET' and self.response.status == 200 and bool(self.response.body)

    @property
    def source(self) -> Exchange:
        """The exchange that the request was derived from; only for purposes that have one."""
        assert self.origin is not None
        return self.origin


class Located(NamedTuple):
    """A value of a document with its JSON Pointer."""

    where: str
    value: Any


def found_once(find: Callable[[Exchange], Iterable[T]]) -> Callable[[Exchange], Sequence[T]]:
    """Cache the results of a function by exchange, since many rules need the same links and templates."""
    results: WeakKeyDictionary[Exchange, Sequence[T]] = WeakKeyDictionary()

    @functools.wraps(find)
    def find_once(exchange: Exchange) -> Sequence[T]:
        if exchange not in results:
            results[exchange] = tuple(find(exchange))
        return results[exchange]

    return find_once


def pointer(*steps: str | int) -> str:
    """Return the JSON Pointer of these steps (RFC 6901)."""
    return ''.join('/' + str(step).replace('~', '~0').replace('/', '~1') for step in steps)


def resolve(document: Any, where: str) -> Any:
    """Return the value that a JSON Pointer leads to; raises LookupError."""
    for step in where.split('/')[1:]:
        name = step.replace('~1', '/').replace('~0', '~')
        if isinstance(document, list) and name.isdecimal():
            document = document[int(name)]
        elif isinstance(document, dict):
            document = document[name]
        else:
            raise LookupError(where)
    return document


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the members of an object; nothing of any other value."""
    if isinstance(value, dict):
        yield from value.items()


def entries(value: Any) -> Iterator[tuple[int, Any]]:
    """Yield the entries of an array; nothing of any other value."""
    if isinstance(value, list):
        yield from enumerate(value)
