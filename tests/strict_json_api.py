"""Strict checks of JSON:API 1.1: the rules of the conformance kit, and those that Halcyon adds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from service.conformance.exchange import JSON_API
from service.representation.cursor_pagination import PROFILES
from tests.kit import assert_conformant

RELATIONSHIP_LINKS = {'self', 'related', 'first', 'prev', 'next', 'last'}


def check_json_api(document: dict[str, Any]) -> None:
    """Assert that the document is strict JSON:API 1.1, as this server sends it."""
    status = int(document['errors'][0]['status']) if 'errors' in document else 200
    assert_conformant(document, JSON_API, 'json-api', status=status)
    for link in links_of(document):
        assert urlsplit(link).scheme in ('http', 'https'), link
    if 'errors' in document:
        assert len({error['status'] for error in document['errors']}) == 1
    if 'data' in document:
        profiles = document['jsonapi'].get('profile', [])
        assert document['jsonapi'] == {'version': '1.1'} | ({'profile': profiles} if profiles else {})
        assert profiles in ([], *([profile] for profile in PROFILES))
        assert 'self' in document['links']
        assert document['links']['describedby'].endswith('/api/openapi.json')
        included = document.get('included', [])
        data = document['data'] if isinstance(document['data'], list) else [document['data']]
        resources = [resource for resource in [*data, *included] if 'attributes' in resource]
        assert all(set(resource['links']) == {'self'} for resource in resources)
        assert set(document['links']) <= {'describedby', *RELATIONSHIP_LINKS}
        for resource in resources:
            for relationship in resource.get('relationships', {}).values():
                assert set(relationship.get('links', {})) <= RELATIONSHIP_LINKS


def links_of(value: Any) -> Iterator[str]:
    """Yield every link in a document, wherever it is."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name == 'links':
                links = (link for link in member.values() if link is not None)
                yield from (link['href'] if isinstance(link, dict) else link for link in links)
            elif name != 'attributes':
                yield from links_of(member)
    elif isinstance(value, list):
        for item in value:
            yield from links_of(item)
