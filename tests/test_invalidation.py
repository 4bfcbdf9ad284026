"""Links with rel="invalidates": a write names the other resources that it changed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.client import HAL, HTML, LOGIN, ORIGIN, PASSWORD, ApiResponse, Client
from tests.json_api_client import JsonApiClient
from tests.routes import World

SHARED_COLLECTIONS = ('/api/users', '/api/posts', '/api/stores', '/api/items')
RESOURCES_OF_ADA = (
    '/api/users/{user_id}',
    '/api/users/{user_id}/followers',
    '/api/users/{user_id}/following',
    '/api/users/{user_id}/posts',
    '/api/users/{user_id}/feed',
    '/api/tokens',
    '/api/stores/{store_id}',
    '/api/stores/{store_id}/items',
    '/api/items/{item_id}',
    '/api/posts/{post_id}',
    '/api/users/{user_id}/following/{other_id}',
)
RESOURCES_OF_BOB = tuple(
    f'/api/users/{{other_id}}{rest}' for rest in ('', '/followers', '/following', '/posts')
)
VOLATILE = re.compile(r'"(last_seen|last_used_at)":("[^"]*"|null)')


@pytest.fixture
def world(world: World, bob: Client) -> World:
    bob.publish('Hello')
    bob.put(f'/api/users/{world.values["other_id"]}/following/{world.values["user_id"]}')
    return world


WRITES: dict[str, Callable[[World], ApiResponse]] = {
    'publish': lambda world: world.ada.publish('new'),
    'edit post': lambda world: world.ada.patch(world.url('/api/posts/{post_id}'), {'body': 'new'}),
    'delete post': lambda world: world.ada.delete(world.url('/api/posts/{post_id}')),
    'register': lambda world: Client(world.ada.app).register('eve'),
    'edit user': lambda world: world.ada.patch(world.url('/api/users/{user_id}'), {'about_me': 'new'}),
    'rename user': lambda world: world.ada.put(world.url('/api/users/{user_id}'), {'username': 'eve'}),
    'delete user': lambda world: world.ada.delete(world.url('/api/users/{user_id}')),
    'unfollow': lambda world: world.ada.delete(world.url('/api/users/{user_id}/following/{other_id}')),
    'sign in': lambda world: world.ada.post('/api/tokens', LOGIN),
    'create store': lambda world: world.ada.post('/api/stores', {'name': 'new'}),
    'rename store': lambda world: world.ada.put(world.url('/api/stores/{store_id}'), {'name': 'new'}),
    'delete store': lambda world: world.ada.delete(world.url('/api/stores/{store_id}')),
    'create item': lambda world: world.ada.post(
        world.url('/api/stores/{store_id}/items'), {'name': 'new', 'price': '1'}
    ),
    'edit item': lambda world: world.ada.patch(world.url('/api/items/{item_id}'), {'price': '7'}),
    'delete item': lambda world: world.ada.delete(world.url('/api/items/{item_id}')),
}


@pytest.mark.parametrize('name', WRITES)
def test_a_write_invalidates_every_resource_that_it_changed(world: World, name: str) -> None:
    """Posts that embed a changed author and resources of third users are excepted: they would be too many."""
    third_users = {'unfollow': (), 'delete user': RESOURCES_OF_BOB[1:]}.get(name, RESOURCES_OF_BOB)
    other = '/api/users/{user_id}/following/{other_id}' if name == 'delete user' else '/api/posts/{post_id}'
    assert_complete(world, WRITES[name], (*third_users, other))


def test_a_follow_invalidates_every_resource_that_it_changed(world: World) -> None:
    url = world.url('/api/users/{user_id}/following/{other_id}')
    world.ada.delete(url)
    assert_complete(world, lambda world: world.ada.put(url), ('/api/posts/{post_id}',))


def test_a_change_of_linkage_invalidates_the_follow_and_the_followers(world: World) -> None:
    relationship = world.url('/api/users/{user_id}/relationships/following')
    follow = ORIGIN + world.url('/api/users/{user_id}/following/{other_id}')
    followers = ORIGIN + world.url('/api/users/{other_id}/relationships/followers')
    members = [{'type': 'users', 'id': str(world.values['other_id'])}]
    for method in ('DELETE', 'POST'):
        urls = invalidated_urls(JsonApiClient(world.ada).send(method, relationship, members))
        assert urls >= {follow, followers}
        assert ORIGIN + relationship not in urls
    for method in ('DELETE', 'PUT'):
        urls = invalidated_urls(world.ada.request(method, follow))
        assert urls >= {ORIGIN + relationship, followers}
        assert follow not in urls


def test_a_password_change_invalidates_every_changed_resource(world: World) -> None:
    world.ada.sign_in('ada')
    body = {'current_password': PASSWORD, 'password': 'battery staple'}
    assert_complete(world, lambda world: world.ada.put(world.url('/api/users/{user_id}/password'), body))


def test_renaming_a_store_changes_only_the_pages_of_its_items(world: World) -> None:
    """A store can have too many items to name, so only its collections are invalidated."""
    item = world.url('/api/items/{item_id}')
    data, page = world.ada.get(item), world.ada.get(item, accept=HTML)
    urls = invalidated_urls(WRITES['rename store'](world))
    assert urls == {f'{ORIGIN}/api/stores', ORIGIN + world.url('/api/stores/{store_id}/items')}
    assert world.ada.get(item, headers={'If-None-Match': data.etag}).status == 304
    assert world.ada.get(item, accept=HTML, headers={'If-None-Match': page.etag}).status == 200


def test_no_write_has_more_than_20_links(ada: Client) -> None:
    store = ada.follow('hc:stores').submit('create', name='Looms')
    for number in range(25):
        ada.post(store.href('hc:items'), {'name': str(number), 'price': '1'})
    for url in (store.href('self'), ada.me().href('self')):
        assert 0 < len(invalidated_urls(ada.delete(url))) <= 20


def assert_complete(
    world: World, write: Callable[[World], ApiResponse], ignored: tuple[str, ...] = ()
) -> None:
    """Assert that the write invalidates every changed resource, except its target and the `ignored` ones."""
    before = representations(world)
    response = write(world)
    assert response.status < 300, response.text
    after = representations(world)
    changed = {url for url in before if before[url] != after[url]}
    assert changed
    allowed = {f'{ORIGIN}{world.url(template)}' for template in ignored} | {response.target}
    assert changed - invalidated_urls(response) <= allowed


def representations(world: World) -> dict[str, str]:
    """Return the representation of every resource as its owner sees it, or '' if it cannot be read."""
    texts = {}
    for client, templates in (
        (world.ada, RESOURCES_OF_ADA),
        (world.bob, (*SHARED_COLLECTIONS, *RESOURCES_OF_BOB)),
    ):
        for template in templates:
            url = world.url(template)
            response = client.get(url, accept=HAL)
            texts[f'{ORIGIN}{url}'] = VOLATILE.sub('', response.text) if response.status == 200 else ''
    return texts


def invalidated_urls(response: ApiResponse) -> set[str]:
    """Return the URLs that the response invalidates."""
    return set(re.findall(r'<([^>]*)>; rel="invalidates"', response.headers.get('link', '')))
