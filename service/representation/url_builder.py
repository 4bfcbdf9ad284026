"""The address builder: absolute addresses at the origin that a request came to."""

from typing import Any

from service import urls
from service.representation.document import Link

CURIE = 'hc'


class UrlBuilder:
    """Makes absolute addresses of the templates in urls.py; `origin` is like `http://localhost:8000`.

    With `avatars` users link to their pictures, which are elsewhere.
    """

    __slots__ = ('avatars', 'curies', 'origin')

    def __init__(self, origin: str, *, avatars: bool = True) -> None:
        self.origin = origin
        self.avatars = avatars
        self.curies = (Link(origin + urls.RELATION, templated=True, name=CURIE),)

    def url_for(self, template: str, **values: Any) -> str:
        """Return the absolute address; the values need no escaping."""
        return self.origin + template.format_map(values)

    def link_to(self, template: str, **values: Any) -> Link:
        """Return a link to the absolute address."""
        return Link(self.origin + template.format_map(values))

    def template_for(self, template: str, **names: str) -> Link:
        """Return a link that clients fill in (RFC 6570); `names` renames its variables."""
        variables = {name: f'{{{shown}}}' for name, shown in names.items()}
        return Link(self.origin + (template.format_map(variables) if names else template), templated=True)
