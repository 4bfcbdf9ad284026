"""Deleting an account deletes everything of the user, and leaves every counter exact.

The foreign keys of the database determine which tables refer to users. So these tests fail for a new table
that the fixture leaves empty, and for a new counter that is not in tests/counters.py.

Counters were once corrected only by modules that happened to be imported, so deleting an account by the
command left some of them wrong.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from service.database.session import Session
from tests.client import Client
from tests.conftest import Start
from tests.counters import COUNTERS, TOTALS, wrong_counters
from tests.server import ROOT

COMMAND = ('-m', 'service', 'user', 'delete', 'ada', '--yes')
# The same command, with only the imports of its module.
MODULE_COMMAND = ('-c', "from service.commands.users import user; user(['delete', 'ada', '--yes'])")
# Rows that are written only with MAIL_URL; `{0}` is the id of the user.
_MAIL_ROWS = (
    (
        'outbox',
        'id, purpose, recipient, user_id, created_at, due_at, attempts',
        "{0}, 'verify-email', 'x@example.org', {0}, 1, 1, 0",
    ),
    (
        'mail_secrets',
        'id, digest, purpose, user_id, email_key, expires_at',
        "{0}, '{0}', 'verify-email', {0}, 'x@example.org', 1795000000000",
    ),
)


@pytest.fixture
def user_id(start: Start, db: Session) -> int:
    """The id of Ada, who has rows in every table, like other users."""
    app = start()
    clients = {name: _register(app, name) for name in ('ada', 'bob', 'cleo')}
    ids = {name: client.me().json['id'] for name, client in clients.items()}
    for name, client in clients.items():
        for other in ids.keys() - {name}:
            client.put(f'/api/users/{ids[name]}/following/{ids[other]}')
        for label in ('first', 'second'):
            client.post('/api/posts', {'body': label}, headers={'Idempotency-Key': f'{name}-{label}'})
            store = client.post('/api/stores', {'name': f'{name} {label}'}).json['id']
            client.post(f'/api/stores/{store}/items', {'name': 'Gear', 'price': '1.50'})
            client.post(f'/api/stores/{store}/items', {'name': 'Lever', 'price': '2.50'})
        for table, columns, values in _MAIL_ROWS:
            db.execute(f'INSERT INTO {table} ({columns}) VALUES ({values.format(ids[name])})')
    user_id: int = ids['ada']
    return user_id


def _register(app: Any, name: str) -> Client:
    """Register a user who has an attempt with a wrong password and two tokens."""
    Client(app).register(name)
    wrong_password = {'username': name, 'password': 'wrong password'}
    assert Client(app).post('/api/tokens', wrong_password).status == 401
    Client(app).sign_in(name)
    return Client(app).sign_in(name)


def delete_ada(database_url: str, arguments: tuple[str, ...] = COMMAND) -> None:
    """Delete the account by the command, in another process."""
    environment = {**os.environ, 'DATABASE_URL': database_url}
    command = subprocess.run(
        [sys.executable, *arguments], check=False, capture_output=True, text=True, env=environment, cwd=ROOT
    )
    assert command.returncode == 0, command.stderr


def count_rows(db: Session, table: str, condition: str = '1 = 1') -> int:
    return int(db.execute(f'SELECT COUNT(*) FROM {table} WHERE {condition}').fetchone()[0])


def referring_rows(db: Session, table: str, condition: str) -> Iterator[tuple[str, str]]:
    """Yield every table that refers to the rows, directly or not, with a condition for its referring rows."""
    for other in db.engine.get_tables():
        for key in db.engine.get_foreign_keys(other):
            if key.dest_table == table:
                reference = f'{key.column} IN (SELECT {key.dest_column} FROM {table} WHERE {condition})'
                yield other, reference
                yield from referring_rows(db, other, reference)


def test_deletion_removes_all_rows_of_the_user_and_no_others(
    db: Session, database_url: str, user_id: int
) -> None:
    references = list(referring_rows(db, 'users', f'id = {user_id}'))
    for table, condition in references:
        assert count_rows(db, table, condition), f'the fixture has no row of {table} where {condition}'
    remaining = {}
    for table in {table for table, _ in references} | {'users'}:
        conditions = [condition for other, condition in references if other == table] or [f'id = {user_id}']
        remaining[table] = count_rows(db, table) - count_rows(db, table, ' OR '.join(conditions))
    delete_ada(database_url)
    assert {table: count_rows(db, table) for table in remaining} == remaining
    assert all(remaining.values())


def test_no_row_refers_to_a_deleted_row(db: Session, database_url: str, user_id: int) -> None:
    keys = [key for table in db.engine.get_tables() for key in db.engine.get_foreign_keys(table)]
    assert {key.dest_table for key in keys} >= {'users', 'stores'}
    delete_ada(database_url)
    for key in keys:
        existing = f'SELECT {key.dest_column} FROM {key.dest_table}'
        assert count_rows(db, key.table, f'{key.column} NOT IN ({existing})') == 0, key


@pytest.mark.parametrize('arguments', [COMMAND, MODULE_COMMAND], ids=['command', 'module'])
def test_every_counter_equals_the_number_of_rows(
    db: Session, database_url: str, user_id: int, arguments: tuple[str, ...]
) -> None:
    counters = {
        (table, column.name)
        for table in db.engine.get_tables()
        for column in db.engine.get_columns(table)
        if column.name.endswith('_count')
    }
    assert counters == set(COUNTERS)
    assert {table for (table,) in db.execute('SELECT DISTINCT thing FROM totals')} == set(TOTALS)
    delete_ada(database_url, arguments)
    for table, counter in COUNTERS:
        assert count_rows(db, table, f'{counter} > 0'), (
            f'the fixture has no row that {table}.{counter} counts'
        )
    assert wrong_counters(db.execute) == []
