"""What a part of the API contributes to the whole: relations it explains, and its entries."""

from collections.abc import Callable
from typing import NamedTuple

from service.representation.action import Form
from service.representation.addresses import AddressBook
from service.representation.document import Document, Link

Sample = Callable[[AddressBook], Document]


class Relation(NamedTuple):
    """What a link relation of ours means: where it leads to, and with which methods.

    `leads_to` names what is there, and `sample` makes a document of that kind, of made-up values.
    """

    name: str
    meaning: str
    methods: tuple[str, ...]
    leads_to: str = ''
    sample: Sample | None = None


class Entry(NamedTuple):
    """What a part puts on the entry point for one viewer."""

    links: dict[str, Link]
    forms: tuple[Form, ...] = ()
