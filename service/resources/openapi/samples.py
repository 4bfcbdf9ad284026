"""Sample documents of the endpoints, the source of examples and links."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from service.http.operation import Samples
from service.representation.document import Document
from service.representation.url_builder import UrlBuilder
from service.resources.openapi.endpoints import Endpoint


class SampleDocuments:
    """The endpoints and the sample documents of their responses, with the URLs of a builder.

    `kinds` has the kinds of all documents by name, `variables` has a value for each variable of a URL, and
    `values` has a value for each property of any document.
    """

    def __init__(self, endpoints: Sequence[Endpoint], builder: UrlBuilder) -> None:
        self.endpoints = endpoints
        self.builder = builder
        self._documents: dict[tuple[Endpoint, int], list[Document]] = {}
        self._patterns = {endpoint.template: _pattern(endpoint.template) for endpoint in endpoints}
        self.kinds = {}
        for endpoint in endpoints:
            for status, content in endpoint.responses.items():
                if isinstance(content, Samples):
                    self.kinds[content.kind.name] = content.kind
                    self._documents[endpoint, status] = [*content.documents(builder).values()]
        self.variables: dict[str, Any] = {}
        for endpoint in endpoints:
            self.variables |= self._variables_of(endpoint)  # the values in one URL are from one document
        self.values = sample_values(
            document for documents in self._documents.values() for document in documents
        )

    def of_response(self, endpoint: Endpoint, status: int) -> list[Document]:
        """Return the documents of an endpoint's responses with a status."""
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
        """Return the JSON:API id of the resource at the endpoint's URL, with the values of `variables`."""
        return '-'.join(str(self.variables[name]) for name in endpoint.variables)

    def endpoints_at(self, href: str, method: str) -> Iterator[tuple[Endpoint, Mapping[str, str]]]:
        """Yield the endpoints of a method at a URL, with the values of the variables in their templates."""
        path = href.removeprefix(self.builder.origin)
        for endpoint in self.endpoints:
            match = endpoint.method == method and self._patterns[endpoint.template].fullmatch(path)
            if match:
                yield endpoint, match.groupdict()

    def _variables_of(self, endpoint: Endpoint) -> dict[str, Any]:
        """Return the values of the URL's variables in the first document that is at the endpoint."""
        paths = (document.href.partition('?')[0] for document in self.of_resource(endpoint))
        pattern = self._patterns[endpoint.template]
        matches = (pattern.fullmatch(path.removeprefix(self.builder.origin)) for path in paths)
        values = next((match.groupdict() for match in matches if match), {})
        return {name: int(value) if name.endswith('_id') else value for name, value in values.items()}


def sample_values(documents: Iterable[Document]) -> dict[str, Any]:
    """Return a value for every property of the documents and of those embedded in them."""
    values: dict[str, Any] = {}
    for document in documents:
        for name, value in document.properties.items():
            values[name] = values.get(name) or value
        for embedded in document.embedded.values():
            inner = sample_values(embedded if isinstance(embedded, tuple) else (embedded,))
            values = inner | {name: value for name, value in values.items() if value or name not in inner}
    return values


def _pattern(template: str) -> re.Pattern[str]:
    """Return the pattern of the paths that the template expands to."""
    pieces = re.split(r'{(\w+)}', template)
    groups = [f'(?P<{name}>{"[1-9][0-9]*" if name.endswith("_id") else "[^/]+"})' for name in pieces[1::2]]
    return re.compile(
        ''.join(re.escape(text) + group for text, group in zip(pieces[::2], [*groups, ''], strict=True))
    )
