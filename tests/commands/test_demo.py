"""The demo command: consistent data, determined by the seed."""

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
from service.domain.demo.generator import (
    MAX_PER_USER,
    MAX_USERS,
    MIN_BATCH_USERS,
    PASSWORD,
    STORES_PER_BATCH,
    DemoData,
    load,
)
from service.domain.errors import Conflict
from service.domain.users import register_user
from tests.client import Client, new_user
from tests.commands.conftest import Operator, error_of
from tests.counters import wrong_counters
from tests.server import wait_until

SMALL = ('demo', '--users', '40', '--follows', '5', '--posts', '2', '--stores', '3', '--items', '4')
TABLES = ('users', 'follows', 'posts', 'stores', 'items')


def read_rows(db: Session, columns: str, table: str) -> list[Any]:
    return [tuple(row) for row in db.execute(f'SELECT {columns} FROM {table} ORDER BY id').fetchall()]


def test_demo_creates_the_requested_numbers_with_exact_counters(operator: Operator, db: Session) -> None:
    report = operator.run_json(*SMALL)
    counts = {table: db.execute(f'SELECT COUNT(*) FROM {table}').fetchone()[0] for table in TABLES}
    assert counts == {'users': 40, 'follows': 200, 'posts': 80, 'stores': 3, 'items': 12}
    assert counts.items() <= report.items()
    assert wrong_counters(db.execute) == []


def test_every_batch_leaves_exact_counters(db: Session) -> None:
    data = DemoData(2 * MIN_BATCH_USERS + 1, 2, 1, STORES_PER_BATCH + 1, 1, now=db.now())
    row_count = 0
    for batch_row_count in load(db, data):
        row_count += batch_row_count
        assert wrong_counters(db.execute) == []
    assert row_count == data.row_count
    assert db.execute('SELECT MAX(follower_count) FROM users').fetchone()[0] == data.users - 1


def test_loading_stops_at_a_taken_name_and_keeps_earlier_batches(db: Session) -> None:
    data = DemoData(3 * MIN_BATCH_USERS, 0, 0, now=db.now())
    batches = load(db, data)
    next(batches)
    name = data.username(data.users - 1)
    register_user(db, **new_user(name))
    with pytest.raises(Conflict):
        list(batches)
    assert db.execute('SELECT COUNT(*) FROM users').fetchone()[0] == 2 * MIN_BATCH_USERS + 1
    assert wrong_counters(db.execute) == []


def test_names_and_ids_are_unique() -> None:
    data = DemoData(50_000, 0, 0, now=1_795_000_000_000)
    assert len({data.username(number) for number in range(data.users)}) == data.users
    ids = [data.user_id(number) for number in range(data.users)]
    assert ids == sorted(set(ids))


def test_ids_are_unique_at_the_maximum_size() -> None:
    data = DemoData(MAX_USERS, MAX_PER_USER, MAX_PER_USER, now=1_795_000_000_000)
    last = range(MAX_USERS - 3, MAX_USERS)
    pairs = [(follower, followed) for follower in last for followed in range(MAX_PER_USER)]
    ids = [row[0] for row in data.follow_rows(last, pairs)]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize(('users', 'follows'), [(1, 10), (2, 10), (3, 1), (3, 10), (10, 9), (10, 0)])
def test_the_number_of_follows_is_limited_by_the_number_of_users(
    new_operator: Operator, users: int, follows: int
) -> None:
    report = new_operator.run_json('demo', '--users', str(users), '--follows', str(follows), '--posts', '0')
    assert report['follows'] == users * min(follows, users - 1)
    with closing(
        sqlite3.connect(new_operator.environment['DATABASE_URL'].removeprefix('sqlite:///'))
    ) as connection:
        assert wrong_counters(connection.execute) == []
        follow_count = connection.execute('SELECT COUNT(*) FROM follows').fetchone()[0]
        assert follow_count == report['follows']
        if follows:
            assert connection.execute('SELECT MAX(follower_count) FROM users').fetchone()[0] == users - 1


def test_the_api_serves_the_demo_data(operator: Operator, client: Client) -> None:
    report = operator.run_json(*SMALL)
    celebrity = client.sign_in(report['celebrity'], PASSWORD)
    me = celebrity.me()
    assert me.json['follower_count'] == report['users'] - 1
    for rel, count in (('hc:followers', 39), ('hc:following', 5), ('hc:posts', 2)):
        page = me.follow(rel)
        assert page.json['_meta']['total_items'] == count
        assert len(every_item(page)) == count
    for rel in ('hc:users', 'hc:posts', 'hc:stores', 'hc:items'):
        page = celebrity.follow(rel)
        assert page.json['_meta']['total_items'] == report[rel.removeprefix('hc:')] == len(every_item(page))
    assert len(every_item(celebrity.follow('hc:feed'))) == 6 * 2
    sign_ins = [(token['name'], token['scope']) for token in celebrity.follow('hc:tokens').items]
    assert sorted(sign_ins, key=str) == [('Backup script', 'read'), (None, 'write')]


