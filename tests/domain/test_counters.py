"""Counters: exact after every write, deletions included."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.database.pagination import PageRequest
from service.database.session import Session
from service.domain.accounts import delete_user
from service.domain.errors import NotFound
from service.domain.follows import follow, unfollow
from service.domain.posts import delete_post, list_posts, list_posts_of, publish_post
from service.domain.sharded_counters import read_total
from service.domain.users import find_user, list_users
from service.domain.viewer import Viewer
from tests.domain.conftest import Person
from tests.domain.test_pagination import anything_goes


def counts(db: Session, viewer: Viewer) -> tuple[int, int, int]:
    user = find_user(db, viewer.user_id, viewer)
    return user.post_count, user.follower_count, user.following_count


def test_following_and_unfollowing_count_once_however_often(db: Session, ada: Viewer, bob: Viewer) -> None:
    for _ in range(2):
        follow(db, ada.user_id, bob.user_id, by=ada, precondition=anything_goes)
    assert (counts(db, ada), counts(db, bob)) == ((0, 0, 1), (0, 1, 0))
    for _ in range(2):
        unfollow(db, ada.user_id, bob.user_id, by=ada, precondition=anything_goes)
    assert (counts(db, ada), counts(db, bob)) == ((0, 0, 0), (0, 0, 0))


def test_posts_are_counted_of_their_author_and_of_all(db: Session, ada: Viewer, bob: Viewer) -> None:
    post = publish_post(db, body='one', by=ada)
    publish_post(db, body='two', by=bob)
    assert (counts(db, ada)[0], read_total(db, 'posts')) == (1, 2)
    delete_post(db, post.id, by=ada, precondition=anything_goes)
    assert (counts(db, ada)[0], read_total(db, 'posts')) == (0, 1)


def test_deleting_a_user_puts_right_every_counter_they_moved(
    db: Session, ada: Viewer, bob: Viewer, person: Person
) -> None:
    eve = person('eve')
    for follower, followed in ((ada, bob), (bob, ada), (eve, ada), (eve, bob)):
        follow(db, follower.user_id, followed.user_id, by=follower, precondition=anything_goes)
    publish_post(db, body='bye', by=ada)
    publish_post(db, body='stays', by=bob)
    delete_user(db, ada.user_id, by=ada, precondition=anything_goes)
    assert counts(db, bob) == (1, 1, 0)
    assert counts(db, eve) == (0, 0, 1)
    assert (read_total(db, 'users'), read_total(db, 'posts')) == (2, 1)


def test_a_deleted_user_leaves_no_row_behind(db: Session, ada: Viewer, bob: Viewer) -> None:
    follow(db, ada.user_id, bob.user_id, by=ada, precondition=anything_goes)
    follow(db, bob.user_id, ada.user_id, by=bob, precondition=anything_goes)
    publish_post(db, body='bye', by=ada)
    delete_user(db, ada.user_id, by=ada, precondition=anything_goes)
    for table, column in (
        ('follows', 'follower_id'),
        ('follows', 'followed_id'),
        ('posts', 'author_id'),
        ('tokens', 'user_id'),
    ):
        query = f'SELECT COUNT(*) FROM {table} WHERE {column} = {ada.user_id}'
        assert db.execute(query).fetchone() == (0,)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(['follow', 'unfollow', 'post', 'unpost', 'leave']),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    max_size=25,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_counters_equal_what_can_be_counted(
    db: Session, person: Any, steps: list[tuple[str, int, int]]
) -> None:
    mark = db.new_id()
    people = [person(f'p{mark}-{number}') for number in range(3)]
    watcher = person(f'w{mark}')
    left: set[int] = set()
    for verb, one, other in steps:
        by, target = people[one], people[other]
        if by.user_id in left:
            continue
        if verb in ('follow', 'unfollow') and one != other and target.user_id not in left:
            (follow if verb == 'follow' else unfollow)(
                db, by.user_id, target.user_id, by=by, precondition=anything_goes
            )
        elif verb == 'post':
            publish_post(db, body='x', by=by)
        elif verb == 'unpost':
            for post in list_posts_of(db, by.user_id, PageRequest(), by).entries[:1]:
                delete_post(db, post.id, by=by, precondition=anything_goes)
        elif verb == 'leave':
            delete_user(db, by.user_id, by=by, precondition=anything_goes)
            left.add(by.user_id)
    for who in people:
        try:
            shown = counts(db, who)
        except NotFound:
            assert who.user_id in left
            continue
        counted = db.execute(
            f'SELECT (SELECT COUNT(*) FROM posts WHERE author_id = {who.user_id}),'
            f' (SELECT COUNT(*) FROM follows WHERE followed_id = {who.user_id}),'
            f' (SELECT COUNT(*) FROM follows WHERE follower_id = {who.user_id})'
        ).fetchone()
        assert shown == counted
    assert (
        list_posts(db, PageRequest(), watcher).total_items
        == db.execute('SELECT COUNT(*) FROM posts').fetchone()[0]
    )
    assert (
        list_users(db, PageRequest(), watcher).total_items
        == db.execute('SELECT COUNT(*) FROM users').fetchone()[0]
    )
