"""Throttling: rate limits on attempts, counted in the database for all nodes together.

Each attempt occupies one of the limit's slots for its subject until it expires. The unique constraint admits
one attempt per slot, so the count is exact on every engine and in any interval, and the rows are bounded.
A correct password does not free slots, so the owner of one account cannot use it to gain attempts on others.
Rejected attempts are not counted, so a lockout ends by itself. Retries that get a stored response are not
counted either.

A subject is stored as a digest. Attempts on an existing user are counted by id, those on an unknown user name
by that name: both are throttled equally, and renaming an account frees no slots.
"""

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from service.database.compiled import CompiledQuery, bindparam, insert_into
from service.database.errors import ConstraintViolation
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.errors import Throttled
from service.domain.models import Attempt
from service.domain.rate_limits import Quota, Quotas, RateLimit
from service.domain.text import casefolded, digest_of

MAX_CLOCK_SKEW_SECONDS = 7200  # an attempt from further in the future does not count

ACCOUNT = RateLimit('account', 10, 900)
ADDRESS = RateLimit('address', 100, 900)
REGISTRATION = RateLimit('registration', 1000, 3600)
PASSWORD_RESET = RateLimit('password-reset', 100, 3600)  # of an IP address
PASSWORD_RESET_EMAIL = RateLimit('password-reset-email', 5, 3600)  # of an email address
EMAIL_VERIFICATION = RateLimit('email-verification', 5, 3600)  # of a user
RATE_LIMITS = (ACCOUNT, ADDRESS, REGISTRATION, PASSWORD_RESET, PASSWORD_RESET_EMAIL, EMAIL_VERIFICATION)
SIGN_IN = (ACCOUNT, ADDRESS)


class Subject(NamedTuple):
    """An account, IP address or email address whose attempts are counted; `digest` identifies it."""

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
_DELETE = CompiledQuery(Attempt.delete().where(Attempt.id == bindparam('attempt_id')))


def sign_in_subjects(user_id: int | None, username: str, address: str | None) -> tuple[Subject, ...]:
    """Return the subjects of a failed sign-in: the account, and the client's IP address if it has one."""
    account = _subject(ACCOUNT, f'name {casefolded(username)}' if user_id is None else f'user {user_id}')
    return (account, *address_subjects((ADDRESS,), address))


def reset_email_subjects(email: str) -> tuple[Subject, ...]:
    """Return the subjects of a request to reset the password of an email address: that address."""
    return (_subject(PASSWORD_RESET_EMAIL, casefolded(email)),)


def verification_subjects(user_id: int) -> tuple[Subject, ...]:
    """Return the subjects of a request for another verification mail: the user."""
    return (_subject(EMAIL_VERIFICATION, f'user {user_id}'),)


def address_subjects(limits: Sequence[RateLimit], address: str | None) -> tuple[Subject, ...]:
    """Return the subjects of the limits that count by IP address, for this IP address; none without one."""
    if address is None:
        return ()
    return tuple(_subject(limit, address) for limit in limits if limit not in (ACCOUNT, EMAIL_VERIFICATION))


def _subject(limit: RateLimit, identity: str) -> Subject:
    return Subject(limit, digest_of(f'{limit.name} {identity}'))


def check_limits(session: Session, subjects: Sequence[Subject], quotas: Quotas | None = None) -> None:
    """Raise Throttled if any subject has no attempt left; `quotas` receives the remaining quotas."""
    _taken_slots(session, subjects, session.now(), quotas)


def count_attempt(
    session: Session, subjects: Sequence[Subject], quotas: Quotas | None = None
) -> tuple[int, ...]:
    """Count one attempt against all subjects, and return the ids of its rows, one for each subject.

    `quotas` receives the remaining quotas. Raises Throttled, and counts nothing, if any has none left.
    """
    for _ in range(sum(subject.limit.attempts for subject in subjects)):
        try:
            remaining, attempt_ids = _insert_attempt(session.autonomous, subjects)
        except ConstraintViolation:
            continue  # a concurrent attempt took the same slot
        for limit, _ in subjects:
            session.instrumentation.attempt_counted(limit.name)
        if quotas is not None:
            quotas |= remaining
        return attempt_ids
    check_limits(session, subjects, quotas)
    return ()


@transaction
def withdraw_attempt(session: Session, attempt_ids: Sequence[int]) -> None:
    """Free the slots of an attempt, which then no longer counts."""
    for attempt_id in attempt_ids:
        _DELETE.run(session, attempt_id=attempt_id)


@transaction
def _insert_attempt(session: Session, subjects: Sequence[Subject]) -> tuple[Quotas, tuple[int, ...]]:
    now = session.now()
    quotas = {}
    attempt_ids = tuple(session.new_id() for _ in subjects)
    taken_slots = _taken_slots(session, subjects, now)
    for attempt_id, ((limit, digest), taken) in zip(attempt_ids, taken_slots, strict=True):
        _DELETE_EXPIRED.run(session, digest=digest, now=now, latest=_latest(limit, now))
        slot = random.choice([*set(range(limit.attempts)).difference(taken)])
        expires_at = now + limit.seconds * 1000
        _INSERT.run(session, id=attempt_id, digest=digest, place=slot, expires_at=expires_at)
        quotas[limit.name] = _quota(limit, {**taken, slot: expires_at}, now)
    return quotas, attempt_ids


def find_quotas(session: Session, subjects: Sequence[Subject]) -> Quotas:
    """Return the remaining quota of each limit."""
    now = session.now()
    return {
        subject.limit.name: _quota(subject.limit, _find_taken(session, subject, now), now)
        for subject in subjects
    }


def _taken_slots(
    session: Session, subjects: Sequence[Subject], now: int, quotas: Quotas | None = None
) -> list[tuple[Subject, dict[int, int]]]:
    """Return the taken slots of each subject, with the times when they expire; raises Throttled."""
    taken_slots = [(subject, _find_taken(session, subject, now)) for subject in subjects]
    remaining = {subject.limit.name: _quota(subject.limit, taken, now) for subject, taken in taken_slots}
    exhausted = [quota for quota in remaining.values() if not quota.remaining]
    for quota in exhausted:
        session.instrumentation.request_throttled(quota.limit.name)
    if quotas is not None:
        quotas |= remaining
    if exhausted:
        raise Throttled(max(quota.seconds for quota in exhausted), remaining)
    return taken_slots


def _find_taken(session: Session, subject: Subject, now: int) -> dict[int, int]:
    limit, digest = subject
    return dict(_FIND_TAKEN.all(session, digest=digest, now=now, latest=_latest(limit, now)))


def _quota(limit: RateLimit, taken: Mapping[int, int], now: int) -> Quota:
    """Return the quota that the taken slots leave; clock skew does not prolong the wait."""
    next_expiry = min(taken.values(), default=now)
    seconds = min(limit.seconds, -(-(next_expiry - now) // 1000))
    return Quota(limit, max(0, limit.attempts - len(taken)), seconds)


def _latest(limit: RateLimit, now: int) -> int:
    return now + (limit.seconds + MAX_CLOCK_SKEW_SECONDS) * 1000
