"""Keyset pagination in both directions, with page numbers on top."""

from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import Any, NamedTuple, Protocol

from service.database.compiled import CompiledQuery, bindparam
from service.database.session import Session

Key = int | str


class LastPage:
    """The cursor after the last entry."""


LAST_PAGE = LastPage()


class InvalidCursor(ValueError):
    """A cursor that the server did not issue for this collection."""


class PageRequest(NamedTuple):
    """The page that a client requests.

    `page` counts from 1. With `after` or `before` the page is next to the entry with that key, and `page`
    is only its number; otherwise it is found by its number.
    """

    page: int = 1
    per_page: int = 10
    after: Key | None = None
    before: Key | LastPage | None = None


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
    """A query whose entries are listed in the order of one unique column, a page at a time.

    `query` selects `key` and then the columns from which `make` builds an entry; with `newest_first` the
    largest key comes first. Keys are of `key_type`. `bounds` limit what a page reads.
    """

    def __init__(
        self,
        query: Any,
        key: Any,
        make: Callable[[Any], Any],
        *,
        newest_first: bool = True,
        key_type: type[Key] = int,
        bounds: Bounds | None = None,
    ) -> None:
        self._make = make
        self._key_type = key_type
        self._bounds = bounds

        def rows(*, descending: bool, start: Any = None) -> CompiledQuery:
            selected = query
            if start is not None:
                selected = selected.where(key <= start if descending else key >= start)
            order = key
            if bounds is not None:
                selected = selected.where(bounds.condition(key, start=start, descending=descending))
                order = key + 0  # else PostgreSQL scans all entries by key and skips those out of bounds
            selected = selected.order_by(order.desc() if descending else order.asc()).limit(
                bindparam('limit')
            )
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
            if not isinstance(key, (self._key_type, LastPage, NoneType)):
                raise InvalidCursor('The cursor belongs to another collection.')
        if request.after is not None:
            return self._page_after(session, request, request.after, total_items, values)
        if request.before is None:
            return self._numbered_page(session, request, total_items, values)
        if isinstance(request.before, LastPage):
            last = max(1, -(-total_items // request.per_page))
            return self._numbered_page(session, request._replace(page=last), total_items, values)
        return self._page_before(session, request, request.before, total_items, values)

    def _rows(
        self, session: Session, query: CompiledQuery, values: dict[str, Any], *, limit: int, **where: Any
    ) -> list[Any]:
        """Return the rows of a query, from `start` or `offset` on."""
        if self._bounds is not None:
            values = self._bounds.values(values, limit + where.get('offset', 0))
        return query.all(session, limit=limit, **where, **values)

    def _page_after(
        self, session: Session, request: PageRequest, after: Key, total_items: int, values: dict[str, Any]
    ) -> Page:
        rows = self._rows(session, self._forward, values, start=after, limit=request.per_page + 2)
        entry_exists = bool(rows) and rows[0][0] == after
        rows = rows[1:] if entry_exists else rows
        has_previous = entry_exists or bool(self._rows(session, self._backward, values, start=after, limit=1))
        has_next = len(rows) > request.per_page
        return self._slice(request, total_items, rows[: request.per_page], has_previous, has_next)

    def _page_before(
        self, session: Session, request: PageRequest, before: Key, total_items: int, values: dict[str, Any]
    ) -> Page:
        rows = self._rows(session, self._backward, values, start=before, limit=request.per_page + 2)
        entry_exists = bool(rows) and rows[0][0] == before
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
        return Page(
            entries=[self._make(row[1:]) for row in rows],
            page=request.page,
            per_page=request.per_page,
            total_items=total_items,
            next_cursor=rows[-1][0] if rows and has_next else None,
            previous_cursor=(rows[0][0] if rows else LAST_PAGE) if has_previous else None,
        )


class FirstPagePerOwner:
    """The first pages of the collections of several owners, found in one statement.

    `source` is the query to select from, with `bindparam('owner_id')` in its conditions; `owner` and `total`
    are the columns with the owner's id and the number of entries they have. `make` builds an entry from
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
        named = [column.alias(f'c{place}') for place, column in enumerate((owner, total, key, *columns))]
        self._of_one = CompiledQuery(source.select(*named).order_by(key.desc()).limit(bindparam('limit')))

    def pages(
        self, session: Session, owner_ids: Sequence[int], request: PageRequest, **values: Any
    ) -> dict[int, Page]:
        """Return the first page of every owner by the owner's id, with as many entries as requested."""
        limit = request.per_page
        rows_of: dict[int, list[Any]] = {owner_id: [] for owner_id in owner_ids}
        sets = [{'owner_id': owner_id, 'limit': limit, **values} for owner_id in rows_of]
        for row in self._of_one.union_all(session, sets):
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
