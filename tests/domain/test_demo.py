"""Demo data: a data goes in a neighbourhood at a time, each whole."""

from __future__ import annotations

import pytest

from service.database.session import Session
from service.domain.demo.generator import MIN_BATCH_USERS, DemoData, load
from service.domain.errors import Conflict
from service.domain.sharded_counters import read_total
from service.domain.users import find_user_by_username, register_user

SEVERAL = 3 * MIN_BATCH_USERS


def test_each_step_is_whole_and_counted(db: Session) -> None:
    data = DemoData(SEVERAL, 1, 1, now=db.now())
    rows = 0
    for number, added in enumerate(load(db, data), 1):
        rows += added
        people = number * MIN_BATCH_USERS
        assert (read_total(db, 'users'), read_total(db, 'posts')) == (people, people)
        assert find_user_by_username(db, data.username(0)).follower_count == people - 1
    assert rows == data.row_count


def test_a_name_that_was_taken_meanwhile_ends_it_and_what_is_there_stays(db: Session) -> None:
    data = DemoData(SEVERAL, 0, 0, now=db.now())
    steps = load(db, data)
    next(steps)
    late = data.username(SEVERAL - 1)
    register_user(db, username=late, email='late@example.org', password='correct horse')
    with pytest.raises(Conflict):
        list(steps)
    assert read_total(db, 'users') == 2 * MIN_BATCH_USERS + 1
    assert db.execute('SELECT COUNT(*) FROM users').fetchone()[0] == 2 * MIN_BATCH_USERS + 1


def test_names_and_ids_are_never_the_same_twice() -> None:
    data = DemoData(50_000, 0, 0, now=1_795_000_000_000)
    assert len({data.username(number) for number in range(data.users)}) == data.users
    ids = [data.user_id(number) for number in range(data.users)]
    assert ids == sorted(set(ids))


def test_ids_are_never_the_same_twice_in_the_largest_town() -> None:
    people = 10_000_000
    data = DemoData(people, 500, 500, now=1_795_000_000_000)
    last = range(people - 3, people)
    relations = [(follower, followed) for follower in last for followed in range(500)]
    ids = [row[0] for row in data.follow_rows(last, relations)]
    assert ids == sorted(set(ids))
