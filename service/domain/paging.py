"""Pages of a collection: by position, so that any page costs the same, or by number."""

from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any, NamedTuple

import peewee

from service.domain.clock import LARGEST_ID
from service.domain.database import Database, Statement, parameter

Key = int | str


class End:
    """The position behind the last entry."""


END = End()


class UnknownPosition(ValueError):
    """A position lies next to a key that no entry of the collection can have."""


class Position(NamedTuple):
    """Which page is wanted.

    `page` counts from 1. With `after` or `before` the page is what lies next to that entry's key, and
    `page` only says what number it had; without, it is found by its number.
    """

    page: int = 1
    per_page: int = 10
    after: Key | None = None
    before: Key | End | None = None


class Page(NamedTuple):
    """A slice of a collection, and where its neighbours lie.

    `after` and `before` are the keys that the next and the previous page lie next to, None where there
    is no such page; `before` is END where the previous page is the last one.
    """

    entries: list[Any]
    page: int
    per_page: int
    total_items: int
    after: Key | None
    before: Key | End | None

    @property
    def total_pages(self) -> int:
        """How many pages there are; an empty collection has none."""
        return -(-self.total_items // self.per_page)


class Parts:
    """What a collection is merged of: the parts that each of several owners has.

    A page lies within a span of keys. It ends where as many parts have an entry as the page has places, or,
    where there are fewer parts, where one of them alone has as many. Finding the end takes a step into the
    index of each part, so a page costs the same however long the parts are; sorting them all does not.

    `owners` is a query of `owner_id`; `entries` is the table of all entries, with the columns `owner` and
    `key`, whole numbers from 1, and an index of both.
    """

    def __init__(self, owners: Any, entries: Any, *, owner: str, key: str) -> None:
        self._owners = owners
        self._entries = entries.alias('step')
        self._owner = getattr(self._entries, owner)
        self._key = getattr(self._entries, key)

    def within_span(self, key: Any, *, start: Any = None, descending: bool) -> Any:
        """Return the condition that a key is within the span of the page that begins at `start`."""
        owners = self._owners.alias('owners')
        step = self._entries.select(self._key).where(self._owner == owners.c.owner_id)
        if start is not None:
            step = step.where(self._key <= start if descending else self._key >= start)
        step = step.order_by(self._in_order(self._key, descending)).limit(1).offset(parameter('skip'))
        beyond = 0 if descending else LARGEST_ID  # where a part has no such entry
        reached = peewee.fn.COALESCE(step, beyond).alias('reached')
        ends = peewee.Select((owners,), (reached,)).alias('ends')
        ranked = peewee.Select((ends,), (ends.c.reached,)).order_by(
            self._in_order(ends.c.reached, descending)
        )
        end = peewee.fn.COALESCE(ranked.limit(1).offset(parameter('rank')), beyond)
        return key >= end if descending else key <= end

    @staticmethod
    def _in_order(key: Any, descending: bool) -> Any:
        return key.desc() if descending else key.asc()

    @staticmethod
    def places(count: int, depth: int) -> dict[str, int]:
        """Return where the span of `depth` entries ends, of a collection that has `count` parts."""
        return {'skip': 0, 'rank': depth - 1} if count >= depth else {'skip': depth - 1, 'rank': 0}


class Listing:
    """A query whose entries are listed in the order of one unique column, a page at a time.

    `query` selects `key` and then the columns that `make` makes an entry of; with `newest_first` the
    largest key comes first. Keys are of `key_type`. What is merged of `parts` is run with `part_count`.
    """

    def __init__(
        self,
        query: Any,
        key: Any,
        make: Callable[[Any], Any],
        *,
        newest_first: bool = True,
        key_type: type[Key] = int,
        parts: Parts | None = None,
    ) -> None:
        self._make = make
        self._key_type = key_type
        start = parameter('start')

        def rows(*, descending: bool, start: Any = None) -> Statement:
            found = query
            if start is not None:
                found = found.where(key <= start if descending else key >= start)
            order = key
            if parts is not None:
                found = found.where(parts.within_span(key, start=start, descending=descending))
                order = key + 0  # else PostgreSQL walks by key, and passes over what is not of the parts
            found = found.order_by(order.desc() if descending else order.asc()).limit(parameter('limit'))
            return Statement(found if start is not None else found.offset(parameter('offset')))

        self._forward = rows(descending=newest_first)
        self._backward = rows(descending=not newest_first)
        self._onward = rows(descending=newest_first, start=start)
        self._back = rows(descending=not newest_first, start=start)

    def page(self, db: Database, position: Position, total_items: int, **values: Any) -> Page:
        """Return the page at the position, of a collection of `total_items` rows; raises UnknownPosition."""
        for key in (position.after, position.before):
            if not isinstance(key, (self._key_type, End, NoneType)):
                raise UnknownPosition('The position is of another collection.')
        if position.after is not None:
            return self._page_after(db, position, position.after, total_items, values)
        if position.before is None:
            return self._numbered_page(db, position, total_items, values)
        if isinstance(position.before, End):
            last = max(1, -(-total_items // position.per_page))
            return self._numbered_page(db, position._replace(page=last), total_items, values)
        return self._page_before(db, position, position.before, total_items, values)

    @staticmethod
    def _rows(
        db: Database, statement: Statement, values: dict[str, Any], *, limit: int, **where: Any
    ) -> list[Any]:
        """Return the rows of a statement, from `start` or `offset` on."""
        places = Parts.places(values.get('part_count', 0), limit + where.get('offset', 0))
        return statement.all(db, limit=limit, **where, **places, **values)

    def _page_after(
        self, db: Database, position: Position, after: Key, total_items: int, values: dict[str, Any]
    ) -> Page:
        rows = self._rows(db, self._onward, values, start=after, limit=position.per_page + 2)
        entry_is_there = bool(rows) and rows[0][0] == after
        rows = rows[1:] if entry_is_there else rows
        has_previous = entry_is_there or bool(self._rows(db, self._back, values, start=after, limit=1))
        has_next = len(rows) > position.per_page
        return self._slice(position, total_items, rows[: position.per_page], has_previous, has_next)

    def _page_before(
        self, db: Database, position: Position, before: Key, total_items: int, values: dict[str, Any]
    ) -> Page:
        rows = self._rows(db, self._back, values, start=before, limit=position.per_page + 2)
        entry_is_there = bool(rows) and rows[0][0] == before
        rows = rows[1:] if entry_is_there else rows
        has_next = entry_is_there or bool(self._rows(db, self._onward, values, start=before, limit=1))
        has_previous = len(rows) > position.per_page
        return self._slice(position, total_items, rows[: position.per_page][::-1], has_previous, has_next)

    def _numbered_page(
        self, db: Database, position: Position, total_items: int, values: dict[str, Any]
    ) -> Page:
        offset = (position.page - 1) * position.per_page
        behind = total_items - offset - position.per_page
        has_previous = position.page > 1 and total_items > 0
        if offset >= total_items:
            return self._slice(position, total_items, [], has_previous, False)
        if behind < offset:  # the end is nearer than the start
            count = position.per_page + min(0, behind)
            rows = self._rows(db, self._backward, values, limit=count, offset=max(0, behind))[::-1]
            return self._slice(position, total_items, rows, has_previous, behind > 0)
        rows = self._rows(db, self._forward, values, limit=position.per_page + 1, offset=offset)
        has_next = len(rows) > position.per_page
        return self._slice(position, total_items, rows[: position.per_page], has_previous, has_next)

    def _slice(
        self, position: Position, total_items: int, rows: list[Any], has_previous: bool, has_next: bool
    ) -> Page:
        return Page(
            entries=[self._make(row[1:]) for row in rows],
            page=position.page,
            per_page=position.per_page,
            total_items=total_items,
            after=rows[-1][0] if rows and has_next else None,
            before=(rows[0][0] if rows else END) if has_previous else None,
        )


class FirstPages:
    """The first pages of a collection that each of several owners has, in one statement.

    `source` is what is selected from, with `parameter('owner_id')` in its conditions; `owner` and `total`
    are the columns that say whose the entry is and how many the owner has. An entry is made of `columns`;
    the largest `key` comes first.
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
        self._of_one = Statement(source.select(*named).order_by(key.desc()).limit(parameter('limit')))

    def pages(
        self, db: Database, owner_ids: Sequence[int], position: Position, **values: Any
    ) -> dict[int, Page]:
        """Return the first page, as long as the position says, of every owner."""
        limit = position.per_page
        rows_of: dict[int, list[Any]] = {owner_id: [] for owner_id in owner_ids}
        several = [{'owner_id': owner_id, 'limit': limit, **values} for owner_id in rows_of]
        for row in self._of_one.all_of(db, several):
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
            after=rows[-1][2] if total > limit else None,
            before=None,
        )
