"""Transactions: each is atomic and takes effect once, even if it is retried, on every engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import peewee
import pytest

from service.database.errors import ErrorKind, Unavailable
from service.database.pagination import PageRequest
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.accounts import delete_user
from service.domain.credentials import change_password
from service.domain.errors import Conflict, NotFound
from service.domain.follows import follow, unfollow
from service.domain.posts import change_post, delete_post, list_posts, publish_post
from service.domain.sharded_counters import read_total
from service.domain.tokens import find_viewer, list_tokens, renew_token, sign_in
from service.domain.users import find_user, register_user
from service.domain.viewer import Viewer
from tests.client import PASSWORD, new_user
from tests.domain.users import no_precondition, register
from tests.engines.conftest import OpenUrl, ProxiedSession

COMMIT = b'COMMIT'


@pytest.fixture(params=[True, False], ids=['committed', 'lost'])
def break_commit(request: pytest.FixtureRequest, proxied: ProxiedSession) -> Callable[[], None]:
    """Return a function that breaks the connection at the next COMMIT, before or after it takes effect."""
    proxied.db.execute('SELECT 1')  # a new connection sends READ COMMITTED first
    return lambda: proxied.proxy.cut_when_sent(COMMIT, is_delivered=request.param)


def test_a_post_is_created_once_if_the_commit_breaks(
    proxied: ProxiedSession, break_commit: Callable[[], None]
) -> None:
    ada = register(proxied.db, 'ada')
    break_commit()
    post = publish_post(proxied.db, body='hello', by=ada)
    page = list_posts(proxied.db, PageRequest(), ada)
    assert proxied.proxy.cuts == 1
    assert [entry.id for entry in page.entries] == [post.id]
    assert (page.total_items, find_user(proxied.db, ada.user_id, ada).post_count) == (1, 1)


def test_a_user_is_created_once_if_the_commit_breaks(
    proxied: ProxiedSession, break_commit: Callable[[], None]
) -> None:
    break_commit()
    user = register_user(proxied.db, **new_user('ada'))
    assert proxied.proxy.cuts == 1
    assert find_user(proxied.db, user.id, None) == user
    assert read_total(proxied.db, 'users') == 1


def test_a_deletion_succeeds_if_the_commit_breaks(
    proxied: ProxiedSession, break_commit: Callable[[], None]
) -> None:
    ada = register(proxied.db, 'ada')
    post = publish_post(proxied.db, body='hello', by=ada)
    break_commit()
    delete_post(proxied.db, post.id, by=ada, precondition=no_precondition)
    assert proxied.proxy.cuts == 1
    assert (read_total(proxied.db, 'posts'), find_user(proxied.db, ada.user_id, ada).post_count) == (0, 0)


def test_an_account_is_deleted_if_the_commit_breaks(
    proxied: ProxiedSession, break_commit: Callable[[], None]
) -> None:
    ada = register(proxied.db, 'ada')
    break_commit()
    delete_user(proxied.db, ada.user_id, by=ada, precondition=no_precondition)
    assert proxied.proxy.cuts == 1
    assert read_total(proxied.db, 'users') == 0


def test_a_renewed_token_is_valid_if_the_commit_breaks(
    proxied: ProxiedSession, break_commit: Callable[[], None]
) -> None:
    ada = register(proxied.db, 'ada')
    break_commit()
    viewer = find_viewer(proxied.db, renew_token(proxied.db, ada, None).secret)
    assert proxied.proxy.cuts == 1
    assert [token.id for token in list_tokens(proxied.db, PageRequest(), viewer).entries] == [
        viewer.token_id,
        ada.token_id,
    ]


def test_a_password_is_changed_if_the_commit_breaks(
    proxied: ProxiedSession, break_commit: Callable[[], None]
) -> None:
    ada = register(proxied.db, 'ada')
    break_commit()
    change_password(proxied.db, ada.user_id, current_password=PASSWORD, password='battery staple', by=ada)
    assert proxied.proxy.cuts == 1
    assert sign_in(proxied.db, username='ada', password='battery staple', user_agent=None).secret


def test_a_follow_is_reported_as_new_if_the_commit_breaks(
    proxied: ProxiedSession, break_commit: Callable[[], None]
) -> None:
    ada, bob = register(proxied.db, 'ada'), register(proxied.db, 'bob')
    break_commit()
    _, is_new = follow(proxied.db, ada.user_id, bob.user_id, by=ada, precondition=no_precondition)
    assert proxied.proxy.cuts == 1
    assert is_new
    assert find_user(proxied.db, bob.user_id, ada).follower_count == 1


def test_a_change_meets_its_precondition_if_the_commit_breaks(
    proxied: ProxiedSession, break_commit: Callable[[], None]
) -> None:
    ada = register(proxied.db, 'ada')
    post = publish_post(proxied.db, body='hello', by=ada)

    def require_unchanged(current: Any) -> None:
        assert current == post

    break_commit()
    assert (
        change_post(proxied.db, post.id, {'body': 'bye'}, by=ada, precondition=require_unchanged).body
        == 'bye'
    )
    assert proxied.proxy.cuts == 1


@pytest.mark.parametrize('statement', [b'BEGIN', b'INSERT'])
def test_a_transaction_takes_effect_once_if_its_connection_breaks(
    proxied: ProxiedSession, statement: bytes
) -> None:
    ada = register(proxied.db, 'ada')
    proxied.proxy.cut_when_sent(statement, is_delivered=True)
    publish_post(proxied.db, body='hello', by=ada)
    assert proxied.proxy.cuts == 1
    assert list_posts(proxied.db, PageRequest(), ada).total_items == 1


def test_a_read_on_a_dead_connection_is_retried_on_a_new_one(proxied: ProxiedSession) -> None:
    ada = register(proxied.db, 'ada')
    proxied.proxy.interrupt()
    assert find_user(proxied.db, ada.user_id, ada).username == 'ada'


def test_an_unreachable_database_is_unavailable_until_it_returns(proxied: ProxiedSession) -> None:
    ada = register(proxied.db, 'ada')
    proxied.proxy.cut()
    with pytest.raises(Unavailable):
        find_user(proxied.db, ada.user_id, ada)
    with pytest.raises(Unavailable):
        publish_post(proxied.db, body='hello', by=ada)
    proxied.proxy.restore()
    assert publish_post(proxied.db, body='hello', by=ada).body == 'hello'


def test_threads_share_the_connections_of_the_pool(proxied: ProxiedSession) -> None:
    ada = register(proxied.db, 'ada')

    def read(_: int) -> str:
        try:
            return find_user(proxied.db, ada.user_id, ada).username
        finally:
            proxied.db.release()

    proxied.db.release()
    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(read, range(200))) == {'ada'}


def test_an_exhausted_pool_makes_the_database_unavailable(
    proxied: ProxiedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('service.database.pool.STALL_SECONDS', 0.1)
    all_connected, may_release = threading.Barrier(9), threading.Event()

    def hold() -> None:
        proxied.db.execute('SELECT 1')
        all_connected.wait()
        may_release.wait()
        proxied.db.release()

    holders = [threading.Thread(target=hold) for _ in range(8)]
    for holder in holders:
        holder.start()
    all_connected.wait()
    with pytest.raises(Unavailable):
        proxied.db.execute('SELECT 1')
    may_release.set()
    for holder in holders:
        holder.join()
    assert proxied.db.execute('SELECT 1').fetchone()[0] == 1


def test_two_deadlocked_transactions_both_succeed(database_url: str, open_url: OpenUrl) -> None:
    node, other_node = open_url(database_url), open_url(database_url)
    ada, bob = register(node, 'ada'), register(node, 'bob')
    both_locked = threading.Barrier(2)
    attempts: list[int] = []

    @transaction
    def touch_both(db: Session, first: Viewer, second: Viewer) -> None:
        attempts.append(first.user_id)
        touch(db, first)
        # On SQLite, transactions wait for each other at BEGIN.
        if len(attempts) <= 2 and db.engine.name != 'sqlite':
            both_locked.wait(10)
        touch(db, second)

    def touch(db: Session, viewer: Viewer) -> None:
        db.execute(f'UPDATE users SET post_count = post_count + 1 WHERE id = {viewer.user_id}')

    def run(db: Session, first: Viewer, second: Viewer) -> None:
        touch_both(db, first, second)
        db.release()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(run, node, ada, bob), pool.submit(run, other_node, bob, ada)]:
            future.result(30)
    assert [find_user(node, viewer.user_id, None).post_count for viewer in (ada, bob)] == [2, 2]


def test_concurrent_writers_keep_counters_exact(database_url: str, open_url: OpenUrl) -> None:
    sessions = [open_url(database_url) for _ in range(4)]
    ada, bob = register(sessions[0], 'ada'), register(sessions[0], 'bob')

    def write(db: Session) -> None:
        for _ in range(5):
            publish_post(db, body='hello', by=ada)
            follow(db, ada.user_id, bob.user_id, by=ada, precondition=no_precondition)
            follow(db, bob.user_id, ada.user_id, by=bob, precondition=no_precondition)
            unfollow(db, ada.user_id, bob.user_id, by=ada, precondition=no_precondition)
        db.release()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, sessions))
    users = [find_user(sessions[0], viewer.user_id, None) for viewer in (ada, bob)]
    assert [(user.post_count, user.follower_count, user.following_count) for user in users] == [
        (20, 1, 0),
        (0, 0, 1),
    ]
    assert list_posts(sessions[0], PageRequest(), ada).total_items == 20


def test_a_colliding_id_is_generated_again(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = register(db, 'ada')
    first = publish_post(db, body='one', by=ada)
    ids = iter((first.id, first.id + 1))
    monkeypatch.setattr(db, 'new_id', lambda: next(ids))
    assert publish_post(db, body='two', by=ada).id == first.id + 1
    assert list_posts(db, PageRequest(), ada).total_items == 2


def test_a_nested_transaction_is_rolled_back_with_the_outer_one(db: Session) -> None:
    ada = register(db, 'ada')

    @transaction
    def publish_and_fail(db: Session) -> None:
        publish_post(db, body='hello', by=ada)
        raise NotFound('There is no such post.')

    with pytest.raises(NotFound):
        publish_and_fail(db)
    assert list_posts(db, PageRequest(), ada).total_items == 0


def test_a_nested_transaction_can_fail_alone(db: Session) -> None:
    ada = register(db, 'ada')

    @transaction
    def register_twice(db: Session) -> None:
        for name in ('bob', 'ADA'):
            try:
                register_user(db, **new_user(name))
            except Conflict:
                publish_post(db, body=f'{name} is taken', by=ada)

    register_twice(db)
    assert [post.body for post in list_posts(db, PageRequest(), ada).entries] == ['ADA is taken']
    assert read_total(db, 'users') == 2


def test_old_commit_markers_are_deleted(networked_url: str, open_url: OpenUrl, clock: Any) -> None:
    register(open_url(networked_url), 'ada')
    clock.move(seconds=2 * 24 * 3600)
    db = open_url(networked_url)
    register_user(db, **new_user('bob'))
    assert db.execute('SELECT COUNT(*) FROM commits').fetchone()[0] == 1


def test_a_conflict_at_savepoint_release_is_reported_as_a_conflict(
    db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Galera then rolls back the whole transaction, and peewee fails to roll back to the savepoint."""
    execute = db.engine.execute_sql

    def conflict(sql: str, *arguments: Any) -> Any:
        if sql.startswith('RELEASE'):
            raise Unavailable('The database is currently unavailable.', ErrorKind.CONFLICT)
        if sql.startswith('ROLLBACK TO'):
            raise peewee.ProgrammingError('SAVEPOINT does not exist')
        return execute(sql, *arguments)

    monkeypatch.setattr(db.engine, 'execute_sql', conflict)
    with pytest.raises(Unavailable) as raised, db.atomic(), db.atomic():
        db.execute('SELECT 1')
    assert raised.value.kind is ErrorKind.CONFLICT
