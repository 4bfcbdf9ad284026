"""What a request asks beside its address: read before any work in strict formats, and shown in the answer."""

import dataclasses
from typing import Any

import falcon

from service.http.request import Expansions, Request
from service.representation.document import Document


class QueryMiddleware:
    """Knows what can be asked of each resource, and gives its document the view that was asked for.

    An operation says in `query` what can be asked of it; `kinds` are those of all documents.
    """

    def __init__(self, kinds: frozenset[str], expansions: Expansions) -> None:
        self._kinds = kinds
        self._expansions = expansions

    def process_resource(
        self, req: Request, resp: falcon.Response, resource: Any, params: dict[str, Any]
    ) -> None:
        """Set what `req.query` is read with; in a strict format raise InvalidParameter at once."""
        req.kinds, req.expansions, req.read_query = self._kinds, self._expansions, None
        req.target_id = '-'.join(str(part) for part in params.values())
        if req.format.dialect.strict:
            req.query  # noqa: B018 (reading is what finds the mistakes)

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Make the document what was asked for."""
        if isinstance(resp.media, Document):
            resp.media = as_asked(req, resp.media)


def as_asked(req: Request, document: Document) -> Document:
    """Return the document with what the request wants along, and with the view that it asked for."""
    view = req.query.view if req.format.dialect.strict else document.view
    if view == document.view:
        return document
    is_page = document.is_collection and not document.is_linkage
    documents = document.embedded['item'] if is_page else (document,)
    assert isinstance(documents, tuple)
    for rel in sorted(view.embedded or ()):
        if (document.kind, rel) in req.expansions:
            documents = _with(req, documents, document.kind, rel)
    if is_page:
        return dataclasses.replace(document, embedded={**document.embedded, 'item': documents}, view=view)
    return dataclasses.replace(documents[0], view=view)


def _with(req: Request, documents: tuple[Document, ...], kind: str, rel: str) -> tuple[Document, ...]:
    """Return the documents with what a relation leads to, which is found for all of them at once."""
    ids = [int(document.id or 0) for document in documents]
    found = req.expansions[kind, rel](req, ids, req.query.first_page())
    return tuple(
        dataclasses.replace(document, embedded={**document.embedded, rel: found[key]})
        for document, key in zip(documents, ids, strict=True)
    )
