"""demo: a data that is exactly counted, the same for the same seed, whole in whatever it has."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from service.commands.cli import ExitCode
from service.database.ids import EPOCH, RANDOM_BITS
from service.database.session import Session
from service.domain.demo.generator import MIN_BATCH_USERS, PASSWORD, STORES_PER_BATCH
from tests.client import Client
from tests.commands.conftest import Operator, refusal
from tests.server import wait_until

SMALL = ('demo', '--users', '40', '--follows', '5', '--posts', '2', '--stores', '3', '--items', '4')
COUNTED = {
    'post_count': ('users', 'posts', 'author_id'),
    'follower_count': ('users', 'follows', 'followed_id'),
    'following_count': ('users', 'follows', 'follower_id'),
    'item_count': ('stores', 'items', 'store_id'),
}
TABLES = ('users', 'follows', 'posts', 'stores', 'items')


def wrong_counters(execute: Any) -> dict[str, tuple[Any, Any]]:
    """Return every counter that is not what can be counted, by SQL and not by our own queries."""
    wrong = {}
    for counter, (table, counted, key) in COUNTED.items():
        found = execute(
            f'SELECT COUNT(*) FROM {table} LEFT JOIN'
            f' (SELECT {key} AS one, COUNT(*) AS many FROM {counted} GROUP BY {key}) AS counted ON one = id'
            f' WHERE {counter} <> COALESCE(many, 0)'
        ).fetchone()
        if found != (0,):
            wrong[counter] = (found[0], 0)
    for table in set(TABLES) - {'follows'}:
        query = f"SELECT COALESCE(SUM(amount), 0) FROM totals WHERE thing = '{table}'"
        kept, counted = (execute(one).fetchone()[0] for one in (query, f'SELECT COUNT(*) FROM {table}'))
        if int(kept) != counted:
            wrong[table] = (kept, counted)
    return wrong


def rows(db: Session, columns: str, table: str) -> list[Any]:
    return [tuple(row) for row in db.execute(f'SELECT {columns} FROM {table} ORDER BY id').fetchall()]


def test_everything_is_as_many_as_was_asked_for_and_exactly_counted(operator: Operator, db: Session) -> None:
    shown = operator.ask(*SMALL)
    counts = {table: db.execute(f'SELECT COUNT(*) FROM {table}').fetchone()[0] for table in TABLES}
    assert counts == {'users': 40, 'follows': 200, 'posts': 80, 'stores': 3, 'items': 12}
    assert counts.items() <= shown.items()
    assert wrong_counters(db.execute) == {}


def test_a_town_of_several_neighbourhoods_is_exactly_counted(operator: Operator, db: Session) -> None:
    people, stores = 2 * MIN_BATCH_USERS + 1, STORES_PER_BATCH + 1
    operator.ask('demo', '--users', str(people), '--follows', '2', '--posts', '1', '--stores', str(stores),
                 '--items', '1')  # fmt: skip
    assert wrong_counters(db.execute) == {}
    most = db.execute('SELECT MAX(follower_count) FROM users').fetchone()[0]
    assert most == people - 1


@pytest.mark.parametrize(('users', 'follows'), [(1, 10), (2, 10), (3, 1), (3, 10), (10, 9), (10, 0)])
def test_a_small_town_has_as_many_relations_as_it_can(newcomer: Operator, users: int, follows: int) -> None:
    shown = newcomer.ask('demo', '--users', str(users), '--follows', str(follows), '--posts', '0')
    assert shown['follows'] == users * min(follows, users - 1)
    with closing(sqlite3.connect(newcomer.environment['DATABASE_URL'].removeprefix('sqlite:///'))) as stored:
        assert wrong_counters(stored.execute) == {}
        counted = stored.execute('SELECT COUNT(*) FROM follows').fetchone()[0]
        assert counted == shown['follows']
        if follows:
            assert stored.execute('SELECT MAX(follower_count) FROM users').fetchone()[0] == users - 1


def test_the_api_says_of_the_town_what_can_be_counted(operator: Operator, client: Client) -> None:
    shown = operator.ask(*SMALL)
    celebrity = client.sign_in(shown['celebrity'], PASSWORD)
    me = celebrity.me()
    assert me.state['follower_count'] == shown['users'] - 1
    for rel, count in (('hc:followers', 39), ('hc:following', 5), ('hc:posts', 2)):
        page = me.follow(rel)
        assert page.state['_meta']['total_items'] == count
        assert len(every_item(page)) == count
    for rel in ('hc:users', 'hc:posts', 'hc:stores', 'hc:items'):
        page = celebrity.follow(rel)
        assert page.state['_meta']['total_items'] == shown[rel.removeprefix('hc:')] == len(every_item(page))
    assert len(every_item(celebrity.follow('hc:feed'))) == 6 * 2


def every_item(page: Any) -> list[Any]:
    """Return the entries of all pages of a collection."""
    items = list(page.items)
    while 'next' in page.state['_links']:
        page = page.follow('next')
        items += page.items
    return items


def test_what_comes_later_is_newer_than_the_town(operator: Operator, client: Client) -> None:
    shown = operator.ask(*SMALL)
    someone = client.sign_in(shown['celebrity'], PASSWORD)
    someone.publish('New here')
    assert someone.follow('hc:posts').items[0]['body'] == 'New here'
    assert someone.follow('hc:feed').items[0]['body'] == 'New here'


def test_ids_are_made_of_the_time(operator: Operator, db: Session) -> None:
    operator.ask(*SMALL)
    now = db.now()
    for table, column in (('users', 'member_since'), *((table, 'created_at') for table in TABLES[1:])):
        times = rows(db, f'id, {column}', table)
        assert all(one >> RANDOM_BITS == time - EPOCH for one, time in times)
        assert all(time < now for _, time in times)


def test_nobody_does_anything_before_joining(operator: Operator, db: Session) -> None:
    operator.ask(*SMALL)
    last_joined = db.execute('SELECT MAX(member_since) FROM users').fetchone()[0]
    for table in TABLES[1:]:
        assert db.execute(f'SELECT MIN(created_at) FROM {table}').fetchone()[0] > last_joined
    late = 'SELECT COUNT(*) FROM users JOIN posts ON author_id = users.id WHERE last_seen < created_at'
    assert db.execute(late).fetchone() == (0,)


def people_of(newcomer: Operator, folder: Path, seed: int) -> list[list[Any]]:
    """Return all that people are and say in a data of that seed, in a database of its own."""
    path = folder / f'{time.monotonic_ns()}.db'
    newcomer.environment['DATABASE_URL'] = f'sqlite:///{path}'
    newcomer.ask(*SMALL, '--seed', str(seed))
    queries = (
        'SELECT username, about_me, follower_count FROM users ORDER BY id',
        'SELECT username, body FROM posts JOIN users ON users.id = author_id ORDER BY posts.id',
        'SELECT a.username, b.username FROM follows JOIN users a ON a.id = follower_id'
        ' JOIN users b ON b.id = followed_id ORDER BY follows.id',
        'SELECT name, cents FROM items ORDER BY id',
    )
    with closing(sqlite3.connect(path)) as stored:
        return [stored.execute(query).fetchall() for query in queries]


def test_the_same_seed_makes_the_same_town_and_another_one_another(
    newcomer: Operator, tmp_path: Path
) -> None:
    data = people_of(newcomer, tmp_path, 1)
    assert people_of(newcomer, tmp_path, 1) == data
    assert all(one != other for one, other in zip(people_of(newcomer, tmp_path, 2), data, strict=True))


def test_a_database_with_users_is_refused_and_stays_as_it_is(operator: Operator, ada: Client) -> None:
    result = operator.run(*SMALL)
    assert result.exit_code == ExitCode.REJECTED
    assert refusal(result) == 'The database has users already. Demo data needs an empty database.'
    assert ada.follow('hc:users').state['_meta']['total_items'] == 1


@pytest.mark.parametrize(
    ('sent', 'status'), [(signal.SIGINT, ExitCode.REJECTED), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_run_that_is_interrupted_leaves_a_smaller_town_that_is_exactly_counted(
    newcomer: Operator, tmp_path: Path, sent: signal.Signals, status: int
) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # one that is ignored stays so in children
    with (
        subprocess.Popen(
            [sys.executable, '-m', 'service', 'demo', '--users', '1000000', '--posts', '0'],
            env={**os.environ, **newcomer.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as running,
        closing(sqlite3.connect(tmp_path / 'new.db')) as stored,
    ):
        try:
            wait_until(lambda: has_people(stored))
            running.send_signal(sent)
            said, complaint = running.communicate(timeout=20)
        finally:
            running.kill()
        assert (said, running.returncode) == ('', status)
        assert ('Error: Interrupted. ' in complaint) == (sent is signal.SIGINT)
        assert 0 < stored.execute('SELECT COUNT(*) FROM users').fetchone()[0] < 1_000_000
        assert wrong_counters(stored.execute) == {}
    assert 'has users already' in refusal(newcomer.run(*SMALL))


def has_people(stored: sqlite3.Connection) -> bool:
    try:
        return stored.execute('SELECT COUNT(*) FROM users').fetchone()[0] >= MIN_BATCH_USERS
    except sqlite3.OperationalError:  # it has no tables yet
        return False
