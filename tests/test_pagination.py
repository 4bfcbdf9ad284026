"""Pagination by links and by page numbers, and its invalid parameters."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.client import ApiResponse, Client, assert_problem, href_of

LINK = re.compile(r'<([^>]*)>; rel="([a-z]+)"')


@pytest.fixture
def author(ada: Client) -> Client:
    """Ada with 25 posts."""
    for number in range(25):
        ada.publish(f'post {number}')
    return ada


def bodies(page: ApiResponse) -> list[str]:
    """Return the texts of the posts on a page."""
    return [item['body'] for item in page.items]


def walk(page: ApiResponse, rel: str = 'next') -> list[ApiResponse]:
    """Return the page and all pages after it, or before it if the link relation is `prev`."""
    pages = [page]
    while rel in pages[-1].json['_links']:
        pages.append(pages[-1].follow(rel))
    return pages


def test_next_visits_every_entry_once(author: Client) -> None:
    pages = walk(author.follow('hc:posts'), 'next')
    assert [len(page.items) for page in pages] == [10, 10, 5]
    assert [page.json['_meta']['page'] for page in pages] == [1, 2, 3]
    assert [body for page in pages for body in bodies(page)] == [f'post {n}' for n in reversed(range(25))]


def test_prev_visits_every_entry_once(author: Client) -> None:
    pages = walk(author.follow('hc:posts').follow('last'), 'prev')
    assert [body for page in pages[::-1] for body in bodies(page)] == [
        f'post {n}' for n in reversed(range(25))
    ]


def test_new_entries_cause_no_repeats(author: Client) -> None:
    first = author.follow('hc:posts')
    author.publish('new')
    assert bodies(first.follow('next')) == [f'post {n}' for n in range(14, 4, -1)]


def test_deleted_entries_cause_no_gaps(author: Client) -> None:
    first = author.follow('hc:posts')
    author.delete(first.items[0]['_links']['self']['href'])
    author.delete(first.items[-1]['_links']['self']['href'])
    assert bodies(first.follow('next')) == [f'post {n}' for n in range(14, 4, -1)]


def test_next_of_an_emptied_page_is_the_first_page(author: Client) -> None:
    second = author.follow('hc:posts').follow('next')
    for item in author.follow('hc:posts').items:
        author.delete(item['_links']['self']['href'])
    empty = second.follow('prev')
    assert bodies(empty) == []
    assert bodies(empty.follow('next')) == [f'post {n}' for n in range(14, 4, -1)]


def test_every_page_links_to_first_and_last(author: Client) -> None:
    for page in walk(author.follow('hc:posts'), 'next'):
        assert bodies(page.follow('first')) == [f'post {n}' for n in range(24, 14, -1)]
        assert bodies(page.follow('last')) == [f'post {n}' for n in range(4, -1, -1)]


def test_the_first_page_has_no_prev_and_the_last_no_next(author: Client) -> None:
    first = author.follow('hc:posts')
    assert 'prev' not in first.json['_links']
    assert 'next' not in first.follow('last').json['_links']


def test_an_empty_collection_links_only_to_first_and_last(ada: Client) -> None:
    page = ada.follow('hc:posts')
    assert page.json['_meta'] == {'page': 1, 'per_page': 10, 'total_pages': 0, 'total_items': 0}
    assert not {'prev', 'next'} & set(page.json['_links'])
    assert page.href('first') == page.href('last')


def test_a_page_past_the_end_is_empty_and_its_prev_is_the_last(author: Client) -> None:
    page = author.follow('hc:posts').follow('hc:page', page=99, per_page=10)
    assert (page.status, bodies(page)) == (200, [])
    assert 'next' not in page.json['_links']
    assert page.href('prev') == page.href('last')
    assert bodies(page.follow('prev')) == [f'post {n}' for n in range(4, -1, -1)]


def test_a_page_past_the_end_of_an_empty_collection_has_no_prev(ada: Client) -> None:
    page = ada.follow('hc:posts').follow('hc:page', page=2)
    assert not {'prev', 'next'} & set(page.json['_links'])


@pytest.mark.parametrize(
    ('per_page', 'applied'),
    [('1', 1), ('100', 100), ('101', 100), ('500', 100), ('007', 7), ('9' * 400, 100)],
)
def test_per_page_is_limited_to_100(author: Client, per_page: str, applied: int) -> None:
    page = author.get(f'/api/posts?per_page={per_page}')
    assert page.json['_meta']['per_page'] == applied
    assert len(page.items) == min(applied, 25)
    assert page.href('self').endswith(f'?per_page={applied}')


@pytest.mark.parametrize('page', ['3', '03', '0' * 400 + '3', str(2**53), '9' * 16, str(2**70), '9' * 400])
def test_any_positive_integer_is_a_page_number(author: Client, page: str) -> None:
    response = author.get(f'/api/posts?page={page}')
    assert response.status == 200
    assert response.json['_meta']['page'] == min(int(page), 2**53 - 1)


@pytest.mark.parametrize('name', ['page', 'per_page'])
@pytest.mark.parametrize(
    'value', ['0', '00', '-1', 'abc', '', '1.5', '1e3', '%2B1', '٣', '1%00', '%20', '1_0', 'NaN']
)
@pytest.mark.parametrize('url', ['/api/posts', '/api/users', '/api/tokens'])
def test_an_invalid_page_number_or_size_is_rejected(ada: Client, url: str, name: str, value: str) -> None:
    response = ada.get(f'{url}?{name}={value}')
    assert_problem(response, 400)
    assert response.json['parameter'] == name


@pytest.mark.parametrize('name', ['page[after]', 'page[before]'])
@pytest.mark.parametrize(
    'value',
    [
        '',
        'x',
        'abc',
        '!!',
        'MA',
        'LTE',
        'dHJ1ZQ',
        'WzFd',
        'e30',
        'ImFkYSI',
        'OTk5OTk5OTk5OTk5OTk5OTk5',
        '%ff',
        'é',
        'a' * 2000,
    ],
)
def test_an_invalid_cursor_is_rejected(ada: Client, name: str, value: str) -> None:
    response = ada.get(f'/api/posts?{name}={value}')
    assert_problem(response, 400)
    assert response.json['parameter'] == name


def test_a_cursor_of_another_order_is_rejected(author: Client, bob: Client) -> None:
    all_users = author.get('/api/users?per_page=1').href('next')
    assert_problem(author.get(all_users + '&q=a'), 400)
    Client(bob.app).register('adam')
    matches = author.get('/api/users?q=a&per_page=1').href('next')
    assert_problem(author.get(matches.replace('filter%5Bq%5D=a&', '')), 400)


def test_two_cursors_in_one_request_are_rejected(author: Client) -> None:
    cursor = author.follow('hc:posts').href('next').rpartition('=')[2]
    assert_problem(author.get(f'/api/posts?page[after]={cursor}&page[before]={cursor}'), 400)


@pytest.mark.parametrize('query', ['page=1&page=2', 'per_page=1&per_page=1', 'page[after]=MQ&page[after]=MQ'])
def test_a_repeated_parameter_is_rejected(ada: Client, query: str) -> None:
    assert_problem(ada.get(f'/api/posts?{query}'), 400)


def test_an_unknown_parameter_is_ignored_and_left_out_of_links(ada: Client) -> None:
    page = ada.get('/api/posts?foo=bar&per_page=5&%ff=%00')
    assert page.href('self') == 'http://halcyon.test/api/posts?per_page=5'


def test_links_keep_the_filter(ada: Client) -> None:
    for name in ('adam', 'adele', 'Adrian', 'bob'):
        Client(ada.app).register(name)
    first = ada.follow('hc:users').follow('search', q='AD', per_page=1)
    names = [page.items[0]['username'] for page in walk(first, 'next')]
    assert names == ['ada', 'adam', 'adele', 'Adrian']
    assert first.follow('last').items[0]['username'] == 'Adrian'
    assert first.follow('hc:page', page=2, per_page=3).items[0]['username'] == 'Adrian'


def test_self_is_the_requested_page(author: Client) -> None:
    for page in walk(author.get('/api/posts?per_page=10'), 'next'):
        assert author.get(page.href('self')).text == page.text


def test_the_link_header_has_the_links_of_the_document(author: Client) -> None:
    for page in walk(author.follow('hc:posts'), 'next'):
        header_links = {rel: href for href, rel in LINK.findall(page.headers['link'])}
        links = page.json['_links']
        assert header_links == {
            rel: links[rel]['href'] for rel in ('self', 'first', 'prev', 'next', 'last') if rel in links
        }


def test_items_are_linked_and_embedded_in_the_same_order(author: Client) -> None:
    page = author.follow('hc:posts')
    linked = [link['href'] for link in page.json['_links']['item']]
    assert linked == [item['_links']['self']['href'] for item in page.items]


@pytest.mark.parametrize('rel', ['hc:followers', 'hc:following'])
def test_follows_are_listed_newest_first(ada: Client, bob: Client, rel: str) -> None:
    names = [f'friend{number}' for number in range(3)]
    for name in names:
        Client(ada.app).register(name)
        friend = ada.sign_in(name)
        follower, followee = (friend, ada) if rel == 'hc:followers' else (ada, friend)
        follower.put(href_of(follower.get(followee.me().href('self')).json, 'hc:follow'))
    first = ada.me().follow(rel).follow('hc:page', page=1, per_page=2)
    listed = [item['username'] for page in walk(first, 'next') for item in page.items]
    assert listed == names[::-1]


def test_every_collection_can_be_read_from_either_end(author: Client, bob: Client) -> None:
    author.put(author.get(bob.me().href('self')).href('hc:follow'))
    me = author.me()
    for url in (
        '/api/users',
        '/api/tokens',
        me.href('hc:feed'),
        me.href('hc:posts'),
        me.href('hc:following'),
    ):
        first: Any = author.get(f'{url}?per_page=1')
        forward = [item for page in walk(first, 'next') for item in page.items]
        backward = [item for page in walk(first.follow('last'), 'prev')[::-1] for item in page.items]
        assert forward == backward
        assert len(forward) == first.json['_meta']['total_items']
