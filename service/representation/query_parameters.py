"""Query parameters: pagination, filters, sorting and inclusion, with the same parameters in all formats."""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote_plus

import orjson

from service.database.ids import MAX_ID, is_id
from service.database.pagination import LAST_PAGE, Key, LastPage, Page, PageRequest
from service.domain.text import has_control_characters, normalize
from service.representation.action import TEXT
from service.representation.document import EVERYTHING, Inclusion, Selection, member
from service.representation.json_api import MEMBER
from service.representation.json_schema import Schema

DEFAULT_PER_PAGE = 10
MAX_PER_PAGE = 100
MAX_FILTER_LENGTH = 64  # no name is longer, and longer filters would make links too long for proxies
MAX_STEPS = 3  # of a path of relationships to include
_ID_FILTER = 'filter[id]'
SEARCH = 'q'  # JSON:API does not allow a parameter of this name (§10): there it is `filter[q]`
CURSORS = AFTER, BEFORE = ('page[after]', 'page[before]')
# The schemas of the values that `_number`, `text`, `read_cursor`, `_read_id` and `_read_ids` accept.
NUMBER: Schema = {'type': 'integer', 'minimum': 1}
SEARCHED: Schema = {'type': 'string', 'maxLength': MAX_FILTER_LENGTH, 'pattern': TEXT}
CURSOR: Schema = {'type': 'string', 'description': 'A position, from a link of the collection.'}
_SHORT_ID = '[1-9][0-9]{0,14}'  # a pattern cannot say 2^53
ID: Schema = {'type': 'string', 'pattern': f'^{_SHORT_ID}$'}
IDS: Schema = {'type': 'string', 'pattern': f'^(?:{_SHORT_ID}(?:,{_SHORT_ID}){{0,99}})?$'}

UNSUPPORTED_SORT = 'unsupported-sort'
_FIELDS = re.compile(r'fields\[([^\[\]]+)\]')
_FILTER = re.compile(r'filter\[([^\[\]]+)\]')
_NAMES = rf'^(?:{MEMBER.pattern}(?:[.,]{MEMBER.pattern})*)?$'
# For each kind, the relations whose documents can be included, with the kinds of these documents.
Kinds = Mapping[str, Mapping[str, str]]


class InvalidParameter(ValueError):
    """A query parameter is not supported, or its value is invalid; the text says why.

    `pagination_error` is the name of the error in the Cursor Pagination profile, if it has one.
    `max_page_size` is the largest page size if the requested one is larger.
    """

    def __init__(
        self,
        parameter: str,
        wrong: str,
        pagination_error: str | None = None,
        *,
        max_page_size: int | None = None,
    ) -> None:
        super().__init__(f'{parameter} {wrong}.')
        self.parameter = parameter
        self.pagination_error = pagination_error
        self.max_page_size = max_page_size


class QueryOptions(NamedTuple):
    """The query parameters that an operation supports.

    `kind` is that of the operation's documents. A collection is `paginated` and can be filtered by the ids
    of its entries; `filters` are texts that entries have, `related_filters` what they belong to. `sort_keys`
    is what entries can be ordered by; among entries with an equal one of the `unique_keys` there is no other
    order. With `can_include` related documents can be included.
    """

    kind: str = ''
    paginated: bool = False
    filters: tuple[str, ...] = ()
    related_filters: tuple[str, ...] = ()
    sort_keys: tuple[str, ...] = ()
    unique_keys: tuple[str, ...] = ()
    can_include: bool = False

    def of_one(self) -> 'QueryOptions':
        """Return the options where the response is a single document."""
        return QueryOptions(self.kind, can_include=self.can_include)


NO_QUERY = QueryOptions()


class PageNames(NamedTuple):
    """The names of the parameters for the number of a page and for the number of its entries."""

    number: str
    size: str


_SPELLINGS = (PageNames('page', 'per_page'), PageNames('page[number]', 'page[size]'))


