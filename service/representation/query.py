"""The parsed query of a request, and the query strings of links."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote_plus

from service.database.pagination import LAST_PAGE, Key, LastPage, Page, PageRequest
from service.representation.cursors import AFTER, BEFORE, write_cursor
from service.representation.document import EVERYTHING, Selection

PAGE_RELATIONS = ('first', 'prev', 'next', 'last')


class PageNames(NamedTuple):
    """The names of the parameters for the page number and for the page size."""

    number: str
    size: str


class Query(NamedTuple):
    """The parsed query of a request: the page, the filters and the selection.

    `filters` are the values of the filters by text, and `related_ids` those of the filters by a related
    resource. `params` are the parameters of the request in canonical spelling; `kept` are those that links to
    other pages keep. `is_numbered` is false if there is a cursor but no page number.
    """

    names: PageNames
    page_request: PageRequest = PageRequest()
    filters: Mapping[str, str] = {}
    related_ids: Mapping[str, int] = {}
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
        values[self.names.size] = str(self.page_request.per_page)
        if after is not None:
            values[AFTER] = write_cursor(after)
        if before is not None:
            values[BEFORE] = write_cursor(before)
        return query_string(values)

    def page_links(self, page: Page) -> dict[str, str]:
        """Return the query strings of PAGE_RELATIONS, those of missing pages omitted."""
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
            queries['next'] = queries['first']  # no entries are left before the cursor, but there are others
        return queries | {'last': last}

    def page_template(self) -> str:
        """Return the query part of the URI template for pages by number (RFC 6570 §3.2.8, §3.2.9)."""
        variables = ','.join(self.names)
        return f'{query_string(self.kept)}{{&{variables}}}' if self.kept else f'{{?{variables}}}'


def query_string(values: Mapping[str, str]) -> str:
    """Return the query part of a URL with its question mark, empty if there are no parameters."""
    if not values:
        return ''
    return '?' + '&'.join(f'{_quoted(name)}={_quoted(value)}' for name, value in values.items())


# As in urlencode, but cached: the same names and values recur.
_quoted = lru_cache(maxsize=1024)(quote_plus)
