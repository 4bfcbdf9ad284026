"""Selections: the related documents and the fields that a query requests (JSON:API 1.1 §8.3, §8.4)."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

from service.http.request import Request
from service.representation.document import Document, DocumentKey, Inclusion, Relationship
from service.representation.parameter_values import InvalidParameter

MAX_OWNERS = 1000  # of one step of a path; a step can have ten times as many as the step before it
MAX_EMBEDDED = 12_500  # in one response, with repetitions; three steps of ten from a page of ten are 12,210
TOO_MANY = 'leads to too many resources: request smaller pages or fewer paths'


def apply_selection(req: Request, document: Document) -> Document:
    """Return the document with the related documents and the fields that the query requests.

    Each step of the included paths takes a constant number of SQL statements.
    """
    selection = req.query.selection
    if document.is_relationship:
        return dataclasses.replace(document, selection=selection)
    selected = document
    if selection.include is not None:
        [selected] = _Expansion(req).expand([(document, 1)], selection.include)
    if selection.fields:
        selected = _with_fields(selected, selection.fields)
    return dataclasses.replace(selected, selection=selection)


def check_size(req: Request) -> None:
    """Raise InvalidParameter if one document with full pages would embed too many others.

    A write is checked before it takes effect, because its response cannot be rejected afterwards.
    """
    include = req.query.selection.include
    if include and _largest_size(req, req.operation.query.kind, include) > MAX_EMBEDDED:
        raise InvalidParameter('include', TOO_MANY)


def _largest_size(req: Request, kind: str, include: Inclusion) -> int:
    """Return how many documents one of this kind embeds if all pages are full, with the pages themselves."""
    size = 0
    for rel, inner in include.items():
        each = 1 + _largest_size(req, req.related.kinds[kind][rel], inner)
        is_page = (kind, rel) in req.related.pages
        size += 1 + req.query.first_page().page_request.per_page * each if is_page else each
    return size


class _Expansion:
    """Embeds the related documents of one response, and counts them.

    HAL repeats a document wherever it is embedded, so each counts as often as the documents that embed it.
    """

    def __init__(self, req: Request) -> None:
        self._req = req
        self._embedded = 0

    def expand(self, counted: Sequence[tuple[Document, int]], include: Inclusion) -> list[Document]:
        """Return the documents, each embedding exactly what is to be included with it.

        The documents come with the number of their occurrences in the response. The related documents of all
        pages are found at once.
        """
        singles: dict[DocumentKey, Document] = {}
        occurrences: Counter[DocumentKey] = Counter()
        for document, count in counted:
            for single in document.items if document.is_collection else (document,):
                singles[single.key] = single
                occurrences[single.key] += count
        embedded: dict[DocumentKey, dict[str, Document]] = {key: {} for key in singles}
        for rel, inner in include.items():
            targets = find_related(self._req, list(singles.values()), rel)
            counted_targets = [(target, occurrences[key]) for key, target in targets.items()]
            self._count(counted_targets)
            expanded = self.expand(counted_targets, inner)
            for key, target in zip(targets, expanded, strict=True):
                embedded[key][rel] = target
        replaced = {
            key: dataclasses.replace(single, embedded=embedded[key]) for key, single in singles.items()
        }
        selected = []
        for document, _ in counted:
            if document.is_collection:
                items = tuple(replaced[item.key] for item in document.items)
                selected.append(dataclasses.replace(document, embedded={'item': items}))
            else:
                selected.append(replaced[document.key])
        return selected

    def _count(self, counted: Sequence[tuple[Document, int]]) -> None:
        """Count documents, and the items of pages; raises InvalidParameter."""
        self._embedded += sum(count * (1 + len(document.items)) for document, count in counted)
        if self._embedded > MAX_EMBEDDED:
            raise InvalidParameter('include', TOO_MANY)


def find_related(req: Request, documents: Sequence[Document], rel: str) -> dict[DocumentKey, Document]:
    """Return the targets of a relation, pages or single documents, by the documents' kinds and ids.

    Nothing is included with a document that does not have the relation: of all users, only the viewer has a
    feed. Paths are checked by kind alone (JSON:API 1.1 §8.3), because a page of users can contain the viewer
    and others.
    """
    documents = [document for document in documents if rel in document.outline.relationships]
    if not documents:
        return {}
    if len(documents) > MAX_OWNERS:
        raise InvalidParameter('include', TOO_MANY)
    expand = req.related.pages.get((documents[0].kind, rel))
    if expand is not None:
        ids_by_key = {document.key: _owner_id(req, document) for document in documents}
        pages = expand(req, list(ids_by_key.values()), req.query.first_page())
        return {key: pages[owner_id] for key, owner_id in ids_by_key.items()}
    targets = {document.key: document.relationships.get(rel, Relationship()).to_one for document in documents}
    present = {document.key: document.embedded[rel] for document in documents if rel in document.embedded}
    kinds = {target.kind for target in targets.values() if target}
    ids = {int(target.id) for key, target in targets.items() if target and key not in present}
    resources = {
        (kind, str(document_id)): document
        for kind in kinds
        for document_id, document in (req.related.resources[kind](req, sorted(ids)) if ids else {}).items()
    }
    related = {key: present.get(key) or resources.get(target) for key, target in targets.items() if target}
    return {key: document for key, document in related.items() if isinstance(document, Document)}


def _with_fields(document: Document, fields: Mapping[str, frozenset[str]]) -> Document:
    """Return the document, and all that it embeds, with only these members of each kind, and always with ids.

    A document of such a kind has no display, which could refer to a missing member.
    """
    names = fields.get(document.kind)
    embedded = {
        rel: tuple(_with_fields(document, fields) for document in inner)
        if isinstance(inner, tuple)
        else _with_fields(inner, fields)
        for rel, inner in document.embedded.items()
    }
    properties = {
        name: value
        for name, value in document.properties.items()
        if names is None or name in names or name == 'id'
    }
    display = document.display if names is None else None
    return dataclasses.replace(document, properties=properties, embedded=embedded, display=display)


def _owner_id(req: Request, document: Document) -> int:
    """Return the id of the document, or of the viewer if it is the entry point."""
    return int(document.id) if document.id and document.id.isdigit() else req.user.user_id
