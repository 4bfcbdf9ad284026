"""Purging: expired rows are deleted in batches; rows that have not expired are kept."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from service.database.session import Session
from service.domain.errors import Throttled
from service.domain.expiry import BATCH_SIZE, purge
from service.domain.idempotency import StoredResponse, make_key, replay_or_run
from service.domain.throttle import check_limits, count_attempt, sign_in_subjects
from service.domain.tokens import find_viewer, sign_in
from service.domain.users import register_user
from tests.client import LOGIN, new_user
from tests.clock import MovableClock
from tests.server import ROOT

MORE_THAN_A_DAY = 24 * 3600 + 60
SCHEMA = ROOT / 'schema.sql'
TABLES = ('tokens', 'idempotency_keys', 'tries')


def create_rows(db: Session, count: int) -> None:
    """Create `count` idempotency keys, `count` attempts and one token."""
    for number in range(count):
        key = make_key(db, f'k{number}', target='POST /', request=b'', user_id=None, may_hold_secrets=False)
        replay_or_run(db, key, lambda session: StoredResponse(201, {}, ''))
        count_attempt(db, sign_in_subjects(None, f'name{number}', None))
    sign_in(db, **LOGIN, user_agent=None)


def count_rows(db: Session) -> list[int]:
    return [db.execute(f'SELECT COUNT(*) FROM {table}').fetchone()[0] for table in TABLES]


@pytest.fixture(autouse=True)
def _ada(db: Session) -> None:
    register_user(db, **new_user('ada'))


def test_purge_deletes_expired_rows(db: Session, clock: MovableClock) -> None:
    create_rows(db, 3)
    clock.move(seconds=MORE_THAN_A_DAY)
    assert not purge(db)
    assert count_rows(db) == [0, 0, 0]


def test_purge_keeps_rows_that_have_not_expired(db: Session) -> None:
    create_rows(db, 3)
    purge(db)
    assert count_rows(db) == [1, 3, 3]


def test_purge_keeps_a_valid_token(db: Session, clock: MovableClock) -> None:
    create_rows(db, 1)
    clock.move(seconds=MORE_THAN_A_DAY)
    secret = sign_in(db, **LOGIN, user_agent=None).secret
    purge(db)
    assert find_viewer(db, secret).username == 'ada'
    assert count_rows(db) == [1, 0, 0]


def test_purge_keeps_rate_limits(db: Session) -> None:
    for _ in range(10):
        count_attempt(db, sign_in_subjects(None, 'unknown', None))
    purge(db)
    with pytest.raises(Throttled):
        check_limits(db, sign_in_subjects(None, 'unknown', None))


def test_purge_deletes_at_most_one_batch_and_reports_more(db: Session, clock: MovableClock) -> None:
    create_rows(db, BATCH_SIZE + 5)
    clock.move(seconds=MORE_THAN_A_DAY)
    assert purge(db)
    assert count_rows(db) == [0, 5, 5]
    assert not purge(db)
    assert count_rows(db) == [0, 0, 0]


def test_expired_rows_are_found_by_an_index() -> None:
    with closing(sqlite3.connect(':memory:')) as connection:
        connection.executescript(SCHEMA.read_text())
        for table in TABLES:
            search = f'SELECT 1 FROM {table} WHERE expires_at <= 1 ORDER BY expires_at'
            plan = connection.execute(f'EXPLAIN QUERY PLAN {search}').fetchall()
            assert f'{table}_by_expiry' in plan[0][-1]
