"""HTML: a page for every document and every problem, by display hints; templates escape text."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import jinja2
from markupsafe import Markup

from service import urls
from service.representation.action import Form
from service.representation.display import Display
from service.representation.docs import entries_by_tag
from service.representation.document import Document, Link, Part
from service.representation.html_text import (
    attributes,
    device,
    format_time,
    format_value,
    highlight_json,
    hint,
    is_number,
    link_text,
    prose,
    words,
)
from service.representation.problem import PROBLEMS, Problem
from service.representation.query_parameters import HAL_DIALECT
from service.representation.static_files import asset_path

MAX_PATHS = 64  # paths under which the application is reached, whose page frames are cached
MAX_AVATARS = 1024
MAX_INPUTS = 1024  # inputs, by field and id, whose constant text is cached
NEIGHBOURS = {'first': 'First', 'prev': 'Previous', 'next': 'Next', 'last': 'Last'}
# Relations whose links are not listed: they are shown in another way, or their targets do not support GET.
_UNLISTED = frozenset((*NEIGHBOURS, 'hc:avatar', 'self', 'curies', 'item', 'hc:password', 'hc:follow'))
_PLAIN = Display()
_QUERY_TEMPLATE = re.compile(r'([^{}?]*)(?:\?([^{}]*))?{[?&]([a-z_,]+)}')
_AVATAR = Markup(
    '<span class="avatar"><svg viewBox="0 0 48 48" aria-hidden="true">'
    '<circle cx="24" cy="24" r="24" fill="hsl(%d 45%% 32%%)"/>'
    '<text x="24" y="32" text-anchor="middle" font-size="22" fill="#fff">%s</text></svg>%s</span>'
)
_IMAGE = Markup('<img src="%s" alt="" loading="lazy">')
_ADVICE = {
    'unauthenticated': 'You need to sign in to see this page.',
    'invalid-token': 'You are no longer signed in. Sign in again to continue.',
    'not-found': 'This page does not exist. It may have been deleted, or the address may be mistyped.',
    'invalid-values': 'Correct the marked fields. Nothing has been changed.',
    'stale': 'This has been changed in the meantime. Reload the page before you try again.',
    'internal-error': 'Something went wrong on our side. Please try again later.',
    'unavailable': 'The server cannot respond at the moment. Please try again in a few seconds.',
}


class Source(NamedTuple):
    """The response to GET of a document in another format: the format's name, the header fields, the body."""

    name: str
    headers: Mapping[str, str]
    text: str


class Site:
    """The entry point as one viewer sees it, with the header that all pages for this viewer have.

    The header is rendered once for each of its links, because the link to the current page, or to a page
    above it, is marked. It has the `token_lifetime` in seconds, so that the script renews a session in
    use before it expires, and the `user_id`, so that it restores the drafts of this user only.
    """

    def __init__(self, home: Document, user_id: int | None, token_lifetime: int) -> None:
        self.home = home
        self._user_id = user_id
        self._token_lifetime = token_lifetime
        display = hints(home)
        rels = (link.rel for link in (*display.navigation, *display.account))
        self._marked = {home.href: 'self'} | {home.href_of(rel): rel for rel in rels if rel in home.links}
        self._headers: dict[tuple[str, str], Markup] = {}

    def header(self, document: Document | None) -> Markup:
        """Return the header of the document's page."""
        current = self._current(document) if document else ('', '')
        header = self._headers.get(current)
        if header is None:
            macro = _macros('header.html')['header']
            header = self._headers[current] = macro(self.home, *current, self._user_id, self._token_lifetime)
        return header

    def _current(self, document: Document) -> tuple[str, str]:
        """Return the relation of the link to mark, and its aria-current; both are empty if there is none."""
        rel = self._marked.get(document.href.partition('?')[0])
        if rel is not None:
            return rel, 'page'
        outline = document.outline
        above = (*(crumb.href for crumb in outline.parents), outline.href_of('collection'))
        return next(((self._marked[url], 'true') for url in above if url in self._marked), ('', ''))


class Page(NamedTuple):
    """A document or a problem with everything else on its page.

    `site` is None if the page is the same for all viewers. `related` has further documents on the page, by
    relation. `source` is shown instead of the document, if there is one. `form` is the form whose submission
    failed, with the submitted values. `back` is the URL to which a form on the page of a problem returns.
    `base` is the path under which the application is, empty at the root. `notice` is the outcome of the
    form that was submitted, if nothing else on the page shows it.
    """

    content: Document | Problem
    site: Site | None = None
    related: Mapping[str, Document] = {}
    source: Source | None = None
    form: Form | None = None
    back: str = ''
    base: str = ''
    notice: str = ''

    @property
    def document(self) -> Document | None:
        """The document that the page is about; None for a problem."""
        return self.content if isinstance(self.content, Document) else None


class SearchForm(NamedTuple):
    """A templated link with query variables only, as a form with the method GET."""

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
            'header': page.site and page.site.header(document),
            'base': page.base,
        }
    )


def docs_page(description: dict[str, Any], *, is_open: bool = False) -> str:
    """Return the description of the API (OpenAPI) as a page; all its operations are open or closed."""
    base = urlsplit(description['servers'][0]['url']).path
    return _PAGES.get_template('docs.html').render(
        description=description, groups=entries_by_tag(description), is_open=is_open, header=None, base=base
    )