class Query(NamedTuple):
    """The query of a request, parsed: the page, the order, the filters and the selection.

    `order` is one of the `sort_keys`, after a minus sign for descending order, or empty. `filters` are the
    values of the filters by text, `related_ids` those of the filters by what entries belong to, `ids` those
    of the filter by id, None without it. `params` are the parameters of the request in canonical spelling,
    `kept` those that links to other pages keep. `is_numbered` is false if there is a cursor but no page
    number.
    """

    names: PageNames
    position: PageRequest = PageRequest()
    filters: Mapping[str, str] = {}
    related_ids: Mapping[str, int] = {}
    ids: tuple[int, ...] | None = None
    order: str = ''
    params: Mapping[str, str] = {}
    kept: Mapping[str, str] = {}
    selection: Selection = EVERYTHING
    is_numbered: bool = True

    def first_page(self) -> 'Query':
        """Return the query for the first page of another collection in the same dialect."""
        return Query(self.names)

    def self_query(self) -> str:
        """Return the query string of the request, in canonical spelling."""
        return query_string(self.params)

    def page_query(
        self, page: int | None, *, after: Key | None = None, before: Key | LastPage | None = None
    ) -> str:
        """Return the query string of another page of the same collection, without a number if it is None."""
        values = dict(self.kept)
        if page is not None:
            values[self.names.number] = str(page)
        values[self.names.size] = str(self.position.per_page)
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
            number = max(1, page.page - 1) if self.is_numbered else None
            queries['prev'] = self.page_query(number, before=page.previous_cursor)
        if page.next_cursor is not None:
            number = page.page + 1 if self.is_numbered else None
            queries['next'] = self.page_query(number, after=page.next_cursor)
        elif not page.entries and page.previous_cursor is None and page.total_items:
            queries['next'] = queries['first']  # nothing is left before the cursor, but after it
        return queries | {'last': last}

    def page_template(self) -> str:
        """Return the query part of the URI template for pages by number (RFC 6570 §3.2.8, §3.2.9)."""
        variables = ','.join(self.names)
        return f'{query_string(self.kept)}{{&{variables}}}' if self.kept else f'{{?{variables}}}'


class Dialect:
    """How a format writes page numbers in links, and whether it rejects unsupported parameters.

    It reads every parameter in every spelling, so that a link of one format can be requested in another.
    """

    names: ClassVar[PageNames]
    is_strict: ClassVar[bool]

    def read(self, parameters: Mapping[str, Any], options: QueryOptions, kinds: Kinds) -> Query:
        """Parse the parameters of an operation with these options; raises InvalidParameter.

        `kinds` are those of all documents.
        """
        sent = self._supported(parameters, options, kinds)
        params = {spelling: single(parameters, name) for spelling, name in sent.items()}
        per_page = self._per_page(params, sent)
        position = read_position(params, self.names, per_page, sent)
        for name, number in ((self.names.number, position.page), (self.names.size, per_page)):
            if name in params:
                params[name] = str(number)
        paging = (*self.names, *CURSORS)
        kept = {name: value for name, value in params.items() if name not in paging}
        params = kept | {name: params[name] for name in paging if name in params}
        by_cursor = position.after is not None or position.before is not None
        return Query(
            self.names,
            position,
            {
                name: text(sent[f'filter[{name}]'], value)
                for name, value in _filters(params, options.filters)
                if value or name != SEARCH
            },
            {name: _read_id(name, value) for name, value in _filters(params, options.related_filters)},
            _read_ids(params[_ID_FILTER]) if _ID_FILTER in params else None,
            _order(params['sort'], options) if 'sort' in params else '',
            params,
            kept,
            _selection(params, options, kinds),
            self.names.number in params or not by_cursor,
        )

    def _supported(
        self, parameters: Mapping[str, Any], options: QueryOptions, kinds: Kinds
    ) -> dict[str, str]:
        """Return the names of the parameters that can be used here, by their canonical spelling."""
        sent: dict[str, str] = {}
        for name in parameters:
            spelling = self._spelling(name)
            if not _can_use(spelling, options, kinds):
                if self.is_strict:
                    raise InvalidParameter(name, 'is not supported here')
            elif spelling in sent:
                raise InvalidParameter(name, f'cannot be combined with {sent[spelling]}')
            else:
                sent[spelling] = name
        return sent

    def _spelling(self, name: str) -> str:
        """Return the canonical spelling of a parameter."""
        for names in _SPELLINGS:
            if name in names:
                return self.names[names.index(name)]
        return f'filter[{SEARCH}]' if name == SEARCH and not self.is_strict else name

    def _per_page(self, params: Mapping[str, str], sent: Mapping[str, str]) -> int:
        """Return the number of entries of a page; in a strict dialect, too many raise InvalidParameter."""
        per_page = _number(params, self.names.size, DEFAULT_PER_PAGE, sent)
        if per_page > MAX_PER_PAGE and self.is_strict:
            name = sent[self.names.size]
            wrong = f'must be at most {MAX_PER_PAGE}'
            raise InvalidParameter(name, wrong, 'max-size-exceeded', max_page_size=MAX_PER_PAGE)
        return min(per_page, MAX_PER_PAGE)

    def parameters(self, options: QueryOptions, kinds: Kinds) -> dict[str, Schema]:
        """Return the name and the schema of every parameter that `read` accepts for such an operation.

        `kinds` are those whose fields the documents can have.
        """
        schemas: dict[str, Schema] = {}
        if options.paginated:
            for names in _SPELLINGS:
                schemas |= {names.number: NUMBER, names.size: {**NUMBER, 'maximum': MAX_PER_PAGE}}
            schemas |= {**dict.fromkeys(CURSORS, CURSOR), _ID_FILTER: IDS}
        if SEARCH in options.filters and not self.is_strict:
            schemas[SEARCH] = SEARCHED
        schemas |= {f'filter[{name}]': SEARCHED for name in options.filters}
        schemas |= {f'filter[{name}]': ID for name in options.related_filters}
        if options.sort_keys:
            schemas['sort'] = {'type': 'string', 'pattern': _sort_pattern(options)}
        if options.can_include:
            path = _path_pattern(options.kind, kinds)
            schemas['include'] = {'type': 'string', 'pattern': f'^(?:{path}(?:,{path})*)?$'}
        return schemas | {f'fields[{kind}]': {'type': 'string', 'pattern': _NAMES} for kind in sorted(kinds)}


