"""The static files of the HTML pages, cacheable forever: their URLs contain a fingerprint of the content."""

from typing import ClassVar

import falcon

from service.domain.errors import NotFound
from service.http.operation import Access, Formats, Operation, RawResponse
from service.http.request import Request
from service.representation.static_files import ASSETS

_CONTENT_TYPES = tuple(sorted({asset.content_type for asset in ASSETS.values()}))
IMMUTABLE = 'public, max-age=31536000, immutable'


class AssetResource:
    """One file, by its name including the fingerprint."""

    tag = ''
    operation_name = 'Asset'
    operations: ClassVar = {
        'GET': Operation(
            'Get a file',
            'A static file of the HTML pages.',
            {200: RawResponse('asset', _CONTENT_TYPES, {'type': 'string'}, lambda builder: '')},
            Access.PUBLIC,
            formats=Formats.FIXED,
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response, name: str) -> None:
        asset = ASSETS.get(name)
        if asset is None:
            raise NotFound('There is no such file.')
        resp.set_header('Cache-Control', IMMUTABLE)
        resp.data, resp.content_type = asset.content, asset.content_type
