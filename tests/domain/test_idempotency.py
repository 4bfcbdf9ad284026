"""Idempotency keys: one effect and one answer, whatever happens in between."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import peewee
import pytest

from service.domain.database import Database
from service.domain.errors import Invalid, KeyInUse, KeyReused, Unavailable
from service.domain.idempotency import CLAIM_SECONDS, Answer, Key, answer_once, make_key
from service.domain.posts import publish_post
from service.domain.tokens import find_viewer, sign_in
from service.domain.users import delete_user, register_user
from service.domain.viewer import Viewer
from tests.clock import MovableClock

Respond = Callable[[Database], Answer]


@pytest.fixture
def viewer(db: Database) -> Viewer:
    register_user(db, username='ada', email='ada@example.org', password='correct horse')
    token = sign_in(db, username='ada', password='correct horse', user_agent=None)
    return find_viewer(db, token.secret)


@pytest.fixture
def key(db: Database, viewer: Viewer) -> Key:
    return key_for(db, viewer)


def key_for(db: Database, viewer: Viewer, request: bytes = b'hello') -> Key:
    return make_key(
        db, 'k', target='POST /api/posts', request=request, user_id=viewer.user_id, may_hold_secrets=False
    )


@pytest.fixture
def publish(viewer: Viewer) -> Respond:
    def publish(db: Database) -> Answer:
        post = publish_post(db, body='hello', by=viewer)
        return Answer(201, {'location': f'/{post.id}'}, post.body)

    return publish


def count_posts(db: Database) -> int:
    return int(db.execute('SELECT COUNT(*) FROM posts').fetchone()[0])


def closing(db: Database, do: Callable[[Database], Any]) -> Any:
    """Do it in a thread that leaves no connection behind."""
    try:
        return do(db)
    finally:
        db.close()


def count_keys(db: Database) -> int:
    return int(db.execute('SELECT COUNT(*) FROM idempotency_keys').fetchone()[0])


def test_a_retry_on_another_node_gets_the_first_answer(
    db: Database, open_node: Callable[[], Database], key: Key, publish: Respond
) -> None:
    first = answer_once(db, key, publish)
    assert answer_once(open_node(), key, publish) == first
    assert count_posts(db) == 1


def test_nothing_is_seen_of_the_effect_before_there_is_an_answer(
    db: Database, open_node: Callable[[], Database], key: Key, publish: Respond
) -> None:
    seen, other_node = [], open_node()

    def respond(one: Database) -> Answer:
        answer = publish(one)
        with ThreadPoolExecutor(1) as another_thread:
            seen.append(another_thread.submit(closing, other_node, count_posts).result())
        return answer

    answer_once(db, key, respond)
    assert seen == [0]
    assert count_posts(other_node) == 1


def test_what_fails_after_the_effect_undoes_it(db: Database, key: Key, publish: Respond) -> None:
    def respond(one: Database) -> Answer:
        publish(one)
        raise RuntimeError('rendering failed')

    with pytest.raises(RuntimeError):
        answer_once(db, key, respond)
    assert count_posts(db) == 0
    answer_once(db, key, publish)
    assert count_posts(db) == 1


def test_a_refusal_is_not_stored(db: Database, key: Key, publish: Respond) -> None:
    def refuse(one: Database) -> Answer:
        raise Invalid(detail='no')

    with pytest.raises(Invalid):
        answer_once(db, key, refuse)
    assert count_keys(db) == 0
    assert answer_once(db, key, publish).status == 201


def test_a_part_that_fails_and_is_made_good_can_still_be_answered(
    db: Database, key: Key, publish: Respond
) -> None:
    def respond(one: Database) -> Answer:
        with pytest.raises(Invalid):
            register_user(one, username='ADA', email='new@example.org', password='correct horse')
        return publish(one)

    answer_once(db, key, respond)
    assert count_posts(db) == 1


def test_a_simultaneous_request_is_told_to_wait(
    db: Database, open_node: Callable[[], Database], key: Key, publish: Respond
) -> None:
    def respond(one: Database) -> Answer:
        with pytest.raises(KeyInUse):
            answer_once(open_node(), key, publish)
        return publish(one)

    answer_once(db, key, respond)
    assert count_posts(db) == 1


class Killed(BaseException):
    """Stands for the end of the process."""


class Mortal(Database):
    """A database that nothing reaches any more once its process was killed."""

    def __init__(self, db: Database) -> None:
        vars(self).update(vars(db))
        self.is_dead = False

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        if self.is_dead:
            raise Killed
        return super().execute(sql, parameters)


def claim_and_die(db: Database, key: Key) -> None:
    mortal = Mortal(db)

    def die(one: Database) -> Answer:
        mortal.is_dead = True
        raise Killed

    with pytest.raises(Killed):
        answer_once(mortal, key, die)


def test_the_key_of_a_killed_request_can_be_used_again_soon(
    db: Database, key: Key, publish: Respond, clock: MovableClock
) -> None:
    claim_and_die(db, key)
    with pytest.raises(KeyInUse):
        answer_once(db, key, publish)
    clock.move(seconds=CLAIM_SECONDS)
    assert answer_once(db, key, publish).status == 201


def test_a_slow_request_whose_claim_lapsed_has_no_effect_beside_the_other(
    db: Database, open_node: Callable[[], Database], key: Key, publish: Respond, clock: MovableClock
) -> None:
    def respond_slowly(one: Database) -> Answer:
        clock.move(seconds=CLAIM_SECONDS)
        answer_once(open_node(), key, publish)
        return publish(one)

    with pytest.raises(KeyInUse):
        answer_once(db, key, respond_slowly)
    assert count_posts(db) == 1


def test_a_slow_request_whose_claim_lapsed_gives_way_to_the_one_that_has_it(
    db: Database, open_node: Callable[[], Database], key: Key, publish: Respond, clock: MovableClock
) -> None:
    is_claimed, may_go_on, other_node = Event(), Event(), open_node()

    def respond_later(one: Database) -> Answer:
        is_claimed.set()
        assert may_go_on.wait(10)
        return publish(one)

    def respond_slowly(one: Database) -> Answer:
        clock.move(seconds=CLAIM_SECONDS)
        others.append(pool.submit(closing, other_node, lambda db: answer_once(db, key, respond_later)))
        assert is_claimed.wait(10)
        return publish(one)

    others: list[Future[Answer]] = []
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(KeyInUse):
            answer_once(db, key, respond_slowly)
        may_go_on.set()
        assert others[0].result().status == 201
    assert count_posts(db) == 1


def test_a_claim_does_not_last_longer_when_the_clock_steps_back(
    db: Database, key: Key, publish: Respond, clock: MovableClock
) -> None:
    claim_and_die(db, key)
    clock.move(seconds=-3600)
    assert answer_once(db, key, publish).status == 201


def test_an_answer_is_still_repeated_when_the_clock_steps_back(
    db: Database, key: Key, publish: Respond, clock: MovableClock
) -> None:
    first = answer_once(db, key, publish)
    clock.move(seconds=-3600)
    assert answer_once(db, key, publish) == first


def crossed() -> peewee.OperationalError:
    """Return what the engine raises where a transaction may succeed when it is tried again."""
    engine_error = sqlite3.OperationalError('database is locked')
    engine_error.sqlite_errorname = 'SQLITE_BUSY_SNAPSHOT'
    refused = peewee.OperationalError(engine_error)
    refused.orig = engine_error
    return refused


class Crossed(Database):
    """A database that refuses commits for what other transactions did, as often as it is told to."""

    def __init__(self, db: Database) -> None:
        vars(self).update(vars(db))
        self.refusals = 0

    @contextmanager
    def atomically(self) -> Iterator[None]:
        is_whole = not self.engine.in_transaction()
        with super().atomically():
            yield
            if self.refusals and is_whole:
                self.refusals -= 1
                raise crossed()


def test_a_commit_that_is_refused_for_what_others_did_is_tried_again_whole(
    db: Database, key: Key, publish: Respond
) -> None:
    refusing, answers = Crossed(db), []

    def respond(one: Database) -> Answer:
        refusing.refusals = 2 - len(answers)
        answers.append(publish(one))
        return answers[-1]

    assert answer_once(refusing, key, respond) == answers[2]
    assert count_posts(db) == 1


class Speechless(Database):
    """A database that commits, and then breaks off before it says so, as often as it is told to."""

    def __init__(self, db: Database, cause: Exception) -> None:
        vars(self).update(vars(db))
        self.silences = 0
        self.cause = cause

    @contextmanager
    def atomically(self) -> Iterator[None]:
        with super().atomically():
            yield
        if self.silences and not self.engine.in_transaction():
            self.silences -= 1
            raise Unavailable('The connection broke.') from self.cause


def test_an_answer_that_was_committed_unheard_is_repeated(db: Database, key: Key, publish: Respond) -> None:
    speechless, answers = Speechless(db, OSError()), []

    def respond(one: Database) -> Answer:
        speechless.silences = 1
        answers.append(publish(one))
        return answers[-1]

    with pytest.raises(Unavailable):
        answer_once(speechless, key, respond)
    assert answer_once(db, key, publish) == answers[0]
    assert count_posts(db) == 1


def test_an_answer_that_was_committed_unheard_is_found_by_the_next_try(
    db: Database, key: Key, publish: Respond
) -> None:
    speechless, answers = Speechless(db, crossed()), []

    def respond(one: Database) -> Answer:
        speechless.silences = 1
        answers.append(publish(one))
        return answers[-1]

    assert answer_once(speechless, key, respond) == answers[0]
    assert len(answers) == count_posts(db) == 1


def test_an_answer_is_kept_for_a_day(db: Database, key: Key, publish: Respond, clock: MovableClock) -> None:
    first = answer_once(db, key, publish)
    clock.move(seconds=24 * 3600 - 60)
    assert answer_once(db, key, publish) == first
    clock.move(seconds=120)
    assert answer_once(db, key, lambda one: Answer(201, {}, 'another')).body == 'another'


def test_another_request_with_the_key_is_refused(
    db: Database, viewer: Viewer, key: Key, publish: Respond
) -> None:
    answer_once(db, key, publish)
    with pytest.raises(KeyReused):
        answer_once(db, key_for(db, viewer, b'something else'), publish)
    assert count_posts(db) == 1


def test_answers_go_with_the_account_that_asked(
    db: Database, viewer: Viewer, key: Key, publish: Respond
) -> None:
    answer_once(db, key, publish)
    delete_user(db, viewer.user_id, by=viewer, given=lambda user: None)
    assert count_keys(db) == 0


def test_a_fingerprint_that_may_hold_secrets_is_as_costly_as_a_password_hash(db: Database) -> None:
    key = make_key(db, 'k', target='POST /', request=b'password', user_id=None, may_hold_secrets=True)
    assert key.fingerprint.startswith('$2b$04$')


# What a process does that is killed between its effect and its commit.
KILLED = """
import json, os, signal, sys
from service.config import Settings
from service.domain.opening import open_database
from service.domain.idempotency import Key, answer_once
from service.domain.posts import publish_post
from service.domain.viewer import Viewer

url, now, key, viewer = json.loads(sys.argv[1])
db = open_database(Settings.from_environment({'DATABASE_URL': url}), lambda: now)

def respond(one):
    print(publish_post(one, body='hello', by=Viewer(*viewer)).body, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

answer_once(db, Key(*key), respond)
"""


def test_a_process_killed_before_the_commit_leaves_no_effect(
    db: Database, key: Key, viewer: Viewer, publish: Respond, clock: MovableClock
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
    assert answer_once(db, key, publish).status == 201
    assert count_posts(db) == 1
