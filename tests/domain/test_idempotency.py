"""Idempotency keys: one effect and one answer, whatever happens in between."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from service.database.errors import ErrorKind, Unavailable
from service.database.session import Session
from service.domain.accounts import delete_user
from service.domain.errors import Invalid, KeyInUse, KeyReused
from service.domain.idempotency import CLAIM_SECONDS, RequestKey, StoredResponse, make_key, replay_or_run
from service.domain.posts import publish_post
from service.domain.tokens import find_viewer, sign_in
from service.domain.users import register_user
from service.domain.viewer import Viewer
from tests.clock import MovableClock

Respond = Callable[[Session], StoredResponse]


@pytest.fixture
def viewer(db: Session) -> Viewer:
    register_user(db, username='ada', email='ada@example.org', password='correct horse')
    token = sign_in(db, username='ada', password='correct horse', user_agent=None)
    return find_viewer(db, token.secret)


@pytest.fixture
def key(db: Session, viewer: Viewer) -> RequestKey:
    return key_for(db, viewer)


def key_for(db: Session, viewer: Viewer, request: bytes = b'hello') -> RequestKey:
    return make_key(
        db, 'k', target='POST /api/posts', request=request, user_id=viewer.user_id, may_hold_secrets=False
    )


@pytest.fixture
def publish(viewer: Viewer) -> Respond:
    def publish(db: Session) -> StoredResponse:
        post = publish_post(db, body='hello', by=viewer)
        return StoredResponse(201, {'location': f'/{post.id}'}, post.body)

    return publish


def count_posts(db: Session) -> int:
    return int(db.execute('SELECT COUNT(*) FROM posts').fetchone()[0])


def closing(db: Session, do: Callable[[Session], Any]) -> Any:
    """Do it in a thread that leaves no connection behind."""
    try:
        return do(db)
    finally:
        db.close()


def count_keys(db: Session) -> int:
    return int(db.execute('SELECT COUNT(*) FROM idempotency_keys').fetchone()[0])


def test_a_retry_on_another_node_gets_the_first_answer(
    db: Session, open_node: Callable[[], Session], key: RequestKey, publish: Respond
) -> None:
    first = replay_or_run(db, key, publish)
    assert replay_or_run(open_node(), key, publish) == first
    assert count_posts(db) == 1


def test_nothing_is_seen_of_the_effect_before_there_is_an_answer(
    db: Session, open_node: Callable[[], Session], key: RequestKey, publish: Respond
) -> None:
    seen, other_node = [], open_node()

    def respond(one: Session) -> StoredResponse:
        answer = publish(one)
        with ThreadPoolExecutor(1) as another_thread:
            seen.append(another_thread.submit(closing, other_node, count_posts).result())
        return answer

    replay_or_run(db, key, respond)
    assert seen == [0]
    assert count_posts(other_node) == 1


def test_what_fails_after_the_effect_undoes_it(db: Session, key: RequestKey, publish: Respond) -> None:
    def respond(one: Session) -> StoredResponse:
        publish(one)
        raise RuntimeError('rendering failed')

    with pytest.raises(RuntimeError):
        replay_or_run(db, key, respond)
    assert count_posts(db) == 0
    replay_or_run(db, key, publish)
    assert count_posts(db) == 1


def test_a_refusal_is_not_stored(db: Session, key: RequestKey, publish: Respond) -> None:
    def refuse(one: Session) -> StoredResponse:
        raise Invalid(detail='no')

    with pytest.raises(Invalid):
        replay_or_run(db, key, refuse)
    assert count_keys(db) == 0
    assert replay_or_run(db, key, publish).status == 201


def test_a_part_that_fails_and_is_made_good_can_still_be_answered(
    db: Session, key: RequestKey, publish: Respond
) -> None:
    def respond(one: Session) -> StoredResponse:
        with pytest.raises(Invalid):
            register_user(one, username='ADA', email='new@example.org', password='correct horse')
        return publish(one)

    replay_or_run(db, key, respond)
    assert count_posts(db) == 1


def test_a_simultaneous_request_is_told_to_wait(
    db: Session, open_node: Callable[[], Session], key: RequestKey, publish: Respond
) -> None:
    def respond(one: Session) -> StoredResponse:
        with pytest.raises(KeyInUse):
            replay_or_run(open_node(), key, publish)
        return publish(one)

    replay_or_run(db, key, respond)
    assert count_posts(db) == 1


class Killed(BaseException):
    """Stands for the end of the process."""


def claim_and_die(node: Session, key: RequestKey) -> None:
    """Have a node claim the key, and do nothing more: its process was killed."""

    def fail(*arguments: Any) -> None:
        raise Killed

    def die(one: Session) -> StoredResponse:
        node.engine.execute_sql = fail
        raise Killed

    with pytest.raises(Killed):
        replay_or_run(node, key, die)


def test_the_key_of_a_killed_request_can_be_used_again_soon(
    db: Session, open_node: Callable[[], Session], key: RequestKey, publish: Respond, clock: MovableClock
) -> None:
    claim_and_die(open_node(), key)
    with pytest.raises(KeyInUse):
        replay_or_run(db, key, publish)
    clock.move(seconds=CLAIM_SECONDS)
    assert replay_or_run(db, key, publish).status == 201


def test_a_slow_request_whose_claim_lapsed_has_no_effect_beside_the_other(
    db: Session, open_node: Callable[[], Session], key: RequestKey, publish: Respond, clock: MovableClock
) -> None:
    def respond_slowly(one: Session) -> StoredResponse:
        clock.move(seconds=CLAIM_SECONDS)
        replay_or_run(open_node(), key, publish)
        return publish(one)

    with pytest.raises(KeyInUse):
        replay_or_run(db, key, respond_slowly)
    assert count_posts(db) == 1


def test_a_slow_request_whose_claim_lapsed_gives_way_to_the_one_that_has_it(
    db: Session, open_node: Callable[[], Session], key: RequestKey, publish: Respond, clock: MovableClock
) -> None:
    is_claimed, may_go_on, other_node = Event(), Event(), open_node()

    def respond_later(one: Session) -> StoredResponse:
        is_claimed.set()
        assert may_go_on.wait(10)
        return publish(one)

    def respond_slowly(one: Session) -> StoredResponse:
        clock.move(seconds=CLAIM_SECONDS)
        others.append(pool.submit(closing, other_node, lambda db: replay_or_run(db, key, respond_later)))
        assert is_claimed.wait(10)
        return publish(one)

    others: list[Future[StoredResponse]] = []
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(KeyInUse):
            replay_or_run(db, key, respond_slowly)
        may_go_on.set()
        assert others[0].result().status == 201
    assert count_posts(db) == 1


def test_a_claim_does_not_last_longer_when_the_clock_steps_back(
    db: Session, open_node: Callable[[], Session], key: RequestKey, publish: Respond, clock: MovableClock
) -> None:
    claim_and_die(open_node(), key)
    clock.move(seconds=-3600)
    assert replay_or_run(db, key, publish).status == 201


def test_an_answer_is_still_repeated_when_the_clock_steps_back(
    db: Session, key: RequestKey, publish: Respond, clock: MovableClock
) -> None:
    first = replay_or_run(db, key, publish)
    clock.move(seconds=-3600)
    assert replay_or_run(db, key, publish) == first


def fail_commits(node: Session, failures: list[Unavailable], *, after: bool) -> None:
    """Have commits of the node raise each of the failures once, before or after they take effect."""
    commit = node.engine.commit

    def fail() -> None:
        if after or not failures:
            commit()
        if failures:
            raise failures.pop()

    node.engine.commit = fail


CONFLICT = Unavailable('The database is currently unavailable.', ErrorKind.CONFLICT)


def test_a_commit_that_is_refused_for_what_others_did_is_tried_again_whole(
    db: Session, key: RequestKey, publish: Respond
) -> None:
    failures: list[Unavailable] = []
    answers: list[StoredResponse] = []
    fail_commits(db, failures, after=False)

    def respond(one: Session) -> StoredResponse:
        failures.extend([CONFLICT] if len(answers) < 2 else [])
        answers.append(publish(one))
        return answers[-1]

    assert replay_or_run(db, key, respond) == answers[2]
    assert count_posts(db) == 1


def test_an_answer_that_was_committed_unheard_is_repeated(
    db: Session, key: RequestKey, publish: Respond
) -> None:
    failures: list[Unavailable] = []
    answers: list[StoredResponse] = []
    fail_commits(db, failures, after=True)

    def respond(one: Session) -> StoredResponse:
        failures.append(Unavailable('The connection broke.'))
        answers.append(publish(one))
        return answers[-1]

    with pytest.raises(Unavailable):
        replay_or_run(db, key, respond)
    assert replay_or_run(db, key, publish) == answers[0]
    assert count_posts(db) == 1


def test_an_answer_that_was_committed_unheard_is_found_by_the_next_try(
    db: Session, key: RequestKey, publish: Respond
) -> None:
    failures: list[Unavailable] = []
    answers: list[StoredResponse] = []
    fail_commits(db, failures, after=True)

    def respond(one: Session) -> StoredResponse:
        failures.append(CONFLICT)
        answers.append(publish(one))
        return answers[-1]

    assert replay_or_run(db, key, respond) == answers[0]
    assert len(answers) == count_posts(db) == 1


def test_an_answer_is_kept_for_a_day(
    db: Session, key: RequestKey, publish: Respond, clock: MovableClock
) -> None:
    first = replay_or_run(db, key, publish)
    clock.move(seconds=24 * 3600 - 60)
    assert replay_or_run(db, key, publish) == first
    clock.move(seconds=120)
    assert replay_or_run(db, key, lambda one: StoredResponse(201, {}, 'another')).body == 'another'


def test_another_request_with_the_key_is_refused(
    db: Session, viewer: Viewer, key: RequestKey, publish: Respond
) -> None:
    replay_or_run(db, key, publish)
    with pytest.raises(KeyReused):
        replay_or_run(db, key_for(db, viewer, b'something else'), publish)
    assert count_posts(db) == 1


def test_answers_go_with_the_account_that_asked(
    db: Session, viewer: Viewer, key: RequestKey, publish: Respond
) -> None:
    replay_or_run(db, key, publish)
    delete_user(db, viewer.user_id, by=viewer, precondition=lambda user: None)
    assert count_keys(db) == 0


def test_a_fingerprint_that_may_hold_secrets_is_as_costly_as_a_password_hash(db: Session) -> None:
    key = make_key(db, 'k', target='POST /', request=b'password', user_id=None, may_hold_secrets=True)
    assert key.fingerprint.startswith('$2b$04$')


# What a process does that is killed between its effect and its commit.
KILLED = """
import json, os, signal, sys
from service.config import Settings
from service.domain.idempotency import RequestKey, replay_or_run
from service.domain.posts import publish_post
from service.domain.startup import open_session
from service.domain.viewer import Viewer

url, now, key, viewer = json.loads(sys.argv[1])
db = open_session(Settings.from_environment({'DATABASE_URL': url}), lambda: now)

def respond(one):
    print(publish_post(one, body='hello', by=Viewer(*viewer)).body, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

replay_or_run(db, RequestKey(*key), respond)
"""


def test_a_process_killed_before_the_commit_leaves_no_effect(
    db: Session, key: RequestKey, viewer: Viewer, publish: Respond, clock: MovableClock
) -> None:
    arguments = json.dumps([db.settings.database_url, clock.now, key, viewer])
    killed = subprocess.run(
        [sys.executable, '-c', KILLED, arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, 'hello\n'), killed.stderr
    assert count_posts(db) == 0
    clock.move(seconds=CLAIM_SECONDS)
    assert replay_or_run(db, key, publish).status == 201
    assert count_posts(db) == 1
