"""What resources answer when they succeed: samples, made by the functions that make every answer."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from service.database.pagination import Page, PageRequest
from service.representation.action import Action
from service.representation.addresses import AddressBook
from service.representation.document import Document, Link
from service.representation.queries import HalDialect, PageNames, Query
from service.resources import made_up
from service.resources.collections import represent_page


class Samples(NamedTuple):
    """Documents of one kind as somebody sees them, by what is special about each.

    Together they show every member that such a document can have, and which of them it can lack.
    `pages` makes them instead where they depend on how a format names the parameters of pages.
    """

    name: str
    documents: Callable[[AddressBook], Mapping[str, Document]]
    pages: Callable[[AddressBook, PageNames], Mapping[str, Document]] | None = None

    def said(self, book: AddressBook, names: PageNames) -> Mapping[str, Document]:
        """Return the documents as a format with these names says them."""
        return self.pages(book, names) if self.pages else self.documents(book)


class Data(NamedTuple):
    """An answer that is no Document: the Content-Types it is had in, and an example."""

    name: str
    content_types: tuple[str, ...]
    example: Callable[[AddressBook], Any]


Answers = Mapping[str, Mapping[int, Samples | Data | None]]


def sample_pages(
    address: str, entries: Samples, *forms: tuple[Action, str], for_owner: bool = False
) -> Samples:
    """Return a page between two others and an empty one, of the collection at an address.

    `forms` are Actions with the addresses that they are sent to; some are `for_owner` alone.
    """
    return _sample_pages(address, entries, forms, {}, for_owner=for_owner)


def sample_linkage(address: str, related: str, entries: Samples) -> Samples:
    """Return such pages of a relation by itself, which leads to what is `related`."""
    return _sample_pages(address, entries, (), {'related': related})


def _sample_pages(
    template: str,
    entries: Samples,
    forms: tuple[tuple[Action, str], ...],
    links: Mapping[str, str],
    *,
    for_owner: bool = False,
) -> Samples:
    def pages(book: AddressBook, names: PageNames) -> dict[str, Document]:
        shown = tuple(entries.documents(book).values())
        keys = [int(key) if (key := document.id or '').isdigit() else key for document in shown]
        size = len(shown)
        filled, empty = Page([*shown], 2, size, 3 * size, keys[-1], keys[0]), Page([], 1, size, 0, None, None)
        several = {'page': (filled, shown, forms), 'empty': (empty, (), forms)}
        if for_owner:
            several['of-another'] = (empty, (), ())
        return {
            label: represent_page(
                shown[0].kind,
                _href(book, template),
                _query(names, page),
                page,
                items,
                book,
                links={rel: Link(_href(book, other)) for rel, other in links.items()},
                forms=tuple(action.at(_href(book, target)) for action, target in offered),
            )
            for label, (page, items, offered) in several.items()
        }

    name = '-'.join(piece for piece in template.split('/')[2:] if not piece.startswith('{'))
    return Samples(f'page-of-{name}', lambda book: pages(book, HalDialect.names), pages)


def _query(names: PageNames, page: Page) -> Query:
    given = {names.number: str(page.page), names.size: str(page.per_page)}
    return Query(names, PageRequest(page.page, page.per_page), given=given)


def _href(book: AddressBook, template: str) -> str:
    """Return the address that belongs to the owner of all samples."""
    return book.href(template, user_id=made_up.USER.id, store_id=made_up.STORE_ID)