def every_item(page: Any) -> list[Any]:
    """Return the entries of all pages of a collection."""
    items = list(page.items)
    while 'next' in page.json['_links']:
        page = page.follow('next')
        items += page.items
    return items


def test_later_posts_are_newer_than_the_demo_data(operator: Operator, client: Client) -> None:
    report = operator.run_json(*SMALL)
    celebrity = client.sign_in(report['celebrity'], PASSWORD)
    celebrity.publish('New here')
    assert celebrity.follow('hc:posts').items[0]['body'] == 'New here'
    assert celebrity.follow('hc:feed').items[0]['body'] == 'New here'


def test_demo_ids_encode_the_time_of_creation(operator: Operator, db: Session) -> None:
    operator.run_json(*SMALL)
    now = db.now()
    for table, column in (('users', 'member_since'), *((table, 'created_at') for table in TABLES[1:])):
        times = read_rows(db, f'id, {column}', table)
        assert all(row_id >> RANDOM_BITS == time - EPOCH for row_id, time in times)
        assert all(time < now for _, time in times)


def test_demo_rows_are_newer_than_all_registrations(operator: Operator, db: Session) -> None:
    operator.run_json(*SMALL)
    last_joined = db.execute('SELECT MAX(member_since) FROM users').fetchone()[0]
    for table in TABLES[1:]:
        assert db.execute(f'SELECT MIN(created_at) FROM {table}').fetchone()[0] > last_joined
    posted_later = (
        'SELECT COUNT(*) FROM users JOIN posts ON author_id = users.id WHERE last_seen < created_at'
    )
    assert db.execute(posted_later).fetchone() == (0,)


def load_seed(new_operator: Operator, folder: Path, seed: int) -> list[list[Any]]:
    """Return the data of the seed, loaded into a new database."""
    path = folder / f'{time.monotonic_ns()}.db'
    new_operator.environment['DATABASE_URL'] = f'sqlite:///{path}'
    new_operator.run_json(*SMALL, '--seed', str(seed))
    queries = (
        'SELECT username, about_me, follower_count FROM users ORDER BY id',
        'SELECT username, body FROM posts JOIN users ON users.id = author_id ORDER BY posts.id',
        'SELECT a.username, b.username FROM follows JOIN users a ON a.id = follower_id'
        ' JOIN users b ON b.id = followed_id ORDER BY follows.id',
        'SELECT name, cents FROM items ORDER BY id',
    )
    with closing(sqlite3.connect(path)) as connection:
        return [connection.execute(query).fetchall() for query in queries]


def test_the_seed_determines_the_data(new_operator: Operator, tmp_path: Path) -> None:
    first = load_seed(new_operator, tmp_path, 1)
    assert load_seed(new_operator, tmp_path, 1) == first
    assert all(rows != other for rows, other in zip(load_seed(new_operator, tmp_path, 2), first, strict=True))


def test_demo_rejects_a_database_with_users(operator: Operator, ada: Client) -> None:
    result = operator.run(*SMALL)
    assert result.exit_code == ExitCode.REJECTED
    assert error_of(result).startswith('The database has users already. Demo data needs an empty database: ')
    assert ada.follow('hc:users').json['_meta']['total_items'] == 1


@pytest.mark.parametrize(
    ('signal_number', 'status'), [(signal.SIGINT, ExitCode.REJECTED), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_an_interrupted_run_leaves_consistent_data(
    new_operator: Operator, tmp_path: Path, signal_number: signal.Signals, status: int
) -> None:
    # The child would inherit an ignored SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with (
        subprocess.Popen(
            [sys.executable, '-m', 'service', 'demo', '--users', '1000000', '--posts', '0'],
            env={**os.environ, **new_operator.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
        closing(sqlite3.connect(tmp_path / 'new.db')) as connection,
    ):
        try:
            wait_until(lambda: has_users(connection))
            process.send_signal(signal_number)
            stdout, stderr = process.communicate(timeout=20)
        finally:
            process.kill()
        assert (stdout, process.returncode) == ('', status)
        assert ('Error: Interrupted. ' in stderr) == (signal_number is signal.SIGINT)
        assert 0 < connection.execute('SELECT COUNT(*) FROM users').fetchone()[0] < 1_000_000
        assert wrong_counters(connection.execute) == []
    assert 'has users already' in error_of(new_operator.run(*SMALL))


def has_users(connection: sqlite3.Connection) -> bool:
    try:
        return connection.execute('SELECT COUNT(*) FROM users').fetchone()[0] >= MIN_BATCH_USERS
    except sqlite3.OperationalError:  # no tables yet
        return False
