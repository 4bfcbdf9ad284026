"""Idempotency keys: one effect and one response, whatever fails."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import Event
from typing import Any

import pytest

from service.database.errors import ErrorKind, Unavailable
from service.database.session import Session
from service.domain.accounts import delete_user
from service.domain.errors import Invalid, KeyInUse, KeyReused
from service.domain.idempotency import CLAIM_SECONDS, RequestKey, StoredResponse, make_key, replay_or_run
from service.domain.posts import publish_post
from service.domain.users import register_user
from service.domain.viewer import Viewer
from service.http.idempotency import MAX_STORED_BYTES
from tests.client import new_user
from tests.clock import MovableClock
from tests.domain.users import no_precondition, register
from tests.server import ROOT

Respond = Callable[[Session], StoredResponse]


@pytest.fixture
def viewer(db: Session) -> Viewer:
    return register(db, 'ada')


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


def call_and_close(db: Session, function: Callable[[Session], Any]) -> Any:
    """Call the function, and close the connection of this thread."""
    try:
        return function(db)
    finally:
        db.close()


def count_keys(db: Session) -> int:
    return int(db.execute('SELECT COUNT(*) FROM idempotency_keys').fetchone()[0])


def test_a_response_of_the_maximum_length_is_stored(db: Session, key: RequestKey) -> None:
    response = StoredResponse(201, {'location': '/1'}, 'ä' * (MAX_STORED_BYTES // 2))
    assert replay_or_run(db, key, lambda db: response) == response
    assert replay_or_run(db, key, lambda db: response) == response._replace(is_replayed=True)


def test_a_retry_on_another_node_gets_the_first_response(
    db: Session, open_node: Callable[[], Session], key: RequestKey, publish: Respond
) -> None:
    first = replay_or_run(db, key, publish)
    assert replay_or_run(open_node(), key, publish) == first._replace(is_replayed=True)
    assert count_posts(db) == 1


def test_the_effect_is_invisible_until_there_is_a_response(
    db: Session, open_node: Callable[[], Session], key: RequestKey, publish: Respond
) -> None:
    counts, other_node = [], open_node()

    def respond(session: Session) -> StoredResponse:
        response = publish(session)
        with ThreadPoolExecutor(1) as another_thread:
            counts.append(another_thread.submit(call_and_close, other_node, count_posts).result())
        return response

    replay_or_run(db, key, respond)
    assert counts == [0]
    assert count_posts(other_node) == 1


def test_a_failure_after_the_effect_rolls_it_back(db: Session, key: RequestKey, publish: Respond) -> None:
    def respond(session: Session) -> StoredResponse:
        publish(session)
        raise RuntimeError('rendering failed')

    with pytest.raises(RuntimeError):
        replay_or_run(db, key, respond)
    assert count_posts(db) == 0
    replay_or_run(db, key, publish)
    assert count_posts(db) == 1


def test_an_error_is_not_stored(db: Session, key: RequestKey, publish: Respond) -> None:
    def reject(session: Session) -> StoredResponse:
        raise Invalid(detail='no')

    with pytest.raises(Invalid):
        replay_or_run(db, key, reject)
    assert count_keys(db) == 0
    assert replay_or_run(db, key, publish).status == 201


def test_a_failed_savepoint_does_not_fail_the_request(db: Session, key: RequestKey, publish: Respond) -> None:
    def respond(session: Session) -> StoredResponse:
        with pytest.raises(Invalid):
            register_user(session, **new_user('ADA'))
        return publish(session)

    replay_or_run(db, key, respond)
    assert count_posts(db) == 1


def test_a_concurrent_request_is_rejected(
    db: Session, open_node: Callable[[], Session], key: RequestKey, publish: Respond
) -> None:
    def respond(session: Session) -> StoredResponse:
        with pytest.raises(KeyInUse):
            replay_or_run(open_node(), key, publish)
        return publish(session)

    replay_or_run(db, key, respond)
    assert count_posts(db) == 1


class Killed(BaseException):
    """Simulates that the process is killed."""


def claim_and_crash(node: Session, key: RequestKey) -> None:
    """Claim the key on a node whose process is then killed."""

    def fail(*arguments: Any) -> None:
        raise Killed

    def crash(session: Session) -> StoredResponse:
        node.engine.execute_sql = fail
        raise Killed

    with pytest.raises(Killed):
        replay_or_run(node, key, crash)


def test_the_claim_of_a_killed_process_expires(
    db: Session, open_node: Callable[[], Session], key: RequestKey, publish: Respond, clock: MovableClock
) -> None:
    claim_and_crash(open_node(), key)
    with pytest.raises(KeyInUse):
        replay_or_run(db, key, publish)
    clock.move(seconds=CLAIM_SECONDS)
    assert replay_or_run(db, key, publish).status == 201


def test_a_slow_request_has_no_effect_after_another_with_its_key(
    db: Session, open_node: Callable[[], Session], key: RequestKey, publish: Respond, clock: MovableClock
) -> None:
    def respond_slowly(session: Session) -> StoredResponse:
        clock.move(seconds=CLAIM_SECONDS)
        replay_or_run(open_node(), key, publish)
        return publish(session)

    with pytest.raises(KeyInUse):
        replay_or_run(db, key, respond_slowly)
    assert count_posts(db) == 1


def test_a_slow_request_yields_to_the_current_holder_of_its_claim(
    db: Session, open_node: Callable[[], Session], key: RequestKey, publish: Respond, clock: MovableClock
) -> None:
    is_claimed, may_continue, other_node = Event(), Event(), open_node()

    def respond_later(session: Session) -> StoredResponse:
        is_claimed.set()
        assert may_continue.wait(10)
        return publish(session)

    def respond_slowly(session: Session) -> StoredResponse:
        clock.move(seconds=CLAIM_SECONDS)
        futures.append(
            pool.submit(call_and_close, other_node, lambda db: replay_or_run(db, key, respond_later))
        )
        assert is_claimed.wait(10)
        return publish(session)

    futures: list[Future[StoredResponse]] = []
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(KeyInUse):
            replay_or_run(db, key, respond_slowly)
        may_continue.set()
        assert futures[0].result().status == 201
    assert count_posts(db) == 1


def test_a_clock_step_back_does_not_prolong_a_claim(
    db: Session, open_node: Callable[[], Session], key: RequestKey, publish: Respond, clock: MovableClock
) -> None:
    claim_and_crash(open_node(), key)
    clock.move(seconds=-3600)
    assert replay_or_run(db, key, publish).status == 201


def test_a_response_is_replayed_after_the_clock_steps_back(
    db: Session, key: RequestKey, publish: Respond, clock: MovableClock
) -> None:
    first = replay_or_run(db, key, publish)
    clock.move(seconds=-3600)
    assert replay_or_run(db, key, publish) == first._replace(is_replayed=True)


CONFLICT = Unavailable('The database is currently unavailable.', ErrorKind.CONFLICT)


def fail_commits(
    node: Session, publish: Respond, failures: Iterable[Unavailable], *, is_committed: bool
) -> tuple[Respond, list[StoredResponse]]:
    """Return a function that publishes, and its responses; its first commits raise the failures.

    They raise them after or before they take effect.
    """
    responses: list[StoredResponse] = []
    commit, remaining, imminent = node.engine.commit, iter(failures), list[Unavailable]()

    def respond(session: Session) -> StoredResponse:
        imminent.extend(islice(remaining, 1))
        responses.append(publish(session))
        return responses[-1]

    def fail() -> None:
        if is_committed or not imminent:
            commit()
        if imminent:
            raise imminent.pop()

    node.engine.commit = fail
    return respond, responses


def test_a_conflict_at_commit_is_retried_as_a_whole(db: Session, key: RequestKey, publish: Respond) -> None:
    respond, responses = fail_commits(db, publish, [CONFLICT, CONFLICT], is_committed=False)
    assert replay_or_run(db, key, respond) == responses[2]
    assert count_posts(db) == 1


def test_a_repeated_request_gets_the_response_of_an_unacknowledged_commit(
    db: Session, key: RequestKey, publish: Respond
) -> None:
    respond, responses = fail_commits(db, publish, [Unavailable('The connection broke.')], is_committed=True)
    with pytest.raises(Unavailable):
        replay_or_run(db, key, respond)
    assert replay_or_run(db, key, publish) == responses[0]._replace(is_replayed=True)
    assert count_posts(db) == 1


def test_a_retried_transaction_gets_the_response_of_its_unacknowledged_commit(
    db: Session, key: RequestKey, publish: Respond
) -> None:
    respond, responses = fail_commits(db, publish, [CONFLICT], is_committed=True)
    assert replay_or_run(db, key, respond) == responses[0]
    assert len(responses) == count_posts(db) == 1


def test_a_response_is_kept_for_a_day(
    db: Session, key: RequestKey, publish: Respond, clock: MovableClock
) -> None:
    first = replay_or_run(db, key, publish)
    clock.move(seconds=24 * 3600 - 60)
    assert replay_or_run(db, key, publish) == first._replace(is_replayed=True)
    clock.move(seconds=120)
    assert replay_or_run(db, key, lambda session: StoredResponse(201, {}, 'another')).body == 'another'


def test_a_key_reused_for_another_request_is_rejected(
    db: Session, viewer: Viewer, key: RequestKey, publish: Respond
) -> None:
    replay_or_run(db, key, publish)
    with pytest.raises(KeyReused):
        replay_or_run(db, key_for(db, viewer, b'something else'), publish)
    assert count_posts(db) == 1


def test_responses_are_deleted_with_the_account(
    db: Session, viewer: Viewer, key: RequestKey, publish: Respond
) -> None:
    replay_or_run(db, key, publish)
    delete_user(db, viewer.user_id, by=viewer, precondition=no_precondition)
    assert count_keys(db) == 0


def test_a_fingerprint_of_secrets_costs_a_password_hash(db: Session) -> None:
    key = make_key(db, 'k', target='POST /', request=b'password', user_id=None, may_hold_secrets=True)
    assert key.fingerprint.startswith('$2b$04$')


# A process that is killed between its effect and its commit.
KILLED_PROCESS = """
import json, os, signal, sys
from service.config import Settings
from service.domain.idempotency import RequestKey, replay_or_run
from service.domain.posts import publish_post
from service.domain.startup import open_session
from service.domain.viewer import Viewer

url, now, key, viewer = json.loads(sys.argv[1])
db = open_session(Settings.from_environment({'DATABASE_URL': url}), lambda: now)

def respond(session):
    print(publish_post(session, body='hello', by=Viewer(*viewer)).body, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

replay_or_run(db, RequestKey(*key), respond)
"""


def test_a_process_killed_before_the_commit_leaves_no_effect(
    db: Session, key: RequestKey, viewer: Viewer, publish: Respond, clock: MovableClock
) -> None:
    arguments = json.dumps([db.settings.database_url, clock.now, key, viewer])
    process = subprocess.run(
        [sys.executable, '-c', KILLED_PROCESS, arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )
    assert (process.returncode, process.stdout) == (-signal.SIGKILL, 'hello\n'), process.stderr
    assert count_posts(db) == 0
    clock.move(seconds=CLAIM_SECONDS)
    assert replay_or_run(db, key, publish).status == 201
    assert count_posts(db) == 1
