"""Stores and their items: creating, listing, editing and deleting."""

from typing import Any

import pytest

from tests.client import HAL_FORMS, ApiResponse, Client, assert_problem


@pytest.fixture
def store(ada: Client) -> ApiResponse:
    """A store of Ada."""
    return ada.follow('hc:stores').submit('create', name='Difference Engines')


def add(store: ApiResponse, **values: Any) -> ApiResponse:
    return store.client.get(store.href('hc:items')).submit('create', **values)


def test_a_store_belongs_to_the_user_who_created_it(ada: Client, store: ApiResponse) -> None:
    assert store.status == 201
    assert store.headers['location'] == store.href('self')
    assert store.href('hc:owner') == ada.me().href('self')
    assert store.json['item_count'] == 0


def test_a_new_store_is_at_its_location_with_the_same_etag(ada: Client, store: ApiResponse) -> None:
    assert ada.get(store.headers['location']).etag == store.etag


def test_stores_are_listed_newest_first(ada: Client, store: ApiResponse) -> None:
    newer = ada.follow('hc:stores').submit('create', name='Looms')
    assert [entry['name'] for entry in ada.follow('hc:stores').items] == ['Looms', 'Difference Engines']
    assert ada.follow('hc:stores').json['_meta']['total_items'] == 2
    assert newer.status == 201


def test_store_names_are_unique_ignoring_case(bob: Client, store: ApiResponse) -> None:
    response = bob.follow('hc:stores').submit('create', name='difference ENGINES')
    assert_problem(response, 400, '#/name')
    assert bob.follow('hc:stores').json['_meta']['total_items'] == 1


def test_the_name_of_a_store_may_change_its_case(store: ApiResponse) -> None:
    renamed = store.client.get(store.href('self')).submit('edit', name='DIFFERENCE engines')
    assert renamed.json['name'] == 'DIFFERENCE engines'


def test_a_store_cannot_have_the_name_of_another(ada: Client, store: ApiResponse) -> None:
    other = ada.follow('hc:stores').submit('create', name='Looms')
    assert_problem(ada.put(other.href('self'), {'name': 'Difference Engines'}), 400, '#/name')


@pytest.mark.parametrize('name', ['', '   ', 'x' * 81, 'a\x00b', None, 5])
def test_an_invalid_name_is_rejected(ada: Client, name: Any) -> None:
    assert_problem(ada.post(ada.entry().href('hc:stores'), {'name': name}), 400, '#/name')


def test_only_the_owner_has_forms_and_may_submit_them(bob: Client, store: ApiResponse) -> None:
    response = bob.get(store.href('self'))
    assert '_templates' not in response.json
    assert_problem(bob.put(store.href('self'), {'name': 'Mine'}), 403)
    assert_problem(bob.delete(store.href('self')), 403)
    assert_problem(bob.post(store.href('hc:items'), {'name': 'Gear', 'price': '1.00'}), 403)
    assert bob.get(store.href('hc:items'), accept=HAL_FORMS).json['_templates'] == {}


def test_items_are_counted_exactly(ada: Client, store: ApiResponse) -> None:
    for name in ('Gear', 'Lever', 'Crank'):
        assert add(store, name=name, price='15.99').status == 201
    items = ada.get(store.href('hc:items'))
    assert [item['name'] for item in items.items] == ['Crank', 'Lever', 'Gear']
    assert ada.delete(items.items[0]['_links']['self']['href']).status == 204
    assert ada.get(store.href('self')).json['item_count'] == 2
    assert ada.follow('hc:items').json['_meta']['total_items'] == 2


@pytest.mark.parametrize(
    ('submitted', 'stored'),
    [
        ('15.99', '15.99'),
        (15.99, '15.99'),
        (15, '15.00'),
        ('0', '0.00'),
        ('0.1', '0.10'),
        ('99999999.99', '99999999.99'),
        (99999999.99, '99999999.99'),
        (0.07, '0.07'),
    ],
)
def test_a_price_is_exact(ada: Client, store: ApiResponse, submitted: Any, stored: str) -> None:
    item = ada.post(store.href('hc:items'), {'name': 'Gear', 'price': submitted})
    assert item.json['price'] == stored
    assert ada.get(item.href('self')).json['price'] == stored


@pytest.mark.parametrize(
    'price',
    [
        '-0.01',
        '100000000',
        '1.999',
        1.999,
        'ten',
        '',
        None,
        True,
        [],
        'NaN',
        '\u0661',
        ' 1',
        '1,50',
        1e300,
    ],
)
def test_an_invalid_price_is_rejected(ada: Client, store: ApiResponse, price: Any) -> None:
    response = ada.post(store.href('hc:items'), {'name': 'Gear', 'price': price})
    assert_problem(response, 400, '#/price')
    assert ada.get(store.href('self')).json['item_count'] == 0


def test_item_names_are_unique_within_a_store(ada: Client, store: ApiResponse) -> None:
    other = ada.follow('hc:stores').submit('create', name='Looms')
    assert add(store, name='Gear', price='1').status == 201
    assert add(other, name='Gear', price='1').status == 201
    assert_problem(add(store, name='GEAR', price='1'), 400, '#/name')


def test_an_item_is_edited_by_its_form(ada: Client, store: ApiResponse) -> None:
    item = ada.get(add(store, name='Gear', price='1').href('self'))
    edited = item.submit('edit', price='2.50')
    assert (edited.json['name'], edited.json['price']) == ('Gear', '2.50')
    assert edited.etag == ada.get(item.href('self')).etag


def test_an_edit_with_a_stale_if_match_is_rejected(ada: Client, store: ApiResponse) -> None:
    item = ada.get(add(store, name='Gear', price='1').href('self'))
    ada.patch(item.href('self'), {'price': '3'})
    response = ada.put(item.href('self'), {'price': '4'}, headers={'If-Match': item.etag})
    assert_problem(response, 412)
    assert ada.get(item.href('self')).json['price'] == '3.00'


def test_deleting_a_store_deletes_its_items(ada: Client, store: ApiResponse) -> None:
    item = add(store, name='Gear', price='1')
    assert ada.get(store.href('self')).submit('delete').status == 204
    assert_problem(ada.get(item.href('self')), 404)
    assert_problem(ada.get(store.href('hc:items')), 404)
    assert ada.follow('hc:items').json['_meta']['total_items'] == 0


def test_deleting_an_account_deletes_its_stores(ada: Client, bob: Client, store: ApiResponse) -> None:
    add(store, name='Gear', price='1')
    assert ada.me().submit('delete').status == 204
    assert bob.follow('hc:stores').json['_meta']['total_items'] == 0
    assert bob.follow('hc:items').items == []


def test_items_link_to_their_store(ada: Client, store: ApiResponse) -> None:
    item = add(store, name='Gear', price='1')
    assert item.href('hc:store') == store.href('self')
    assert ada.follow('hc:items').items[0]['_links']['hc:store']['href'] == store.href('self')
