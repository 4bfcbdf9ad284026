"""Where the API is described: OpenAPI for programs, a page for people, and the catalog that leads to both."""

from typing import Any, ClassVar

import falcon
import orjson

from service import urls
from service.http.conditional import PUBLIC
from service.http.operation import Access, Formats, Operation, RawResponse
from service.http.request import Request
from service.representation.addresses import AddressBook
from service.representation.formats import FORMATS, Format, choose_among
from service.representation.html import docs_page
from service.representation.media_types import HTML, JSON, LINKSET, OPENAPI
from service.resources.openapi.description import Description

PROFILE = 'https://www.rfc-editor.org/info/rfc9727'
OPENAPI_TYPE = f'{OPENAPI};version=3.1'
LINKSET_TYPE = f'{LINKSET}; profile="{PROFILE}"'
OPENAPI_FORMAT = FORMATS[JSON]._replace(name='openapi', media_type=OPENAPI, content_type=OPENAPI_TYPE)


def _choose(req: Request, *formats: Format) -> Format:
    """Return the format that the Accept header likes best, else the last; raises HTTPNotAcceptable."""
    names = [format.media_type for format in formats]
    chosen = choose_among(req.env.get('HTTP_ACCEPT'), names, default=names[-1])
    if chosen is None:
        raise falcon.HTTPNotAcceptable(description=f'What can be had is {", ".join(names)}.')
    return formats[names.index(chosen)]


class OpenApiResource:
    """The description of the API for programs (OpenAPI 3.1)."""

    tag = 'discovery'
    operation_name = 'OpenApi'
    description = 'The description of the API for programs (OpenAPI 3.1).'
    operations: ClassVar = {
        'GET': Operation(
            {200: RawResponse('openapi', (JSON, OPENAPI), lambda book: {'openapi': '3.1.0'})},
            Access.ANYONE,
            formats=Formats.OWN,
        ),
    }

    def __init__(self, description: Description) -> None:
        self._description = description

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        req.format = _choose(req, OPENAPI_FORMAT, FORMATS[JSON])
        resp.data = orjson.dumps(self._description.at(req.book))
        resp.content_type = req.format.content_type
        resp.set_header('Cache-Control', PUBLIC)


class DocsResource:
    """The description of the API for people."""

    tag = 'discovery'
    operation_name = 'Docs'
    description = 'The description of the API for people.'
    operations: ClassVar = {
        'GET': Operation(
            {200: RawResponse('docs', (HTML,), lambda book: '')}, Access.ANYONE, formats=Formats.OWN
        ),
    }

    def __init__(self, description: Description) -> None:
        self._description = description

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        req.format = _choose(req, FORMATS[HTML])
        resp.data = docs_page(self._description.at(req.book)).encode()
        resp.content_type = req.format.content_type
        resp.set_header('Cache-Control', PUBLIC)


def catalog(book: AddressBook) -> dict[str, Any]:
    """Return the linkset (RFC 9264 §4.2) of the APIs that there are here (RFC 9727 §4)."""
    return {
        'linkset': [
            {'anchor': book.href(urls.API_CATALOG), 'item': [{'href': book.href(urls.ENTRY)}]},
            {
                'anchor': book.href(urls.ENTRY),
                'service-desc': [{'href': book.href(urls.OPENAPI), 'type': OPENAPI_TYPE}],
                'service-doc': [{'href': book.href(urls.DOCS), 'type': HTML}],
                'status': [{'href': book.href(urls.READY), 'type': JSON}],
            },
        ]
    }


class ApiCatalogResource:
    """Which APIs there are at this origin, and where they are described (RFC 9727)."""

    tag = 'discovery'
    operation_name = 'ApiCatalog'
    description = 'Which APIs there are at this origin, and where they are described (RFC 9727).'
    operations: ClassVar = {
        'GET': Operation(
            {200: RawResponse('api-catalog', (LINKSET,), catalog)}, Access.PUBLIC, formats=Formats.FIXED
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.data, resp.content_type = orjson.dumps(catalog(req.book)), LINKSET_TYPE
        resp.set_header('Cache-Control', PUBLIC)
        resp.append_header('Link', f'<{req.book.href(urls.API_CATALOG)}>; rel="api-catalog"')
        resp.append_header('Link', f'<{req.book.href(urls.ENTRY)}>; rel="item"')
