"""Pagination: every entry is listed once, even if others are added or deleted meanwhile."""

from __future__ import annotations

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
from tests.client import new_user
from tests.domain.users import no_precondition, register


def publish(db: Session, by: Viewer, count: int) -> list[int]:
    """Publish posts and return their ids, the newest first."""
    return [publish_post(db, body=f'post {number}', by=by).id for number in range(count)][::-1]


def ids(page: Page) -> list[int]:
    return [post.id for post in page.entries]


def test_numbered_pages_and_keyset_pages_are_the_same(db: Session, ada: Viewer) -> None:
    post_ids = publish(db, ada, 7)
    for per_page in range(1, 9):
        listed_ids, request = [], PageRequest(1, per_page)
        while True:
            page = list_posts(db, request, ada)
            by_number = list_posts(db, PageRequest(request.page, per_page), ada)
            assert page == by_number
            listed_ids += ids(page)
            if page.next_cursor is None:
                break
            request = PageRequest(request.page + 1, per_page, after=page.next_cursor)
        assert listed_ids == post_ids
        assert request.page == page.total_pages


def test_paging_backwards_lists_every_entry_once(db: Session, ada: Viewer) -> None:
    post_ids = publish(db, ada, 7)
    page = list_posts(db, PageRequest(1, 3, before=LAST_PAGE), ada)
    pages = [ids(page)]
    while page.previous_cursor is not None:
        page = list_posts(db, PageRequest(page.page - 1, 3, before=page.previous_cursor), ada)
        pages.insert(0, ids(page))
    assert pages == [post_ids[0:3], post_ids[3:6], post_ids[6:7]]


@pytest.mark.parametrize('order', ['', '-created_at', 'created_at'])
@pytest.mark.parametrize('posts_of_each', [(1, 1, 1, 1, 1, 1), (9, 0, 0, 1), (3, 4, 2, 5), (12,)])
def test_a_feed_has_all_posts_of_its_authors_in_order(
    db: Session, posts_of_each: tuple[int, ...], order: str
) -> None:
    ada = register(db, 'ada')
    authors = [ada, *(register(db, f'author{number}') for number in range(1, len(posts_of_each)))]
    for author in authors[1:]:
        follow(db, ada.user_id, author.user_id, by=ada, precondition=no_precondition)
    post_ids = []
    for turn in range(max(posts_of_each)):  # in turns, so that the posts of authors alternate
        authors_in_turn = (
            author for author, count in zip(authors, posts_of_each, strict=True) if turn < count
        )
        post_ids += [post_id for author in authors_in_turn for post_id in publish(db, author, 1)]
    publish(db, register(db, 'stranger'), 3)
    expected = post_ids if order == 'created_at' else post_ids[::-1]
    for per_page in (1, 2, 3, 5, 20):
        listed_ids, ids_by_number, request = [], [], PageRequest(1, per_page, order=order)
        while True:
            page = list_feed(db, ada.user_id, request, ada)
            listed_ids += ids(page)
            by_number = PageRequest(request.page, per_page, order=order)
            ids_by_number += ids(list_feed(db, ada.user_id, by_number, ada))
            if page.next_cursor is None:
                break
            request = PageRequest(request.page + 1, per_page, after=page.next_cursor, order=order)
        assert listed_ids == ids_by_number == expected
        request = PageRequest(1, per_page, before=LAST_PAGE, order=order)
        page = list_feed(db, ada.user_id, request, ada)
        listed_ids = ids(page)
        while page.previous_cursor is not None:
            request = PageRequest(page.page - 1, per_page, before=page.previous_cursor, order=order)
            page = list_feed(db, ada.user_id, request, ada)
            listed_ids = ids(page) + listed_ids
        assert listed_ids == expected


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
    post_ids = publish(db, ada, 6)
    delete_post(db, post_ids[1], by=ada, precondition=no_precondition)
    page = list_posts(db, PageRequest(2, 2, after=post_ids[1]), ada)
    assert ids(page) == post_ids[2:4]
    assert page.previous_cursor == post_ids[2]


def test_a_page_without_earlier_entries_has_no_previous_page(db: Session, ada: Viewer) -> None:
    post_ids = publish(db, ada, 4)
    delete_post(db, post_ids[0], by=ada, precondition=no_precondition)
    page = list_posts(db, PageRequest(2, 2, after=post_ids[0]), ada)
    assert ids(page) == post_ids[1:3]
    assert page.previous_cursor is None


def test_a_page_before_the_first_entry_is_empty(db: Session, ada: Viewer) -> None:
    post_ids = publish(db, ada, 3)
    delete_post(db, post_ids[0], by=ada, precondition=no_precondition)
    page = list_posts(db, PageRequest(1, 2, before=post_ids[1]), ada)
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
        register_user(db, **new_user(name))
    first = list_users(db, PageRequest(1, 2), ada, prefix='a')
    second = list_users(db, PageRequest(2, 2, after=first.next_cursor), ada, prefix='a')
    assert [user.username for user in first.entries + second.entries] == ['ab', 'aB2', 'Ac', 'ada']


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.booleans(), st.integers(0, 6)), max_size=8), per_page=st.integers(1, 4))
def test_remaining_entries_are_listed_once_despite_changes(
    db: Session, changes: list[tuple[bool, int]], per_page: int
) -> None:
    author = register(db, f'author{db.new_id()}')
    remaining = publish(db, author, 6)
    pending = iter(changes)
    listed_ids, request = [], PageRequest(1, per_page)
    while True:
        page = list_posts_of(db, find_user(db, author.user_id, author), request, author)
        listed_ids += ids(page)
        is_insert, index = next(pending, (False, 6))
        if is_insert:
            publish(db, author, 1)
        elif index < len(remaining):
            delete_post(db, remaining.pop(index), by=author, precondition=no_precondition)
        if page.next_cursor is None:
            break
        request = PageRequest(request.page + 1, per_page, after=page.next_cursor)
    assert listed_ids == sorted(set(listed_ids), reverse=True)
    assert set(remaining) <= set(listed_ids)
