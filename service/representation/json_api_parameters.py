"""The query parameters of JSON:API 1.1 (§6, §10): page, sort, filter, include and fields; no others."""

import re
from collections.abc import Mapping, Set
from typing import Any

from service.representation.document import Selection
from service.representation.json_api import MEMBER, member
from service.representation.json_schema import Schema
from service.representation.query_parameters import (
    CURSOR,
    CURSORS,
    MOST_PER_PAGE,
    NUMBER,
    PER_PAGE,
    SEARCHED,
    InvalidParameter,
    PageNames,
    Query,
    QueryOptions,
    parse_positive_int,
    query_string,
    read_position,
    single,
    text,
)

_FIELDS = re.compile(r'fields\[([^\[\]]+)\]')
_FILTER = re.compile(r'filter\[([^\[\]]+)\]')
_NAMES = rf'^(?:{MEMBER.pattern}(?:[.,]{MEMBER.pattern})*)?$'
_UNKNOWN = 'is no parameter that can be used here'


class JsonApiDialect:
    """`page[number]`, `page[size]`, `sort`, `filter[…]`, `include` and `fields[…]`; others are refused."""

    names = PageNames('page[number]', 'page[size]')
    strict = True

    def read(self, parameters: Mapping[str, Any], options: QueryOptions, kinds: Set[str]) -> Query:
        """Return what the parameters ask; raises InvalidParameter for whatever cannot be asked here."""
        params = {name: single(parameters, name) for name in parameters}
        paging = (*self.names, *CURSORS) if options.paginated else ()
        filters: dict[str, str] = {}
        fields: dict[str, frozenset[str]] = {}
        relations: frozenset[str] | None = None
        order = ''
        for name, value in params.items():
            field, filtered = _FIELDS.fullmatch(name), _FILTER.fullmatch(name)
            if name == 'include' and options.includable:
                relations = _relations(value, options)
            elif name == 'sort' and options.sort_keys:
                order = _order(value, options)
            elif field and field[1] in kinds:
                fields[field[1]] = frozenset(_names(name, value))
            elif filtered and filtered[1] in options.filters:
                filters[filtered[1]] = text(name, value)
            elif name not in paging:
                raise InvalidParameter(name, _UNKNOWN)
        per_page = parse_positive_int(params, self.names.size, PER_PAGE)
        if per_page > MOST_PER_PAGE:
            raise InvalidParameter(self.names.size, f'must be at most {MOST_PER_PAGE}', most=MOST_PER_PAGE)
        return Query(
            self.names,
            read_position(params, self.names, per_page),
            filters,
            order,
            params,
            kept={name: value for name, value in params.items() if name not in paging},
            selection=Selection(relations, fields, query_string(params)),
        )

    def parameters(self, options: QueryOptions, kinds: Set[str]) -> dict[str, Schema]:
        """Return what `read` takes; every other parameter is refused."""
        schemas: dict[str, Schema] = {}
        if options.paginated:
            schemas = {self.names.number: NUMBER, self.names.size: {**NUMBER, 'maximum': MOST_PER_PAGE}}
            schemas |= dict.fromkeys(CURSORS, CURSOR)
        schemas |= {f'filter[{name}]': SEARCHED for name in options.filters}
        if options.sort_keys:
            key = f'-?(?:{"|".join(options.sort_keys)})'
            schemas['sort'] = {'type': 'string', 'pattern': f'^{key}(?:,{key})*$'}
        if options.includable:
            path = f'(?:{"|".join(member(rel) for rel in options.includable)})'
            schemas['include'] = {'type': 'string', 'pattern': f'^(?:{path}(?:,{path})*)?$'}
        return schemas | {f'fields[{kind}]': {'type': 'string', 'pattern': _NAMES} for kind in sorted(kinds)}


def _relations(value: str, options: QueryOptions) -> frozenset[str]:
    """Return the relations that a list of paths names (§6.3); an empty list names none."""
    by_name = {member(rel): rel for rel in options.includable}
    paths = _names('include', value)
    for path in paths:
        if path not in by_name:
            raise InvalidParameter('include', f'cannot have {path!r} here')
    return frozenset(by_name[path] for path in paths)


def _order(value: str, options: QueryOptions) -> str:
    """Return the key that decides (§6.5): each one is unique, so the first does."""
    keys = value.split(',')
    for key in keys:
        if key.removeprefix('-') not in options.sort_keys:
            raise InvalidParameter('sort', f'cannot be by {key!r} here')
    return keys[0]


def _names(parameter: str, value: str) -> list[str]:
    names = value.split(',') if value else []
    for name in names:
        if not all(MEMBER.fullmatch(part) for part in name.split('.')):
            raise InvalidParameter(parameter, f'has {name!r}, which is no name')
    return names
