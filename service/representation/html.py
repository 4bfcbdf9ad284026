"""HTML: a page for every document and every error, drawn from display hints; templates escape text."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import jinja2
from markupsafe import Markup, escape

from service import urls
from service.representation.action import Field, Form
from service.representation.display import Display
from service.representation.docs import entries
from service.representation.document import Document, Link, Part
from service.representation.json_schema import TIME
from service.representation.problem import PROBLEMS, Problem
from service.representation.query_parameters import HalDialect
from service.representation.static_files import asset_path

NEIGHBOURS = {'first': 'First', 'prev': 'Previous', 'next': 'Next', 'last': 'Last'}
# Links that are not listed as clickable: they are shown in another way, or are targets of writes only.
_NOT_TO_CLICK = frozenset((*NEIGHBOURS, 'hc:avatar', 'self', 'curies', 'item', 'hc:password', 'hc:follow'))
_LABELS = {
    'prev': 'Previous',
    'hc:page': 'Go to page',
    'hc:me': 'My profile',
    'service-desc': 'API description',
    'service-doc': 'API documentation',
}
_PLAIN = Display()
_QUERY_TEMPLATE = re.compile(r'([^{}?]*)(?:\?([^{}]*))?{[?&]([a-z_,]+)}')
_WEB_LINK = re.compile(r'https?://[^\s<>"\'`]+', re.IGNORECASE)
_AFTER_LINK = '.,;:!?)]}…\u2019\u201d'
_LINK = Markup('<a href="%s" rel="nofollow ugc noopener">%s</a>')
_NONE = Markup('<span class="none" aria-hidden="true">\u2013</span><span class="unseen">none</span>')
_YES, _NO = Markup('yes'), Markup('no')
_TEXT = Markup('<span class="text" dir="auto">%s</span>')
_CODE = Markup('<code>%s</code>')
_TIME, _DAY = Markup('<time datetime="%s">%s</time>'), Markup('<time datetime="%s" class="day">%s</time>')
_AVATAR = Markup(
    '<span class="avatar"><svg viewBox="0 0 48 48" aria-hidden="true">'
    '<circle cx="24" cy="24" r="24" fill="hsl(%d 45%% 32%%)"/>'
    '<text x="24" y="32" text-anchor="middle" font-size="22" fill="#fff">%s</text></svg>%s</span>'
)
_IMAGE = Markup('<img src="%s" alt="" loading="lazy">')
_SYSTEMS = ('iPhone', 'iPad', 'Android', 'Windows', 'Macintosh', 'CrOS', 'Linux')
_PROGRAMS = (
    ('Edg', 'Edge'),
    ('OPR', 'Opera'),
    ('Firefox', 'Firefox'),
    ('Chrom', 'Chrome'),
    ('Safari', 'Safari'),
)
_ADVICE = {
    'unauthenticated': 'You need to sign in to see this page.',
    'invalid-token': 'You are no longer signed in. Sign in again to continue.',
    'forbidden': 'You do not have permission to do this: it belongs to another user.',
    'not-found': 'This page does not exist. It may have been deleted, or the address may be mistyped.',
    'invalid-values': 'Correct the marked fields. Nothing has been changed.',
    'stale': 'This has been changed in the meantime. Reload the page before you try again.',
    'internal-error': 'Something went wrong on our side. Please try again later.',
    'unavailable': 'The service is temporarily unavailable. Please try again in a few seconds.',
}


class Source(NamedTuple):
    """The representation of a document in another format: its name, its media type, and its text."""

    name: str
    media_type: str
    text: str


class Site:
    """The entry point as one viewer sees it, with the header that all pages for this viewer have.

    The header is rendered once for each of its links, since that to the page itself is marked. It has the
    `token_lifetime` in seconds, so that the script renews a session in use before it expires.
    """

    def __init__(self, home: Document, token_lifetime: int) -> None:
        self.home = home
        self._token_lifetime = token_lifetime
        display = hints(home)
        rels = (link.rel for link in (*display.navigation, *display.account))
        self._marked = {home.href: 'self'} | {home.href_of(rel): rel for rel in rels if rel in home.links}
        self._headers: dict[str, Markup] = {}

    def header(self, url: str) -> Markup:
        """Return the header of the page at the URL, empty if it has none of its own."""
        current = self._marked.get(url.partition('?')[0], '')
        header = self._headers.get(current)
        if header is None:
            macro = _macros('header.html')['header']
            header = self._headers[current] = macro(self.home, current, self._token_lifetime)
        return header


class Page(NamedTuple):
    """A document or a problem with what a page has around it.

    `site` is None if the page is the same for all viewers. `related` has documents that the page shows, too,
    by relation. `source` is shown instead of the document, if there is one. `form` is the form whose
    submission failed, with the submitted values. `back` is the URL of the page of a problem, to which a
    sign-in leads back. `base` is the path under which the application is, empty at the root.
    """

    content: Document | Problem
    site: Site | None = None
    related: Mapping[str, Document] = {}
    source: Source | None = None
    form: Form | None = None
    back: str = ''
    base: str = ''

    @property
    def document(self) -> Document | None:
        """The document that the page is about; None for a problem."""
        return self.content if isinstance(self.content, Document) else None


class SearchForm(NamedTuple):
    """A link whose template has only query variables, which a form with the method GET can fill in."""

    rel: str
    href: str
    fixed: tuple[tuple[str, str], ...]
    variables: tuple[str, ...]


def render_page(page: Page) -> str:
    """Return the page as HTML."""
    document = page.document
    template, name = ('problem.html', 'problem') if document is None else ('document.html', 'document')
    return _PAGES.get_template(template).render(
        {
            'page': page,
            name: page.content,
            'home': page.site and page.site.home,
            'header': page.site and page.site.header('' if document is None else document.href),
            'base': page.base,
        }
    )


def page(document: Document) -> str:
    """Return the document as a page without navigation."""
    return render_page(Page(document))


def problem_page(problem: Problem) -> str:
    """Return the problem as a page without navigation."""
    return render_page(Page(problem))


def docs_page(description: dict[str, Any]) -> str:
    """Return the description of the API (OpenAPI) as a page."""
    base = urlsplit(description['servers'][0]['url']).path
    return _PAGES.get_template('docs.html').render(
        description=description, entries=entries(description), header=None, base=base
    )


def _macros(template: str) -> dict[str, Callable[..., Markup]]:
    """Return the macros of a template by name."""
    module = vars(_PAGES.get_template(template).module)
    return {name: macro for name, macro in module.items() if callable(macro)}


def _render_part(document: Document, part: Part) -> str:
    return document.render(part)


@lru_cache(maxsize=1024)
def words(name: str) -> str:
    """Return the name of a relation, a member or a form as people read it: `member_since`, Member since."""
    plain = _LABELS.get(name) or name.removeprefix('hc:').replace('_', ' ').replace('-', ' ')
    return plain[:1].upper() + plain[1:]


def hints(document: Document) -> Display:
    """Return the document's display hints, or empty ones."""
    return document.display or _PLAIN


