"""What resources answer when they succeed: samples, made by the functions that make every answer."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from service.domain.paging import Page
from service.domain.viewer import Viewer
from service.representation.action import Action
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.representation.queries import read_page_query
from service.resources.collections import represent_page

MOMENT = 1_795_000_000_000
VIEWER = Viewer(user_id=889_434_931_202_048, username='ada', token_id=889_435_340_800_513)


class Samples(NamedTuple):
    """Documents of one kind as the viewer of the examples sees them, by what is special about each.

    Together they show every member that such a document can have, and which of them it can lack.
    """

    name: str
    documents: Callable[[AddressBook], Mapping[str, Document]]


class Data(NamedTuple):
    """An answer that is no Document: the Content-Types it is had in, and an example."""

    name: str
    content_types: tuple[str, ...]
    example: Callable[[AddressBook], Any]


Answers = Mapping[str, Mapping[int, Samples | Data | None]]


def sample_pages(address: str, entries: Samples, *forms: tuple[Action, str]) -> Samples:
    """Return a page between two others and an empty one, of the collection at an address of the viewer's.

    `forms` are Actions with the addresses that they are sent to.
    """

    def documents(book: AddressBook) -> dict[str, Document]:
        own = {'user_id': VIEWER.user_id}
        shown = tuple(entries.documents(book).values())
        keys = [int(key) if (key := document.id or '').isdigit() else key for document in shown]
        size = len(shown)
        pages = {
            'page': (Page([], 2, size, 3 * size, keys[-1], keys[0]), shown),
            'empty': (Page([], 1, size, 0, None, None), ()),
        }
        return {
            label: represent_page(
                shown[0].kind,
                book.href(address, **own),
                read_page_query({'page': str(page.page), 'per_page': str(size)}),
                page,
                items,
                book,
                forms=tuple(action.at(book.href(target, **own)) for action, target in forms),
            )
            for label, (page, items) in pages.items()
        }

    name = '-'.join(piece for piece in address.split('/')[2:] if not piece.startswith('{'))
    return Samples(f'page-of-{name}', documents)
