"""The entry point: the one address that a client knows."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import falcon

from service import urls
from service.domain.viewer import Viewer
from service.http.operation import Access, Formats, Operation, Samples
from service.http.request import Request
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.representation.queries import QueryOptions
from service.resources import sample_data
from service.resources.module import EntryPointPart

EntryPoint = Callable[[Viewer | None, AddressBook], EntryPointPart]


class EntryPointResource:
    """Links to everything that this viewer can start with."""

    tag = 'entry-point'
    operation_name = 'EntryPoint'
    description = 'Links to everything that this viewer can start with.'

    def __init__(self, parts: Sequence[EntryPoint]) -> None:
        self._parts = parts
        samples = Samples('entry-point', self._samples)
        self.operations = {
            'GET': Operation({200: samples}, Access.ANYONE, query=QueryOptions('entry-points'))
        }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.media = self._represent(req.viewer, req.book)
        resp.append_header('Link', f'<{req.book.href(urls.API_CATALOG)}>; rel="api-catalog"')

    def _represent(self, viewer: Viewer | None, book: AddressBook) -> Document:
        return represent_entry_point([entry_point(viewer, book) for entry_point in self._parts], book)

    def _samples(self, book: AddressBook) -> dict[str, Document]:
        return {
            'signed-in': self._represent(sample_data.OWNER, book),
            'anonymous': self._represent(None, book),
        }


def represent_entry_point(entries: Sequence[EntryPointPart], book: AddressBook) -> Document:
    """Return what the modules put on the entry point, as one document."""
    links = {rel: link for entry in entries for rel, link in entry.links.items()}
    return Document(
        kind='entry-points',
        id='api',
        properties={},
        links={
            'self': book.link(urls.ENTRY),
            'curies': book.curies,
            **links,
            'service-desc': book.link(urls.OPENAPI),
            'service-doc': book.link(urls.DOCS),
        },
        forms=tuple(form for entry in entries for form in entry.forms),
        relationships={rel: None for rel, link in links.items() if ':' in rel and not link.templated},
        title='Halcyon',
    )


class RootResource:
    """The root of the origin, from which the entry point is found."""

    tag = 'entry-point'
    operation_name = 'Root'
    description = 'The root of the origin, from which the entry point is found.'
    operations: ClassVar = {'GET': Operation({308: None}, Access.PUBLIC, formats=Formats.FIXED)}

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.status = falcon.HTTP_308
        resp.location = req.book.href(urls.ENTRY)
