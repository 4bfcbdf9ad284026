"""Throttling: so many tries in so much time, exactly, whoever tries at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from service.domain.database import Database
from service.domain.errors import Throttled
from service.domain.throttle import ACCOUNT, REGISTRATION, count_try, registrations, require_tries, sign_ins
from service.domain.tokens import find_viewer, sign_in
from service.domain.users import change_password, register_user
from service.domain.viewer import Viewer
from tests.clock import MovableClock

ADDRESS = '203.0.113.7'


def is_counted(db: Database) -> bool:
    try:
        count_try(db, sign_ins(None, 'nobody', None))
    except Throttled:
        return False
    return True


def in_a_thread(db: Database) -> bool:
    try:
        return is_counted(db)
    finally:
        db.close()


def test_simultaneous_tries_on_several_nodes_are_counted_exactly(open_node: Callable[[], Database]) -> None:
    nodes = [open_node(), open_node()]
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda turn: in_a_thread(nodes[turn % 2]), range(40)))
    assert counted.count(True) == ACCOUNT.tries


def test_no_fifteen_minutes_have_more_than_ten_tries(db: Database, clock: MovableClock) -> None:
    counted_at = []
    for _ in range(200):
        clock.move(seconds=37)
        if is_counted(db):
            counted_at.append(clock.now)
    gaps = [later - earlier for earlier, later in zip(counted_at, counted_at[ACCOUNT.tries :], strict=False)]
    assert min(gaps) >= ACCOUNT.seconds * 1000


def test_a_try_is_allowed_when_the_throttle_said(db: Database, clock: MovableClock) -> None:
    while is_counted(db):
        clock.move(seconds=5)
    with pytest.raises(Throttled) as throttled:
        require_tries(db, sign_ins(None, 'nobody', None))
    clock.move(seconds=throttled.value.retry_after)
    assert is_counted(db)


def test_refused_tries_leave_nothing_behind(db: Database) -> None:
    for _ in range(50):
        is_counted(db)
    assert db.execute('SELECT COUNT(*) FROM tries').fetchone()[0] == ACCOUNT.tries


def test_a_try_that_one_limit_refuses_is_not_counted_by_another(db: Database) -> None:
    for _ in range(ACCOUNT.tries):
        is_counted(db)
    with pytest.raises(Throttled):
        count_try(db, sign_ins(None, 'nobody', ADDRESS))
    assert db.execute('SELECT COUNT(*) FROM tries').fetchone()[0] == ACCOUNT.tries


def test_clocks_that_differ_a_little_count_the_same_tries(db: Database, clock: MovableClock) -> None:
    for _ in range(ACCOUNT.tries):
        is_counted(db)
    clock.move(seconds=-30)
    assert not is_counted(db)


def test_a_clock_that_steps_back_locks_nobody_out(db: Database, clock: MovableClock) -> None:
    for _ in range(ACCOUNT.tries):
        is_counted(db)
    clock.move(seconds=-86400)
    assert is_counted(db)


def test_an_address_may_register_a_thousand_users_an_hour(db: Database, clock: MovableClock) -> None:
    person = {'username': 'ada', 'email': 'ada@example.org', 'password': 'correct horse'}
    assert REGISTRATION.tries == 1000
    for _ in range(REGISTRATION.tries):
        count_try(db, registrations(ADDRESS))
    with pytest.raises(Throttled):
        register_user(db, **person, client_address=ADDRESS)
    clock.move(seconds=REGISTRATION.seconds)
    assert register_user(db, **person, client_address=ADDRESS).username == 'ada'


def test_a_registration_that_is_not_from_afar_is_not_throttled(db: Database) -> None:
    register_user(db, username='ada', email='ada@example.org', password='correct horse')
    assert db.execute('SELECT COUNT(*) FROM tries').fetchone()[0] == 0


class Interrupted(Database):
    """A database on which something happens before a transaction begins, once."""

    def __init__(self, db: Database, happens: Callable[[], None]) -> None:
        vars(self).update(vars(db))
        self.happenings = [happens]

    @contextmanager
    def atomically(self) -> Iterator[None]:
        if self.happenings:
            self.happenings.pop()()
        with super().atomically():
            yield


@pytest.fixture
def ada(db: Database) -> Viewer:
    register_user(db, username='ada', email='ada@example.org', password='correct horse')
    return find_viewer(db, sign_in(db, username='ada', password='correct horse', user_agent=None).secret)


def fail_often(db: Database, user_id: int) -> Callable[[], None]:
    def fail_often() -> None:
        for _ in range(ACCOUNT.tries):
            count_try(db, sign_ins(user_id, 'ada', None))

    return fail_often


def test_a_right_guess_beside_too_many_wrong_ones_gets_no_token(db: Database, ada: Viewer) -> None:
    interrupted = Interrupted(db, fail_often(db, ada.user_id))
    with pytest.raises(Throttled):
        sign_in(interrupted, username='ada', password='correct horse', user_agent=None)


def test_a_right_guess_beside_too_many_wrong_ones_changes_no_password(db: Database, ada: Viewer) -> None:
    interrupted = Interrupted(db, fail_often(db, ada.user_id))
    with pytest.raises(Throttled):
        change_password(
            interrupted,
            ada.user_id,
            current_password='correct horse',
            password='another horse',
            by=ada,
        )
