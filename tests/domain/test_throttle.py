"""Rate limits: exact under concurrency, and robust against clock steps."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from service.database.session import Session
from service.domain.credentials import change_password
from service.domain.errors import Throttled
from service.domain.throttle import (
    ACCOUNT,
    REGISTRATION,
    address_subjects,
    check_limits,
    count_attempt,
    sign_in_subjects,
)
from service.domain.tokens import sign_in
from service.domain.users import register_user
from service.domain.viewer import Viewer
from tests.client import LOGIN, PASSWORD, new_user
from tests.clock import MovableClock

OpenInterrupted = Callable[[Callable[[], None]], Session]
IP_ADDRESS = '203.0.113.7'


def attempt(db: Session) -> bool:
    """Make an attempt, and return whether it was admitted."""
    try:
        count_attempt(db, sign_in_subjects(None, 'unknown', None))
    except Throttled:
        return False
    return True


def attempt_in_a_thread(db: Session) -> bool:
    """Make an attempt, and close the connection of this thread."""
    try:
        return attempt(db)
    finally:
        db.close()


def test_concurrent_attempts_on_two_nodes_are_counted_exactly(open_node: Callable[[], Session]) -> None:
    nodes = [open_node(), open_node()]
    with ThreadPoolExecutor(8) as pool:
        admitted = list(pool.map(lambda turn: attempt_in_a_thread(nodes[turn % 2]), range(40)))
    assert admitted.count(True) == ACCOUNT.attempts


def test_no_interval_admits_more_attempts_than_the_limit(db: Session, clock: MovableClock) -> None:
    admitted_at = []
    for _ in range(200):
        clock.move(seconds=37)
        if attempt(db):
            admitted_at.append(clock.now)
    gaps = [
        later - earlier for earlier, later in zip(admitted_at, admitted_at[ACCOUNT.attempts :], strict=False)
    ]
    assert min(gaps) >= ACCOUNT.seconds * 1000


def test_an_attempt_is_allowed_after_retry_after(db: Session, clock: MovableClock) -> None:
    while attempt(db):
        clock.move(seconds=5)
    with pytest.raises(Throttled) as throttled:
        check_limits(db, sign_in_subjects(None, 'unknown', None))
    clock.move(seconds=throttled.value.retry_after)
    assert attempt(db)


def test_rejected_attempts_are_not_stored(db: Session) -> None:
    for _ in range(50):
        attempt(db)
    assert db.execute('SELECT COUNT(*) FROM tries').fetchone()[0] == ACCOUNT.attempts


def test_an_attempt_rejected_by_one_limit_is_not_counted_by_another(db: Session) -> None:
    for _ in range(ACCOUNT.attempts):
        attempt(db)
    with pytest.raises(Throttled):
        count_attempt(db, sign_in_subjects(None, 'unknown', IP_ADDRESS))
    assert db.execute('SELECT COUNT(*) FROM tries').fetchone()[0] == ACCOUNT.attempts


def test_a_small_clock_skew_does_not_free_attempts(db: Session, clock: MovableClock) -> None:
    for _ in range(ACCOUNT.attempts):
        attempt(db)
    clock.move(seconds=-30)
    assert not attempt(db)


@pytest.mark.parametrize('turns', [1, ACCOUNT.attempts - 1, ACCOUNT.attempts])
def test_a_node_with_a_wrong_clock_does_not_end_throttling(
    db: Session, clock: MovableClock, turns: int
) -> None:
    admitted, skew = 0, 3600
    for turn in range(400):
        if turn % turns == 0:  # the next attempts are at the other node
            clock.move(seconds=skew)
            skew = -skew
        admitted += attempt(db)
    assert admitted <= ACCOUNT.attempts * (ACCOUNT.attempts + 1) / 2


def test_a_clock_step_back_ends_a_lockout(db: Session, clock: MovableClock) -> None:
    for _ in range(ACCOUNT.attempts):
        attempt(db)
    clock.move(seconds=-86400)
    assert attempt(db)


def test_an_ip_address_may_register_1000_users_an_hour(db: Session, clock: MovableClock) -> None:
    assert REGISTRATION.attempts == 1000
    for _ in range(REGISTRATION.attempts):
        count_attempt(db, address_subjects((REGISTRATION,), IP_ADDRESS))
    with pytest.raises(Throttled):
        register_user(db, **new_user('ada'), client_address=IP_ADDRESS)
    clock.move(seconds=REGISTRATION.seconds)
    assert register_user(db, **new_user('ada'), client_address=IP_ADDRESS).username == 'ada'


def test_a_registration_without_an_ip_address_is_not_counted(db: Session) -> None:
    register_user(db, **new_user('ada'))
    assert db.execute('SELECT COUNT(*) FROM tries').fetchone()[0] == 0


@pytest.fixture
def open_interrupted_node(open_node: Callable[[], Session]) -> OpenInterrupted:
    """Return a function that opens a node that calls an action before its first transaction."""

    def open_interrupted_node(action: Callable[[], None]) -> Session:
        node, pending = open_node(), [action]
        begin = node.engine.begin

        def act_and_begin() -> None:
            if pending:
                pending.pop()()
            begin()

        node.engine.begin = act_and_begin
        return node

    return open_interrupted_node


def exhaust_attempts(db: Session, user_id: int) -> None:
    """Make as many attempts for a user as are allowed."""
    for _ in range(ACCOUNT.attempts):
        count_attempt(db, sign_in_subjects(user_id, 'ada', None))


def test_a_correct_password_during_a_concurrent_attack_gets_no_token(
    db: Session, ada: Viewer, open_interrupted_node: OpenInterrupted
) -> None:
    node = open_interrupted_node(partial(exhaust_attempts, db, ada.user_id))
    with pytest.raises(Throttled):
        sign_in(node, **LOGIN, user_agent=None)


def test_a_correct_password_during_a_concurrent_attack_changes_nothing(
    db: Session, ada: Viewer, open_interrupted_node: OpenInterrupted
) -> None:
    node = open_interrupted_node(partial(exhaust_attempts, db, ada.user_id))
    with pytest.raises(Throttled):
        change_password(node, ada.user_id, current_password=PASSWORD, password='another horse', by=ada)
