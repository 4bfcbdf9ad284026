"""Query parameters: pagination, filters, sorting and inclusion, with the same parameters in all formats."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from service.database.pagination import Key, LastPage, PageRequest
from service.representation.cursors import AFTER, BEFORE, CURSOR, CURSORS, read_cursor
from service.representation.json_schema import Schema
from service.representation.parameter_values import (
    ID,
    ID_FILTER,
    IDS,
    MAX_PER_PAGE,
    NUMBER,
    SEARCHED,
    InvalidParameter,
    read_id,
    read_ids,
    read_number,
    read_text,
    single,
)
from service.representation.query import PageNames, Query
from service.representation.selection_parameters import FIELDS, NAMES, Kinds, path_pattern, read_selection

DEFAULT_PER_PAGE = 10
SEARCH = 'q'  # JSON:API does not allow a parameter of this name (§10): there it is `filter[q]`
UNSUPPORTED_SORT = 'unsupported-sort'
_FILTER = re.compile(r'filter\[([^\[\]]+)\]')


class QueryOptions(NamedTuple):
    """The query parameters that an operation supports.

    `kind` is that of the operation's documents. A collection is `paginated` and can be filtered by the ids of
    its entries, by the texts in `filters`, and by the related resources in `related_filters`. Entries can be
    ordered by the `sort_keys`; no two entries have the same value of one of the `unique_keys`. With
    `can_include`, related documents can be included.
    """

    kind: str = ''
    paginated: bool = False
    filters: tuple[str, ...] = ()
    related_filters: tuple[str, ...] = ()
    sort_keys: tuple[str, ...] = ()
    unique_keys: tuple[str, ...] = ()
    can_include: bool = False

    def of_one(self) -> 'QueryOptions':
        """Return the options for a single document of the same kind."""
        return QueryOptions(self.kind, can_include=self.can_include)


NO_QUERY = QueryOptions()
_SPELLINGS = (PageNames('page', 'per_page'), PageNames('page[number]', 'page[size]'))
_PAGING = frozenset((*CURSORS, *(name for names in _SPELLINGS for name in names)))


class Dialect:
    """The query parameters of a format: their names in links, and whether unsupported ones are rejected.

    Every spelling of a parameter is read in every format, so that a link of one format works in another. A
    strict dialect also rejects a page size above MAX_PER_PAGE, which means MAX_PER_PAGE in others.
    """

    def __init__(self, names: PageNames, *, is_strict: bool) -> None:
        self.names = names
        self.no_parameters = Query(names)
        self._is_strict = is_strict

    def read(self, parameters: Mapping[str, Any], options: QueryOptions, kinds: Kinds) -> Query:
        """Parse the parameters of an operation with these options; raises InvalidParameter.

        `kinds` are those of all documents.
        """
        sent = self._supported(parameters, options, kinds)
        params = {spelling: single(parameters, name) for spelling, name in sent.items()}
        per_page = self._per_page(params, sent)
        page, after, before = _read_position(params, self.names, sent)
        for name, number in ((self.names.number, page), (self.names.size, per_page)):
            if name in params:
                params[name] = str(number)
        paging = (*self.names, *CURSORS)
        kept = {name: value for name, value in params.items() if name not in paging}
        params = kept | {name: params[name] for name in paging if name in params}
        by_cursor = after is not None or before is not None
        return Query(
            self.names,
            filters={
                name: read_text(sent[f'filter[{name}]'], value)
                for name, value in _filters(params, options.filters)
                if value or name != SEARCH
            },
            related_ids={
                name: read_id(name, value) for name, value in _filters(params, options.related_filters)
            },
            page_request=PageRequest(
                page,
                per_page,
                after,
                before,
                ids=read_ids(params[ID_FILTER]) if ID_FILTER in params else None,
                order=_order(params['sort'], options) if 'sort' in params else '',
            ),
            params=params,
            kept=kept,
            selection=read_selection(params, options.kind, kinds),
            is_numbered=self.names.number in params or not by_cursor,
        )

    def _supported(
        self, parameters: Mapping[str, Any], options: QueryOptions, kinds: Kinds
    ) -> dict[str, str]:
        """Return the names of the supported parameters as they were sent, by canonical spelling."""
        sent: dict[str, str] = {}
        for name in parameters:
            spelling = self._spelling(name)
            if not _can_use(spelling, options, kinds):
                if self._is_strict:
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
        return f'filter[{SEARCH}]' if name == SEARCH and not self._is_strict else name

    def _per_page(self, params: Mapping[str, str], sent: Mapping[str, str]) -> int:
        """Return the page size; raises InvalidParameter if it is too large for a strict dialect."""
        per_page = read_number(params, self.names.size, DEFAULT_PER_PAGE, sent)
        if per_page > MAX_PER_PAGE and self._is_strict:
            name = sent[self.names.size]
            reason = f'must be at most {MAX_PER_PAGE}'
            raise InvalidParameter(name, reason, 'max-size-exceeded', max_page_size=MAX_PER_PAGE)
        return min(per_page, MAX_PER_PAGE)

    def parameters(self, options: QueryOptions, kinds: Kinds) -> dict[str, Schema]:
        """Return the schemas of all parameters that `read` accepts with these options, by name.

        `kinds` are those of the documents that the response can contain.
        """
        schemas: dict[str, Schema] = {}
        if options.paginated:
            for names in _SPELLINGS:
                schemas |= {names.number: NUMBER, names.size: {**NUMBER, 'maximum': MAX_PER_PAGE}}
            schemas |= {**dict.fromkeys(CURSORS, CURSOR), ID_FILTER: IDS}
        if SEARCH in options.filters and not self._is_strict:
            schemas[SEARCH] = SEARCHED
        schemas |= {f'filter[{name}]': SEARCHED for name in options.filters}
        schemas |= {f'filter[{name}]': ID for name in options.related_filters}
        if options.sort_keys:
            schemas['sort'] = {'type': 'string', 'pattern': _sort_pattern(options)}
        if options.can_include:
            path = path_pattern(options.kind, kinds)
            schemas['include'] = {'type': 'string', 'pattern': f'^(?:{path}(?:,{path})*)?$'}
        return schemas | {f'fields[{kind}]': {'type': 'string', 'pattern': NAMES} for kind in sorted(kinds)}


HAL_DIALECT = Dialect(_SPELLINGS[0], is_strict=False)
JSON_API_DIALECT = Dialect(_SPELLINGS[1], is_strict=True)  # JSON:API 1.1 §10
JSON_API_SOURCE_DIALECT = Dialect(_SPELLINGS[1], is_strict=False)  # of a page that shows such a response


def _can_use(spelling: str, options: QueryOptions, kinds: Kinds) -> bool:
    """Return whether an operation with these options supports the parameter."""
    if spelling in _PAGING:
        return options.paginated
    if spelling == 'include':
        return options.can_include
    if spelling == 'sort':
        return bool(options.sort_keys)
    if match := FIELDS.fullmatch(spelling):
        return match[1] in kinds
    if match := _FILTER.fullmatch(spelling):
        names = (*options.filters, *options.related_filters, *(('id',) if options.paginated else ()))
        return match[1] in names
    return False


def _filters(params: Mapping[str, str], names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return ((name, params[f'filter[{name}]']) for name in names if f'filter[{name}]' in params)


def _order(value: str, options: QueryOptions) -> str:
    """Return the key to sort by (JSON:API 1.1 §8.5).

    Entries with the same value are ordered by id, so a second key is supported only after a unique one, where
    it has no effect. Raises InvalidParameter.
    """
    first, *others = value.split(',')
    for key in (first, *others):
        if key.removeprefix('-') not in options.sort_keys:
            raise InvalidParameter('sort', f'does not support {key!r} here', UNSUPPORTED_SORT)
    if others and first.removeprefix('-') not in options.unique_keys:
        reason = f'does not support a second key after {first!r}'
        raise InvalidParameter('sort', reason, UNSUPPORTED_SORT)
    return first


def _sort_pattern(options: QueryOptions) -> str:
    """Return the regular expression of the values that `_order` accepts."""
    key, unique = (f'-?(?:{"|".join(keys)})' for keys in (options.sort_keys, options.unique_keys))
    return f'^(?:{key}|{unique}(?:,{key})*)$' if options.unique_keys else f'^{key}$'


def _read_position(
    params: Mapping[str, str], names: PageNames, sent: Mapping[str, str]
) -> tuple[int, Key | None, Key | LastPage | None]:
    """Return the number of the requested page, and the cursors next to it; raises InvalidParameter."""
    after = read_cursor(AFTER, params[AFTER]) if AFTER in params else None
    before = read_cursor(BEFORE, params[BEFORE]) if BEFORE in params else None
    if after is not None and before is not None:
        reason = f'cannot be combined with {AFTER}'
        raise InvalidParameter(BEFORE, reason, 'range-pagination-not-supported')
    if isinstance(after, LastPage):
        raise InvalidParameter(AFTER, 'is not a valid cursor')
    return read_number(params, names.number, 1, sent), after, before
