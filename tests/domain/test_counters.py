"""Counters: exact after every write and every deletion."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.database.pagination import PageRequest
from service.database.session import Session
from service.domain.accounts import delete_user
from service.domain.follows import follow, unfollow
from service.domain.posts import delete_post, list_posts, list_posts_of, publish_post
from service.domain.sharded_counters import read_total
from service.domain.users import find_user, list_users
from service.domain.viewer import Viewer
from tests.counters import wrong_counters
from tests.domain.users import no_precondition, register


def counts(db: Session, viewer: Viewer) -> tuple[int, int, int]:
    """Return the numbers of posts, followers and followees of a user."""
    user = find_user(db, viewer.user_id, viewer)
    return user.post_count, user.follower_count, user.following_count


def test_repeated_follows_and_unfollows_count_once(db: Session, ada: Viewer, bob: Viewer) -> None:
    for _ in range(2):
        follow(db, ada.user_id, bob.user_id, by=ada, precondition=no_precondition)
    assert (counts(db, ada), counts(db, bob)) == ((0, 0, 1), (0, 1, 0))
    for _ in range(2):
        unfollow(db, ada.user_id, bob.user_id, by=ada, precondition=no_precondition)
    assert (counts(db, ada), counts(db, bob)) == ((0, 0, 0), (0, 0, 0))


def test_posts_are_counted_by_author_and_in_total(db: Session, ada: Viewer, bob: Viewer) -> None:
    post = publish_post(db, body='one', by=ada)
    publish_post(db, body='two', by=bob)
    assert (counts(db, ada)[0], read_total(db, 'posts')) == (1, 2)
    delete_post(db, post.id, by=ada, precondition=no_precondition)
    assert (counts(db, ada)[0], read_total(db, 'posts')) == (0, 1)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(['follow', 'unfollow', 'post', 'delete post', 'delete account']),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    max_size=25,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_counters_equal_the_number_of_rows(db: Session, steps: list[tuple[str, int, int]]) -> None:
    suffix = db.new_id()
    users = [register(db, f'user{suffix}-{number}') for number in range(3)]
    observer = register(db, f'observer{suffix}')
    deleted: set[int] = set()
    for action, number, target_number in steps:
        by, target = users[number], users[target_number]
        if by.user_id in deleted:
            continue
        if action in ('follow', 'unfollow') and number != target_number and target.user_id not in deleted:
            (follow if action == 'follow' else unfollow)(
                db, by.user_id, target.user_id, by=by, precondition=no_precondition
            )
        elif action == 'post':
            publish_post(db, body='x', by=by)
        elif action == 'delete post':
            for post in list_posts_of(db, find_user(db, by.user_id, by), PageRequest(), by).entries[:1]:
                delete_post(db, post.id, by=by, precondition=no_precondition)
        elif action == 'delete account':
            delete_user(db, by.user_id, by=by, precondition=no_precondition)
            deleted.add(by.user_id)
    assert wrong_counters(db.execute) == []
    assert (
        list_posts(db, PageRequest(), observer).total_items
        == db.execute('SELECT COUNT(*) FROM posts').fetchone()[0]
    )
    assert (
        list_users(db, PageRequest(), observer).total_items
        == db.execute('SELECT COUNT(*) FROM users').fetchone()[0]
    )
