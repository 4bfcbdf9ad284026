"""Transactions: whole, once, and tried again where that helps, on every engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from service.database.errors import Unavailable
from service.database.pagination import PageRequest
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.accounts import delete_user
from service.domain.errors import Conflict, NotFound
from service.domain.follows import follow, unfollow
from service.domain.posts import change_post, delete_post, list_posts, publish_post
from service.domain.sharded_counters import read_total
from service.domain.tokens import find_viewer, list_tokens, renew_token, sign_in
from service.domain.users import change_password, find_user, register_user
from service.domain.viewer import Viewer
from tests.domain.conftest import no_precondition
from tests.engines.conftest import PASSWORD, Cabled, Open, register

COMMIT = b'COMMIT'


@pytest.fixture(params=[True, False], ids=['done', 'undone'])
def lost_commit(request: pytest.FixtureRequest, cabled: Cabled) -> Callable[[], None]:
    """Return what breaks the connection at the next COMMIT: after the server did it, or before it heard."""
    cabled.db.execute('SELECT 1')  # a new connection says READ COMMITTED
    return lambda: cabled.cable.cut_at(COMMIT, delivers=request.param)


def test_a_post_whose_commit_went_unanswered_is_there_once(
    cabled: Cabled, lost_commit: Callable[[], None]
) -> None:
    ada = register(cabled.db, 'ada')
    lost_commit()
    post = publish_post(cabled.db, body='hello', by=ada)
    page = list_posts(cabled.db, PageRequest(), ada)
    assert cabled.cable.cuts == 1
    assert [entry.id for entry in page.entries] == [post.id]
    assert (page.total_items, find_user(cabled.db, ada.user_id, ada).post_count) == (1, 1)


def test_a_user_whose_commit_went_unanswered_is_there_once(
    cabled: Cabled, lost_commit: Callable[[], None]
) -> None:
    lost_commit()
    user = register_user(cabled.db, username='ada', email='ada@example.org', password=PASSWORD)
    assert cabled.cable.cuts == 1
    assert find_user(cabled.db, user.id, None) == user
    assert read_total(cabled.db, 'users') == 1


def test_a_deletion_whose_commit_went_unanswered_is_no_error(
    cabled: Cabled, lost_commit: Callable[[], None]
) -> None:
    ada = register(cabled.db, 'ada')
    post = publish_post(cabled.db, body='hello', by=ada)
    lost_commit()
    delete_post(cabled.db, post.id, by=ada, precondition=no_precondition)
    assert cabled.cable.cuts == 1
    assert (read_total(cabled.db, 'posts'), find_user(cabled.db, ada.user_id, ada).post_count) == (0, 0)


def test_an_account_whose_deletion_went_unanswered_is_gone(
    cabled: Cabled, lost_commit: Callable[[], None]
) -> None:
    ada = register(cabled.db, 'ada')
    lost_commit()
    delete_user(cabled.db, ada.user_id, by=ada, precondition=no_precondition)
    assert cabled.cable.cuts == 1
    assert read_total(cabled.db, 'users') == 0


def test_a_renewed_token_whose_commit_went_unanswered_can_be_used(
    cabled: Cabled, lost_commit: Callable[[], None]
) -> None:
    ada = register(cabled.db, 'ada')
    lost_commit()
    renewed = find_viewer(cabled.db, renew_token(cabled.db, ada, None).secret)
    assert cabled.cable.cuts == 1
    assert [token.id for token in list_tokens(cabled.db, PageRequest(), renewed).entries] == [
        renewed.token_id
    ]


def test_a_password_whose_change_went_unanswered_is_changed(
    cabled: Cabled, lost_commit: Callable[[], None]
) -> None:
    ada = register(cabled.db, 'ada')
    lost_commit()
    change_password(cabled.db, ada.user_id, current_password=PASSWORD, password='battery staple', by=ada)
    assert cabled.cable.cuts == 1
    assert sign_in(cabled.db, username='ada', password='battery staple', user_agent=None).secret


def test_following_whose_commit_went_unanswered_is_new(
    cabled: Cabled, lost_commit: Callable[[], None]
) -> None:
    ada, bob = register(cabled.db, 'ada'), register(cabled.db, 'bob')
    lost_commit()
    _, is_new = follow(cabled.db, ada.user_id, bob.user_id, by=ada, precondition=no_precondition)
    assert cabled.cable.cuts == 1
    assert is_new
    assert find_user(cabled.db, bob.user_id, ada).follower_count == 1


def test_a_change_whose_commit_went_unanswered_meets_its_precondition_still(
    cabled: Cabled, lost_commit: Callable[[], None]
) -> None:
    ada = register(cabled.db, 'ada')
    post = publish_post(cabled.db, body='hello', by=ada)

    def is_unchanged(now: Any) -> None:
        assert now == post

    lost_commit()
    assert change_post(cabled.db, post.id, {'body': 'bye'}, by=ada, precondition=is_unchanged).body == 'bye'
    assert cabled.cable.cuts == 1


@pytest.mark.parametrize('word', [b'BEGIN', b'INSERT'])
def test_a_transaction_whose_connection_breaks_on_the_way_is_done_once(cabled: Cabled, word: bytes) -> None:
    ada = register(cabled.db, 'ada')
    cabled.cable.cut_at(word, delivers=True)
    publish_post(cabled.db, body='hello', by=ada)
    assert cabled.cable.cuts == 1
    assert list_posts(cabled.db, PageRequest(), ada).total_items == 1


def test_a_read_on_a_dead_connection_is_made_again_on_a_new_one(cabled: Cabled) -> None:
    ada = register(cabled.db, 'ada')
    cabled.cable.interrupt()
    assert find_user(cabled.db, ada.user_id, ada).username == 'ada'


def test_what_cannot_be_reached_is_unavailable_and_comes_back_by_itself(cabled: Cabled) -> None:
    ada = register(cabled.db, 'ada')
    cabled.cable.cut()
    with pytest.raises(Unavailable):
        find_user(cabled.db, ada.user_id, ada)
    with pytest.raises(Unavailable):
        publish_post(cabled.db, body='hello', by=ada)
    cabled.cable.restore()
    assert publish_post(cabled.db, body='hello', by=ada).body == 'hello'


def test_connections_are_lent_and_given_back(cabled: Cabled) -> None:
    ada = register(cabled.db, 'ada')

    def look(_: int) -> str:
        try:
            return find_user(cabled.db, ada.user_id, ada).username
        finally:
            cabled.db.release()

    cabled.db.release()
    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(look, range(200))) == {'ada'}


def test_who_finds_no_connection_waits_for_one(cabled: Cabled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('service.database.pool.TIMEOUT_SECONDS', 0.1)
    enough, is_over = threading.Barrier(9), threading.Event()

    def hold() -> None:
        cabled.db.execute('SELECT 1')
        enough.wait()
        is_over.wait()
        cabled.db.release()

    holders = [threading.Thread(target=hold) for _ in range(8)]
    for holder in holders:
        holder.start()
    enough.wait()
    with pytest.raises(Unavailable):
        cabled.db.execute('SELECT 1')
    is_over.set()
    for holder in holders:
        holder.join()
    assert cabled.db.execute('SELECT 1').fetchone()[0] == 1


def test_transactions_that_lock_each_other_out_both_happen(database_url: str, open_url: Open) -> None:
    one, other = open_url(database_url), open_url(database_url)
    ada, bob = register(one, 'ada'), register(one, 'bob')
    both = threading.Barrier(2)
    tries: list[int] = []

    @transaction
    def see_both(db: Session, first: Viewer, second: Viewer) -> None:
        tries.append(first.user_id)
        see(db, first)
        if len(tries) <= 2 and db.engine.name != 'sqlite':  # whose transactions wait for each other at BEGIN
            both.wait(10)
        see(db, second)

    def see(db: Session, viewer: Viewer) -> None:
        db.execute(f'UPDATE users SET post_count = post_count + 1 WHERE id = {viewer.user_id}')

    def run(db: Session, first: Viewer, second: Viewer) -> None:
        see_both(db, first, second)
        db.release()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(run, one, ada, bob), pool.submit(run, other, bob, ada)]:
            done.result(30)
    assert [find_user(one, viewer.user_id, None).post_count for viewer in (ada, bob)] == [2, 2]


def test_writers_on_several_connections_keep_every_count_exact(database_url: str, open_url: Open) -> None:
    several = [open_url(database_url) for _ in range(4)]
    ada, bob = register(several[0], 'ada'), register(several[0], 'bob')

    def write(db: Session) -> None:
        for _ in range(5):
            publish_post(db, body='hello', by=ada)
            follow(db, ada.user_id, bob.user_id, by=ada, precondition=no_precondition)
            follow(db, bob.user_id, ada.user_id, by=bob, precondition=no_precondition)
            unfollow(db, ada.user_id, bob.user_id, by=ada, precondition=no_precondition)
        db.release()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, several))
    users = [find_user(several[0], viewer.user_id, None) for viewer in (ada, bob)]
    assert [(user.post_count, user.follower_count, user.following_count) for user in users] == [
        (20, 1, 0),
        (0, 0, 1),
    ]
    assert list_posts(several[0], PageRequest(), ada).total_items == 20


def test_an_id_that_another_process_made_is_made_anew(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = register(db, 'ada')
    first = publish_post(db, body='one', by=ada)
    made = iter((first.id, first.id + 1))
    monkeypatch.setattr(db, 'new_id', lambda: next(made))
    assert publish_post(db, body='two', by=ada).id == first.id + 1
    assert list_posts(db, PageRequest(), ada).total_items == 2


def test_a_transaction_within_another_is_undone_with_it(db: Session) -> None:
    ada = register(db, 'ada')

    @transaction
    def publish_and_fail(db: Session) -> None:
        publish_post(db, body='hello', by=ada)
        raise NotFound('It is not there.')

    with pytest.raises(NotFound):
        publish_and_fail(db)
    assert list_posts(db, PageRequest(), ada).total_items == 0


def test_a_transaction_within_another_can_fail_alone(db: Session) -> None:
    ada = register(db, 'ada')

    @transaction
    def register_twice(db: Session) -> None:
        for name in ('bob', 'ADA'):
            try:
                register_user(db, username=name, email=f'{name}@example.org', password=PASSWORD)
            except Conflict:
                publish_post(db, body=f'{name} is taken', by=ada)

    register_twice(db)
    assert [post.body for post in list_posts(db, PageRequest(), ada).entries] == ['ADA is taken']
    assert read_total(db, 'users') == 2


def test_what_nobody_reads_any_more_of_commits_is_forgotten(
    networked_url: str, open_url: Open, clock: Any
) -> None:
    register(open_url(networked_url), 'ada')
    clock.move(seconds=2 * 24 * 3600)
    db = open_url(networked_url)
    register_user(db, username='bob', email='bob@example.org', password=PASSWORD)
    assert db.execute('SELECT COUNT(*) FROM commits').fetchone()[0] == 1
