"""Kinds of documents: each document has exactly the members and links that its kind declares."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from service.app import make_routes
from service.http.operation import Samples
from service.representation.document import member
from service.representation.kind import Kind, Member, Presence
from tests.client import HAL, JSON_API, LOGIN, Client
from tests.routes import World

pytestmark = pytest.mark.above_databases

KINDS = {
    content.kind.name: content.kind
    for _, resource in make_routes()
    for operation in resource.operations.values()
    for content in operation.responses.values()
    if isinstance(content, Samples)
}
RESERVED = {'_links', '_embedded', '_templates'}
PYTHON_TYPES = {'string': str, 'integer': int, 'boolean': bool}
each_kind = pytest.mark.parametrize('kind', KINDS.values(), ids=KINDS)


def documents_of_owner(world: World, accept: str = HAL) -> dict[str, dict[str, Any]]:
    """Return a document of each kind as its owner sees it."""
    urls = {
        'users': '/api/users/{user_id}',
        'posts': '/api/posts/{post_id}',
        'tokens': '/api/tokens/{token_id}',
        'stores': '/api/stores/{store_id}',
        'items': '/api/items/{item_id}',
        'follows': '/api/users/{user_id}/following/{other_id}',
        'entry-points': '/api',
        'relations': '/api/rels/{rel}',
        'problems': '/api/problems/{name}',
    }
    return {kind: world.ada.get(world.url(template), accept=accept).json for kind, template in urls.items()}


def documents_of_others(world: World) -> dict[str, dict[str, Any]]:
    """Return a document of each kind that other users may see, as they see it."""
    return {
        'users': world.ada.get(world.url('/api/users/{other_id}'), accept=HAL).json,
        'posts': world.bob.get(world.url('/api/posts/{post_id}'), accept=HAL).json,
        'stores': world.bob.get(world.url('/api/stores/{store_id}'), accept=HAL).json,
        'items': world.bob.get(world.url('/api/items/{item_id}'), accept=HAL).json,
        'follows': world.bob.get(world.url('/api/users/{user_id}/following/{other_id}'), accept=HAL).json,
        'entry-points': Client(world.ada.app).get('/api', accept=HAL).json,
        'relations': Client(world.ada.app).get('/api/rels/password', accept=HAL).json,
    }


def created_documents(world: World) -> dict[str, dict[str, Any]]:
    """Return the documents in responses to the creation of resources."""
    return {
        'users': Client(world.ada.app).register('grace').json,
        'posts': world.ada.publish('Again').json,
        'tokens': Client(world.ada.app).post('/api/tokens', LOGIN).json,
    }


def documents_of_kind(kind: Kind, world: World) -> list[dict[str, Any]]:
    """Return the documents of the kind: as the owner and others see it, and as its creation returns it."""
    sources: list[Callable[[World], dict[str, dict[str, Any]]]] = [
        documents_of_owner,
        documents_of_others,
        created_documents,
    ]
    return [documents[kind.name] for source in sources if kind.name in (documents := source(world))]


def has_declared_type(value: Any, declared: Member) -> bool:
    """Return whether the value has the declared type and format."""
    if value is None:
        return declared.nullable
    if declared.format == 'date-time':
        return datetime.fromisoformat(value).utcoffset() is not None
    return type(value) is PYTHON_TYPES[declared.type]


def test_every_kind_is_tested(world: World) -> None:
    assert set(documents_of_owner(world)) == set(KINDS)


@each_kind
def test_every_member_is_declared_with_its_type(kind: Kind, world: World) -> None:
    declared = {declaration.name: declaration for declaration in kind.members}
    for document in documents_of_kind(kind, world):
        for name in document.keys() - RESERVED:
            assert has_declared_type(document[name], declared[name]), (name, document[name])


@each_kind
def test_members_are_present_as_declared(kind: Kind, world: World) -> None:
    presence = {declaration.name: declaration.presence for declaration in kind.members}
    always = {name for name, value in presence.items() if value is Presence.ALWAYS}
    owner = {name for name, value in presence.items() if value is Presence.OWNER}
    creation = {name for name, value in presence.items() if value is Presence.CREATION}
    assert all(always <= document.keys() for document in documents_of_kind(kind, world))
    assert owner <= documents_of_owner(world)[kind.name].keys()
    assert not owner & documents_of_others(world).get(kind.name, {}).keys()
    assert not creation & documents_of_owner(world)[kind.name].keys()
    assert creation <= created_documents(world).get(kind.name, {}).keys()


def test_an_optional_member_is_present_or_absent(world: World) -> None:
    members = KINDS['relations'].members
    optional = [declared.name for declared in members if declared.presence is Presence.OPTIONAL]
    assert optional == ['example']
    assert 'example' in documents_of_owner(world)['relations']
    assert 'example' not in documents_of_others(world)['relations']


@each_kind
def test_every_link_is_declared_and_required_links_are_present(kind: Kind, world: World) -> None:
    for document in documents_of_kind(kind, world):
        links = document['_links'].keys() - {'self', 'curies'}
        assert set(kind.links) <= links
        assert links <= {*kind.links, *kind.optional_links} or kind.has_more_links


@each_kind
def test_every_declared_link_occurs(kind: Kind, world: World) -> None:
    links = {rel for document in documents_of_kind(kind, world) for rel in document['_links']}
    assert set(kind.optional_links) <= links


@each_kind
def test_every_embedded_document_is_declared(kind: Kind, world: World) -> None:
    for document in documents_of_kind(kind, world):
        assert document.get('_embedded', {}).keys() == kind.embedded.keys()


@each_kind
def test_json_api_has_the_declared_members_and_relationships(kind: Kind, world: World) -> None:
    resource = documents_of_owner(world, JSON_API)[kind.name]['data']
    attributes = documents_of_owner(world)[kind.name].keys() - RESERVED - {'id'}
    assert resource.get('attributes', {}).keys() == attributes
    relationships = resource.get('relationships', {}).keys()
    assert relationships == {member(rel) for rel in kind.relationships} or kind.has_more_links


def test_the_target_of_a_relationship_has_the_declared_kind(world: World) -> None:
    for kind in KINDS.values():
        links = documents_of_owner(world)[kind.name]['_links']
        for rel, name in kind.relationships.items():
            data = world.ada.get(links[rel]['href'], accept=JSON_API).json['data']
            entries = data if isinstance(data, list) else [data]
            assert {entry['type'] for entry in entries} <= {name}, rel
