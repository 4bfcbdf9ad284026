"""The number of SQL statements of a request: small, and independent of the size of collections."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.client import Client, new_user
from tests.routes import World

Count = Callable[[Client, str], int]


@pytest.fixture
def count(statements: list[str]) -> Count:
    """Return a function that counts the statements of a GET."""

    def count(client: Client, url: str) -> int:
        statements.clear()
        assert client.get(url).status == 200
        assert not [sql for sql in statements if not sql.startswith('SELECT')], 'a GET writes nothing'
        return len(statements)

    return count


def test_getting_a_user_takes_two_statements(ada: Client, count: Count) -> None:
    assert count(ada, ada.me().href('self')) == 2


def test_the_entry_point_takes_one_statement_and_none_without_a_token(
    client: Client, ada: Client, count: Count
) -> None:
    assert (count(ada, '/api'), count(client, '/api')) == (1, 0)


@pytest.mark.parametrize(
    'template',
    ['/api/users', '/api/users?q=a', '/api/posts', '/api/tokens', '/api/users/{user_id}/feed',
     '/api/users/{user_id}/posts', '/api/users/{other_id}/followers', '/api/users/{user_id}/following'],
)  # fmt: skip
def test_a_collection_of_any_size_takes_three_statements(
    ada: Client, world: World, count: Count, template: str
) -> None:
    url = world.url(template)
    small = count(ada, url)
    for number in range(12):
        ada.publish(f'post {number}')
        Client(ada.app).register(f'a{number}')
        ada.sign_in('ada')
    page = ada.get(url)
    assert page.json['_meta']['total_pages'] > 1 or 'follow' in template
    pages = [page.href(rel) for rel in ('self', 'first', 'next', 'last') if rel in page.json['_links']]
    assert {count(ada, page_url) for page_url in pages} == {3}
    assert small <= 3


@pytest.mark.parametrize(
    ('url', 'values', 'retry_statements'),
    [
        ('/api/posts', {'body': 'Hello'}, 0),
        ('/api/users', new_user('eva'), 3),
    ],
)
def test_an_idempotency_key_takes_at_most_five_additional_statements(
    ada: Client, statements: list[str], url: str, values: dict[str, str], retry_statements: int
) -> None:
    """The key is searched for, inserted, locked and completed.

    The retry of a registration also counts against the rate limit until the key is recognized. Then its
    attempt is deleted, in a transaction with a commit marker.
    """
    token = ada.token if url == '/api/posts' else None
    counts = []
    for headers in ({'Idempotency-Key': '"one"'}, {'Idempotency-Key': '"one"'}, {}):
        statements.clear()
        sent = values if headers else {**values, 'username': 'eve', 'email': 'eve@example.org'}
        assert Client(ada.app, token).post(url, sent, headers=headers).status == 201
        # The number of the excluded statements depends on a random shard.
        counts.append(len([sql for sql in statements if 'SAVEPOINT' not in sql and 'totals' not in sql]))
    first, again, without_key = counts
    assert first - without_key in (4, 5)  # PostgreSQL writes a commit marker, too
    assert again <= without_key + retry_statements
