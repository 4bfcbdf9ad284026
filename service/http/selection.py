"""Selections: what a client asked to see of a document, applied to it (JSON:API 1.1 §6.3, §6.4)."""

import dataclasses

from service.http.request import Expand, Request
from service.representation.document import Document


def apply_selection(req: Request, document: Document) -> Document:
    """Return the document with the related documents and the selection that the query asks for."""
    view = req.query.selection
    is_page = document.is_collection and not document.is_relationship
    documents = document.embedded['item'] if is_page else (document,)
    assert isinstance(documents, tuple)
    for rel, expand in req.inclusions.items():
        documents = _with_related(req, documents, rel, expand)
    if is_page:
        return dataclasses.replace(
            document, embedded={**document.embedded, 'item': documents}, selection=view
        )
    return dataclasses.replace(documents[0], selection=view)


def _with_related(
    req: Request, documents: tuple[Document, ...], rel: str, expand: Expand
) -> tuple[Document, ...]:
    """Return the documents with what a relation leads to, which is looked up for all of them at once."""
    ids = [int(document.id or 0) for document in documents]
    related = expand(req, ids, req.query.first_page())
    return tuple(
        dataclasses.replace(document, embedded={**document.embedded, rel: related[key]})
        for document, key in zip(documents, ids, strict=True)
    )
