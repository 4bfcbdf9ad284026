"""Throttling: so many tries in so much time, exactly, whoever tries at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.database.session import Session
from service.domain.errors import Throttled
from service.domain.throttle import (
    ACCOUNT,
    REGISTRATION,
    check_limits,
    count_attempt,
    registration_subjects,
    sign_in_subjects,
)
from service.domain.tokens import find_viewer, sign_in
from service.domain.users import change_password, register_user
from service.domain.viewer import Viewer
from tests.clock import MovableClock

Interrupt = Callable[[Callable[[], None]], Session]
ADDRESS = '203.0.113.7'


def is_counted(db: Session) -> bool:
    try:
        count_attempt(db, sign_in_subjects(None, 'nobody', None))
    except Throttled:
        return False
    return True


def in_a_thread(db: Session) -> bool:
    try:
        return is_counted(db)
    finally:
        db.close()


def test_simultaneous_tries_on_several_nodes_are_counted_exactly(open_node: Callable[[], Session]) -> None:
    nodes = [open_node(), open_node()]
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda turn: in_a_thread(nodes[turn % 2]), range(40)))
    assert counted.count(True) == ACCOUNT.attempts


def test_no_fifteen_minutes_have_more_than_ten_tries(db: Session, clock: MovableClock) -> None:
    counted_at = []
    for _ in range(200):
        clock.move(seconds=37)
        if is_counted(db):
            counted_at.append(clock.now)
    gaps = [
        later - earlier for earlier, later in zip(counted_at, counted_at[ACCOUNT.attempts :], strict=False)
    ]
    assert min(gaps) >= ACCOUNT.seconds * 1000


def test_a_try_is_allowed_when_the_throttle_said(db: Session, clock: MovableClock) -> None:
    while is_counted(db):
        clock.move(seconds=5)
    with pytest.raises(Throttled) as throttled:
        check_limits(db, sign_in_subjects(None, 'nobody', None))
    clock.move(seconds=throttled.value.retry_after)
    assert is_counted(db)


def test_refused_tries_leave_nothing_behind(db: Session) -> None:
    for _ in range(50):
        is_counted(db)
    assert db.execute('SELECT COUNT(*) FROM tries').fetchone()[0] == ACCOUNT.attempts


def test_a_try_that_one_limit_refuses_is_not_counted_by_another(db: Session) -> None:
    for _ in range(ACCOUNT.attempts):
        is_counted(db)
    with pytest.raises(Throttled):
        count_attempt(db, sign_in_subjects(None, 'nobody', ADDRESS))
    assert db.execute('SELECT COUNT(*) FROM tries').fetchone()[0] == ACCOUNT.attempts


def test_clocks_that_differ_a_little_count_the_same_tries(db: Session, clock: MovableClock) -> None:
    for _ in range(ACCOUNT.attempts):
        is_counted(db)
    clock.move(seconds=-30)
    assert not is_counted(db)


def test_a_clock_that_steps_back_locks_nobody_out(db: Session, clock: MovableClock) -> None:
    for _ in range(ACCOUNT.attempts):
        is_counted(db)
    clock.move(seconds=-86400)
    assert is_counted(db)


def test_an_address_may_register_a_thousand_users_an_hour(db: Session, clock: MovableClock) -> None:
    person = {'username': 'ada', 'email': 'ada@example.org', 'password': 'correct horse'}
    assert REGISTRATION.attempts == 1000
    for _ in range(REGISTRATION.attempts):
        count_attempt(db, registration_subjects(ADDRESS))
    with pytest.raises(Throttled):
        register_user(db, **person, client_address=ADDRESS)
    clock.move(seconds=REGISTRATION.seconds)
    assert register_user(db, **person, client_address=ADDRESS).username == 'ada'


def test_a_registration_that_is_not_from_afar_is_not_throttled(db: Session) -> None:
    register_user(db, username='ada', email='ada@example.org', password='correct horse')
    assert db.execute('SELECT COUNT(*) FROM tries').fetchone()[0] == 0


@pytest.fixture
def interrupted(open_node: Callable[[], Session]) -> Interrupt:
    """Return what opens a node on which something happens immediately before a transaction begins, once."""

    def interrupt(happen: Callable[[], None]) -> Session:
        node, happenings = open_node(), [happen]
        begin = node.engine.begin

        def happen_and_begin() -> None:
            if happenings:
                happenings.pop()()
            begin()

        node.engine.begin = happen_and_begin
        return node

    return interrupt


@pytest.fixture
def ada(db: Session) -> Viewer:
    register_user(db, username='ada', email='ada@example.org', password='correct horse')
    return find_viewer(db, sign_in(db, username='ada', password='correct horse', user_agent=None).secret)


def fail_often(db: Session, user_id: int) -> Callable[[], None]:
    def fail_often() -> None:
        for _ in range(ACCOUNT.attempts):
            count_attempt(db, sign_in_subjects(user_id, 'ada', None))

    return fail_often


def test_a_right_guess_beside_too_many_wrong_ones_gets_no_token(
    db: Session, ada: Viewer, interrupted: Interrupt
) -> None:
    node = interrupted(fail_often(db, ada.user_id))
    with pytest.raises(Throttled):
        sign_in(node, username='ada', password='correct horse', user_agent=None)


def test_a_right_guess_beside_too_many_wrong_ones_changes_no_password(
    db: Session, ada: Viewer, interrupted: Interrupt
) -> None:
    node = interrupted(fail_often(db, ada.user_id))
    with pytest.raises(Throttled):
        change_password(
            node,
            ada.user_id,
            current_password='correct horse',
            password='another horse',
            by=ada,
        )
