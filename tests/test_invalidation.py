"""Links with rel="invalidates": every write names the other resources whose texts it changed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.client import HAL, HTML, ORIGIN, ApiResponse, Client
from tests.json_api_client import JsonApiClient
from tests.routes import World

SHARED = ('/api/users', '/api/posts', '/api/stores', '/api/items')
OWN = (
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
OTHERS = tuple(f'/api/users/{{other_id}}{rest}' for rest in ('', '/followers', '/following', '/posts'))
MOVING = re.compile(r'"(last_seen|last_used_at)":("[^"]*"|null)')


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
    'sign in': lambda world: world.ada.post('/api/tokens', {'username': 'ada', 'password': 'correct horse'}),
    'open store': lambda world: world.ada.post('/api/stores', {'name': 'new'}),
    'rename store': lambda world: world.ada.put(world.url('/api/stores/{store_id}'), {'name': 'new'}),
    'delete store': lambda world: world.ada.delete(world.url('/api/stores/{store_id}')),
    'add item': lambda world: world.ada.post(
        world.url('/api/stores/{store_id}/items'), {'name': 'new', 'price': '1'}
    ),
    'edit item': lambda world: world.ada.patch(world.url('/api/items/{item_id}'), {'price': '7'}),
    'delete item': lambda world: world.ada.delete(world.url('/api/items/{item_id}')),
}


@pytest.mark.parametrize('name', WRITES)
def test_a_write_names_everything_that_it_changed(world: World, name: str) -> None:
    """Single posts that embed a changed author, and what third users have, would be too many to name."""
    third_users = {'unfollow': (), 'delete user': OTHERS[1:]}.get(name, OTHERS)
    deleted = ('/api/users/{user_id}/following/{other_id}',) if name == 'delete user' else ()
    assert_complete(world, WRITES[name], (*third_users, *deleted, '/api/posts/{post_id}'))


def test_a_follow_names_everything_that_it_changed(world: World) -> None:
    url = world.url('/api/users/{user_id}/following/{other_id}')
    world.ada.delete(url)
    assert_complete(world, lambda world: world.ada.put(url), ('/api/posts/{post_id}',))


def test_a_change_of_linkage_names_the_follow_and_the_other_relationship(world: World) -> None:
    relationship = world.url('/api/users/{user_id}/relationships/following')
    follow = ORIGIN + world.url('/api/users/{user_id}/following/{other_id}')
    followers = ORIGIN + world.url('/api/users/{other_id}/relationships/followers')
    members = [{'type': 'users', 'id': str(world.values['other_id'])}]
    for method in ('DELETE', 'POST'):
        named = invalidated(JsonApiClient(world.ada).send(method, relationship, members))
        assert named >= {follow, followers}
        assert ORIGIN + relationship not in named
    for method in ('DELETE', 'PUT'):
        named = invalidated(world.ada.request(method, follow))
        assert named >= {ORIGIN + relationship, followers}
        assert follow not in named


def test_a_password_names_everything_that_it_changed(world: World) -> None:
    world.ada.sign_in('ada')
    body = {'current_password': 'correct horse', 'password': 'battery staple'}
    assert_complete(world, lambda world: world.ada.put(world.url('/api/users/{user_id}/password'), body))


def test_a_renamed_store_changes_its_items_on_pages_only(world: World) -> None:
    """As many items as a store has would be too many to name, so only their lists are."""
    item = world.url('/api/items/{item_id}')
    data, page = world.ada.get(item), world.ada.get(item, accept=HTML)
    named = invalidated(WRITES['rename store'](world))
    assert named == {f'{ORIGIN}/api/stores', ORIGIN + world.url('/api/stores/{store_id}/items')}
    assert world.ada.get(item, headers={'If-None-Match': data.tag}).status == 304
    assert world.ada.get(item, accept=HTML, headers={'If-None-Match': page.tag}).status == 200


def test_no_write_has_more_than_20_links(ada: Client) -> None:
    store = ada.follow('hc:stores').submit('create', name='Looms')
    for number in range(25):
        ada.post(store.href('hc:items'), {'name': str(number), 'price': '1'})
    for url in (store.href('self'), ada.me().href('self')):
        assert 0 < len(invalidated(ada.delete(url))) <= 20


def assert_complete(
    world: World, write: Callable[[World], ApiResponse], excepted: tuple[str, ...] = ()
) -> None:
    """Assert that the write names each resource that it changed, but for its target, for last_seen, and for
    what is excepted.
    """
    before = states(world)
    response = write(world)
    assert response.status < 300, response.text
    after = states(world)
    changed = {url for url in before if before[url] != after[url]}
    assert changed
    unnamed = {f'{ORIGIN}{world.url(one)}' for one in excepted} | {response.target}
    assert changed - invalidated(response) <= unnamed


def states(world: World) -> dict[str, str]:
    """Return the representation of every resource, empty where there is none, as its owner sees it."""
    texts = {}
    for client, templates in ((world.ada, OWN), (world.bob, (*SHARED, *OTHERS))):
        for template in templates:
            url = world.url(template)
            response = client.get(url, accept=HAL)
            texts[f'{ORIGIN}{url}'] = MOVING.sub('', response.text) if response.status == 200 else ''
    return texts


def invalidated(response: ApiResponse) -> set[str]:
    return set(re.findall(r'<([^>]*)>; rel="invalidates"', response.headers.get('link', '')))
