"""HTML: a page for every document and every error; all escaping is the templates' own."""

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import jinja2

from service import urls
from service.representation.action import Field
from service.representation.document import Document, Link
from service.representation.json_schema import TIME
from service.representation.problem import Problem
from service.representation.query_parameters import HalDialect
from service.representation.static_files import ASSETS, asset_path


def _fingerprint() -> bytes:
    """Return a digest of all that pages are made of beside a document: the templates, and this module."""
    folder = files('service.representation')
    sources = [folder / 'html.py', *sorted((folder / 'templates').iterdir(), key=lambda one: one.name)]
    digest = hashlib.sha256(b''.join(one.read_bytes() for one in sources))
    return digest.hexdigest().encode() + '\n'.join(sorted(ASSETS)).encode()


TEMPLATES_FINGERPRINT = _fingerprint()
PICTURE = 'hc:avatar'
NEIGHBOURS = ('first', 'prev', 'next', 'last')
# What no one can follow by clicking: it is shown in another way, or it is there to be written to.
_NOT_TO_CLICK = frozenset((*NEIGHBOURS, PICTURE, 'self', 'curies', 'item', 'hc:password', 'hc:follow'))
_LABELS = {
    'prev': 'Previous',
    'hc:page': 'Go to page',
    'hc:me': 'My profile',
    'service-desc': 'API description',
    'service-doc': 'API documentation',
}
_QUERY_TEMPLATE = re.compile(r'([^{}?]*)(?:\?([^{}]*))?{[?&]([a-z_,]+)}')


class SearchForm(NamedTuple):
    """A link whose template asks for a query only, which a form with the method GET can fill in."""

    rel: str
    address: str
    given: tuple[tuple[str, str], ...]
    variables: tuple[str, ...]


def page(document: Document) -> str:
    """Return the document as a page."""
    return _PAGES.get_template('document.html').render(document=document)


def docs_page(description: dict[str, Any]) -> str:
    """Return the description of the API (OpenAPI) as a page."""
    return _PAGES.get_template('docs.html').render(description=description)


def anchor(path: str) -> str:
    """Return the path template as a valid fragment (RFC 3986 §3.5), without its braces."""
    return path.replace('{', '').replace('}', '')


def component(value: dict[str, Any], description: dict[str, Any]) -> dict[str, Any]:
    """Return the component that a Reference Object of the description leads to, or else the value itself."""
    if '$ref' not in value:
        return value
    section, name = value['$ref'].split('/')[-2:]
    found: dict[str, Any] = description['components'][section][name]
    return found


def problem_page(problem: Problem) -> str:
    """Return the problem as a page that leads back to the entry point."""
    return _PAGES.get_template('problem.html').render(problem=problem)


def words(name: str) -> str:
    """Return the name of a relation, a member or a form as people read it: `member_since`, Member since."""
    plain = _LABELS.get(name) or name.removeprefix('hc:').replace('_', ' ').replace('-', ' ')
    return plain[:1].upper() + plain[1:]


def title_of(document: Document) -> str:
    """Return the document's title, or else its kind: in the plural for a collection."""
    if document.title or document.id is None:
        return document.title or words(document.kind)
    return f'{words(document.kind).removesuffix("s")} {document.id}'


def moment(value: Any) -> str | None:
    """Return a time as people read it, `22 Nov 2026, 15:04 UTC`, or None for what is no time."""
    if not isinstance(value, str) or not TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).strftime('%-d %b %Y, %H:%M UTC')
    except ValueError:
        return None


def clickable_links(document: Document) -> Iterator[tuple[str, Link]]:
    """Return the links that can be followed by clicking, with their relations."""
    for rel, link in document.links.items():
        if rel not in _NOT_TO_CLICK and isinstance(link, Link) and not link.templated:
            yield rel, link


def search_forms(document: Document) -> Iterator[SearchForm]:
    """Return the templated links that a form can fill in and that none of the document's own forms does."""
    asked = {field.name for form in document.forms for field in form.action.fields}
    for rel, link in document.links.items():
        match = _QUERY_TEMPLATE.fullmatch(link.href) if isinstance(link, Link) else None
        if match is None:
            continue
        address, query, variables = match[1], match[2], tuple(match[3].split(','))
        if variables[0] not in asked:
            yield SearchForm(rel, address, _pairs(query), variables)


def _pairs(query: str | None) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(query or '', keep_blank_values=True))


def hint(field: Field) -> str:
    """Return in words what is asked of a value, as far as people cannot guess it."""
    said = []
    if field.min_length > 1:
        said.append(f'{field.min_length} to {field.max_length} characters.')
    elif field.max_length is not None and field.type != 'email':
        said.append(f'At most {field.max_length} characters.')
    if field.rule and field.type == 'text':
        said.append(f'{field.rule[0].upper()}{field.rule[1:]}.')
    return ' '.join(said)


_PAGES = jinja2.Environment(
    loader=jinja2.PackageLoader('service.representation'),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.filters |= {
    'words': words,
    'title': title_of,
    'moment': moment,
    'hint': hint,
    'anchor': anchor,
    'component': component,
}
_PAGES.globals |= {
    'NEIGHBOURS': NEIGHBOURS,
    'NUMBERS': HalDialect.names,
    'PICTURE': PICTURE,
    'asset': asset_path,
    'clickable_links': clickable_links,
    'search_forms': search_forms,
    'urls': urls,
}