class HalDialect(Dialect):
    """`page` and `per_page`; unsupported parameters are ignored, and a `per_page` above 100 means 100."""

    names = _SPELLINGS[0]
    is_strict = False


class JsonApiDialect(Dialect):
    """`page[number]` and `page[size]`; unsupported parameters are rejected (JSON:API 1.1 §10)."""

    names = _SPELLINGS[1]
    is_strict = True


def _can_use(spelling: str, options: QueryOptions, kinds: Kinds) -> bool:
    """Return whether an operation with these options supports the parameter."""
    if spelling == 'include':
        return options.can_include
    if spelling == 'sort':
        return bool(options.sort_keys)
    if match := _FIELDS.fullmatch(spelling):
        return match[1] in kinds
    if match := _FILTER.fullmatch(spelling):
        names = (*options.filters, *options.related_filters, *(('id',) if options.paginated else ()))
        return match[1] in names
    pages = (*CURSORS, *(name for names in _SPELLINGS for name in names))
    return options.paginated and spelling in pages


def _filters(params: Mapping[str, str], names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return ((name, params[f'filter[{name}]']) for name in names if f'filter[{name}]' in params)


def _read_id(name: str, value: str) -> int:
    """Return the id in a filter by what entries belong to; raises InvalidParameter."""
    if not is_id(value):
        raise InvalidParameter(f'filter[{name}]', 'must be one id')
    return int(value)


def _read_ids(value: str) -> tuple[int, ...]:
    """Return the ids of a list; raises InvalidParameter for an invalid one, and for more than a page has."""
    ids = value.split(',') if value else []
    for one in ids:
        if not is_id(one):
            raise InvalidParameter(_ID_FILTER, f'contains {one[:80]!r}, which is not an id')
    if len(ids) > MAX_PER_PAGE:
        raise InvalidParameter(_ID_FILTER, f'must have at most {MAX_PER_PAGE} ids')
    return tuple(dict.fromkeys(int(one) for one in ids))


def _order(value: str, options: QueryOptions) -> str:
    """Return the key to sort by (JSON:API 1.1 §6.5).

    Entries that are equal in it are ordered by id, so further keys are supported only after a unique one,
    where they change nothing. Raises InvalidParameter.
    """
    first, *others = value.split(',')
    for key in (first, *others):
        if key.removeprefix('-') not in options.sort_keys:
            raise InvalidParameter('sort', f'does not support {key!r} here', UNSUPPORTED_SORT)
    if others and first.removeprefix('-') not in options.unique_keys:
        wrong = f'does not support a second key after {first!r}'
        raise InvalidParameter('sort', wrong, UNSUPPORTED_SORT)
    return first


def _sort_pattern(options: QueryOptions) -> str:
    """Return the regular expression of the values that `_order` accepts."""
    key, unique = (f'-?(?:{"|".join(keys)})' for keys in (options.sort_keys, options.unique_keys))
    return f'^(?:{key}|{unique}(?:,{key})*)$' if options.unique_keys else f'^{key}$'


def _selection(params: Mapping[str, str], options: QueryOptions, kinds: Kinds) -> Selection:
    """Return the relations to include and the fields to show (JSON:API 1.1 §6.3, §6.4)."""
    fields = {
        match[1]: frozenset(_names(name, value))
        for name, value in params.items()
        if (match := _FIELDS.fullmatch(name))
    }
    if not fields and 'include' not in params:
        return EVERYTHING
    include = _inclusion(params['include'], options.kind, kinds) if 'include' in params else None
    return Selection(include, fields, query_string(params))


def _inclusion(value: str, kind: str, kinds: Kinds) -> Inclusion:
    """Return the tree of relations that a list of paths names."""
    tree: dict[str, Any] = {}
    for path in _names('include', value):
        node, of = tree, kind
        steps = path.split('.')
        for step in steps:
            rel = next((rel for rel in kinds[of] if member(rel) == step), None)
            if rel is None or len(steps) > MAX_STEPS:
                raise InvalidParameter('include', f'does not support {path!r} here')
            node, of = node.setdefault(rel, {}), kinds[of][rel]
    return tree


def _path_pattern(kind: str, kinds: Kinds, steps: int = MAX_STEPS) -> str:
    """Return the regular expression of the paths of relationships that can be included with a kind."""
    names_by_rest: dict[str, list[str]] = {}
    for rel, of in kinds[kind].items():
        rest = f'(?:[.]{_path_pattern(of, kinds, steps - 1)})?' if steps > 1 and kinds[of] else ''
        names_by_rest.setdefault(rest, []).append(member(rel))
    steps_of = (f'{_any_of(sorted(names))}{rest}' for rest, names in names_by_rest.items())
    return _any_of(list(steps_of))


def _any_of(patterns: Sequence[str]) -> str:
    return patterns[0] if len(patterns) == 1 else f'(?:{"|".join(patterns)})'


def _names(parameter: str, value: str) -> list[str]:
    names = value.split(',') if value else []
    for name in names:
        if not all(MEMBER.fullmatch(part) for part in name.split('.')):
            raise InvalidParameter(parameter, f'contains {name!r}, which is not a name')
    return names


def read_position(
    params: Mapping[str, str], names: PageNames, per_page: int, sent: Mapping[str, str]
) -> PageRequest:
    """Return the page that the parameters ask for, with `per_page` entries; raises InvalidParameter."""
    after = read_cursor(AFTER, params[AFTER]) if AFTER in params else None
    before = read_cursor(BEFORE, params[BEFORE]) if BEFORE in params else None
    if after is not None and before is not None:
        wrong = f'cannot be combined with {AFTER}'
        raise InvalidParameter(BEFORE, wrong, 'range-pagination-not-supported')
    if isinstance(after, LastPage):
        raise InvalidParameter(AFTER, 'is not a valid cursor')
    return PageRequest(_number(params, names.number, 1, sent), per_page, after, before)


def write_cursor(key: Key | LastPage) -> str:
    """Return the cursor as text that is opaque to clients."""
    return urlsafe_b64encode(orjson.dumps(None if isinstance(key, LastPage) else key)).decode().rstrip('=')


def read_cursor(parameter: str, text: str) -> Key | LastPage:
    """Return the key of a cursor; raises InvalidParameter if the text is not a cursor."""
    try:
        key = orjson.loads(urlsafe_b64decode(text.encode('ascii') + b'=' * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        key = False
    if key is None:
        return LAST_PAGE
    value, tie = key if isinstance(key, list) and len(key) == 2 else (key, MAX_ID)
    is_value = (type(value) is int and 0 <= value <= MAX_ID) or (
        type(value) is str and not has_control_characters(value)
    )
    is_key = is_value and type(tie) is int and 0 < tie <= MAX_ID and key != 0
    if not is_key:
        raise InvalidParameter(parameter, 'is not a valid cursor')
    return tuple(key) if isinstance(key, list) else key


def single(parameters: Mapping[str, Any], name: str) -> str:
    """Return the parameter's value; raises InvalidParameter if it has several."""
    value = parameters[name]
    if not isinstance(value, str):
        raise InvalidParameter(name, 'must not be repeated')
    return value


def text(name: str, value: str) -> str:
    """Return the value normalized; raises InvalidParameter if it is too long or has control characters."""
    if has_control_characters(value):
        raise InvalidParameter(name, 'must not contain control characters')
    if len(value) > MAX_FILTER_LENGTH:
        raise InvalidParameter(name, f'must have at most {MAX_FILTER_LENGTH} characters')
    return normalize(value)


def _number(params: Mapping[str, str], name: str, default: int, sent: Mapping[str, str]) -> int:
    """Return the value of a parameter as a number, at most MAX_ID; raises InvalidParameter."""
    digits = params.get(name)
    if digits is None:
        return default
    if not (digits.isascii() and digits.isdigit()) or not digits.strip('0'):
        raise InvalidParameter(sent[name], 'must be a positive integer')
    return int(digits) if len(digits) <= 16 else MAX_ID


def query_string(values: Mapping[str, str]) -> str:
    """Return the query part of a URL with its question mark, empty if there are no parameters."""
    if not values:
        return ''
    return '?' + '&'.join(f'{_quoted(name)}={_quoted(value)}' for name, value in values.items())


# As in urlencode, but cached: the same names and values occur again and again.
_quoted = lru_cache(maxsize=1024)(quote_plus)
