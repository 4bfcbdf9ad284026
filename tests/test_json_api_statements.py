"""How many SQL statements a request in JSON:API costs: as many with many entries as with one."""

from collections.abc import Callable
from typing import Any

import pytest

from service import app as wiring
from service.domain.database import Database, open_database
from tests.client import Client
from tests.json_api_client import JsonApiClient, identify, related, relation


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQL statements that the application runs, the ones still to come too."""
    seen: list[str] = []

    def open_and_listen(*arguments: Any) -> Database:
        db = open_database(*arguments)
        db.engine.query_hooks.append(lambda event: seen.append(event.sql))
        return db

    monkeypatch.setattr(wiring, 'open_database', open_and_listen)
    return seen


def cost(statements: list[str], request: Callable[[], Any]) -> int:
    """Return how many statements a request takes once it has been seen before."""
    assert request().status == 200
    del statements[:]
    assert request().status == 200
    return len(statements)


@pytest.mark.parametrize(
    ('place', 'query', 'most'),
    [
        ('users', '', 3),
        ('users', '?sort=-username', 3),
        ('users', '?filter[username]=ada', 3),
        ('posts', '', 3),
        ('posts', '?include=author', 3),
        ('posts', '?include=author&sort=created_at&fields[users]=username', 3),
        ('feed', '?include=author', 4),
        ('me', '', 2),
        ('me', '?include=followers,following,posts', 8),
        ('tokens', '', 3),
    ],
)
def test_a_request_costs_the_same_whatever_its_size(
    statements: list[str], client: Client, ada: Client, place: str, query: str, most: int
) -> None:
    api = JsonApiClient(ada)
    api.publish('one')
    small = cost(statements, lambda: api.related(place, query=query))
    me = api.me().state['data']
    for name in ('bob', 'cleo', 'dora', 'eve'):
        client.register(name)
        other = JsonApiClient(client.sign_in(name))
        other.publish('hello')
        other.send('POST', relation(other.me().state['data'], 'following'), [identify(me)])
        api.send('POST', relation(me, 'following'), [identify(other.me().state['data'])])
    large = cost(statements, lambda: api.related(place, query=query))
    entry = cost(statements, lambda: api.get('/api'))
    assert large == small
    assert large - entry <= most


def test_a_relation_costs_the_same_whatever_its_size(
    statements: list[str], client: Client, ada: Client
) -> None:
    api = JsonApiClient(ada)
    me = api.me().state['data']
    small = cost(statements, lambda: api.get(relation(me, 'following')))
    for name in ('bob', 'cleo', 'dora'):
        client.register(name)
        found = api.get(related(api.get('/api').state['data'], 'users') + f'?filter[username]={name}')
        api.send('POST', relation(me, 'following'), [identify(found.state['data'][0])])
    assert (
        cost(statements, lambda: api.get(relation(me, 'following'))) == small + 1
    )  # none is read of nothing
