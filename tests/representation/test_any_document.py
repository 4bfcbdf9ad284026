"""Any document is strict HAL, and a page that escapes its content."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.representation.action import Action, Field
from service.representation.document import Document, Link
from service.representation.formats import FORMATS
from service.representation.media_types import HAL, HAL_FORMS, HTML, JSON
from tests.examples import examples
from tests.html import Page, as_parsed
from tests.strict_hal import check_hal

API = 'http://halcyon.test/api'
CURIES = (Link(f'{API}/rels/{{rel}}', templated=True, name='hc'),)
TO_ONE = ('author', 'hc:owner', 'hc:store')
TO_MANY = ('hc:items', 'hc:posts')
FIELDS = (Field('body', 'Text', required=True, max_length=140), Field('secret', 'Secret', type='password'))

texts = st.text(st.characters(exclude_categories=['Cs']), max_size=12)
lines = st.text('ab é', max_size=12)  # prefilled values satisfy the rules of the form
values = texts | st.integers(-(2**53), 2**53) | st.booleans()
names = st.sampled_from(('username', 'body', 'name', 'price', 'created_at', 'x-y', 'a'))
forms = st.lists(st.sampled_from(('edit', 'delete', 'publish')), max_size=2, unique=True)


def href(*parts: Any) -> str:
    return '/'.join((API, *map(str, parts)))


@st.composite
def single_documents(draw: Any, embedded_documents: Any) -> Document:
    """Make a document like that of a resource: it links to each embedded document, which has its own URL."""
    kind, number = draw(st.sampled_from(('users', 'posts', 'items'))), draw(st.integers(1, 2**53 - 1))
    embedded = draw(st.dictionaries(st.sampled_from(TO_ONE), embedded_documents, max_size=2))
    links = {
        rel: Link(href(kind, number, rel.rpartition(':')[2]))
        for rel in draw(st.sets(st.sampled_from(TO_MANY)))
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
def collections(draw: Any, item_documents: Any) -> Document:
    items = tuple(draw(st.lists(item_documents, max_size=3, unique_by=lambda document: document.key)))
    links: dict[str, Any] = {rel: Link(href('items')) for rel in ('self', 'first', 'last')}
    links |= {'curies': CURIES, 'item': tuple(Link(item.href) for item in items)}
    links['hc:page'] = Link(href('items{?page,per_page}'), templated=True)
    meta = {'page': 1, 'per_page': 10, 'total_pages': int(bool(items)), 'total_items': len(items)}
    return Document('items', None, {}, links, {'item': items}, meta=meta, title=draw(texts))


simple = single_documents(st.nothing())
nested = single_documents(simple)
documents = simple | nested | single_documents(nested) | collections(nested)
EXAMPLES = examples(160)


def texts_of(document: Document) -> list[str]:
    """Return every string in the properties of the document."""
    return [value for value in document.properties.values() if isinstance(value, str)]


@EXAMPLES
@given(documents)
def test_any_document_is_strict_hal(document: Document) -> None:
    for media_type, has_forms in ((HAL, False), (JSON, False), (HAL_FORMS, True)):
        rendered = json.loads(FORMATS[media_type].render(document))
        check_hal(rendered, forms=has_forms)
        assert document.properties.items() <= rendered.items()


@EXAMPLES
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
    page_text = as_parsed(html_page.text)
    for text in texts_of(document):
        assert as_parsed(text).strip() in page_text
