"""The values of Cache-Control (RFC 9111 §5.2.2)."""

import falcon

NO_STORE = 'no-store'
PRIVATE = 'private, no-cache'
PUBLIC = 'public, max-age=3600'


def is_public(resp: falcon.Response) -> bool:
    """Return whether shared caches may store the response, which is then the same for all viewers."""
    return (resp.get_header('Cache-Control') or '').startswith('public')
