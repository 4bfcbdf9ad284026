"""What the operations show: the sample documents of their answers, and where those lead."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from service.http.operation import Samples
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.resources.openapi.operations import Operation


class Shown:
    """The operations with the samples of what they answer, at the addresses of a book.

    `kinds` are those of all documents, `values` has a value for every property that any of them has.
    """

    def __init__(self, operations: Sequence[Operation], book: AddressBook) -> None:
        self.operations = operations
        self.book = book
        self._answers = {
            operation: {
                status: answer.documents(book) if isinstance(answer, Samples) else {}
                for status, answer in operation.answers.items()
            }
            for operation in operations
        }
        self._patterns = [(_pattern(one.template), one) for one in operations]
        self.kinds = frozenset(kind for one in operations if (kind := one.declared.query.kind))
        self.values = values_of(document for one in operations for document in self.documents(one))

    def answer(self, operation: Operation, status: int) -> Iterable[Document]:
        """Return the samples of what an operation answers with a status."""
        return self._answers[operation][status].values()

    def documents(self, operation: Operation) -> list[Document]:
        """Return the samples of all answers of the operation's resource."""
        return [
            document
            for one, answers in self._answers.items()
            if one.template == operation.template
            for documents in answers.values()
            for document in documents.values()
        ]

    def variables(self, operation: Operation) -> Mapping[str, str]:
        """Return values of the variables in the operation's address, if the samples have any."""
        addresses = (document.href.partition('?')[0] for document in self.documents(operation))
        pattern = _pattern(operation.template)
        matches = (pattern.fullmatch(href.removeprefix(self.book.origin)) for href in addresses)
        return next((match.groupdict() for match in matches if match), {})

    def leads_to(self, href: str, method: str) -> Iterator[tuple[Operation, Mapping[str, str]]]:
        """Return the operations of a method at an address, with the values of its template's variables."""
        for pattern, operation in self._patterns:
            match = pattern.fullmatch(href.removeprefix(self.book.origin))
            if match and operation.method == method:
                yield operation, match.groupdict()


def values_of(documents: Iterable[Document]) -> dict[str, Any]:
    """Return a value for every property that the documents, and those embedded in them, have."""
    values: dict[str, Any] = {}
    for document in documents:
        for name, value in document.properties.items():
            values[name] = values.get(name) or value
        for what in document.embedded.values():
            inner = values_of(what if isinstance(what, tuple) else (what,))
            values = inner | {name: value for name, value in values.items() if value or name not in inner}
    return values


def _pattern(template: str) -> re.Pattern[str]:
    """Return what matches the path of every address that the template can be."""
    pieces = re.split(r'{(\w+)}', template)
    groups = [f'(?P<{name}>{"[1-9][0-9]*" if name.endswith("_id") else "[^/]+"})' for name in pieces[1::2]]
    return re.compile(
        ''.join(re.escape(text) + group for text, group in zip(pieces[::2], [*groups, ''], strict=True))
    )
