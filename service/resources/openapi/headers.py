"""Response headers by status."""

from collections.abc import Container, Sequence
from typing import Any

from service.resources.openapi.components import Components

RATE_LIMIT_HEADERS = ('RateLimit', 'RateLimit-Policy')
REPLAY_HEADERS = ('Idempotency-Replayed',)
_LIMITED = (200, 201, 202, 204, 303, 400, 401, 403, 404, 406, 409, 412, 413, 415, 422)
# For each header its description, and the statuses of responses that always or sometimes have it.
_HEADERS: dict[str, tuple[str, Container[int], Container[int]]] = {
    'Accept': ('The supported media types of bodies.', (), (415,)),
    'Accept-Encoding': ('The supported content codings of bodies.', (), (415,)),
    'Accept-Patch': ('The supported media types of patches.', (), (415,)),
    'Allow': ('The methods of the resource.', (405,), ()),
    'Content-Location': ('The URL whose representation this is.', (), (200, 304)),
    'Deprecation': ('When this URL was deprecated (RFC 9745).', (), (308,)),
    'ETag': ('The validator of the representation, for If-Match and If-None-Match.', (304,), (200, 201, 204)),
    'Idempotency-Replayed': (
        '`true` if this is the response to an earlier request.',
        (),
        (200, 201, 202, 204, 303),
    ),
    'Link': (
        'Other pages of a collection; after a write, the resources whose representations it changed; at a '
        'deprecated URL, its successor.',
        (),
        (200, 201, 204, 303, 304, 308),
    ),
    'Location': (
        'The absolute URL of the new resource, or of the resource to continue with.',
        (201, 303, 308),
        (),
    ),
    'Preference-Applied': ('The preference of Prefer that was applied (RFC 7240 §3).', (), (201, 204)),
    'RateLimit': (
        'The remaining quota of each rate limit, and the seconds until there is more '
        '(draft-ietf-httpapi-ratelimit-headers).',
        (429,),
        _LIMITED,
    ),
    'RateLimit-Policy': (
        'The quota of each rate limit, and its time window in seconds.',
        (429,),
        _LIMITED,
    ),
    'Retry-After': ('Seconds after which to try again.', (429, 503), (409,)),
    'WWW-Authenticate': ('The credentials that are needed (RFC 6750 §3).', (401,), (403,)),
    'X-Request-Id': ('Identifies the request in the log of the server.', range(100, 600), ()),
}


def headers_with(
    statuses: Sequence[int], components: Components, *, without: Container[str] = ()
) -> dict[str, dict[str, str]]:
    """Return the headers of a response with one of the statuses (Header Objects, OpenAPI 3.1 §4.8.21).

    The headers in `without` are omitted.
    """
    headers = {}
    for name, (description, always, sometimes) in _HEADERS.items():
        occurs = any(status in always or status in sometimes for status in statuses)
        if occurs and name not in without:
            is_required = all(status in always for status in statuses)
            headers[name] = components.refer('headers', *_header(name, description, is_required=is_required))
    return headers


def _header(name: str, description: str, *, is_required: bool) -> tuple[str, dict[str, Any]]:
    """Return the component name and the header, which is a separate component if it is optional."""
    header: dict[str, Any] = {'description': description, 'schema': {'type': 'string'}}
    return (name, {**header, 'required': True}) if is_required else (f'{name}.optional', header)
