"""A strict reader of HAL and HAL-FORMS: it asserts every rule that a document must keep."""

from typing import Any
from urllib.parse import urlsplit

ARRAYS = ('curies', 'item')
NULLABLE = ('last_used_at', 'user_agent', 'updated_at')
STANDARD = (
    'self',
    'curies',
    'collection',
    'item',
    'first',
    'prev',
    'next',
    'last',
    'author',
    'search',
    'service-desc',
    'service-doc',
    'help',
)
TEMPLATE_MEMBERS = {'title', 'method', 'contentType', 'target', 'properties'}


def check_hal(document: dict[str, Any], *, forms: bool, outermost: bool = True) -> None:
    """Assert that the document is strict HAL (draft-kelly-json-hal-11), with `forms` HAL-FORMS."""
    links = document['_links']
    assert isinstance(links, dict)
    assert 'self' in links
    assert not links['self'].get('templated')
    assert ('curies' in links) == outermost
    for rel, link in links.items():
        assert rel in STANDARD or rel.startswith('hc:'), rel
        assert isinstance(link, list) == (rel in ARRAYS), rel
        for one in link if isinstance(link, list) else [link]:
            check_link(one)
    for name, value in document.items():
        assert value is not None or name in NULLABLE, name
        assert name in ('_links', '_embedded', '_meta', '_templates') or not name.startswith('_'), name
    embedded = document.get('_embedded', {})
    assert '_embedded' not in document or embedded
    for rel, what in embedded.items():
        assert isinstance(what, list) == (rel in ARRAYS), rel
        several = what if isinstance(what, list) else [what]
        linked = links[rel] if isinstance(links[rel], list) else [links[rel]]
        assert [one['_links']['self']['href'] for one in several] == [link['href'] for link in linked]
        for one in several:
            check_hal(one, forms=forms, outermost=False)
    assert ('_meta' in document) == ('item' in links)
    if '_meta' in document:
        check_collection(document)
    assert forms or '_templates' not in document
    for template in document.get('_templates', {}).values():
        check_template(template)


def check_link(link: dict[str, Any]) -> None:
    """Assert that it is a link object with an absolute address, a template if and only if it says so."""
    assert set(link) <= {'href', 'templated', 'name', 'type'}
    parts = urlsplit(link['href'])
    assert parts.scheme in ('http', 'https')
    assert parts.netloc
    assert ('{' in link['href']) == ('templated' in link)
    assert link.get('templated', True) is True


def check_collection(document: dict[str, Any]) -> None:
    """Assert that a collection has its links and its counts, and that they fit each other."""
    links, meta, items = document['_links'], document['_meta'], document['_embedded']['item']
    assert set(meta) == {'page', 'per_page', 'total_pages', 'total_items'}
    assert {'self', 'first', 'last', 'hc:page'} <= set(links)
    assert meta['total_pages'] == -(-meta['total_items'] // meta['per_page'])
    assert len(items) <= meta['per_page']


def check_template(template: dict[str, Any]) -> None:
    """Assert that a HAL-FORMS template says what a client needs to send it."""
    assert set(template) <= TEMPLATE_MEMBERS
    assert template['method'] in ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')
    assert urlsplit(template['target']).netloc
    if template['method'] != 'GET':
        assert template['contentType'] == 'application/json'
    for field in template['properties']:
        assert field['name']
        assert field['prompt']
        assert isinstance(field.get('value', ''), str)
