"""The number of SQL statements of JSON:API requests does not depend on the number of entries."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.client import Client
from tests.json_api_client import JsonApiClient, identifier_of, relationship_url


def count_statements(statements: list[str], request: Callable[[], Any]) -> int:
    """Return the number of statements of a request that has been sent before."""
    assert request().status == 200
    del statements[:]
    assert request().status == 200
    return len(statements)


def register_follower(client: Client, api: JsonApiClient, name: str) -> None:
    """Register a user with a post, who follows the user of `api` and is followed back."""
    client.register(name)
    other = JsonApiClient(client.sign_in(name))
    other.publish('hello')
    user, follower = api.me().json['data'], other.me().json['data']
    other.send('POST', relationship_url(follower, 'following'), [identifier_of(user)])
    api.send('POST', relationship_url(user, 'following'), [identifier_of(follower)])


@pytest.mark.parametrize(
    ('relationship', 'query', 'maximum'),
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
def test_the_number_of_statements_does_not_depend_on_entries(
    statements: list[str], client: Client, ada: Client, relationship: str, query: str, maximum: int
) -> None:
    api = JsonApiClient(ada)
    api.publish('one')
    register_follower(client, api, 'bob')
    before = count_statements(statements, lambda: api.get_related(relationship, query=query))
    for name in ('cleo', 'dora', 'eve'):
        api.publish('more')
        register_follower(client, api, name)
    assert count_statements(statements, lambda: api.get_related(relationship, query=query)) == before
    assert before - count_statements(statements, lambda: api.get('/api')) <= maximum


def test_a_relationship_has_a_constant_number_of_statements(
    statements: list[str], client: Client, ada: Client
) -> None:
    api = JsonApiClient(ada)
    url = relationship_url(api.me().json['data'], 'following')
    register_follower(client, api, 'bob')
    before = count_statements(statements, lambda: api.get(url))
    for name in ('cleo', 'dora', 'eve'):
        register_follower(client, api, name)
    assert count_statements(statements, lambda: api.get(url)) == before
