"""Sample responses of collections, built by the functions that build real ones."""

from collections.abc import Mapping

from service.database.pagination import Page, PageRequest
from service.http.operation import Samples
from service.representation.action import Action
from service.representation.addresses import AddressBook
from service.representation.document import Document, Link
from service.representation.queries import HalDialect, PageNames, Query
from service.resources import sample_data
from service.resources.collection_pages import represent_page


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
    return book.href(template, user_id=sample_data.USER.id, store_id=sample_data.STORE_ID)
