"""Display hints: the appearance of documents of a kind on pages, declared with the kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple


class Count(NamedTuple):
    """A number that is shown as a link to what it counts: `12 posts`."""

    member: str
    rel: str
    one: str
    many: str


class Note(NamedTuple):
    """The text shown beside entries whose `member` has the value."""

    member: str
    value: object
    text: str


class Column(NamedTuple):
    """A column of a table, or a member of a summary.

    With `is_day` only the date of a time is shown; with `is_device` the value is a User-Agent header, shown
    as the name of the device. In the first column, `name` is a member that is shown above the value unless it
    is empty, and `notes` are shown beside it.
    """

    member: str
    label: str
    is_day: bool = False
    is_device: bool = False
    name: str = ''
    notes: tuple[Note, ...] = ()


class NavigationLink(NamedTuple):
    """A link of the navigation, if the entry point has the relation."""

    rel: str
    label: str


@dataclass(frozen=True)
class Display:
    """The appearance of a document on a page, by the names of members, relations and actions.

    `plural` heads a collection, and `empty` is shown if it has no entries. An entry of a collection is a row
    of a table if there are `columns`, otherwise a card. In a card, `byline` is the relation of the embedded
    author, `text` the member with the main text, `moment` the time that links to the document, `edited` the
    time of the last edit, if any. `picture` is the relation of an image; without one, or until it has loaded,
    a circle with the initial is drawn. `counts` are numbers with links, `links` are shown with their labels,
    and `summary` are members that are shown too. On a page without a card, `explanation` is the member with a
    text of the API's own, in which code is between backticks. Everything else is under "Details".

    `prominent` actions are open, others are collapsed under their title; `in_rows` ones are in the rows of
    a table; `hidden` ones are not shown, `session_ending` ones end the session. `confirmations` are the
    questions before an action, `outcomes` the messages after it, `labels` short titles for pages that
    show what the action is about.

    `includes` are relations whose documents a page shows below, each with its heading. `navigation` and
    `account` are the entry point's links for the header. DELETE of the target of `session` ends a session,
    and the action `sign_in` begins a session. `lead` is a sentence for anonymous visitors.
    """

    plural: str = ''
    empty: str = 'Nothing here yet.'
    text: str = ''
    explanation: str = ''
    byline: str = ''
    moment: str = ''
    edited: str = ''
    picture: str = ''
    counts: tuple[Count, ...] = ()
    links: tuple[NavigationLink, ...] = ()
    summary: tuple[Column, ...] = ()
    columns: tuple[Column, ...] = ()
    prominent: frozenset[str] = frozenset()
    in_rows: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    session_ending: frozenset[str] = frozenset()
    confirmations: Mapping[str, str] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    includes: Mapping[str, str] = field(default_factory=dict)
    navigation: tuple[NavigationLink, ...] = ()
    account: tuple[NavigationLink, ...] = ()
    session: str = ''
    sign_in: str = ''
    lead: str = ''

    @cached_property
    def visible(self) -> frozenset[str]:
        """The members that the page of a document shows outside "Details"."""
        columns = {column.member for column in (*self.summary, *self.columns)}
        counts = {count.member for count in self.counts}
        return frozenset({self.text, self.explanation, self.moment, *columns, *counts} - {''})


class Crumb(NamedTuple):
    """A breadcrumb: the label and the URL of a page above the document."""

    label: str
    href: str
