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


class ActionDisplay(NamedTuple):
    """The appearance of the form of an action.

    `outcome` is the message after the action, `question` the message before it, and `label` a short title for
    pages that show what the action is about. A prominent form is open, others are collapsed under their
    title. With `is_in_rows` the form is in the rows of a table; a hidden form is not shown. `begins_session`
    and `ends_session` tell whether the action begins or ends the session of the browser.
    """

    outcome: str = ''
    question: str = ''
    label: str = ''
    is_prominent: bool = False
    is_in_rows: bool = False
    is_hidden: bool = False
    begins_session: bool = False
    ends_session: bool = False


_PLAIN_ACTION = ActionDisplay()


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

    `actions` are the appearances of actions by name: the actions of the document, and those after which its
    page is shown; others look plain. `includes` are relations whose documents a page shows below, each with
    its heading. `navigation` and `account` are the entry point's links for the header. DELETE of the target
    of `session` ends a session. `lead` is a sentence for anonymous visitors.
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
    actions: Mapping[str, ActionDisplay] = field(default_factory=dict)
    includes: Mapping[str, str] = field(default_factory=dict)
    navigation: tuple[NavigationLink, ...] = ()
    account: tuple[NavigationLink, ...] = ()
    session: str = ''
    lead: str = ''

    def action(self, name: str) -> ActionDisplay:
        """Return the appearance of the action with this name."""
        return self.actions.get(name, _PLAIN_ACTION)

    @cached_property
    def has_actions_in_rows(self) -> bool:
        """Whether a table of such documents has a column for actions."""
        return any(action.is_in_rows for action in self.actions.values())

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
