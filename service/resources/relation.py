"""What a part of the API contributes to the whole: relations it explains, and its entries."""

from typing import NamedTuple

from service.representation.action import Form
from service.representation.document import Link


class Relation(NamedTuple):
    """What a link relation of ours means: where it leads to, and with which methods."""

    name: str
    meaning: str
    methods: tuple[str, ...]


class Entry(NamedTuple):
    """What a part puts on the entry point for one viewer."""

    links: dict[str, Link]
    forms: tuple[Form, ...] = ()
