"""Keyset pagination in both directions, with page numbers on top."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import peewee

from service.database.compiled import CompiledQuery, bindparam
from service.database.session import Session

Key = int | str | tuple[int | str, int]


class LastPage:
    """The cursor after the last entry."""


LAST_PAGE = LastPage()
OTHER_COLLECTION = 'The cursor belongs to another collection.'


class InvalidCursor(ValueError):
    """A cursor that the server did not issue for this collection."""


class PageRequest(NamedTuple):
    """The page that a client requests.

    `page` counts from 1. With `after` or `before` the page is next to the entry with that key, and `page`
    is only its number; otherwise it is found by its number. `order` names a key to sort by, with a minus sign
    for descending order; if it is empty, the collection has its usual order. With `ids` only the entries with
    these ids are listed.
    """

    page: int = 1
    per_page: int = 10
    after: Key | None = None
    before: Key | LastPage | None = None
    order: str = ''
    ids: Sequence[int] | None = None


class Page(NamedTuple):
    """A slice of a collection, with the cursors of the adjacent pages.

    `next_cursor` and `previous_cursor` are None if there is no such page; `previous_cursor` is LAST_PAGE if
    the previous page is the last one.
    """

    entries: list[Any]
    page: int
    per_page: int
    total_items: int
    next_cursor: Key | None
    previous_cursor: Key | LastPage | None

    @property
    def total_pages(self) -> int:
        """The number of pages; an empty collection has none."""
        return -(-self.total_items // self.per_page)


class Bounds(Protocol):
    """A bound on the keys of a page, which keeps a query from reading more entries than it needs."""

    def condition(self, key: Any, *, start: Any, descending: bool) -> Any:
        """Return the condition that a key is within the bound of the page that begins at `start`."""

    def values(self, values: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """Return the values of the query's parameters for a bound that includes `depth` entries."""


