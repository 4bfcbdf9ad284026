"""The entry point: the one address that a client knows."""

from collections.abc import Callable, Sequence

import falcon

from service import urls
from service.domain.viewer import Viewer
from service.middleware.request import Request
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.representation.queries import Vocabulary
from service.resources.relation import Entry

Enter = Callable[[Viewer | None, AddressBook], Entry]


class EntryPointResource:
    """Links to everything that this viewer can start with."""

    public = frozenset(('GET',))
    vocabulary = Vocabulary('entry-points')

    def __init__(self, parts: Sequence[Enter]) -> None:
        self._parts = parts

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        entries = [enter(req.viewer, req.book) for enter in self._parts]
        links = {rel: link for entry in entries for rel, link in entry.links.items()}
        resp.media = Document(
            kind='entry-points',
            id='api',
            properties={},
            links={'self': req.book.link(urls.ENTRY), 'curies': req.book.curies, **links},
            relationships={rel: None for rel, link in links.items() if ':' in rel and not link.templated},
            forms=tuple(form for entry in entries for form in entry.forms),
            title='Halcyon',
        )


class RootResource:
    """The root of the origin, from which the entry point is found."""

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.status = falcon.HTTP_308
        resp.location = req.book.href(urls.ENTRY)
