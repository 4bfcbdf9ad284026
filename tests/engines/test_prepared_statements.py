"""Prepared statements of PostgreSQL."""

from __future__ import annotations

import pytest

from service.database.errors import ConstraintViolation
from service.database.postgresql_connection import MAX_STATEMENTS
from service.database.session import Session
from tests.domain.users import register


def prepared_statements(session: Session) -> list[str]:
    """Return the texts of the statements that the session's connection has prepared."""
    return [row[0] for row in session.execute('SELECT statement FROM pg_prepared_statements').fetchall()]


def test_a_statement_is_prepared_once(postgresql: Session) -> None:
    for number in range(3):
        assert postgresql.execute('SELECT %s + 1', [number]).fetchall() == [(number + 1,)]
    assert prepared_statements(postgresql).count('SELECT $1 + 1') == 1


def test_savepoints_are_not_prepared(postgresql: Session) -> None:
    with postgresql.atomic(), postgresql.atomic():
        register(postgresql, 'ada')
    assert not [sql for sql in prepared_statements(postgresql) if 'SAVEPOINT' in sql]


def test_the_number_of_prepared_statements_is_limited(postgresql: Session) -> None:
    for number in range(MAX_STATEMENTS + 20):
        assert postgresql.execute(f'SELECT {number}').fetchall() == [(number,)]
    assert len(prepared_statements(postgresql)) == MAX_STATEMENTS


def test_a_percent_sign_is_not_a_parameter(postgresql: Session) -> None:
    assert postgresql.execute("SELECT 'a%%' || %s", ['b']).fetchall() == [('a%b',)]


def test_values_are_returned_as_they_were_sent(postgresql: Session) -> None:
    values = [2**53, -1, None, '', 'ä\u2028😀', "'; --"]
    row = postgresql.execute('SELECT %s, %s, %s::text, %s, %s, %s', values).fetchone()
    assert list(row) == values


def test_text_with_nul_is_rejected_not_truncated(postgresql: Session) -> None:
    with pytest.raises(Exception, match='NUL'):
        postgresql.execute('SELECT %s', ['a\0b'])


def test_a_transaction_can_follow_one_that_failed_at_its_first_statement(
    postgresql: Session,
) -> None:
    with pytest.raises(Exception, match='division by zero'), postgresql.atomic():
        postgresql.execute('SELECT 1 / %s', [0])
    with postgresql.atomic():
        assert postgresql.execute('SELECT %s + 0', [1]).fetchone() == (1,)


ADD = 'INSERT INTO totals (thing, shard, amount) VALUES (%s, %s, 0)'


def things(session: Session) -> list[str]:
    return [row[0] for row in session.execute('SELECT thing FROM totals ORDER BY thing').fetchall()]


def test_a_queued_statement_takes_effect_before_the_next_one(postgresql: Session) -> None:
    postgresql.execute(ADD, ['a', 1])  # only prepared statements are queued
    with postgresql.atomic():
        postgresql.execute_later(ADD, ['b', 1])
        postgresql.execute_later(ADD, ['c', 1])
        assert things(postgresql) == ['a', 'b', 'c']
        postgresql.execute_later(ADD, ['d', 1])
    assert things(postgresql) == ['a', 'b', 'c', 'd']


def add_later(session: Session, *names: str, error: Exception | None = None) -> None:
    """Add things in a transaction or a savepoint, which the error ends."""
    with session.atomic():
        for name in names:
            session.execute_later(ADD, [name, 1])
        if error is not None:
            raise error


def test_commit_raises_the_error_of_a_queued_statement(postgresql: Session) -> None:
    postgresql.execute(ADD, ['a', 1])
    with pytest.raises(ConstraintViolation):
        add_later(postgresql, 'b', 'a')
    assert things(postgresql) == ['a']


def test_a_savepoint_rolls_back_the_error_of_a_queued_statement(postgresql: Session) -> None:
    postgresql.execute(ADD, ['a', 1])
    with postgresql.atomic():
        postgresql.execute_later(ADD, ['b', 1])
        with pytest.raises(ConstraintViolation):
            add_later(postgresql, 'c', 'a')
        postgresql.execute_later(ADD, ['d', 1])
    assert things(postgresql) == ['a', 'b', 'd']


def test_a_rollback_drops_queued_statements(postgresql: Session) -> None:
    postgresql.execute(ADD, ['a', 1])
    with pytest.raises(ZeroDivisionError):
        add_later(postgresql, 'a', error=ZeroDivisionError())  # adding it again would fail
    add_later(postgresql, 'b')
    assert things(postgresql) == ['a', 'b']
