"""Strict checks of HAL and HAL-FORMS: the rules of the conformance kit, and those that Halcyon adds."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from service.conformance.exchange import HAL, HAL_FORMS
from tests.kit import assert_conformant

ARRAYS = ('curies', 'item')
NULLABLE = ('name', 'last_used_at', 'user_agent', 'updated_at')
TEMPLATE_MEMBERS = {'title', 'method', 'contentType', 'target', 'properties'}


def check_hal(document: dict[str, Any], *, forms: bool, is_root: bool = True) -> None:
    """Assert that the document is strict HAL, with `forms` HAL-FORMS."""
    if is_root:
        assert_conformant(document, HAL_FORMS if forms else HAL, 'hal', 'hal-forms' if forms else 'hal')
    links = document['_links']
    assert ('curies' in links) == is_root
    for rel, value in links.items():
        assert isinstance(value, list) == (rel in ARRAYS), rel
        for link in value if isinstance(value, list) else [value]:
            assert set(link) <= {'href', 'templated', 'name', 'type'}
            assert urlsplit(link['href']).netloc
    for name, value in document.items():
        assert value is not None or name in NULLABLE, name
        assert name in ('_links', '_embedded', '_meta', '_templates') or not name.startswith('_'), name
    embedded = document.get('_embedded', {})
    assert '_embedded' not in document or embedded
    for rel, value in embedded.items():
        assert isinstance(value, list) == (rel in ARRAYS), rel
        entries = value if isinstance(value, list) else [value]
        linked = links[rel] if isinstance(links[rel], list) else [links[rel]]
        assert [entry['_links']['self']['href'] for entry in entries] == [link['href'] for link in linked]
        for entry in entries:
            check_hal(entry, forms=forms, is_root=False)
    assert ('_meta' in document) == ('item' in links)
    if '_meta' in document:
        check_collection(document)
    assert forms or '_templates' not in document
    for template in document.get('_templates', {}).values():
        check_template(template)


def check_collection(document: dict[str, Any]) -> None:
    """Assert that a collection has its links and its counts, and that they are consistent."""
    links, meta, items = document['_links'], document['_meta'], document['_embedded']['item']
    assert set(meta) == {'page', 'per_page', 'total_pages', 'total_items'}
    assert {'self', 'first', 'last', 'hc:page'} <= set(links)
    assert meta['total_pages'] == -(-meta['total_items'] // meta['per_page'])
    assert len(items) <= meta['per_page']


def check_template(template: dict[str, Any]) -> None:
    """Assert that a template contains everything that a client needs to submit it."""
    assert set(template) <= TEMPLATE_MEMBERS
    assert template['method'] in ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')
    assert urlsplit(template['target']).netloc
    if template['method'] != 'GET':
        assert template['contentType'] == 'application/json'
    assert all(field['prompt'] for field in template['properties'])
