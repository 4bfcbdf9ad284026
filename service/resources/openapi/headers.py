"""Headers: which an answer always or sometimes has, and what they say."""

from collections.abc import Container
from typing import Any

# Of each header what it says, and the statuses that it is always or sometimes with.
_HEADERS: dict[str, tuple[str, Container[int], Container[int]]] = {
    'Accept': ('The media types of bodies that are read.', (), (415,)),
    'Accept-Encoding': ('The content codings that are read.', (), (415,)),
    'Accept-Patch': ('The media types of patches that are read.', (), (415,)),
    'Allow': ('The methods that the resource has.', (405,), ()),
    'ETag': ('The validator of the representation.', (304,), (200, 201)),
    'Link': ('Other pages, and what a write made stale.', (), (200, 201, 204, 303, 304)),
    'Location': ('The absolute address of what was made.', (201, 303, 308), ()),
    'Retry-After': ('Seconds after which to try again.', (429, 503), (409,)),
    'WWW-Authenticate': ('The credentials that are asked for.', (401,), ()),
    'X-Request-Id': ('What the log of the server calls the request.', range(100, 600), ()),
}


def headers_with(status: int) -> dict[str, dict[str, Any]]:
    """Return the headers of an answer with the status, as a member of its Response Object."""
    headers = {
        name: described_header(name, is_required=status in always)
        for name, (_, always, sometimes) in _HEADERS.items()
        if status in always or status in sometimes
    }
    return {'headers': headers}


def described_header(name: str, *, is_required: bool) -> dict[str, Any]:
    """Return the Header Object (OpenAPI 3.1 §4.8.21)."""
    described = {'description': _HEADERS[name][0], 'schema': {'type': 'string'}}
    return {**described, 'required': True} if is_required else described
