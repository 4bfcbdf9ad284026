"""Constraints: what they refuse and what they are called, on every engine alike."""

from __future__ import annotations

import peewee
import pytest

from service.database.pagination import PageRequest
from service.database.session import Session
from service.domain.models import User
from service.domain.users import MAX_EMAIL_LENGTH, MAX_USERNAME_LENGTH, list_users
from tests.engines.conftest import register

LARGE = '😀'  # four bytes in UTF-8, two units in UTF-16, one character


def insert(db: Session, **values: object) -> None:
    """Insert a user with these values, as no client could."""
    row = {
        'id': 1,
        'username': 'x',
        'username_key': 'x',
        'email': 'x@example.org',
        'email_key': 'x@example.org',
        'password_hash': '',
        'avatar_hash': '',
        'about_me': '',
        'member_since': 0,
        'last_seen': 0,
    } | values
    query = User.insert({getattr(User, name): value for name, value in row.items()})
    sql, parameters = db.engine.get_sql_context().sql(query).query()
    with db.atomic():
        db.execute(sql, parameters)


def refused(db: Session, **values: object) -> str:
    """Return the name of the constraint that refuses a user with these values."""
    with pytest.raises(peewee.IntegrityError) as refusal:
        insert(db, **values)
    return refusal.value.constraint


def test_a_primary_key_is_named_as_the_schema_has_it(db: Session) -> None:
    insert(db)
    assert refused(db, username_key='y', email_key='y') == 'users_id'


def test_a_unique_constraint_is_named_as_the_schema_has_it(db: Session) -> None:
    insert(db)
    assert refused(db, id=2, email_key='y') == 'users_username_key'
    assert refused(db, id=2, username_key='y') == 'users_email_key'


def test_a_constraint_over_two_columns_is_named_as_the_schema_has_it(db: Session) -> None:
    ada, bob = register(db, 'ada'), register(db, 'bob')
    insertion = 'INSERT INTO follows (id, follower_id, followed_id, created_at) VALUES ({}, {}, {}, 0)'
    with db.atomic():
        db.execute(insertion.format(1, ada.user_id, bob.user_id))
    with pytest.raises(peewee.IntegrityError) as refusal, db.atomic():
        db.execute(insertion.format(2, ada.user_id, bob.user_id))
    assert refusal.value.constraint == 'follows_pair'


@pytest.mark.parametrize(
    'value', ["' for key 'users_username_key'", "x' for key 'PRIMARY", 'a: users.id', LARGE * 120]
)
def test_a_value_cannot_pass_for_the_name_of_a_constraint(db: Session, value: str) -> None:
    insert(db, email_key=value)
    assert refused(db, id=2, username_key='y', email_key=value) == 'users_email_key'


def test_spaces_at_the_end_make_another_value(db: Session) -> None:
    insert(db)
    insert(db, id=2, username_key='x ', email_key='x@example.org ')
    assert db.execute('SELECT COUNT(*) FROM users').fetchone()[0] == 2


def test_accents_and_case_make_another_value(db: Session) -> None:
    for number, key in enumerate(('e', 'é', 'E', 'ss', 'ß')):
        insert(db, id=number + 1, username_key=key, email_key=key)
    assert db.execute('SELECT COUNT(*) FROM users').fetchone()[0] == 5


def test_lengths_are_counted_in_characters(db: Session) -> None:
    longest = {
        'username': LARGE * MAX_USERNAME_LENGTH,
        'username_key': LARGE * MAX_USERNAME_LENGTH,
        'email_key': LARGE * MAX_EMAIL_LENGTH,
        'about_me': LARGE * 140,
    }
    insert(db, **longest)
    row = db.execute('SELECT username, username_key, email_key, about_me FROM users').fetchone()
    assert list(row) == list(longest.values())


def test_no_text_is_cut_silently(networked_db: Session) -> None:
    with pytest.raises(peewee.DataError):
        insert(networked_db, about_me='x' * 141)


def test_a_counter_cannot_fall_below_nothing(db: Session) -> None:
    insert(db)
    with pytest.raises(peewee.DatabaseError) as refusal, db.atomic():
        db.execute('UPDATE users SET post_count = post_count - 1')
    assert refusal.value.constraint == 'users_counts'


def test_names_are_listed_in_byte_order(db: Session) -> None:
    viewer = register(db, 'a')
    for name in ('ab', 'a_b', 'a-b', 'a.b', 'A9', 'aB2', 'b'):
        register(db, name)
    listed = list_users(db, PageRequest(), viewer, prefix='a').entries
    assert [user.username for user in listed] == ['a', 'a-b', 'a.b', 'A9', 'a_b', 'ab', 'aB2']
