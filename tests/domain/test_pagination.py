"""Pagination: every entry once, whatever is added or deleted meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.database.pagination import LAST_PAGE, InvalidCursor, Page, PageRequest
from service.database.session import Session
from service.domain.feed import list_feed
from service.domain.follows import follow
from service.domain.posts import delete_post, list_posts, list_posts_of, publish_post
from service.domain.users import find_user, list_users, register_user
from service.domain.viewer import Viewer
from tests.domain.conftest import PASSWORD, Person, no_precondition


def publish(db: Session, by: Viewer, count: int) -> list[int]:
    """Publish posts and return their ids, the newest first."""
    return [publish_post(db, body=f'post {number}', by=by).id for number in range(count)][::-1]


def ids(page: Page) -> list[int]:
    return [post.id for post in page.entries]


def test_numbered_pages_and_keyset_pages_are_the_same(db: Session, ada: Viewer) -> None:
    published = publish(db, ada, 7)
    for per_page in range(1, 9):
        listed, request = [], PageRequest(1, per_page)
        while True:
            page = list_posts(db, request, ada)
            by_number = list_posts(db, PageRequest(request.page, per_page), ada)
            assert page == by_number
            listed += ids(page)
            if page.next_cursor is None:
                break
            request = PageRequest(request.page + 1, per_page, after=page.next_cursor)
        assert listed == published
        assert request.page == page.total_pages


def test_paging_backwards_lists_every_entry_once(db: Session, ada: Viewer) -> None:
    published = publish(db, ada, 7)
    page = list_posts(db, PageRequest(1, 3, before=LAST_PAGE), ada)
    listed = [ids(page)]
    while page.previous_cursor is not None:
        page = list_posts(db, PageRequest(page.page - 1, 3, before=page.previous_cursor), ada)
        listed.insert(0, ids(page))
    assert listed == [published[0:3], published[3:6], published[6:7]]


@pytest.mark.parametrize('order', ['', '-created_at', 'created_at'])
@pytest.mark.parametrize('posts_of_each', [(1, 1, 1, 1, 1, 1), (9, 0, 0, 1), (3, 4, 2, 5), (12,)])
def test_a_feed_has_all_posts_of_its_authors_in_order(
    db: Session, person: Person, posts_of_each: tuple[int, ...], order: str
) -> None:
    ada = person('ada')
    authors = [ada, *(person(f'author{number}') for number in range(1, len(posts_of_each)))]
    for author in authors[1:]:
        follow(db, ada.user_id, author.user_id, by=ada, precondition=no_precondition)
    published = []
    for turn in range(max(posts_of_each)):  # in turns, so that the posts of authors alternate
        writers = (author for author, count in zip(authors, posts_of_each, strict=True) if turn < count)
        published += [post_id for author in writers for post_id in publish(db, author, 1)]
    publish(db, person('stranger'), 3)
    expected = published if order == 'created_at' else published[::-1]
    for per_page in (1, 2, 3, 5, 20):
        listed, numbered, request = [], [], PageRequest(1, per_page, order=order)
        while True:
            page = list_feed(db, ada.user_id, request, ada)
            listed += ids(page)
            by_number = PageRequest(request.page, per_page, order=order)
            numbered += ids(list_feed(db, ada.user_id, by_number, ada))
            if page.next_cursor is None:
                break
            request = PageRequest(request.page + 1, per_page, after=page.next_cursor, order=order)
        assert listed == numbered == expected
        last_page = PageRequest(1, per_page, before=LAST_PAGE, order=order)
        backward = [ids(page := list_feed(db, ada.user_id, last_page, ada))]
        while page.previous_cursor is not None:
            request = PageRequest(page.page - 1, per_page, before=page.previous_cursor, order=order)
            backward.insert(0, ids(page := list_feed(db, ada.user_id, request, ada)))
        assert [post_id for page in backward for post_id in page] == expected


def test_the_last_page_has_the_highest_number(db: Session, ada: Viewer) -> None:
    publish(db, ada, 7)
    last = list_posts(db, PageRequest(1, 3, before=LAST_PAGE), ada)
    assert last == list_posts(db, PageRequest(3, 3), ada)
    assert last.next_cursor is None


def test_a_page_past_the_end_is_empty_and_links_to_the_last(db: Session, ada: Viewer) -> None:
    publish(db, ada, 3)
    page = list_posts(db, PageRequest(9, 2), ada)
    assert (page.entries, page.next_cursor, page.previous_cursor) == ([], None, LAST_PAGE)


def test_an_empty_collection_has_no_other_pages(db: Session, ada: Viewer) -> None:
    page = list_posts(db, PageRequest(1, 2), ada)
    assert (page.entries, page.next_cursor, page.previous_cursor, page.total_pages) == ([], None, None, 0)


def test_a_page_after_a_deleted_entry_starts_at_the_next_entry(db: Session, ada: Viewer) -> None:
    published = publish(db, ada, 6)
    delete_post(db, published[1], by=ada, precondition=no_precondition)
    page = list_posts(db, PageRequest(2, 2, after=published[1]), ada)
    assert ids(page) == published[2:4]
    assert page.previous_cursor == published[2]


def test_a_page_without_earlier_entries_has_no_previous_page(db: Session, ada: Viewer) -> None:
    published = publish(db, ada, 4)
    delete_post(db, published[0], by=ada, precondition=no_precondition)
    page = list_posts(db, PageRequest(2, 2, after=published[0]), ada)
    assert ids(page) == published[1:3]
    assert page.previous_cursor is None


def test_a_page_before_the_first_entry_is_empty(db: Session, ada: Viewer) -> None:
    published = publish(db, ada, 3)
    delete_post(db, published[0], by=ada, precondition=no_precondition)
    page = list_posts(db, PageRequest(1, 2, before=published[1]), ada)
    assert (page.entries, page.previous_cursor, page.total_items) == ([], None, 2)


def test_a_cursor_of_another_collection_is_rejected(db: Session, ada: Viewer) -> None:
    with pytest.raises(InvalidCursor):
        list_posts(db, PageRequest(after='ada'), ada)
    with pytest.raises(InvalidCursor):
        list_users(db, PageRequest(before=5), ada, prefix='a')


@pytest.mark.parametrize('prefix', ['a', 'A', 'ad', 'ADA'])
def test_a_search_finds_names_by_prefix_ignoring_case(
    db: Session, ada: Viewer, bob: Viewer, prefix: str
) -> None:
    page = list_users(db, PageRequest(), ada, prefix=prefix)
    assert [user.username for user in page.entries] == ['ada']
    assert page.total_items == 1


@pytest.mark.parametrize('prefix', ['%', '_', 'da', 'é', 'a' * 5000, '\x7f'])
def test_a_search_for_an_impossible_prefix_finds_nothing(db: Session, ada: Viewer, prefix: str) -> None:
    page = list_users(db, PageRequest(), ada, prefix=prefix)
    assert (page.entries, page.total_items) == ([], 0)


def test_a_search_lists_names_in_order(db: Session, ada: Viewer) -> None:
    for name in ('Ac', 'ab', 'aB2', 'b'):
        register_user(db, username=name, email=f'{name}@example.org', password=PASSWORD)
    first = list_users(db, PageRequest(1, 2), ada, prefix='a')
    second = list_users(db, PageRequest(2, 2, after=first.next_cursor), ada, prefix='a')
    assert [user.username for user in first.entries + second.entries] == ['ab', 'aB2', 'Ac', 'ada']


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.booleans(), st.integers(0, 6)), max_size=8), per_page=st.integers(1, 4))
def test_lasting_entries_are_listed_once_despite_changes(
    db: Session, person: Any, changes: list[tuple[bool, int]], per_page: int
) -> None:
    author = person(f'w{db.new_id()}')
    lasting = publish(db, author, 6)
    pending = iter(changes)
    listed, request = [], PageRequest(1, per_page)
    while True:
        page = list_posts_of(db, find_user(db, author.user_id, author), request, author)
        listed += ids(page)
        is_insert, index = next(pending, (False, 6))
        if is_insert:
            publish(db, author, 1)
        elif index < len(lasting):
            delete_post(db, lasting.pop(index), by=author, precondition=no_precondition)
        if page.next_cursor is None:
            break
        request = PageRequest(request.page + 1, per_page, after=page.next_cursor)
    assert listed == sorted(set(listed), reverse=True)
    assert set(lasting) <= set(listed)