def title_of(document: Document) -> str:
    """Return the document's title, or else its device, or else its kind: in the plural for a collection."""
    if document.title:
        return document.title
    display = hints(document)
    if document.id is None:
        return display.plural or words(document.kind)
    if display.columns and display.columns[0].is_device:
        name, user_agent = (
            document.properties.get(member) for member in (display.columns[0].name, display.columns[0].member)
        )
        return str(name or device(user_agent))
    return f'{words(document.kind).removesuffix("s")} {document.id}'


def moment(value: Any) -> str | None:
    """Return a time as people read it, `22 Nov 2026, 15:04 UTC`, or None if it is not a time."""
    return _moment(value) if isinstance(value, str) else None


@lru_cache(maxsize=4096)
def _moment(value: str) -> str | None:
    if not TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).strftime('%-d %b %Y, %H:%M UTC')
    except ValueError:
        return None


def device(user_agent: str | None) -> str:
    """Return a User-Agent in words: `Firefox on Linux`."""
    if not user_agent:
        return 'Unknown device'
    program = next((name for mark, name in _PROGRAMS if mark in user_agent), '')
    system = next((name for name in _SYSTEMS if name in user_agent), '')
    if program and system:
        return f'{program} on {"Mac" if system == "Macintosh" else system}'
    return user_agent.partition(' ')[0].replace('/', ' ')[:40]


