"""Contributions of a module to the API: link relations, and links and forms on the entry point."""

from collections.abc import Callable
from typing import NamedTuple

from service.representation.action import Action, Form
from service.representation.document import Document, Link
from service.representation.url_builder import UrlBuilder

Sample = Callable[[UrlBuilder], Document]


class LinkRelation(NamedTuple):
    """A link relation: its meaning, the methods of its target, and what the target is.

    `leads_to` describes the target, and `sample` makes a document like it from sample data. The documentation
    lists what the bodies of the `actions` contain.
    """

    name: str
    meaning: str
    methods: tuple[str, ...]
    leads_to: str = ''
    sample: Sample | None = None
    actions: tuple[Action, ...] = ()


class EntryPointPart(NamedTuple):
    """The links and forms that a module puts on the entry point for one viewer."""

    links: dict[str, Link]
    forms: tuple[Form, ...] = ()
