"""The Link header (RFC 8288): where the other pages of a collection are, and what a write made stale."""

from typing import Any

import falcon

from service.http.request import Request
from service.representation.document import Document, Link

PAGES = ('self', 'first', 'prev', 'next', 'last')


class LinkMiddleware:
    """Repeats the links between the pages of a collection in the Link header."""

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Append a link for each page that the document links to."""
        if isinstance(resp.media, Document) and resp.media.meta:
            links = ((rel, resp.media.links.get(rel)) for rel in PAGES)
            shown = (f'<{link.href}>; rel="{rel}"' for rel, link in links if isinstance(link, Link))
            resp.append_header('Link', ', '.join(shown))


def invalidates(resp: falcon.Response, *addresses: str) -> None:
    """Say which other resources a write changed (draft-nottingham-linked-cache-inv §3)."""
    for address in addresses:
        resp.append_header('Link', f'<{address}>; rel="invalidates"')