def link_text(text: str) -> Markup:
    """Return the text with its web addresses as links (http and https only)."""
    if '://' not in text:
        return escape(text)
    parts, end = [], 0
    for match in _WEB_LINK.finditer(text):
        url = match[0].rstrip(_AFTER_LINK)
        parts += [escape(text[end : match.start()]), _LINK % (url, url)]
        end = match.start() + len(url)
    return Markup('').join([*parts, escape(text[end:])])


def prose(text: str) -> Markup:
    """Return a text of ours with what it has between backticks as code."""
    parts = text.split('`')
    return Markup('').join(
        _CODE % (part,) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def format_value(value: Any, *, is_day: bool = False) -> Markup:
    """Return the value of a member as people read it; with `is_day` only the date of a time."""
    if value is None or value == '':
        return _NONE
    if isinstance(value, bool):
        return _YES if value else _NO
    text = moment(value)
    if text is None:
        return _TEXT % (value,)
    return _DAY % (value, text.partition(',')[0]) if is_day else _TIME % (value, text)


def avatar(document: Document) -> Markup:
    """Return the picture of the document: a circle with its initial, and over it the image that it links to.

    The hue of the circle follows from the id. An image that cannot be loaded leaves the circle visible,
    because it has no width and height.
    """
    hue = sum(map(ord, document.id or '')) * 47 % 360
    url = document.href_of(hints(document).picture)
    return _AVATAR % (hue, title_of(document)[:1].upper(), _IMAGE % (url,) if url else '')


def is_number(value: Any) -> bool:
    """Return whether a value is a number, or a decimal as text."""
    return isinstance(value, (int, float)) or (
        isinstance(value, str) and re.fullmatch(r'-?\d+\.\d+', value, re.ASCII) is not None
    )


def clickable_links(document: Document) -> Iterator[tuple[str, Link]]:
    """Yield the links that can be followed by clicking, with their relations."""
    for rel, link in document.links.items():
        if rel not in _NOT_TO_CLICK and isinstance(link, Link) and not link.templated:
            yield rel, link


def search_forms(document: Document) -> Iterator[SearchForm]:
    """Yield the templated links that a form can fill in, except those that the document has a form for."""
    offered = {field.name for form in document.forms for field in form.action.fields}
    for rel, link in document.links.items():
        match = _QUERY_TEMPLATE.fullmatch(link.href) if isinstance(link, Link) else None
        if match is None:
            continue
        href, query, variables = match[1], match[2], tuple(match[3].split(','))
        if variables[0] not in offered:
            yield SearchForm(rel, href, tuple(parse_qsl(query or '', keep_blank_values=True)), variables)


@lru_cache(maxsize=256)
def attributes(field: Field) -> Markup:
    """Return the attributes of a field's input that follow from its declaration."""
    is_text_area = field.type == 'textarea'
    values = {
        'name': field.name,
        'dir': 'auto',
        'type': None if is_text_area else field.type,
        'required': '' if field.required else None,
        'minlength': field.min_length if field.min_length > 1 else None,
        'data-max': field.max_length,  # the script counts characters as the server does, maxlength does not
        'min': field.min,
        'max': field.max,
        'step': field.step,
        'pattern': field.regex if not is_text_area and field.type != 'email' else None,
        'title': f'{field.prompt} {field.rule}' if field.rule and field.type == 'text' else None,
        'placeholder': field.placeholder,
        'autocomplete': field.autocomplete,
        'autocapitalize': 'none' if field.autocomplete else None,
        'rows': field.rows or 3 if is_text_area else None,
    }
    pairs = (Markup(' {}="{}"').format(name, value) for name, value in values.items() if value is not None)
    return Markup('').join(pairs)


@lru_cache(maxsize=256)
def hint(field: Field) -> str:
    """Return the rules of a field in words, without those that are obvious."""
    sentences = []
    if field.min_length > 1:
        sentences.append(f'{field.min_length} to {field.max_length} characters.')
    elif field.max_length is not None and field.type not in ('email', 'search'):
        sentences.append(f'At most {field.max_length} characters.')
    if field.rule and field.type == 'text' and field.rule not in _OBVIOUS:
        sentences.append(f'{field.rule[0].upper()}{field.rule[1:]}.')
    return ' '.join(sentences)


_OBVIOUS = ('must not contain control characters', 'must not be blank')


def field_errors(problem: Problem, form: Form | None) -> dict[str, str]:
    """Return a sentence for every broken field, by name; it begins with the prompt of the field."""
    prompts = {field.name: field.prompt for field in form.action.fields} if form else {}
    return {name: f'{prompts.get(name, words(name))} {wrong}.' for name, wrong in problem.errors}


def advice(problem: Problem) -> str:
    """Return the explanation of the problem for people."""
    if problem.name == 'too-many-tries':
        seconds = int(problem.headers.get('Retry-After', 60))
        minutes = -(-seconds // 60)
        return f'Too many attempts. Try again in {minutes} minute{"s" if minutes > 1 else ""}.'
    is_general = problem.detail == PROBLEMS[problem.name].meaning
    if problem.name == 'not-found' and not is_general:  # such as an expired link in a mail
        return problem.detail
    if problem.name == 'unavailable':  # the operator sees pages, too: the detail tells what to do
        return f'{_ADVICE[problem.name]} {problem.detail}'
    return _ADVICE.get(problem.name, problem.detail)


def sign_in_form(home: Document | None) -> Form | None:
    """Return the form of the entry point that begins a session, if the viewer has none."""
    if home is None or home.display is None:
        return None
    return next((form for form in home.forms if form.action.name == hints(home).sign_in), None)


def destination(form: Form, document: Document, page_href: str) -> str:
    """Return the URL of the page to show after a form of the document, empty for the entry point.

    It is the page of the document, or the collection once the document is deleted.
    """
    if form.action.name in hints(document).session_ending:
        return ''
    collection = document.links.get('collection')
    is_gone = form.action.method == 'DELETE' and form.target == page_href
    return collection.href if is_gone and isinstance(collection, Link) else page_href


_PAGES = jinja2.Environment(
    loader=jinja2.PackageLoader('service.representation'),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_PAGES.filters |= {
    'attributes': attributes,
    'avatar': avatar,
    'advice': advice,
    'clickable_links': clickable_links,
    'device': device,
    'field_errors': field_errors,
    'format_value': format_value,
    'grouped': '{:,}'.format,
    'hint': hint,
    'hints': hints,
    'link_text': link_text,
    'moment': moment,
    'prose': prose,
    'search_forms': search_forms,
    'sign_in_form': sign_in_form,
    'title': title_of,
    'words': words,
}
_PAGES.tests |= {'number_like': is_number}
_PAGES.globals = {
    'NEIGHBOURS': NEIGHBOURS,
    'NUMBERS': HalDialect.names,
    'PLAIN': _PLAIN,
    'STYLE': asset_path('page.css'),
    'SCRIPT': asset_path('page.js'),
    'ICON': asset_path('icon.svg'),
    'destination': destination,
    'urls': urls,
}
# Macros are used as filters: that costs less than importing and calling them.
_PAGES.filters |= {name: partial(_render_part, part=macro) for name, macro in _macros('parts.html').items()}
_PAGES.filters |= _macros('forms.html')
_PAGES.filters |= _macros('entries.html')
