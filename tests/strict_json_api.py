"""A strict reader of JSON:API 1.1: the schema, and the rules that no schema can say."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator

from tests.json_api_schema import SCHEMA

_VALIDATOR = Draft202012Validator(SCHEMA)

Named = tuple[str, str]


def check_json_api(document: dict[str, Any]) -> None:
    """Assert that the document is strict JSON:API 1.1, of the kind that this server sends."""
    _VALIDATOR.validate(document)
    for link in clickable_links(document):
        assert urlsplit(link).scheme in ('http', 'https'), link
    if 'errors' in document:
        assert len({error['status'] for error in document['errors']}) == 1
    if 'data' in document:
        assert document['jsonapi'] == {'version': '1.1'}
        assert 'self' in document['links']
        assert document['links']['describedby'].endswith('/api/openapi.json')
        check_linkage(document)


def check_linkage(document: dict[str, Any]) -> None:
    """Assert that nothing is there twice, and that what is included is linked to (§7.4).

    A relationship that sparse fields left out links to nothing, and says so in the document's own link.
    """
    primary = document['data'] if isinstance(document['data'], list) else [document['data']]
    included = document.get('included', [])
    names = [name_of(one) for one in (*primary, *included)]
    assert len(set(names)) == len(names)
    for one in (*primary, *included):
        assert not set(one.get('attributes', {})) & set(one.get('relationships', {}))  # §7.2.2: one namespace
    if 'fields%5B' not in document['links']['self']:
        reached, todo = set(), list(primary)
        by_name = {name_of(one): one for one in included}
        while todo:
            for name in linked_by(todo.pop()):
                if name in by_name and name not in reached:
                    reached.add(name)
                    todo.append(by_name[name])
        assert reached == set(by_name)


def name_of(resource: dict[str, Any]) -> Named:
    return resource['type'], resource['id']


def linked_by(resource: dict[str, Any]) -> Iterator[Named]:
    """Yield what the resource's relationships name."""
    for relationship in resource.get('relationships', {}).values():
        data = relationship.get('data')
        for one in data if isinstance(data, list) else [data] if data else []:
            yield name_of(one)


def clickable_links(value: Any) -> Iterator[str]:
    """Yield every link in a document, wherever it is."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == 'links':
                yield from (link['href'] if isinstance(link, dict) else link for link in inner.values())
            elif name != 'attributes':
                yield from clickable_links(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from clickable_links(inner)
