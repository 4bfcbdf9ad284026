"""What each module contributes to the API: link relations, and links and forms on the entry point."""

from collections.abc import Callable
from typing import NamedTuple

from service.representation.action import Form
from service.representation.document import Document, Link
from service.representation.url_builder import UrlBuilder

Sample = Callable[[UrlBuilder], Document]


class LinkRelation(NamedTuple):
    """A link relation: what it means, where it leads to, and with which methods.

    `leads_to` names what is there, and `sample` makes a document of that kind, of sample data.
    """

    name: str
    meaning: str
    methods: tuple[str, ...]
    leads_to: str = ''
    sample: Sample | None = None


class EntryPointPart(NamedTuple):
    """What a module puts on the entry point for one viewer."""

    links: dict[str, Link]
    forms: tuple[Form, ...] = ()
