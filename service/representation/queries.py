"""Query parameters of collections: reading which page is wanted, and writing links to others."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson

from service.domain.clock import LARGEST_ID
from service.domain.paging import END, End, Key, Page, Position
from service.domain.text import has_control_characters, normalize

PER_PAGE = 10
MOST_PER_PAGE = 100
PAGE_VARIABLES = ('page', 'per_page')
CURSORS = ('page[after]', 'page[before]')


class InvalidParameter(ValueError):
    """A query parameter has a value that cannot be used; the text says what is wrong with it."""

    def __init__(self, parameter: str, wrong: str) -> None:
        super().__init__(f'{parameter} {wrong}.')
        self.parameter = parameter


class PageQuery(NamedTuple):
    """What a request asked of a collection: where, and with which filters."""

    position: Position
    filters: Mapping[str, str]
    given: Mapping[str, str]

    def self_query(self) -> str:
        """Return the query string of the page that was asked for, in its one spelling."""
        return _query(self.given)

    def page_query(self, page: int, *, after: Key | None = None, before: Key | End | None = None) -> str:
        """Return the query string of another page of the same collection."""
        values = {**self.filters, 'page': str(page), 'per_page': str(self.position.per_page)}
        if after is not None:
            values['page[after]'] = write_cursor(after)
        if before is not None:
            values['page[before]'] = write_cursor(before)
        return _query(values)

    def neighbours(self, page: Page) -> dict[str, str]:
        """Return the query strings of `first`, `prev`, `next` and `last`, as far as there are such pages."""
        queries = {'first': self.page_query(1)}
        last = self.page_query(page.total_pages, before=END) if page.total_pages else queries['first']
        if isinstance(page.before, End):
            queries['prev'] = last
        elif page.before is not None:
            queries['prev'] = self.page_query(max(1, page.page - 1), before=page.before)
        if page.after is not None:
            queries['next'] = self.page_query(page.page + 1, after=page.after)
        elif not page.entries and page.before is None and page.total_items:
            queries['next'] = queries['first']  # what came before the first entry is gone
        return queries | {'last': last}

    def page_template(self) -> str:
        """Return the query part of the URI template for pages by number (RFC 6570 §3.2.8, §3.2.9)."""
        variables = ','.join(PAGE_VARIABLES)
        return f'{_query(self.filters)}{{&{variables}}}' if self.filters else f'{{?{variables}}}'


def read_page_query(parameters: Mapping[str, Any], *filters: str) -> PageQuery:
    """Return what a request's parameters ask of a collection that has these filters.

    Pages count from 1, `per_page` over 100 is taken as 100. Raises InvalidParameter. A parameter of
    another name is ignored.
    """
    names = (*PAGE_VARIABLES, *CURSORS)
    given = {name: _single(parameters, name) for name in (*filters, *names) if name in parameters}
    chosen = {name: _text(name, given[name]) for name in filters if given.get(name)}
    page = _whole_number(given, 'page', 1)
    per_page = min(_whole_number(given, 'per_page', PER_PAGE), MOST_PER_PAGE)
    given |= {name: str(value) for name, value in (('page', page), ('per_page', per_page)) if name in given}
    after = read_cursor('page[after]', given['page[after]']) if 'page[after]' in given else None
    before = read_cursor('page[before]', given['page[before]']) if 'page[before]' in given else None
    if after is not None and before is not None:
        raise InvalidParameter('page[before]', 'cannot stand beside page[after]')
    if isinstance(after, End):
        raise InvalidParameter('page[after]', 'is no position that the server gave')
    position = Position(page, per_page, after, before)
    return PageQuery(position, chosen, given)


def write_cursor(key: Key | End) -> str:
    """Return a position as clients carry it, opaque to them."""
    return urlsafe_b64encode(orjson.dumps(None if isinstance(key, End) else key)).decode().rstrip('=')


def read_cursor(parameter: str, text: str) -> Key | End:
    """Return the position that a client carried back; raises InvalidParameter where it is none."""
    try:
        key = orjson.loads(urlsafe_b64decode(text.encode('ascii') + b'=' * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        key = False
    if key is None:
        return END
    is_key = (type(key) is int and 0 < key <= LARGEST_ID) or (
        type(key) is str and not has_control_characters(key)
    )
    if not is_key:
        raise InvalidParameter(parameter, 'is no position that the server gave')
    return key  # type: ignore[no-any-return]


def _single(parameters: Mapping[str, Any], name: str) -> str:
    value = parameters[name]
    if not isinstance(value, str):
        raise InvalidParameter(name, 'stands more than once')
    return value


def _text(name: str, value: str) -> str:
    if has_control_characters(value):
        raise InvalidParameter(name, 'must not contain control characters')
    return normalize(value)


def _whole_number(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or not text.strip('0'):
        raise InvalidParameter(name, 'must be a whole number from 1')
    return int(text) if len(text) <= 16 else LARGEST_ID


def _query(values: Mapping[str, str]) -> str:
    return f'?{urlencode(values)}' if values else ''
