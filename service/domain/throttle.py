"""Throttling: limits on the number of attempts in a time, counted by the database for all nodes together.

Each attempt occupies one of the limit's slots for its subject until it expires. The unique constraint admits
one attempt to a slot, so the count is exact on every engine and in any interval, and the rows are bounded.
Nothing frees a slot early: a correct password does not reset the count, so the owner of one account cannot
buy attempts on others with it. Rejected attempts are not counted, so a lockout ends by itself.

A subject is stored as a digest. An existing user is counted by id and an unknown name by itself: both are
throttled alike, and renaming an account gains nothing.
"""

import hashlib
import random
from collections.abc import Sequence
from typing import NamedTuple

from service.database.compiled import CompiledQuery, bindparam, insert_into
from service.database.errors import ConstraintViolation
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.errors import Throttled
from service.domain.models import Attempt
from service.domain.text import casefolded

MAX_CLOCK_SKEW_SECONDS = 60  # an attempt from further in the future does not count


class RateLimit(NamedTuple):
    """A number of attempts in a number of seconds."""

    name: str
    attempts: int
    seconds: int


ACCOUNT = RateLimit('account', 10, 900)
ADDRESS = RateLimit('address', 100, 900)
REGISTRATION = RateLimit('registration', 1000, 3600)


class Subject(NamedTuple):
    """An account or an IP address whose attempts are counted against a limit; `digest` identifies it."""

    limit: RateLimit
    digest: str


_FIND_TAKEN = CompiledQuery(
    Attempt.select(Attempt.place, Attempt.expires_at).where(
        (Attempt.digest == bindparam('digest'))
        & (Attempt.expires_at > bindparam('now'))
        & (Attempt.expires_at <= bindparam('latest'))
    )
)
_DELETE_EXPIRED = CompiledQuery(
    Attempt.delete().where(
        (Attempt.digest == bindparam('digest'))
        & ((Attempt.expires_at <= bindparam('now')) | (Attempt.expires_at > bindparam('latest')))
    )
)
_INSERT = insert_into(Attempt)


def sign_in_subjects(user_id: int | None, username: str, address: str | None) -> tuple[Subject, ...]:
    """Return what a failed sign-in counts against: the account, and the client's IP address if any."""
    account = _subject(ACCOUNT, f'name {casefolded(username)}' if user_id is None else f'user {user_id}')
    return (account,) if address is None else (account, _subject(ADDRESS, address))


def registration_subjects(address: str | None) -> tuple[Subject, ...]:
    """Return what a registration counts against: the client's IP address if any."""
    return () if address is None else (_subject(REGISTRATION, address),)


def _subject(limit: RateLimit, identity: str) -> Subject:
    text = f'{limit.name} {identity}'
    return Subject(limit, hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest())


def check_limits(session: Session, subjects: Sequence[Subject]) -> None:
    """Raise Throttled if any subject has no attempt left."""
    _taken_slots(session, subjects, session.now())


def count_attempt(session: Session, subjects: Sequence[Subject]) -> None:
    """Count one attempt against all subjects; raises Throttled, and counts nothing, if any has none left."""
    for _ in range(sum(subject.limit.attempts for subject in subjects)):
        try:
            _insert_attempt(session.autonomous, subjects)
        except ConstraintViolation:
            continue  # a concurrent attempt took the same slot
        for limit, _ in subjects:
            session.instrumentation.attempt_counted(limit.name)
        return None
    return check_limits(session, subjects)


@transaction
def _insert_attempt(session: Session, subjects: Sequence[Subject]) -> None:
    now = session.now()
    for (limit, digest), taken in _taken_slots(session, subjects, now):
        _DELETE_EXPIRED.run(session, digest=digest, now=now, latest=_latest(limit, now))
        slot = random.choice([*set(range(limit.attempts)).difference(taken)])
        expires_at = now + limit.seconds * 1000
        _INSERT.run(session, id=session.new_id(), digest=digest, place=slot, expires_at=expires_at)


def _taken_slots(
    session: Session, subjects: Sequence[Subject], now: int
) -> list[tuple[Subject, dict[int, int]]]:
    """Return the taken slots of each subject, with the times when they expire; raises Throttled."""
    taken_slots, waits = [], {}
    for subject in subjects:
        limit, digest = subject
        taken = dict(_FIND_TAKEN.all(session, digest=digest, now=now, latest=_latest(limit, now)))
        taken_slots.append((subject, taken))
        if len(taken) >= limit.attempts:
            waits[limit.name] = min(limit.seconds, -(-(min(taken.values()) - now) // 1000))
    for name in waits:
        session.instrumentation.request_throttled(name)
    if waits:
        raise Throttled(max(waits.values()))
    return taken_slots


def _latest(limit: RateLimit, now: int) -> int:
    return now + (limit.seconds + MAX_CLOCK_SKEW_SECONDS) * 1000
