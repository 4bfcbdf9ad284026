"""Constraints: the same violations with the same names on every engine."""

from __future__ import annotations

import peewee
import pytest

from service.database.pagination import PageRequest
from service.database.session import Session
from service.domain.models import User
from service.domain.users import MAX_EMAIL_LENGTH, MAX_USERNAME_LENGTH, list_users
from tests.domain.users import register

EMOJI = '😀'  # four bytes in UTF-8, two units in UTF-16, one character


def insert_user(db: Session, **values: object) -> None:
    """Insert a user with these values, bypassing the validation of the API."""
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


def violated_constraint(db: Session, **values: object) -> str:
    """Return the name of the constraint that a user with these values violates."""
    with pytest.raises(peewee.IntegrityError) as error:
        insert_user(db, **values)
    return error.value.constraint


def test_a_violated_primary_key_has_its_name_in_the_schema(db: Session) -> None:
    insert_user(db)
    assert violated_constraint(db, username_key='y', email_key='y') == 'users_id'


def test_a_violated_unique_constraint_has_its_name_in_the_schema(db: Session) -> None:
    insert_user(db)
    assert violated_constraint(db, id=2, email_key='y') == 'users_username_key'
    assert violated_constraint(db, id=2, username_key='y') == 'users_email_key'


def test_a_violated_two_column_constraint_has_its_name_in_the_schema(db: Session) -> None:
    ada, bob = register(db, 'ada'), register(db, 'bob')
    sql = 'INSERT INTO follows (id, follower_id, followed_id, created_at) VALUES ({}, {}, {}, 0)'
    with db.atomic():
        db.execute(sql.format(1, ada.user_id, bob.user_id))
    with pytest.raises(peewee.IntegrityError) as error, db.atomic():
        db.execute(sql.format(2, ada.user_id, bob.user_id))
    assert error.value.constraint == 'follows_pair'


@pytest.mark.parametrize(
    'value', ["' for key 'users_username_key'", "x' for key 'PRIMARY", 'a: users.id', EMOJI * 120]
)
def test_a_value_is_never_mistaken_for_a_constraint_name(db: Session, value: str) -> None:
    insert_user(db, email_key=value)
    assert violated_constraint(db, id=2, username_key='y', email_key=value) == 'users_email_key'


def test_trailing_spaces_are_significant(db: Session) -> None:
    insert_user(db)
    insert_user(db, id=2, username_key='x ', email_key='x@example.org ')
    assert db.execute('SELECT COUNT(*) FROM users').fetchone()[0] == 2


def test_accents_and_case_are_significant(db: Session) -> None:
    for number, key in enumerate(('e', 'é', 'E', 'ss', 'ß')):
        insert_user(db, id=number + 1, username_key=key, email_key=key)
    assert db.execute('SELECT COUNT(*) FROM users').fetchone()[0] == 5


def test_lengths_are_counted_in_characters(db: Session) -> None:
    longest = {
        'username': EMOJI * MAX_USERNAME_LENGTH,
        'username_key': EMOJI * MAX_USERNAME_LENGTH,
        'email_key': EMOJI * MAX_EMAIL_LENGTH,
        'about_me': EMOJI * 140,
    }
    insert_user(db, **longest)
    row = db.execute('SELECT username, username_key, email_key, about_me FROM users').fetchone()
    assert list(row) == list(longest.values())


def test_no_text_is_truncated_silently(networked_db: Session) -> None:
    with pytest.raises(peewee.DataError):
        insert_user(networked_db, about_me='x' * 141)


def test_a_counter_cannot_be_negative(db: Session) -> None:
    insert_user(db)
    with pytest.raises(peewee.DatabaseError) as error, db.atomic():
        db.execute('UPDATE users SET post_count = post_count - 1')
    assert error.value.constraint == 'users_counts'


def test_names_are_listed_in_byte_order(db: Session) -> None:
    viewer = register(db, 'a')
    for name in ('ab', 'a_b', 'a-b', 'a.b', 'A9', 'aB2', 'b'):
        register(db, name)
    users = list_users(db, PageRequest(), viewer, prefix='a').entries
    assert [user.username for user in users] == ['a', 'a-b', 'a.b', 'A9', 'a_b', 'ab', 'aB2']
