"""Any document is strict HAL, valid JSON:API, and a page that escapes its content."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.representation.action import Action, Field
from service.representation.document import Document, Link
from service.representation.formats import FORMATS
from service.representation.media_types import HAL, HAL_FORMS, HTML, JSON, JSON_API
from tests.html import Page
from tests.strict_hal import check_hal
from tests.strict_json_api import check_json_api

API = 'http://halcyon.test/api'
CURIES = (Link(f'{API}/rels/{{rel}}', templated=True, name='hc'),)
SINGLE = ('author', 'hc:owner', 'hc:store')
MANY = ('hc:items', 'hc:posts')
FIELDS = (Field('body', 'Text', required=True, max_length=140), Field('secret', 'Secret', type='password'))

texts = st.text(st.characters(exclude_categories=['Cs']), max_size=12)
lines = st.text('ab é', max_size=12)  # prefilled values satisfy the rules of the form
values = texts | st.integers(-(2**53), 2**53) | st.booleans()
names = st.sampled_from(('username', 'body', 'name', 'price', 'created_at', 'x-y', 'a'))
forms = st.lists(st.sampled_from(('edit', 'delete', 'publish')), max_size=2, unique=True)


def href(*parts: Any) -> str:
    return '/'.join((API, *map(str, parts)))


@st.composite
def singles(draw: Any, inner: Any) -> Document:
    """Make a document as resources do: it links to all embedded documents, and each has its own URL."""
    kind, number = draw(st.sampled_from(('users', 'posts', 'items'))), draw(st.integers(1, 2**53 - 1))
    embedded = draw(st.dictionaries(st.sampled_from(SINGLE), inner, max_size=2)) if inner is not None else {}
    links = {
        rel: Link(href(kind, number, rel.rpartition(':')[2])) for rel in draw(st.sets(st.sampled_from(MANY)))
    }
    links |= {rel: Link(document.href) for rel, document in embedded.items()}
    properties = {'id': number, **draw(st.dictionaries(names, values, max_size=4))}
    return Document(
        kind,
        str(number),
        properties,
        {'self': Link(href(kind, number)), 'curies': CURIES, **links},
        embedded,
        tuple(
            Action(name, 'PUT', draw(texts), FIELDS).at(href(kind, number), {'body': draw(lines)})
            for name in draw(forms)
        ),
        title=draw(texts),
    )


@st.composite
def collections(draw: Any, inner: Any) -> Document:
    items = tuple(draw(st.lists(inner, max_size=3, unique_by=lambda document: (document.kind, document.id))))
    links: dict[str, Any] = {rel: Link(href('items')) for rel in ('self', 'first', 'last')}
    links |= {'curies': CURIES, 'item': tuple(Link(item.href) for item in items)}
    links['hc:page'] = Link(href('items{?page,per_page}'), templated=True)
    meta = {'page': 1, 'per_page': 10, 'total_pages': int(bool(items)), 'total_items': len(items)}
    return Document('items', None, {}, links, {'item': items}, meta=meta, title=draw(texts))


simple = singles(None)
nested = singles(simple)
documents = simple | nested | singles(nested) | collections(nested)
ANY = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def texts_of(document: Document) -> list[str]:
    """Return every string in the state of the document."""
    return [value for value in document.properties.values() if isinstance(value, str)]


@ANY
@given(documents)
def test_any_document_is_strict_hal(document: Document) -> None:
    for media_type, has_forms in ((HAL, False), (JSON, False), (HAL_FORMS, True)):
        rendered = json.loads(FORMATS[media_type].render(document))
        check_hal(rendered, forms=has_forms)
        assert document.properties.items() <= rendered.items()


@ANY
@given(documents)
def test_any_document_is_valid_json_api(document: Document) -> None:
    check_json_api(json.loads(FORMATS[JSON_API].render(document)))


@ANY
@given(documents)
def test_any_document_is_a_page_that_escapes_it(document: Document) -> None:
    html_page = Page(FORMATS[HTML].render(document).decode())
    assert [
        script['src']
        for script in html_page.all('script')
        if not (script['src'] or '').startswith('/static/')
    ] == []
    assert html_page.all('iframe') == html_page.all('object') == html_page.all('base') == []
    for tag in ('a', 'img', 'form'):
        for attributes in html_page.all(tag):
            url = attributes.get('href') or attributes.get('src') or attributes.get('action') or ''
            assert url.startswith(('http://halcyon.test/', '/', '#'))
    plain = html_page.text.replace('\r\n', '\n').replace('\r', '\n').replace('\0', '\ufffd')
    for text in texts_of(document):
        assert text.replace('\r\n', '\n').replace('\r', '\n').replace('\0', '\ufffd').strip() in plain
