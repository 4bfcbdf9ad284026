"""Sorting and filtering: every sort key and filter of every collection, page by page."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.client import HAL, JSON_API, ApiResponse, Client
from tests.json_api_client import JsonApiClient, assert_rejected, related_url
from tests.test_pagination import walk

PRICES = {'Atlas': '9.50', 'novel': '1.00', 'Poems': '1.00', 'essays': '0.00', 'Émile': '12.00'}


@pytest.fixture
def stores(ada: Client, bob: Client) -> dict[str, ApiResponse]:
    """Two stores of Ada and one of Bob, by name."""
    created = {}
    for client, name in ((ada, 'Looms'), (bob, 'books'), (ada, 'Engines')):
        created[name] = client.follow('hc:stores').submit('create', name=name)
    return created


@pytest.fixture
def items(stores: dict[str, ApiResponse]) -> dict[str, ApiResponse]:
    """The items of the store Looms by name; `other` is in another store and has the name of one of them."""
    target = stores['Looms'].follow('hc:items')
    created = {name: target.submit('create', name=name, price=price) for name, price in PRICES.items()}
    other = stores['books'].client.get(stores['books'].href('hc:items'))
    created['other'] = other.submit('create', name='Atlas', price='1.00')
    return created


def id_of(response: ApiResponse) -> str:
    return str(response.json['id'])


def names(page: ApiResponse) -> list[str]:
    return [item['name'] for item in page.items]


def assert_pages(client: Client, url: str, expected: list[str]) -> None:
    """Assert that pages of two entries list these, in both directions, and that links keep the query."""
    pages = walk(client.get(f'{url}&per_page=2', accept=HAL))
    assert [name for page in pages for name in names(page)] == expected
    assert all(page.json['_meta']['total_items'] == len(expected) for page in pages)
    backward = walk(pages[0].follow('last'), 'prev')
    assert [name for page in reversed(backward) for name in names(page)] == expected
    parameters = [part for part in quote(urlsplit(url).query, safe='=&').split('&') if part]
    for page in (*pages, *backward):
        for rel in ('self', 'first', 'last', 'next', 'prev'):
            if rel in page.json['_links']:
                assert all(part in page.href(rel) for part in parameters), page.href(rel)


@pytest.mark.parametrize(
    ('sort', 'expected'),
    [
        ('name', ['books', 'Engines', 'Looms']),
        ('-name', ['Looms', 'Engines', 'books']),
        ('created_at', ['Looms', 'books', 'Engines']),
        ('-created_at', ['Engines', 'books', 'Looms']),
        ('name,created_at', ['books', 'Engines', 'Looms']),
    ],
)
def test_stores_are_sorted(
    ada: Client, stores: dict[str, ApiResponse], sort: str, expected: list[str]
) -> None:
    assert_pages(ada, f'/api/stores?sort={sort}', expected)
    own = [name for name in expected if name != 'books']
    owner = stores['Looms'].href('hc:owner').rpartition('/')[2]
    assert_pages(ada, f'/api/stores?sort={sort}&filter[owner]={owner}', own)
    ids = ','.join(id_of(stores[name]) for name in ('Looms', 'books'))
    chosen = [name for name in expected if name != 'Engines']
    assert_pages(ada, f'/api/stores?sort={sort}&filter[id]={ids}', chosen)
    assert_pages(ada, f'/api/stores?sort={sort}&filter[id]={ids}&filter[owner]={owner}', ['Looms'])


@pytest.mark.parametrize(
    ('sort', 'expected'),
    [
        ('name', ['Atlas', 'Atlas', 'essays', 'novel', 'Poems', 'Émile']),
        ('-name', ['Émile', 'Poems', 'novel', 'essays', 'Atlas', 'Atlas']),
        ('price', ['essays', 'novel', 'Poems', 'Atlas', 'Atlas', 'Émile']),
        ('-price', ['Émile', 'Atlas', 'Atlas', 'Poems', 'novel', 'essays']),
        ('created_at', ['Atlas', 'novel', 'Poems', 'essays', 'Émile', 'Atlas']),
        ('-created_at', ['Atlas', 'Émile', 'essays', 'Poems', 'novel', 'Atlas']),
    ],
)
def test_items_are_sorted(
    ada: Client, stores: dict[str, ApiResponse], items: dict[str, ApiResponse], sort: str, expected: list[str]
) -> None:
    assert_pages(ada, f'/api/items?sort={sort}', expected)
    ids = ','.join(id_of(item) for item in items.values())
    assert_pages(ada, f'/api/items?sort={sort}&filter[id]={ids}', expected)
    store = stores['Looms']
    for url in (
        f'/api/items?sort={sort}&filter[store]={id_of(store)}',
        f'{store.href("hc:items")}?sort={sort}',
    ):
        in_store = sorted(PRICES, key=sort_key(sort.lstrip('-')), reverse=sort.startswith('-'))
        assert_pages(ada, url, in_store)
        chosen = ','.join((id_of(items['Atlas']), id_of(items['Poems']), id_of(items['other'])))
        both = [name for name in in_store if name in ('Atlas', 'Poems')]
        assert_pages(ada, f'{url}&filter[id]={chosen}', both)


def sort_key(sort: str) -> Any:
    """Return the sort key of the name of an item; items with equal prices are sorted by time."""
    order = list(PRICES)
    return {
        'name': str.casefold,
        'price': lambda name: (float(PRICES[name]), order.index(name)),
        'created_at': order.index,
    }[sort]


@pytest.mark.parametrize('direction', ['', '-'])
def test_each_entry_with_equal_values_is_on_exactly_one_page(
    ada: Client, stores: dict[str, ApiResponse], direction: str
) -> None:
    target = stores['Looms'].follow('hc:items')
    created = [id_of(target.submit('create', name=f'item {number}', price='5.00')) for number in range(7)]
    pages = walk(ada.get(f'/api/items?sort={direction}price&per_page=2', accept=HAL))
    listed = [str(item['id']) for page in pages for item in page.items]
    assert listed == (created[::-1] if direction else created)
    removed = pages[1].items[-1]['_links']['self']['href']
    ada.delete(removed)
    rest = walk(pages[1].follow('next'))
    assert [str(item['id']) for page in rest for item in page.items] == listed[4:]


def test_posts_are_filtered_by_author(ada: Client, bob: Client) -> None:
    for number in range(3):
        ada.publish(f'ada {number}')
        bob.publish(f'bob {number}')
    author = ada.me().json['id']
    expected = ['ada 2', 'ada 1', 'ada 0']
    for query, bodies in (('', expected), ('&sort=created_at', expected[::-1])):
        pages = walk(bob.get(f'/api/posts?filter[author]={author}{query}&per_page=2', accept=HAL))
        assert [post['body'] for page in pages for post in page.items] == bodies
        assert pages[0].json['_meta']['total_items'] == 3
    assert bob.get('/api/posts?filter[author]=1', accept=HAL).items == []


def test_every_collection_can_be_filtered_by_id(
    ada: Client, bob: Client, items: dict[str, ApiResponse]
) -> None:
    ada.get(bob.me().href('self')).submit('follow')
    bob.get(ada.me().href('self')).submit('follow')
    ada.publish('one')
    bob.publish('two')
    me = ada.me()
    for url in (
        *(me.href(rel) for rel in ('hc:followers', 'hc:following', 'hc:posts', 'hc:feed', 'hc:tokens')),
        *(f'/api/{name}' for name in ('users', 'posts', 'stores', 'items')),
        items['Atlas'].href('hc:store') + '/items',
    ):
        everything = ada.get(url, accept=HAL).items
        assert everything, url
        ids = [str(entry['id']) for entry in everything]
        chosen = ada.get(f'{url}?filter[id]={",".join([*reversed(ids), "1"])}', accept=HAL)
        assert [str(entry['id']) for entry in chosen.items] == ids
        assert ada.get(f'{url}?filter[id]={ids[0]}', accept=HAL).items == everything[:1]
        for missing in ('', '1'):
            empty = ada.get(f'{url}?filter[id]={missing}', accept=HAL)
            assert empty.items == []
            assert empty.json['_meta']['total_items'] == 0


def test_a_filter_by_id_finds_nothing_outside_the_collection(ada: Client, bob: Client) -> None:
    bob.publish('unseen')
    other_user, post = bob.me().json['id'], bob.follow('hc:posts').items[0]['id']
    token = bob.follow('hc:tokens').items[0]['id']
    me = ada.me()
    for rel, other in (
        ('hc:followers', other_user),
        ('hc:following', other_user),
        ('hc:posts', post),
        ('hc:feed', post),
        ('hc:tokens', token),
    ):
        assert ada.get(f'{me.href(rel)}?filter[id]={other}', accept=HAL).items == []


def test_filters_of_users_apply_together(ada: Client, bob: Client) -> None:
    mine, other = ada.me().json['id'], bob.me().json['id']
    for query, expected in (
        (f'filter[id]={mine},{other}', ['ada', 'bob']),
        (f'filter[id]={mine},{other}&sort=-username', ['bob', 'ada']),
        (f'filter[id]={mine},{other}&q=B', ['bob']),
        (f'filter[id]={mine}&q=b', []),
        (f'filter[id]={mine}&filter[username]=ADA', ['ada']),
        (f'filter[id]={other}&filter[username]=ada', []),
        ('filter[username]=ADA&q=a', ['ada']),
        ('filter[username]=ADA&q=b', []),
        ('q=b&sort=id', ['bob']),
        ('q=b&sort=-username', ['bob']),
    ):
        page = ada.get(f'/api/users?{query}', accept=HAL)
        assert [user['username'] for user in page.items] == expected, query


def test_relationships_are_filtered_like_their_collections(
    ada: Client, items: dict[str, ApiResponse]
) -> None:
    api = JsonApiClient(ada)
    store = api.get('/api/stores?sort=name').json['data'][-1]
    url = store['relationships']['items']['links']['self']
    by_price = api.get(f'{url}?sort=-price&page[size]=2').json
    assert [identifier['id'] for identifier in by_price['data']] == [
        id_of(items['Émile']),
        id_of(items['Atlas']),
    ]
    assert 'sort=-price' in by_price['links']['next']
    chosen = api.get(f'{url}?filter[id]={id_of(items["Poems"])}').json
    assert [identifier['id'] for identifier in chosen['data']] == [id_of(items['Poems'])]


@pytest.mark.parametrize(
    ('url', 'parameter'),
    [
        ('/api/stores?sort=item_count', 'sort'),
        ('/api/stores?sort=created_at,name', 'sort'),
        ('/api/items?sort=price,name', 'sort'),
        ('/api/items?sort=name,price', 'sort'),
        ('/api/stores?filter[owner]=', 'filter[owner]'),
        ('/api/stores?filter[owner]=1,2', 'filter[owner]'),
        ('/api/items?filter[store]=x', 'filter[store]'),
        ('/api/items?filter[owner]=1', 'filter[owner]'),
        ('/api/items?filter[id]=1,,2', 'filter[id]'),
        ('/api/items?filter[id]=01', 'filter[id]'),
        (f'/api/items?filter[id]={",".join(str(number) for number in range(1, 102))}', 'filter[id]'),
        ('/api/posts?filter[author]=x', 'filter[author]'),
        ('/api/posts?filter[owner]=1', 'filter[owner]'),
    ],
)
def test_an_unsupported_sort_key_or_filter_is_named_in_the_error(
    ada: Client, url: str, parameter: str
) -> None:
    assert_rejected(JsonApiClient(ada).get(url), 400, parameter)


@pytest.mark.parametrize('query', ['sort=price', 'sort=name', 'sort=created_at', 'filter[id]=1'])
@pytest.mark.parametrize(
    'cursor', ['WzEsMl0', 'WyJhIiwyXQ', 'ImEi', 'MQ', 'W10', 'WzEsMiwzXQ', 'WzEsIjIiXQ', 'MA']
)
def test_a_cursor_of_another_sort_order_causes_no_server_error(
    ada: Client, items: dict[str, ApiResponse], query: str, cursor: str
) -> None:
    for url in ('/api/items', '/api/stores', '/api/posts', '/api/users'):
        response = ada.get(f'{url}?{query}&page[after]={cursor}', accept=JSON_API)
        assert response.status in (200, 400)
        if response.status == 400:
            assert response.json['errors'][0]['source']['parameter'] in ('page[after]', 'sort')


def test_the_feed_is_sorted_and_filtered_in_json_api(ada: Client) -> None:
    for body in ('one', 'two'):
        ada.publish(body)
    api = JsonApiClient(ada)
    url = related_url(api.me().json['data'], 'feed')
    assert [post['attributes']['body'] for post in api.get(f'{url}?sort=created_at').json['data']] == [
        'one',
        'two',
    ]
