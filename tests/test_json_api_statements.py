"""How many SQL statements a request in JSON:API costs: as many with many entries as with one."""

from collections.abc import Callable
from typing import Any

import pytest

from service import app as wiring
from service.database.session import Session
from service.domain.startup import open_session
from tests.client import Client
from tests.json_api_client import JsonApiClient, identify, relation


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQL statements that the application runs, the ones still to come too."""
    seen: list[str] = []

    def open_and_listen(*arguments: Any) -> Session:
        db = open_session(*arguments)
        db.engine.query_hooks.append(lambda event: seen.append(event.sql))
        return db

    monkeypatch.setattr(wiring, 'open_session', open_and_listen)
    return seen


def cost(statements: list[str], request: Callable[[], Any]) -> int:
    """Return how many statements a request takes once it has been seen before."""
    assert request().status == 200
    del statements[:]
    assert request().status == 200
    return len(statements)


def meet(client: Client, api: JsonApiClient, name: str) -> None:
    """Have somebody sign up and post, and follow and be followed."""
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
        ('tokens', '', 3),
    ],
)
def test_a_request_costs_the_same_whatever_its_size(
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


def test_a_relation_costs_the_same_whatever_its_size(
    statements: list[str], client: Client, ada: Client
) -> None:
    api = JsonApiClient(ada)
    address = relation(api.me().state['data'], 'following')
    meet(client, api, 'bob')
    small = cost(statements, lambda: api.get(address))
    for name in ('cleo', 'dora', 'eve'):
        meet(client, api, name)
    assert cost(statements, lambda: api.get(address)) == small
