"""Rate limits: exact under concurrency, and robust against clock steps."""

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
IP_ADDRESS = '203.0.113.7'


def is_counted(db: Session) -> bool:
    try:
        count_attempt(db, sign_in_subjects(None, 'unknown', None))
    except Throttled:
        return False
    return True


def is_counted_in_a_thread(db: Session) -> bool:
    try:
        return is_counted(db)
    finally:
        db.close()


def test_concurrent_attempts_on_two_nodes_are_counted_exactly(open_node: Callable[[], Session]) -> None:
    nodes = [open_node(), open_node()]
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda turn: is_counted_in_a_thread(nodes[turn % 2]), range(40)))
    assert counted.count(True) == ACCOUNT.attempts


def test_no_interval_admits_more_attempts_than_the_limit(db: Session, clock: MovableClock) -> None:
    counted_at = []
    for _ in range(200):
        clock.move(seconds=37)
        if is_counted(db):
            counted_at.append(clock.now)
    gaps = [
        later - earlier for earlier, later in zip(counted_at, counted_at[ACCOUNT.attempts :], strict=False)
    ]
    assert min(gaps) >= ACCOUNT.seconds * 1000


def test_an_attempt_is_allowed_after_retry_after(db: Session, clock: MovableClock) -> None:
    while is_counted(db):
        clock.move(seconds=5)
    with pytest.raises(Throttled) as throttled:
        check_limits(db, sign_in_subjects(None, 'unknown', None))
    clock.move(seconds=throttled.value.retry_after)
    assert is_counted(db)


def test_rejected_attempts_are_not_stored(db: Session) -> None:
    for _ in range(50):
        is_counted(db)
    assert db.execute('SELECT COUNT(*) FROM tries').fetchone()[0] == ACCOUNT.attempts


def test_an_attempt_rejected_by_one_limit_is_not_counted_by_another(db: Session) -> None:
    for _ in range(ACCOUNT.attempts):
        is_counted(db)
    with pytest.raises(Throttled):
        count_attempt(db, sign_in_subjects(None, 'unknown', IP_ADDRESS))
    assert db.execute('SELECT COUNT(*) FROM tries').fetchone()[0] == ACCOUNT.attempts


def test_a_small_clock_skew_does_not_free_attempts(db: Session, clock: MovableClock) -> None:
    for _ in range(ACCOUNT.attempts):
        is_counted(db)
    clock.move(seconds=-30)
    assert not is_counted(db)


@pytest.mark.parametrize('turns', [1, ACCOUNT.attempts - 1, ACCOUNT.attempts])
def test_a_node_with_a_wrong_clock_does_not_end_throttling(
    db: Session, clock: MovableClock, turns: int
) -> None:
    counted, skew = 0, 3600
    for turn in range(400):
        if turn % turns == 0:  # the next attempts are at the other node
            clock.move(seconds=skew)
            skew = -skew
        counted += is_counted(db)
    assert counted <= ACCOUNT.attempts * (ACCOUNT.attempts + 1) / 2


def test_a_clock_step_back_ends_a_lockout(db: Session, clock: MovableClock) -> None:
    for _ in range(ACCOUNT.attempts):
        is_counted(db)
    clock.move(seconds=-86400)
    assert is_counted(db)


def test_an_ip_address_may_register_1000_users_an_hour(db: Session, clock: MovableClock) -> None:
    person = {'username': 'ada', 'email': 'ada@example.org', 'password': 'correct horse'}
    assert REGISTRATION.attempts == 1000
    for _ in range(REGISTRATION.attempts):
        count_attempt(db, registration_subjects(IP_ADDRESS))
    with pytest.raises(Throttled):
        register_user(db, **person, client_address=IP_ADDRESS)
    clock.move(seconds=REGISTRATION.seconds)
    assert register_user(db, **person, client_address=IP_ADDRESS).username == 'ada'


def test_a_registration_without_an_ip_address_is_not_counted(db: Session) -> None:
    register_user(db, username='ada', email='ada@example.org', password='correct horse')
    assert db.execute('SELECT COUNT(*) FROM tries').fetchone()[0] == 0


@pytest.fixture
def interrupted(open_node: Callable[[], Session]) -> Interrupt:
    """Return a function that opens a node which calls an action once, before a transaction begins."""

    def interrupt(action: Callable[[], None]) -> Session:
        node, pending = open_node(), [action]
        begin = node.engine.begin

        def act_and_begin() -> None:
            if pending:
                pending.pop()()
            begin()

        node.engine.begin = act_and_begin
        return node

    return interrupt


@pytest.fixture
def ada(db: Session) -> Viewer:
    register_user(db, username='ada', email='ada@example.org', password='correct horse')
    return find_viewer(db, sign_in(db, username='ada', password='correct horse', user_agent=None).secret)


def exhaust_attempts(db: Session, user_id: int) -> Callable[[], None]:
    def exhaust_attempts() -> None:
        for _ in range(ACCOUNT.attempts):
            count_attempt(db, sign_in_subjects(user_id, 'ada', None))

    return exhaust_attempts


def test_a_correct_password_during_a_concurrent_attack_gets_no_token(
    db: Session, ada: Viewer, interrupted: Interrupt
) -> None:
    node = interrupted(exhaust_attempts(db, ada.user_id))
    with pytest.raises(Throttled):
        sign_in(node, username='ada', password='correct horse', user_agent=None)


def test_a_correct_password_during_a_concurrent_attack_changes_nothing(
    db: Session, ada: Viewer, interrupted: Interrupt
) -> None:
    node = interrupted(exhaust_attempts(db, ada.user_id))
    with pytest.raises(Throttled):
        change_password(
            node,
            ada.user_id,
            current_password='correct horse',
            password='another horse',
            by=ada,
        )