def _macros(template: str) -> dict[str, Callable[..., Markup]]:
    """Return the macros of a template by name."""
    module = vars(_PAGES.get_template(template).module)
    return {name: macro for name, macro in module.items() if callable(macro)}


def _render_part(document: Document, part: Part) -> str:
    return document.render(part)


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
    return words(document.kind).removesuffix('s')


def avatar(document: Document) -> Markup:
    """Return the picture of the document: a circle with its initial, covered by the linked image, if any.

    The hue of the circle follows from the id. An image that cannot be loaded leaves the circle visible,
    because it has no width and height.
    """
    url = document.href_of(hints(document).picture)
    return _avatar(document.id or '', title_of(document)[:1].upper(), url)


@lru_cache(MAX_AVATARS)
def _avatar(id: str, initial: str, url: str) -> Markup:
    hue = sum(map(ord, id)) * 47 % 360
    return _AVATAR % (hue, initial, _IMAGE % (url,) if url else '')


def clickable_links(document: Document) -> Iterator[tuple[str, Link]]:
    """Yield the links that a page lists, with their relations."""
    for rel, link in document.links.items():
        if rel not in _UNLISTED and isinstance(link, Link) and not link.templated:
            yield rel, link


def search_forms(document: Document) -> Iterator[SearchForm]:
    """Yield forms for the templated links of the document for which it has no form of its own."""
    offered = {field.name for form in document.forms for field in form.action.fields}
    for rel, link in document.links.items():
        match = _QUERY_TEMPLATE.fullmatch(link.href) if isinstance(link, Link) else None
        if match is None:
            continue
        href, query, variables = match[1], match[2], tuple(match[3].split(','))
        if variables[0] not in offered:
            yield SearchForm(rel, href, tuple(parse_qsl(query or '', keep_blank_values=True)), variables)


def field_errors(problem: Problem, form: Form | None) -> dict[str, str]:
    """Return a sentence for every invalid field, by name; it begins with the prompt of the field."""
    prompts = {field.name: field.prompt for field in form.action.fields} if form else {}
    return {name: f'{prompts.get(name, words(name))} {reason}.' for name, reason in problem.errors}


def advice(problem: Problem) -> str:
    """Return the explanation of the problem for people."""
    if problem.name == 'too-many-tries':
        seconds = int(problem.headers.get('Retry-After', 60))
        minutes = -(-seconds // 60)
        return f'Too many attempts. Try again in {minutes} minute{"s" if minutes > 1 else ""}.'
    is_general = problem.detail == PROBLEMS[problem.name].meaning
    if problem.name == 'not-found' and not is_general:  # e.g. an expired link in an email
        return problem.detail
    if problem.parameter is not None:
        return f'The query parameter {problem.detail}'
    return _ADVICE.get(problem.name, problem.detail)


def sign_in_form(home: Document | None) -> Form | None:
    """Return the form of the entry point that begins a session, if the viewer has none."""
    if home is None or home.display is None:
        return None
    return next((form for form in home.forms if hints(home).action(form.action.name).begins_session), None)


def destination(form: Form, document: Document, page_href: str) -> str:
    """Return the URL of the page to show after a form of the document succeeds, empty for the entry point.

    It is the page of the document; if the form deletes the document, the page above it, else its collection.
    """
    if hints(document).action(form.action.name).ends_session:
        return ''
    if form.action.method != 'DELETE' or form.target != page_href:
        return page_href
    return document.parents[-1].href if document.parents else document.href_of('collection') or ''


_FOLDER = files('service.representation') / 'templates'
_PAGES = jinja2.Environment(
    # All are read at the start, so that an upgrade in place does not give old code new templates.
    loader=jinja2.DictLoader({file.name: file.read_text('utf-8') for file in _FOLDER.iterdir()}),
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
    'format_time': format_time,
    'format_value': format_value,
    'grouped': '{:,}'.format,
    'highlight_json': highlight_json,
    'hint': hint,
    'hints': hints,
    'link_text': link_text,
    'prose': prose,
    'search_forms': search_forms,
    'sign_in_form': sign_in_form,
    'title': title_of,
    'words': words,
}
_PAGES.tests |= {'number_like': is_number}
_PAGES.globals = {
    'NEIGHBOURS': NEIGHBOURS,
    'NUMBERS': HAL_DIALECT.names,
    'PLAIN': _PLAIN,
    'STYLE': asset_path('page.css'),
    'SCRIPT': asset_path('page.js'),
    'ICON': asset_path('icon.svg'),
    'destination': destination,
    'urls': urls,
}
# Macros are used as filters: that costs less than importing and calling them.
_PAGES.filters |= {name: lru_cache(MAX_PATHS)(macro) for name, macro in _macros('frame.html').items()}
_PAGES.filters |= {name: lru_cache(MAX_INPUTS)(macro) for name, macro in _macros('inputs.html').items()}
_PAGES.filters |= {name: partial(_render_part, part=macro) for name, macro in _macros('parts.html').items()}
_PAGES.filters |= _macros('forms.html')
_PAGES.filters |= _macros('entries.html')
