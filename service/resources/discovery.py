"""Discovery: the OpenAPI document, the documentation page, and the API catalog (RFC 9727)."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, ClassVar

import falcon
import orjson

from service import urls
from service.http.cache_control import PUBLIC
from service.http.operation import Access, Formats, Operation, RawResponse
from service.http.request import Request
from service.representation.formats import FORMATS, Format, negotiate
from service.representation.html import docs_page
from service.representation.json_schema import Schema
from service.representation.media_types import HTML, JSON, LINKSET, OPENAPI
from service.representation.url_builder import Features, UrlBuilder
from service.resources.openapi.description import Description

PROFILE = 'https://www.rfc-editor.org/info/rfc9727'
OPENAPI_TYPE = f'{OPENAPI};version=3.1'
LINKSET_TYPE = f'{LINKSET}; profile="{PROFILE}"'
VARIABLE_PATH = '/=path'  # replaced by the path of the server, which cannot contain an equals sign
VARIABLE_ORIGIN = f'http://origin.invalid{VARIABLE_PATH}'
OPENAPI_FORMAT = FORMATS[JSON]._replace(name='openapi', media_type=OPENAPI, content_type=OPENAPI_TYPE)


def _choose(req: Request, *formats: Format) -> Format:
    """Return the format that the Accept header prefers, by default the last; raises HTTPNotAcceptable."""
    names = [format.media_type for format in formats]
    chosen = negotiate(req.env.get('HTTP_ACCEPT'), names, default=names[-1])
    if chosen is None:
        raise falcon.HTTPNotAcceptable(description=f'Available media types: {", ".join(names)}.')
    return formats[names.index(chosen)]


class _Rendered:
    """A description that is rendered once for all hosts that clients name; only its URLs differ."""

    def __init__(self, render: Callable[[UrlBuilder], bytes]) -> None:
        self._render = render
        self._with_features = lru_cache(maxsize=2)(self._make)

    def at(self, builder: UrlBuilder) -> bytes:
        """Return the bytes with the URLs of the builder."""
        rendered = self._with_features(builder.features)
        with_origin = rendered.replace(VARIABLE_ORIGIN.encode(), builder.origin.encode())
        return with_origin.replace(VARIABLE_PATH.encode(), builder.path.encode())

    def _make(self, features: Features) -> bytes:
        return self._render(UrlBuilder(VARIABLE_ORIGIN, features))


class OpenApiResource:
    """The OpenAPI document."""

    tag = 'discovery'
    operation_name = 'OpenApi'
    operations: ClassVar = {
        'GET': Operation(
            'Get this description',
            'The OpenAPI 3.1 document of the API.',
            {
                200: RawResponse(
                    'openapi', (JSON, OPENAPI), {'type': 'object'}, lambda builder: {'openapi': '3.1.0'}
                )
            },
            Access.SHARED,
            formats=Formats.OWN,
        ),
    }

    def __init__(self, description: Description) -> None:
        self._document = _Rendered(lambda builder: orjson.dumps(description.at(builder)))

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        req.format = _choose(req, OPENAPI_FORMAT, FORMATS[JSON])
        resp.data = self._document.at(req.builder)
        resp.content_type = req.format.content_type
        resp.set_header('Cache-Control', PUBLIC)


def _render_docs(description: Description, builder: UrlBuilder, *, is_open: bool) -> bytes:
    return docs_page(description.at(builder), is_open=is_open).encode()


class DocsResource:
    """The documentation page."""

    tag = 'discovery'
    operation_name = 'Docs'
    operations: ClassVar = {
        'GET': Operation(
            'Read this description',
            'The documentation of the API as an HTML page, generated from the OpenAPI document.',
            {200: RawResponse('docs', (HTML,), {'type': 'string'}, lambda builder: '<!doctype html>…')},
            Access.SHARED,
            formats=Formats.OWN,
        ),
    }

    def __init__(self, description: Description) -> None:
        self._closed, self._open = (
            _Rendered(partial(_render_docs, description, is_open=is_open)) for is_open in (False, True)
        )

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        req.format = _choose(req, FORMATS[HTML])
        page = self._open if 'open' in req.params else self._closed
        resp.data = page.at(req.builder)
        resp.content_type = req.format.content_type
        resp.set_header('Cache-Control', PUBLIC)


def catalog(builder: UrlBuilder) -> dict[str, Any]:
    """Return the linkset (RFC 9264 §4.2) that lists the APIs of this origin (RFC 9727 §4)."""
    return {
        'linkset': [
            {'anchor': builder.url_for(urls.API_CATALOG), 'item': [{'href': builder.url_for(urls.ENTRY)}]},
            {
                'anchor': builder.url_for(urls.ENTRY),
                'service-desc': [{'href': builder.url_for(urls.OPENAPI), 'type': OPENAPI_TYPE}],
                'service-doc': [{'href': builder.url_for(urls.DOCS), 'type': HTML}],
                'status': [{'href': builder.url_for(urls.READY), 'type': JSON}],
            },
        ]
    }


_LINKS = {
    'type': 'array',
    'items': {
        'type': 'object',
        'properties': {'href': {'type': 'string', 'format': 'uri'}, 'type': {'type': 'string'}},
        'required': ['href'],
    },
}
_CONTEXT = {
    'anchor': {'type': 'string', 'format': 'uri'},
    'item': _LINKS,
    'service-desc': _LINKS,
    'service-doc': _LINKS,
    'status': _LINKS,
}
_LINKSET_SCHEMA: Schema = {
    'type': 'object',
    'properties': {
        'linkset': {
            'type': 'array',
            'items': {'type': 'object', 'properties': _CONTEXT, 'required': ['anchor']},
        }
    },
    'required': ['linkset'],
}


class ApiCatalogResource:
    """The API catalog: the APIs of this origin, and where each is described (RFC 9727)."""

    tag = 'discovery'
    operation_name = 'ApiCatalog'
    operations: ClassVar = {
        'GET': Operation(
            'List the APIs',
            'The APIs of this origin, and where each is described (RFC 9727).',
            {200: RawResponse('api-catalog', (LINKSET,), _LINKSET_SCHEMA, catalog)},
            Access.PUBLIC,
            formats=Formats.FIXED,
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.data, resp.content_type = orjson.dumps(catalog(req.builder)), LINKSET_TYPE
        resp.set_header('Cache-Control', PUBLIC)
        resp.append_header('Link', f'<{req.builder.url_for(urls.API_CATALOG)}>; rel="api-catalog"')
        resp.append_header('Link', f'<{req.builder.url_for(urls.ENTRY)}>; rel="item"')
