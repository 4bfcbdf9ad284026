"""The number of SQL statements of JSON:API requests does not depend on the number of entries."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.client import Client
from tests.json_api_client import JsonApiClient, identify, relation


def cost(statements: list[str], request: Callable[[], Any]) -> int:
    """Return the number of statements of a request that has been sent before."""
    assert request().status == 200
    del statements[:]
    assert request().status == 200
    return len(statements)


def meet(client: Client, api: JsonApiClient, name: str) -> None:
    """Register a user with a post, a follower and a followee."""
    client.register(name)
    other = JsonApiClient(client.sign_in(name))
    other.publish('hello')
    me, them = api.me().state['data'], other.me().state['data']
    other.send('POST', relation(them, 'following'), [identify(me)])
    api.send('POST', relation(me, 'following'), [identify(them)])


@pytest.mark.parametrize(
    ('place', 'query', 'most'),
    [
        ('users', '', 3),
        ('users', '?sort=-username', 3),
        ('users', '?filter[username]=ada', 3),
        ('users', '?include=followers,following,posts', 6),
        ('posts', '', 3),
        ('users', '?include=posts,followers.posts', 6),
        ('users', '?include=followers.posts.author', 5),
        ('posts', '?include=author', 3),
        ('posts', '?include=author.followers.posts', 5),
        ('posts', '?include=author&sort=created_at&fields[users]=username', 3),
        ('feed', '?include=author', 4),
        ('me', '', 2),
        ('me', '?include=followers,following,posts', 5),
        ('me', '?include=feed', 5),
        ('me', '?include=feed.author.tokens', 7),
        ('me', '?include=tokens', 4),
        ('users', '?include=feed.author,tokens', 7),
        ('tokens', '', 3),
    ],
)
def test_the_number_of_statements_does_not_depend_on_page_size(
    statements: list[str], client: Client, ada: Client, place: str, query: str, most: int
) -> None:
    api = JsonApiClient(ada)
    api.publish('one')
    meet(client, api, 'bob')
    small = cost(statements, lambda: api.related(place, query=query))
    for name in ('cleo', 'dora', 'eve'):
        api.publish('more')
        meet(client, api, name)
    assert cost(statements, lambda: api.related(place, query=query)) == small
    assert small - cost(statements, lambda: api.get('/api')) <= most


def test_a_relationship_change_has_a_constant_number_of_statements(
    statements: list[str], client: Client, ada: Client
) -> None:
    api = JsonApiClient(ada)
    url = relation(api.me().state['data'], 'following')
    meet(client, api, 'bob')
    small = cost(statements, lambda: api.get(url))
    for name in ('cleo', 'dora', 'eve'):
        meet(client, api, name)
    assert cost(statements, lambda: api.get(url)) == small
