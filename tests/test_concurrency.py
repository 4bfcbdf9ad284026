"""Concurrency: the database's constraints decide, and counters stay exact."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.client import Client, href_of


def at_once(count: int, do: Callable[[int], Any]) -> list[Any]:
    """Do it in as many threads at once, and return what each gave."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(do, range(count)))


@pytest.mark.parametrize('by', ['username', 'email'])
def test_of_simultaneous_registrations_of_one_name_one_succeeds(app: Any, by: str) -> None:
    def register(number: int) -> int:
        other = {'username': 'ada', 'email': 'ada@example.org'}
        other['email' if by == 'username' else 'username'] = f'x{number}' + (
            '@x.org' if by == 'username' else ''
        )
        return Client(app).post('/api/users', other | {'password': 'correct horse'}).status

    assert sorted(at_once(6, register)) == [201] + [400] * 5


def test_counters_are_exact_when_many_write_at_once(app: Any, ada: Client, bob: Client) -> None:
    relation = href_of(ada.get(bob.me().href('self')).state, 'hc:follow')

    def write(number: int) -> list[int]:
        follow = [
            Client(app, ada.token).request(method, relation).status for method in ('PUT', 'DELETE', 'PUT')
        ]
        return [*follow, Client(app, ada.token).publish(f'post {number}').status]

    for statuses in at_once(6, write):
        assert set(statuses) <= {200, 201, 204}
    assert ada.me().state['post_count'] == ada.follow('hc:posts').state['_meta']['total_items'] == 6
    assert (ada.me().state['following_count'], bob.me().state['follower_count']) == (1, 1)


def test_a_token_is_renewed_once(app: Any, ada: Client) -> None:
    answers = at_once(4, lambda _: Client(app, ada.token).post('/api/tokens').status)
    assert sorted(answers) == [200, 401, 401, 401]


def test_of_simultaneous_changes_from_one_state_one_succeeds(app: Any, ada: Client) -> None:
    me = ada.me()

    def change(number: int) -> int:
        headers = {'If-Match': me.tag}
        return Client(app, ada.token).put(me.href('self'), {'about_me': str(number)}, headers=headers).status

    assert sorted(at_once(4, change)) == [200, 412, 412, 412]
