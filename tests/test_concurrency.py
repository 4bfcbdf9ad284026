"""Concurrent requests: database constraints resolve conflicts, and counters stay exact."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.client import LOGIN, PASSWORD, Client, href_of, new_user
from tests.json_api_client import JsonApiClient
from tests.routes import World


def run_concurrently(count: int, call: Callable[[int], Any]) -> list[Any]:
    """Call the function with each number below `count`, each in a thread, and return the results."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


@pytest.mark.parametrize('field', ['username', 'email'])
def test_one_of_several_concurrent_registrations_succeeds(app: Any, field: str) -> None:
    def register(number: int) -> int:
        body = new_user(f'user{number}') | {field: new_user('ada')[field]}
        return Client(app).post('/api/users', body).status

    assert sorted(run_concurrently(6, register)) == [201] + [400] * 5


def test_counters_are_exact_under_concurrent_writes(app: Any, ada: Client, bob: Client) -> None:
    follow_url = href_of(ada.get(bob.me().href('self')).json, 'hc:follow')

    def write(number: int) -> list[int]:
        follow = [
            Client(app, ada.token).request(method, follow_url).status for method in ('PUT', 'DELETE', 'PUT')
        ]
        return [*follow, Client(app, ada.token).publish(f'post {number}').status]

    for statuses in run_concurrently(6, write):
        assert set(statuses) <= {200, 201, 204}
    assert ada.me().json['post_count'] == ada.follow('hc:posts').json['_meta']['total_items'] == 6
    assert (ada.me().json['following_count'], bob.me().json['follower_count']) == (1, 1)


def test_at_most_100_tokens_remain_after_concurrent_sign_ins(app: Any, ada: Client) -> None:
    for _ in range(98):
        ada.sign_in('ada')
    run_concurrently(6, lambda _: Client(app).sign_in('ada').entry().status)
    assert ada.sign_in('ada').follow('hc:tokens').json['_meta']['total_items'] == 100


def test_one_of_several_concurrent_edits_with_if_match_succeeds(app: Any, ada: Client) -> None:
    me = ada.me()

    def change(number: int) -> int:
        headers = {'If-Match': me.etag}
        return Client(app, ada.token).put(me.href('self'), {'about_me': str(number)}, headers=headers).status

    assert sorted(run_concurrently(4, change)) == [200, 412, 412, 412]


@pytest.mark.parametrize(
    'template', ['/api/users', '/api/posts', '/api/stores', '/api/stores/{store_id}/items']
)
def test_one_of_several_concurrent_creations_with_if_match_succeeds(world: World, template: str) -> None:
    url, fields = world.url(template), {'body': 'x', 'price': '1'}
    headers = {'If-Match': world.ada.get(url).etag}

    def create(number: int) -> int:
        body = fields | new_user(f'user{number}') | {'name': f'name {number}'}
        return Client(world.ada.app, world.ada.token).post(url, body, headers=headers).status

    assert sorted(run_concurrently(6, create)) == [201, 412, 412, 412, 412, 412]


def test_one_of_two_users_who_create_with_if_match_at_once_succeeds(world: World) -> None:
    users = (world.ada, world.bob)

    def create(number: int) -> int:
        user = users[number % 2]
        headers = {'If-Match': tags[number % 2]}
        return Client(user.app, user.token).post('/api/posts', {'body': 'x'}, headers=headers).status

    for _ in range(3):
        tags = [user.get('/api/posts').etag for user in users]
        assert sorted(run_concurrently(4, create)) == [201, 412, 412, 412]


def test_one_of_several_concurrent_renewals_with_if_match_succeeds(app: Any, ada: Client) -> None:
    tokens = ada.entry().href('hc:tokens')
    headers = {'If-Match': ada.get(tokens).etag}
    renewals = run_concurrently(4, lambda _: Client(app, ada.token).post(tokens, headers=headers).status)
    assert sorted(renewals) == [200, 412, 412, 412]


def test_users_who_follow_each_other_at_once_do_not_deadlock(app: Any) -> None:
    """Formerly, on PostgreSQL, which takes a second to notice a deadlock, most requests failed with 503."""
    names = [f'user{number}' for number in range(6)]
    for name in names:
        Client(app).register(name)
    clients = [Client(app).sign_in(name) for name in names]
    members = [{'type': 'users', 'id': str(client.me().json['id'])} for client in clients]

    def send(method: str, number: int) -> int:
        others = [member for member in members if member is not members[number]]
        relationship = f'{clients[number].me().href("self")}/relationships/following'
        return JsonApiClient(clients[number]).send(method, relationship, others[::-1]).status

    for method in ('POST', 'DELETE', 'POST'):
        assert run_concurrently(6, lambda number, method=method: send(method, number)) == [200] * 6
    assert {client.me().json['following_count'] for client in clients} == {5}
    accounts = [client.me().href('self') for client in clients]
    assert run_concurrently(6, lambda number: clients[number].delete(accounts[number]).status) == [204] * 6


def test_counters_are_exact_when_a_followed_user_is_deleted(app: Any, ada: Client, bob: Client) -> None:
    follow_url = href_of(ada.get(bob.me().href('self')).json, 'hc:follow')
    account = bob.me().href('self')

    def send(number: int) -> int:
        if number == 3:
            return Client(app, bob.token).delete(account).status
        return Client(app, ada.token).request('DELETE' if number % 3 == 1 else 'PUT', follow_url).status

    assert set(run_concurrently(7, send)) <= {200, 201, 204, 404}
    assert ada.get(account).status == 404
    assert ada.me().json['following_count'] == 0
    assert ada.me().follow('hc:following').items == []
    assert ada.follow('hc:users').json['_meta']['total_items'] == 1


def test_a_token_revoked_during_writes_permits_no_further_write(app: Any, ada: Client) -> None:
    writer = Client(app, ada.sign_in('ada').token)
    tokens = ada.entry().href('hc:tokens')

    def send(number: int) -> int:
        if number == 4:
            return Client(app, writer.token).delete(tokens).status
        return Client(app, writer.token).post('/api/posts', {'body': str(number)}).status

    statuses = run_concurrently(8, send)
    assert set(statuses) <= {201, 204, 401}
    assert statuses[4] == 204
    assert writer.post('/api/posts', {'body': 'later'}).status == 401
    posts = ada.follow('hc:posts').json['_meta']['total_items']
    assert posts == ada.me().json['post_count'] == statuses.count(201)


def test_a_sign_in_during_a_password_change_leaves_no_valid_token(app: Any, ada: Client) -> None:
    me = ada.me().json
    passwords = {'current_password': PASSWORD, 'password': 'another horse'}

    def send(number: int) -> str | None:
        if number == 3:
            assert Client(app, ada.token).submit(me, 'change-password', **passwords).status == 204
            return None
        response = Client(app).post('/api/tokens', LOGIN)
        assert response.status in (200, 401)
        return response.json.get('token')

    for token in run_concurrently(7, send):
        assert token is None or Client(app, token).entry().status == 401
    assert ada.entry().status == 200
    assert ada.follow('hc:tokens').json['_meta']['total_items'] == 1
