"""Query parameters: what a request asks of a thing beside its address, and links that ask otherwise."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote_plus

import orjson

from service.database.ids import MAX_ID
from service.database.pagination import LAST_PAGE, Key, LastPage, Page, PageRequest
from service.domain.text import has_control_characters, normalize
from service.representation.action import TEXT
from service.representation.document import EVERYTHING, Selection
from service.representation.json_schema import Schema

PER_PAGE = 10
MOST_PER_PAGE = 100
FILTER_LENGTH = 64  # what is longer than every name would only make links that no proxy carries
CURSORS = AFTER, BEFORE = ('page[after]', 'page[before]')
# What `parse_positive_int`, `text` and `read_cursor` read.
NUMBER: Schema = {'type': 'integer', 'minimum': 1}
SEARCHED: Schema = {'type': 'string', 'maxLength': FILTER_LENGTH, 'pattern': TEXT}
CURSOR: Schema = {'type': 'string', 'description': 'A position, from a link of the collection.'}


class InvalidParameter(ValueError):
    """A query parameter, or its value, cannot be used; the text says what is wrong with it.

    `most` is the largest number that it takes, where it was larger.
    """

    def __init__(self, parameter: str, wrong: str, *, most: int | None = None) -> None:
        super().__init__(f'{parameter} {wrong}.')
        self.parameter = parameter
        self.most = most


class QueryOptions(NamedTuple):
    """What the query of an operation may ask, whichever parameters a format spells it with.

    `kind` is that of the operation's documents. A collection is `paginated`; `search` are texts to look
    for, `filters` are values that entries have, `sort_keys` what they can be ordered by; `includable` are
    the relations whose documents can be included.
    """

    kind: str = ''
    paginated: bool = False
    search: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    sort_keys: tuple[str, ...] = ()
    includable: tuple[str, ...] = ()

    def of_one(self) -> 'QueryOptions':
        """Return the options where the response is a single document."""
        return QueryOptions(self.kind, includable=self.includable)


NO_QUERY = QueryOptions()


class PageNames(NamedTuple):
    """The parameters that say which page by its number, and how many entries it has."""

    number: str
    size: str


class Query(NamedTuple):
    """What a request asks: which page, in which order, with which filters, and seen how.

    `order` is one of the `sort_keys`, after a minus sign where the largest comes first, or
    empty. `params` are the parameters of the request in their one spelling, `kept` those that the links to
    other pages keep.
    """

    names: PageNames
    position: PageRequest = PageRequest()
    filters: Mapping[str, str] = {}
    order: str = ''
    params: Mapping[str, str] = {}
    kept: Mapping[str, str] = {}
    selection: Selection = EVERYTHING

    def first_page(self) -> 'Query':
        """Return what asks for the first page of another collection in the same dialect."""
        return Query(self.names)

    def self_query(self) -> str:
        """Return the query string of what was asked for, in its one spelling."""
        return query_string(self.params)

    def page_query(self, page: int, *, after: Key | None = None, before: Key | LastPage | None = None) -> str:
        """Return the query string of another page of the same collection."""
        size = str(self.position.per_page)
        values = {**self.kept, self.names.number: str(page), self.names.size: size}
        if after is not None:
            values[AFTER] = write_cursor(after)
        if before is not None:
            values[BEFORE] = write_cursor(before)
        return query_string(values)

    def page_links(self, page: Page) -> dict[str, str]:
        """Return the query strings of `first`, `prev`, `next` and `last`, as far as there are such pages."""
        queries = {'first': self.page_query(1)}
        last = self.page_query(page.total_pages, before=LAST_PAGE) if page.total_pages else queries['first']
        if isinstance(page.previous_cursor, LastPage):
            queries['prev'] = last
        elif page.previous_cursor is not None:
            queries['prev'] = self.page_query(max(1, page.page - 1), before=page.previous_cursor)
        if page.next_cursor is not None:
            queries['next'] = self.page_query(page.page + 1, after=page.next_cursor)
        elif not page.entries and page.previous_cursor is None and page.total_items:
            queries['next'] = queries['first']  # what came before the first entry is gone
        return queries | {'last': last}

    def page_template(self) -> str:
        """Return the query part of the URI template for pages by number (RFC 6570 §3.2.8, §3.2.9)."""
        variables = ','.join(self.names)
        return f'{query_string(self.kept)}{{&{variables}}}' if self.kept else f'{{?{variables}}}'


class Dialect(Protocol):
    """How a format says what can be asked of a resource; a `strict` one has no other parameters."""

    names: PageNames
    strict: bool

    def read(self, parameters: Mapping[str, Any], options: QueryOptions, kinds: Set[str]) -> Query:
        """Return what the parameters ask of an operation with these options; raises InvalidParameter.

        `kinds` are those of all documents that there are.
        """

    def parameters(self, options: QueryOptions, kinds: Set[str]) -> dict[str, Schema]:
        """Return what `read` takes of such an operation: the name and the schema of every parameter."""


class HalDialect:
    """`page`, `per_page` and the searches by their own names; a parameter of another name is ignored."""

    names = PageNames('page', 'per_page')
    strict = False

    def read(self, parameters: Mapping[str, Any], options: QueryOptions, kinds: Set[str]) -> Query:
        """Return what the parameters ask; `per_page` over 100 is taken as 100."""
        if not options.paginated:
            return Query(self.names)
        supported = (*options.search, *self.names, *CURSORS)
        params = {name: single(parameters, name) for name in supported if name in parameters}
        chosen = {name: text(name, params[name]) for name in options.search if params.get(name)}
        per_page = min(parse_positive_int(params, 'per_page', PER_PAGE), MOST_PER_PAGE)
        position = read_position(params, self.names, per_page)
        numbers = (('page', position.page), ('per_page', per_page))
        params |= {name: str(number) for name, number in numbers if name in params}
        return Query(self.names, position, chosen, params=params, kept=chosen)

    def parameters(self, options: QueryOptions, kinds: Set[str]) -> dict[str, Schema]:
        """Return what `read` takes; what it ignores is not among it."""
        if not options.paginated:
            return {}
        searches = dict.fromkeys(options.search, SEARCHED)
        return {**searches, **dict.fromkeys(self.names, NUMBER), **dict.fromkeys(CURSORS, CURSOR)}


def read_position(params: Mapping[str, str], names: PageNames, per_page: int) -> PageRequest:
    """Return which page the parameters want, with `per_page` entries; raises InvalidParameter."""
    after = read_cursor(AFTER, params[AFTER]) if AFTER in params else None
    before = read_cursor(BEFORE, params[BEFORE]) if BEFORE in params else None
    if after is not None and before is not None:
        raise InvalidParameter(BEFORE, f'cannot stand beside {AFTER}')
    if isinstance(after, LastPage):
        raise InvalidParameter(AFTER, 'is no position that the server gave')
    return PageRequest(parse_positive_int(params, names.number, 1), per_page, after, before)


def write_cursor(key: Key | LastPage) -> str:
    """Return a position as clients carry it, opaque to them."""
    return urlsafe_b64encode(orjson.dumps(None if isinstance(key, LastPage) else key)).decode().rstrip('=')


def read_cursor(parameter: str, text: str) -> Key | LastPage:
    """Return the position that a client carried back; raises InvalidParameter where it is none."""
    try:
        key = orjson.loads(urlsafe_b64decode(text.encode('ascii') + b'=' * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        key = False
    if key is None:
        return LAST_PAGE
    is_key = (type(key) is int and 0 < key <= MAX_ID) or (
        type(key) is str and not has_control_characters(key)
    )
    if not is_key:
        raise InvalidParameter(parameter, 'is no position that the server gave')
    return key  # type: ignore[no-any-return]


def single(parameters: Mapping[str, Any], name: str) -> str:
    """Return the parameter's value; raises InvalidParameter where it has several."""
    value = parameters[name]
    if not isinstance(value, str):
        raise InvalidParameter(name, 'stands more than once')
    return value


def text(name: str, value: str) -> str:
    """Return the value as text is compared here; raises InvalidParameter for control characters."""
    if has_control_characters(value):
        raise InvalidParameter(name, 'must not contain control characters')
    if len(value) > FILTER_LENGTH:
        raise InvalidParameter(name, f'must have at most {FILTER_LENGTH} characters')
    return normalize(value)


def parse_positive_int(params: Mapping[str, str], name: str, default: int) -> int:
    """Return the number that a parameter says, MAX_ID for one larger; raises InvalidParameter."""
    digits = params.get(name)
    if digits is None:
        return default
    if not (digits.isascii() and digits.isdigit()) or not digits.strip('0'):
        raise InvalidParameter(name, 'must be a whole number from 1')
    return int(digits) if len(digits) <= 16 else MAX_ID


def query_string(values: Mapping[str, str]) -> str:
    """Return the query part of an address, with its question mark, empty where there is nothing to say."""
    if not values:
        return ''
    return '?' + '&'.join(f'{_quoted(name)}={_quoted(value)}' for name, value in values.items())


# As urlencode does it, which is slow and says the same each time.
_quoted = lru_cache(maxsize=1024)(quote_plus)
