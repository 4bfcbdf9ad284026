"""Responses to writes, with links to the other resources that a write changed."""

import falcon

from service.representation.document import Document

MAX_INVALIDATION_LINKS = 20  # servers and proxies limit the size of header fields


def add_invalidation_links(resp: falcon.Response, *urls: str) -> None:
    """Link to the other resources that a write changed (draft-nottingham-linked-cache-inv §3).

    Only the first MAX_INVALIDATION_LINKS are sent, so callers pass the most general URLs first.
    """
    if urls:
        links = (f'<{url}>; rel="invalidates"' for url in urls[:MAX_INVALIDATION_LINKS])
        resp.append_header('Link', ', '.join(links))


def respond_created(resp: falcon.Response, document: Document, *urls: str) -> None:
    """Respond with a new resource and its URL (RFC 9110 §15.3.2), and links to what it changed."""
    resp.status, resp.location, resp.media = falcon.HTTP_201, document.href, document
    add_invalidation_links(resp, *urls)


def respond_no_content(resp: falcon.Response, *urls: str) -> None:
    """Respond without content to a write (RFC 9110 §15.3.5), with links to the URLs that it changed."""
    resp.status = falcon.HTTP_204
    add_invalidation_links(resp, *urls)
