"""Deleting an account deletes everything of the user, and leaves every counter exact.

The foreign keys of the database determine which tables refer to users. So these tests fail for a new table
that the preparation leaves empty, and for a new counter that no query here recounts.

Counters were once corrected only by modules that happened to be imported, so deleting an account by the
command left some of them wrong.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.database.session import Session
from tests.client import Client
from tests.conftest import Start

ROOT = Path(__file__).parents[2]
COMMAND = ('-m', 'service', 'user', 'delete', 'ada', '--yes')
# The same command with only the imports of its module.
MODULE = ('-c', "from service.commands.users import user; user(['delete', 'ada', '--yes'])")
COUNTERS = {
    ('users', 'post_count'): 'SELECT COUNT(*) FROM posts WHERE author_id = users.id',
    ('users', 'follower_count'): 'SELECT COUNT(*) FROM follows WHERE followed_id = users.id',
    ('users', 'following_count'): 'SELECT COUNT(*) FROM follows WHERE follower_id = users.id',
    ('stores', 'item_count'): 'SELECT COUNT(*) FROM items WHERE store_id = stores.id',
}
# Rows of mail, which are written only with MAIL_URL; `{0}` is the id of the user.
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
TOTALS = {'users', 'posts', 'stores', 'items'}  # the tables that are counted in `totals`


@pytest.fixture
def user_id(start: Start, db: Session) -> int:
    """The id of Ada, who has rows in every table, like other users."""
    app = start()
    people = {name: _register(app, name) for name in ('ada', 'bob', 'cleo')}
    ids = {name: client.me().json['id'] for name, client in people.items()}
    for name, client in people.items():
        for other in ids.keys() - {name}:
            client.put(f'/api/users/{ids[name]}/following/{ids[other]}')
        for turn in ('first', 'second'):
            client.post('/api/posts', {'body': turn}, headers={'Idempotency-Key': f'{name}-{turn}'})
            store = client.post('/api/stores', {'name': f'{name} {turn}'}).json['id']
            client.post(f'/api/stores/{store}/items', {'name': 'Gear', 'price': '1.50'})
            client.post(f'/api/stores/{store}/items', {'name': 'Lever', 'price': '2.50'})
        for table, columns, values in _MAIL_ROWS:
            db.execute(f'INSERT INTO {table} ({columns}) VALUES ({values.format(ids[name])})')
    user_id: int = ids['ada']
    return user_id


def _register(app: Any, name: str) -> Client:
    Client(app).register(name)
    wrong = {'username': name, 'password': 'not this one'}
    assert Client(app).post('/api/tokens', wrong).status == 401
    Client(app).sign_in(name)
    return Client(app).sign_in(name)


def delete_ada(database_url: str, arguments: tuple[str, ...] = COMMAND) -> None:
    """Delete the account by the command, in another process."""
    environment = {**os.environ, 'DATABASE_URL': database_url}
    command = subprocess.run(
        [sys.executable, *arguments], check=False, capture_output=True, text=True, env=environment, cwd=ROOT
    )
    assert command.returncode == 0, command.stderr


def number(db: Session, sql: str) -> int:
    return int(db.execute(sql).fetchone()[0])


def owned(db: Session, table: str, condition: str) -> Iterator[tuple[str, str]]:
    """Yield every table that refers to the rows, directly or not, with the condition for its rows."""
    for other in db.engine.get_tables():
        for key in db.engine.get_foreign_keys(other):
            if key.dest_table == table:
                reference = f'{key.column} IN (SELECT {key.dest_column} FROM {table} WHERE {condition})'
                yield other, reference
                yield from owned(db, other, reference)


def test_deletion_removes_all_rows_of_the_user_and_no_others(
    db: Session, database_url: str, user_id: int
) -> None:
    references = list(owned(db, 'users', f'id = {user_id}'))
    for table, condition in references:
        count = number(db, f'SELECT COUNT(*) FROM {table} WHERE {condition}')
        assert count, f'the preparation has no row of {table} where {condition}'
    others = {}
    for table in {table for table, _ in references} | {'users'}:
        own = [condition for other, condition in references if other == table] or [f'id = {user_id}']
        own_count = number(db, f'SELECT COUNT(*) FROM {table} WHERE {" OR ".join(own)}')
        others[table] = number(db, f'SELECT COUNT(*) FROM {table}') - own_count
    delete_ada(database_url)
    assert {table: number(db, f'SELECT COUNT(*) FROM {table}') for table in others} == others
    assert all(others.values())


def test_no_row_refers_to_a_deleted_row(db: Session, database_url: str, user_id: int) -> None:
    keys = [key for table in db.engine.get_tables() for key in db.engine.get_foreign_keys(table)]
    assert {key.dest_table for key in keys} >= {'users', 'stores'}
    delete_ada(database_url)
    for key in keys:
        existing = f'SELECT {key.dest_column} FROM {key.dest_table}'
        orphans = number(db, f'SELECT COUNT(*) FROM {key.table} WHERE {key.column} NOT IN ({existing})')
        assert orphans == 0, key


@pytest.mark.parametrize(
    'arguments',
    [COMMAND, MODULE],
    ids=['command', 'module'],
)
def test_every_counter_equals_the_number_of_rows(
    db: Session, database_url: str, user_id: int, arguments: tuple[str, ...]
) -> None:
    counters = {
        (table, column.name)
        for table in db.engine.get_tables()
        for column in db.engine.get_columns(table)
        if column.name.endswith('_count')
    }
    assert counters == set(COUNTERS), 'a counter has no query, or a query has no counter'
    assert {table for (table,) in db.execute('SELECT DISTINCT thing FROM totals')} == TOTALS
    delete_ada(database_url, arguments)
    for (table, column), count in COUNTERS.items():
        rows = db.execute(f'SELECT id, {column}, ({count}) FROM {table}').fetchall()
        assert any(counter for _, counter, _ in rows), f'the preparation leaves nothing in {table}.{column}'
        assert [counter for _, counter, _ in rows] == [counted for _, _, counted in rows], (table, column)
    for table in TOTALS:
        total = number(db, f"SELECT SUM(amount) FROM totals WHERE thing = '{table}'")
        assert (table, total) == (table, number(db, f'SELECT COUNT(*) FROM {table}'))