class KeysetQuery:
    """A query whose entries are listed in the order of a key, a page at a time.

    `key` is a unique column, or a pair of a column and the id that orders entries with equal values.
    `query` selects the key and then the columns from which `make` builds an entry; with `newest_first` the
    largest key comes first. The values of the first column are of `key_type`. `bounds` limit what a page
    reads.
    """

    def __init__(
        self,
        query: Any,
        key: Any,
        make: Callable[[Any], Any],
        *,
        newest_first: bool = True,
        key_type: type[int | str] = int,
        bounds: Bounds | None = None,
    ) -> None:
        self._make = make
        self._key_type = key_type
        self._bounds = bounds
        columns = key if isinstance(key, tuple) else (key,)
        self._width = len(columns)

        def rows(*, descending: bool, start: Any = None) -> CompiledQuery:
            selected = query
            if start is not None:
                selected = selected.where(_is_at_or_after_start(columns, descending))
            order: Sequence[Any] = columns
            if bounds is not None:
                selected = selected.where(bounds.condition(key, start=start, descending=descending))
                order = (key + 0,)  # else PostgreSQL scans all entries by key and skips those out of bounds
            selected = selected.order_by(
                *(column.desc() if descending else column.asc() for column in order)
            ).limit(bindparam('limit'))
            return CompiledQuery(selected if start is not None else selected.offset(bindparam('offset')))

        start = bindparam('start')
        self._from_first = rows(descending=newest_first)
        self._from_last = rows(descending=not newest_first)
        self._forward = rows(descending=newest_first, start=start)
        self._backward = rows(descending=not newest_first, start=start)

    def page(self, session: Session, request: PageRequest, total_items: int, **values: Any) -> Page:
        """Return the requested page of a collection of `total_items` rows; raises InvalidCursor.

        `values` are the query's other parameters.
        """
        for key in (request.after, request.before):
            if not (key is None or isinstance(key, LastPage) or self._is_key(key)):
                raise InvalidCursor(OTHER_COLLECTION)
        if request.after is not None:
            return self._page_after(session, request, request.after, total_items, values)
        if request.before is None:
            return self._numbered_page(session, request, total_items, values)
        if isinstance(request.before, LastPage):
            last = max(1, -(-total_items // request.per_page))
            return self._numbered_page(session, request._replace(page=last), total_items, values)
        return self._page_before(session, request, request.before, total_items, values)

    def _is_key(self, key: Key) -> bool:
        values = key if isinstance(key, tuple) else (key,)
        return len(values) == self._width and isinstance(values[0], self._key_type)

    def _key_of(self, row: Any) -> Key:
        return row[0] if self._width == 1 else tuple(row[: self._width])

    def _rows(
        self, session: Session, query: CompiledQuery, values: dict[str, Any], *, limit: int, **position: Any
    ) -> list[Any]:
        """Return the rows of a query, from `start` or `offset` on."""
        start = position.get('start')
        if isinstance(start, tuple):
            position |= {'start': start[0], 'start_id': start[1]}
        if self._bounds is not None:
            values = self._bounds.values(values, limit + position.get('offset', 0))
        return query.all(session, limit=limit, **position, **values)

    def _page_after(
        self, session: Session, request: PageRequest, after: Key, total_items: int, values: dict[str, Any]
    ) -> Page:
        rows = self._rows(session, self._forward, values, start=after, limit=request.per_page + 2)
        entry_exists = bool(rows) and self._key_of(rows[0]) == after
        rows = rows[1:] if entry_exists else rows
        has_previous = entry_exists or bool(self._rows(session, self._backward, values, start=after, limit=1))
        has_next = len(rows) > request.per_page
        return self._slice(request, total_items, rows[: request.per_page], has_previous, has_next)

    def _page_before(
        self, session: Session, request: PageRequest, before: Key, total_items: int, values: dict[str, Any]
    ) -> Page:
        rows = self._rows(session, self._backward, values, start=before, limit=request.per_page + 2)
        entry_exists = bool(rows) and self._key_of(rows[0]) == before
        rows = rows[1:] if entry_exists else rows
        has_next = entry_exists or bool(self._rows(session, self._forward, values, start=before, limit=1))
        has_previous = len(rows) > request.per_page
        return self._slice(request, total_items, rows[: request.per_page][::-1], has_previous, has_next)

    def _numbered_page(
        self, session: Session, request: PageRequest, total_items: int, values: dict[str, Any]
    ) -> Page:
        offset = (request.page - 1) * request.per_page
        remaining = total_items - offset - request.per_page
        has_previous = request.page > 1 and total_items > 0
        if offset >= total_items:
            return self._slice(request, total_items, [], has_previous, False)
        if remaining < offset:  # the end is nearer than the beginning
            count = request.per_page + min(0, remaining)
            rows = self._rows(session, self._from_last, values, limit=count, offset=max(0, remaining))[::-1]
            return self._slice(request, total_items, rows, has_previous, remaining > 0)
        rows = self._rows(session, self._from_first, values, limit=request.per_page + 1, offset=offset)
        has_next = len(rows) > request.per_page
        return self._slice(request, total_items, rows[: request.per_page], has_previous, has_next)

    def _slice(
        self, request: PageRequest, total_items: int, rows: list[Any], has_previous: bool, has_next: bool
    ) -> Page:
        make, width = self._make, self._width
        entries = [make(row[width:]) for row in rows]
        ends = [self._key_of(rows[0]), self._key_of(rows[-1])] if rows else []
        return _make_page(request, total_items, entries, ends, has_previous, has_next)


def _is_at_or_after_start(columns: Sequence[Any], descending: bool) -> Any:
    """Return the condition that an entry has the key `start`, or follows it in the order of the query."""
    at_or_after, after = (operator.le, operator.lt) if descending else (operator.ge, operator.gt)
    column, *ties = columns
    start = bindparam('start')
    if not ties:
        return at_or_after(column, start)
    [tie] = ties
    start_id = bindparam('start_id')
    # Equivalent conditions: SQLite and PostgreSQL use an index for the first, MariaDB for the second.
    as_row = at_or_after(peewee.Tuple(column, tie), peewee.Tuple(start, start_id))
    return as_row & (after(column, start) | ((column == start) & at_or_after(tie, start_id)))


def _make_page(
    request: PageRequest,
    total_items: int,
    entries: list[Any],
    ends: Sequence[Key],
    has_previous: bool,
    has_next: bool,
) -> Page:
    """Return the page with these entries; `ends` are the keys of the first and the last one, if any."""
    return Page(
        entries=entries,
        page=request.page,
        per_page=request.per_page,
        total_items=total_items,
        next_cursor=ends[-1] if ends and has_next else None,
        previous_cursor=(ends[0] if ends else LAST_PAGE) if has_previous else None,
    )


def page_of(entries: Iterable[tuple[Any, Any]], request: PageRequest, *, newest_first: bool = True) -> Page:
    """Return the requested page of entries that have been read, each with its key.

    Raises InvalidCursor.
    """
    ordered = sorted(entries, key=operator.itemgetter(0), reverse=newest_first)
    total, size = len(ordered), request.per_page
    precedes = operator.gt if newest_first else operator.lt
    start = (request.page - 1) * size
    end = start + size
    try:
        if request.after is not None:
            start = sum(not precedes(request.after, key) for key, _ in ordered)
            end = start + size
        elif isinstance(request.before, LastPage):
            request = request._replace(page=max(1, -(-total // size)))
            start, end = (request.page - 1) * size, total
        elif request.before is not None:
            end = sum(precedes(key, request.before) for key, _ in ordered)
            start = max(0, end - size)
    except TypeError:
        raise InvalidCursor(OTHER_COLLECTION) from None
    has_previous = start > 0 and total > 0
    listed = ordered[start:end]
    keys = [key for key, _ in listed]
    return _make_page(request, total, [entry for _, entry in listed], keys, has_previous, end < total)


class SortKey(NamedTuple):
    """A key that orders a collection, and the type of its first column, as KeysetQuery has them."""

    key: Any
    key_type: type[int | str] = int

    def queries(
        self, source: Any, name: str, columns: Sequence[Any], make: Callable[[Any], Any]
    ) -> dict[str, KeysetQuery]:
        """Return the query that lists the entries of `source` by `name`, and the one by `-name`."""
        key = self.key if isinstance(self.key, tuple) else (self.key,)
        selected = source.select(*key, *columns)
        ascending = KeysetQuery(selected, self.key, make, newest_first=False, key_type=self.key_type)
        descending = KeysetQuery(selected, self.key, make, key_type=self.key_type)
        return {name: ascending, f'-{name}': descending}


def in_every_order(
    source: Any, columns: Sequence[Any], make: Callable[[Any], Any], keys: Mapping[str, SortKey]
) -> dict[str, KeysetQuery]:
    """Return the queries that list the entries of `source` by each of the keys, also after a minus sign."""
    queries: dict[str, KeysetQuery] = {}
    for name, key in keys.items():
        queries |= key.queries(source, name, columns, make)
    return queries


class FirstPagePerOwner:
    """The first pages of the collections of several owners, found in one statement.

    `source` is the query to select from, with `bindparam('owner_id')` in its conditions; `owner` and `total`
    are the columns with the owner's id and the number of their entries. `make` builds an entry from
    `columns`; the largest `key` comes first.
    """

    def __init__(
        self,
        source: Any,
        owner: Any,
        total: Any,
        key: Any,
        columns: Sequence[Any],
        make: Callable[[Any], Any],
    ) -> None:
        self._make = make
        named = [column.alias(f'c{number}') for number, column in enumerate((owner, total, key, *columns))]
        query = source.select(*named).order_by(key.desc()).limit(bindparam('limit'))
        self._list_one = CompiledQuery(query)

    def pages(
        self, session: Session, owner_ids: Sequence[int], request: PageRequest, **values: Any
    ) -> dict[int, Page]:
        """Return the first page of every owner by the owner's id, with as many entries as requested."""
        limit = request.per_page
        rows_of: dict[int, list[Any]] = {owner_id: [] for owner_id in owner_ids}
        sets = [{'owner_id': owner_id, 'limit': limit, **values} for owner_id in rows_of]
        for row in self._list_one.union_all(session, sets):
            rows_of[row[0]].append(row)
        return {owner_id: self._page(rows, limit) for owner_id, rows in rows_of.items()}

    def _page(self, rows: list[Any], limit: int) -> Page:
        rows.sort(key=lambda row: -row[2])
        total = rows[0][1] if rows else 0
        return Page(
            entries=[self._make(row[3:]) for row in rows],
            page=1,
            per_page=limit,
            total_items=total,
            next_cursor=rows[-1][2] if total > limit else None,
            previous_cursor=None,
        )
