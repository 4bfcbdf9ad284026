"""Security headers: what browsers may do with a response."""

from functools import lru_cache

NOSNIFF = {'X-Content-Type-Options': 'nosniff'}
NO_REFERRER = {'Referrer-Policy': 'no-referrer'}
HSTS = {'Strict-Transport-Security': 'max-age=31536000'}  # a year (RFC 6797 §6.1.1)
# CSP Level 3: a response that is not a page loads nothing, and no page may frame it.
DATA = {'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'"}
PAGE = {
    'Referrer-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
}
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https://www.gravatar.com; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
)


@lru_cache(maxsize=64)
def security_headers(
    content_type: str | None,
    status: int,
    *,
    is_https: bool,
    may_be_framed: bool = False,
    has_secret_url: bool = False,
) -> dict[str, str]:
    """Return the security headers of a response.

    A page may load only our own files; if it `may_be_framed`, pages of other sites may frame it. A 304 has no
    policies, because a cache keeps those of its stored response (RFC 9111 §3.2). With `is_https` browsers use
    only https from then on. With `has_secret_url` they do not send the URL to other pages.
    """
    headers = NOSNIFF | (HSTS if is_https else {}) | (NO_REFERRER if has_secret_url else {})
    if status == 304:
        return headers
    if not (content_type or '').startswith('text/html'):
        return headers | DATA
    ancestors, readers = ('*', 'cross-origin') if may_be_framed else ("'none'", 'same-origin')
    return (
        PAGE
        | headers
        | {'Content-Security-Policy': _PAGE_POLICY + ancestors, 'Cross-Origin-Resource-Policy': readers}
    )
