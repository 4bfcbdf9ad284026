"""The URL builder: absolute URLs at the origin of a request."""

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from service import urls
from service.config import Settings
from service.representation.document import Link

CURIE = 'hc'


class Features(NamedTuple):
    """The optional features for which there are links and forms if the settings enable them."""

    avatars: bool = True
    signed_tokens: bool = False
    registration: bool = True
    mail: bool = False

    @classmethod
    def of(cls, settings: Settings) -> 'Features':
        """Return the features that the settings enable."""
        return cls(
            avatars=settings.avatars,
            signed_tokens=settings.base_url is not None,
            registration=settings.registration == 'open',
            mail=settings.mail_url is not None,
        )


DEFAULT_FEATURES = Features()


class UrlBuilder:
    """Expands the URL templates of urls.py to absolute URLs.

    `origin` is like `http://localhost:8000`, with the `path` under which the application is, if any.
    `features` determines which links and forms documents have.
    """

    __slots__ = ('curies', 'features', 'origin', 'path')

    def __init__(self, origin: str, features: Features = DEFAULT_FEATURES) -> None:
        self.origin = origin
        self.path = urlsplit(origin).path
        self.features = features
        self.curies = (Link(origin + urls.RELATION, templated=True, name=CURIE),)

    def url_for(self, template: str, **values: Any) -> str:
        """Return the absolute URL; the values must need no escaping."""
        return self.origin + template.format_map(values)

    def link_to(self, template: str, **values: Any) -> Link:
        """Return a link to the absolute URL."""
        return Link(self.origin + template.format_map(values))

    def template_for(self, template: str, **names: str) -> Link:
        """Return a link that clients fill in (RFC 6570); `names` renames its variables."""
        variables = {name: f'{{{variable}}}' for name, variable in names.items()}
        return Link(self.origin + (template.format_map(variables) if names else template), templated=True)
