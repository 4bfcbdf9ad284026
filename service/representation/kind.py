"""Kinds of documents: the members, links and relationships of each, declared once."""

import enum
from collections.abc import Mapping
from typing import NamedTuple

from service.representation.display import Display


class Presence(enum.Enum):
    """The documents in which a member is present, as a sentence for the OpenAPI document."""

    ALWAYS = ''
    OWNER = 'Only for the owner.'
    CREATION = 'Only in the response that creates it.'
    OPTIONAL = 'Absent if there is none.'


class Member(NamedTuple):
    """One member of a document's state.

    `type` and `format` are those of JSON Schema (Validation §6.1.1, §7.3).
    """

    name: str
    description: str
    type: str = 'string'
    format: str | None = None
    nullable: bool = False
    presence: Presence = Presence.ALWAYS


class Kind(NamedTuple):
    """The members, links and relationships of every document of a kind, except `self` and `curies`.

    `name` is the value of `Document.kind`; `title` names one such document in the OpenAPI document. `links`
    are always present, `optional_links` only for some clients; with `has_more_links` there may be others.
    `relationships` and `embedded` map link relations to the names of the kinds of their targets; relations
    in `to_many` lead to collections of that kind. The targets of relationships can be included. `display` has
    the hints for pages; without hints, pages show a table of the members.
    """

    name: str
    title: str
    members: tuple[Member, ...] = ()
    links: tuple[str, ...] = ()
    optional_links: tuple[str, ...] = ()
    has_more_links: bool = False
    relationships: Mapping[str, str] = {}
    embedded: Mapping[str, str] = {}
    to_many: tuple[str, ...] = ()
    display: Display = Display()


def id_member(description: str) -> Member:
    """Return the member that identifies a document: an opaque integer below 2^53."""
    return Member('id', description, type='integer', format='int64')


def time_member(name: str, description: str, *, nullable: bool = False) -> Member:
    """Return a member that holds a time in UTC, as ISO 8601 with milliseconds and offset."""
    return Member(name, description, format='date-time', nullable=nullable)
