"""Sample documents of the endpoints: the source of examples, and of what can be done next."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from service.http.operation import Samples
from service.representation.document import Document
from service.representation.url_builder import UrlBuilder
from service.resources.openapi.endpoints import Endpoint


class SampleDocuments:
    """The endpoints with the sample documents of their responses, with the URLs of a builder.

    `kinds` are those of all documents by name, `variables` has a value for each variable of a URL, and
    `values` one for each property that any document has.
    """

    def __init__(self, endpoints: Sequence[Endpoint], builder: UrlBuilder) -> None:
        self.endpoints = endpoints
        self.builder = builder
        self._documents: dict[tuple[Endpoint, int], list[Document]] = {}
        self._patterns = {one.template: _pattern(one.template) for one in endpoints}
        self.kinds = {}
        for endpoint in endpoints:
            for status, content in endpoint.responses.items():
                if isinstance(content, Samples):
                    self.kinds[content.kind.name] = content.kind
                    self._documents[endpoint, status] = [*content.documents(builder).values()]
        self.variables: dict[str, Any] = {}
        for endpoint in endpoints:
            self.variables |= self._variables_of(endpoint)  # those of one URL fit each other
        self.values = values_of(document for documents in self._documents.values() for document in documents)

    def of_response(self, endpoint: Endpoint, status: int) -> list[Document]:
        """Return the documents that an endpoint responds with, with this status."""
        return self._documents[endpoint, status]

    def of_resource(self, endpoint: Endpoint) -> list[Document]:
        """Return the documents of all responses at the endpoint's URL."""
        return [
            document
            for (other, _), documents in self._documents.items()
            if other.template == endpoint.template
            for document in documents
        ]

    def id_at(self, endpoint: Endpoint) -> str:
        """Return the id, as JSON:API has it, of what is at the endpoint's URL with these variables."""
        return '-'.join(str(self.variables[name]) for name in endpoint.variables)

    def leads_to(self, href: str, method: str) -> Iterator[tuple[Endpoint, Mapping[str, str]]]:
        """Return the endpoints of a method at a URL, with the values of the variables in their templates."""
        path = href.removeprefix(self.builder.origin)
        for endpoint in self.endpoints:
            match = endpoint.method == method and self._patterns[endpoint.template].fullmatch(path)
            if match:
                yield endpoint, match.groupdict()

    def _variables_of(self, endpoint: Endpoint) -> dict[str, Any]:
        """Return the values of the variables in the endpoint's URL, as far as the documents have any."""
        paths = (document.href.partition('?')[0] for document in self.of_resource(endpoint))
        pattern = self._patterns[endpoint.template]
        matches = (pattern.fullmatch(path.removeprefix(self.builder.origin)) for path in paths)
        values = next((match.groupdict() for match in matches if match), {})
        return {name: int(value) if name.endswith('_id') else value for name, value in values.items()}


def values_of(documents: Iterable[Document]) -> dict[str, Any]:
    """Return a value for every property that the documents, and those embedded in them, have."""
    values: dict[str, Any] = {}
    for document in documents:
        for name, value in document.properties.items():
            values[name] = values.get(name) or value
        for embedded in document.embedded.values():
            inner = values_of(embedded if isinstance(embedded, tuple) else (embedded,))
            values = inner | {name: value for name, value in values.items() if value or name not in inner}
    return values


def _pattern(template: str) -> re.Pattern[str]:
    """Return the pattern of the paths that the template expands to."""
    pieces = re.split(r'{(\w+)}', template)
    groups = [f'(?P<{name}>{"[1-9][0-9]*" if name.endswith("_id") else "[^/]+"})' for name in pieces[1::2]]
    return re.compile(
        ''.join(re.escape(text) + group for text, group in zip(pieces[::2], [*groups, ''], strict=True))
    )
