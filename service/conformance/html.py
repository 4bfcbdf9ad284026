"""Rules of HTML pages: markup, references to ids, and labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple

from service.conformance.client import Client
from service.conformance.exchange import HTML, Exchange
from service.conformance.rules import Fault, Rules, Standard

STANDARD = Standard('HTML', 'https://html.spec.whatwg.org/multipage/')
ARIA = Standard('WAI-ARIA 1.2', 'https://www.w3.org/TR/wai-aria-1.2/')
WCAG = Standard('WCAG 2.2', 'https://www.w3.org/TR/WCAG22/')
VOID = frozenset(
    ['area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'source', 'track', 'wbr']
)
OPTIONAL_END = frozenset((
    'html', 'head', 'body', 'p', 'li', 'dt', 'dd', 'option', 'optgroup', 'tr', 'td', 'th', 'thead',
    'tbody', 'tfoot', 'colgroup',
))  # fmt: skip
UNLABELLED = ('hidden', 'submit', 'button', 'reset', 'image')
REFERENCES = ('aria-describedby', 'aria-labelledby', 'aria-controls')

Attributes = dict[str, str | None]


class Tag(NamedTuple):
    """A start tag: its name, and its attributes as written."""

    name: str
    attributes: Attributes
    written: tuple[str, ...]
    is_inside_label: bool


class Page(HTMLParser):
    """The start tags of a page in their order, its text, and its tags without a counterpart."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[Tag] = []
        self.text = ''
        self.unbalanced: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.unbalanced += [tag for tag in self._open if tag not in OPTIONAL_END]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        written = tuple(name for name, _ in attrs)
        self.tags.append(Tag(tag, dict(attrs), written, 'label' in self._open))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return  # <br/> is also reported as an end tag
        while self._open and self._open[-1] != tag and self._open[-1] in OPTIONAL_END:
            self._open.pop()
        if self._open and self._open[-1] == tag:
            self._open.pop()
        else:
            self.unbalanced.append('/' + tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, *names: str) -> list[Attributes]:
        """Return the attributes of every tag of these names."""
        return [tag.attributes for tag in self.tags if tag.name in names]


def probe_page(client: Client, exchange: Exchange) -> None:
    """Request the resource as a page."""
    client.repeat(exchange, 'page', Accept=HTML)


PROBES = (probe_page,)


def is_page(exchange: Exchange) -> bool:
    response = exchange.response
    return response.media_type == HTML and response.is_whole


RULES = Rules('html', STANDARD, is_page)


def page(exchange: Exchange) -> Page:
    return Page(exchange.response.body.decode(errors='replace'))


@RULES.must('HTML-TAGS', '13.1.2', 'Every element that needs an end tag has one.')
def check_tags(exchange: Exchange) -> Iterator[Fault]:
    for tag in page(exchange).unbalanced:
        yield Fault('content', f'<{tag}> has no counterpart')


@RULES.must('HTML-ATTRIBUTE-ONCE', '13.1.2.3', 'The attributes of a tag are unique.')
def check_attribute_once(exchange: Exchange) -> Iterator[Fault]:
    for tag in page(exchange).tags:
        if len(set(tag.written)) != len(tag.written):
            yield Fault('content', f'<{tag.name}> has an attribute twice')


@RULES.must('HTML-ID-UNIQUE', '3.2.6, id', 'An id is unique in its page.')
def check_id_unique(exchange: Exchange) -> Iterator[Fault]:
    for name, count in Counter(ids(page(exchange))).items():
        if count > 1:
            yield Fault('content', f'the id {name} occurs {count} times')


def ids(parsed: Page) -> list[str]:
    return [tag.attributes['id'] or '' for tag in parsed.tags if 'id' in tag.attributes]


@RULES.must('HTML-LABEL-FOR', '4.10.4, for', '`for` of a label is the id of a field.')
def check_label_for(exchange: Exchange) -> Iterator[Fault]:
    parsed = page(exchange)
    for label in parsed.all('label'):
        if 'for' in label and label['for'] not in ids(parsed):
            yield Fault('content', f'for="{label["for"]}" refers to no element')


@RULES.must('HTML-ARIA-REFERENCE', '6.6', 'The ids in an aria attribute are in the page.', standard=ARIA)
def check_aria_reference(exchange: Exchange) -> Iterator[Fault]:
    parsed = page(exchange)
    for tag in parsed.tags:
        for name in REFERENCES:
            for reference in (tag.attributes.get(name) or '').split():
                if reference not in ids(parsed):
                    yield Fault('content', f'{name}="{reference}" of <{tag.name}> refers to no element')


@RULES.should('HTML-FIELD-LABEL', '3.3.2', 'Every field has a label.', standard=WCAG)
def check_field_label(exchange: Exchange) -> Iterator[Fault]:
    parsed = page(exchange)
    labelled = {label.get('for') for label in parsed.all('label')}
    for tag in parsed.tags:
        if tag.name in ('input', 'textarea', 'select') and tag.attributes.get('type') not in UNLABELLED:
            has_name = {'aria-label', 'aria-labelledby', 'title'} & set(tag.attributes)
            if not has_name and not tag.is_inside_label and tag.attributes.get('id', '') not in labelled:
                yield Fault('content', f'<{tag.name} name="{tag.attributes.get("name")}"> has no label')


@RULES.should('HTML-LANGUAGE', '3.1.1', 'A page declares its language.', standard=WCAG)
def check_language(exchange: Exchange) -> Iterator[Fault]:
    if not any(tag.get('lang') for tag in page(exchange).all('html')):
        yield Fault('content', 'html has no lang')
