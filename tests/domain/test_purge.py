"""Purging: what has expired goes, a little at a time; what is live stays."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from service.domain.database import Database
from service.domain.errors import Throttled
from service.domain.idempotency import Answer, answer_once, make_key
from service.domain.purge import BATCH, purge
from service.domain.throttle import count_try, require_tries, sign_ins
from service.domain.tokens import find_viewer, sign_in
from service.domain.users import register_user
from tests.clock import MovableClock

DAY = 24 * 3600 + 60
SCHEMA = Path(__file__).parents[2] / 'schema.sql'
TABLES = ('tokens', 'idempotency_keys', 'tries')


def fill(db: Database, count: int) -> None:
    """Make as many keys and tries, and a token."""
    for number in range(count):
        key = make_key(db, f'k{number}', target='POST /', request=b'', user_id=None, may_hold_secrets=False)
        answer_once(db, key, lambda one: Answer(201, {}, ''))
        count_try(db, sign_ins(None, f'name{number}', None))
    sign_in(db, username='ada', password='correct horse', user_agent=None)


def count_rows(db: Database) -> list[int]:
    return [db.execute(f'SELECT COUNT(*) FROM {table}').fetchone()[0] for table in TABLES]


@pytest.fixture(autouse=True)
def _ada(db: Database) -> None:
    register_user(db, username='ada', email='ada@example.org', password='correct horse')


def test_what_has_expired_is_deleted(db: Database, clock: MovableClock) -> None:
    fill(db, 3)
    clock.move(seconds=DAY)
    assert not purge(db)
    assert count_rows(db) == [0, 0, 0]


def test_what_is_live_stays(db: Database) -> None:
    fill(db, 3)
    purge(db)
    assert count_rows(db) == [1, 3, 3]


def test_a_live_token_works_after_the_purge_of_expired_ones(db: Database, clock: MovableClock) -> None:
    fill(db, 1)
    clock.move(seconds=DAY)
    secret = sign_in(db, username='ada', password='correct horse', user_agent=None).secret
    purge(db)
    assert find_viewer(db, secret).username == 'ada'
    assert count_rows(db) == [1, 0, 0]


def test_a_throttle_holds_after_a_purge(db: Database) -> None:
    for _ in range(10):
        count_try(db, sign_ins(None, 'nobody', None))
    purge(db)
    with pytest.raises(Throttled):
        require_tries(db, sign_ins(None, 'nobody', None))


def test_one_purge_deletes_no_more_than_a_batch_and_says_so(db: Database, clock: MovableClock) -> None:
    fill(db, BATCH + 5)
    clock.move(seconds=DAY)
    assert purge(db)
    assert count_rows(db) == [0, 5, 5]
    assert not purge(db)
    assert count_rows(db) == [0, 0, 0]


def test_every_table_that_is_purged_is_searched_by_an_index() -> None:
    with closing(sqlite3.connect(':memory:')) as connection:
        connection.executescript(SCHEMA.read_text())
        for table in TABLES:
            search = f'SELECT 1 FROM {table} WHERE expires_at <= 1 ORDER BY expires_at'
            plan = connection.execute(f'EXPLAIN QUERY PLAN {search}').fetchall()
            assert f'{table}_by_expiry' in plan[0][-1]
