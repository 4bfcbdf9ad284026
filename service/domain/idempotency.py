"""Idempotency keys: a request takes effect once, and its first answer is repeated to whoever retries it.

A key is first claimed, in a transaction of its own: the unique constraint lets one of several simultaneous
requests have it, the others are told so. The write of the request then begins its transaction as always, but
that stays open until the answer is made; the answer goes into the key's row, and one commit makes both true.
So whatever is killed, and when: before the commit there is neither effect nor answer, and the claim lapses by
itself; after it there are both. A claim that lapsed while its holder was only slow does no harm, for the
holder's answer finds the row claimed by another and everything is rolled back.

Errors are not stored: where a request is refused nothing took effect, the claim is given back, and the retry
is judged anew. An answer is kept for 24 hours, and goes with the account that asked.

A stolen database must not help to guess a password from a stored fingerprint. What might contain one is
therefore hashed as slowly as passwords are.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple

import peewee

from service.domain.database import Database, Statement, parameter, transaction
from service.domain.errors import KeyInUse, KeyReused, Unavailable
from service.domain.passwords import slow_digest
from service.domain.tables import IdempotencyKeys as Keys

KEPT_SECONDS = 24 * 60 * 60
CLAIM_SECONDS = 10  # after which the holder is taken for dead
_IN_USE = 'A request with this Idempotency-Key is being worked on.'


class Key(NamedTuple):
    """What is stored of an idempotency key: digests of it with its scope, and of the request it came with.

    `user_id` is the caller, None for who is not signed in.
    """

    digest: str
    fingerprint: str
    user_id: int | None


class Answer(NamedTuple):
    """An answer as it is sent: its status, its headers by name, and its text."""

    status: int
    headers: Mapping[str, str]
    body: str


class _Row(NamedTuple):
    fingerprint: str
    claim: str
    expires_at: int
    status: int | None
    headers: str | None
    body: str | None

    def is_live(self, now: int) -> bool:
        """Whether the answer is kept, or the claim held; not by a holder from before a step of the clock."""
        latest = now + 2 * CLAIM_SECONDS * 1000
        return now < self.expires_at and (self.status is not None or self.expires_at < latest)

    @property
    def answer(self) -> Answer | None:
        """The answer, None while there is only a claim."""
        if self.status is None:
            return None
        lines = (self.headers or '').splitlines()
        return Answer(self.status, dict(line.split(': ', 1) for line in lines), self.body or '')


_IS_KEY = Keys.digest == parameter('digest')
_IS_MINE = _IS_KEY & (Keys.claim == parameter('claim')) & Keys.status.is_null()
_SELECT = Keys.select(*(getattr(Keys, name) for name in _Row._fields)).where(_IS_KEY)
_FIND = Statement(_SELECT)
_LOCK = Statement(_SELECT, lock=True)
_FORGET = Statement(Keys.delete().where(_IS_KEY))
_CLAIM = Statement(
    Keys.insert(
        {
            getattr(Keys, name): parameter(name)
            for name in ('digest', 'user_id', 'fingerprint', 'claim', 'expires_at')
        }
    )
)
_ANSWER = Statement(
    Keys.update(
        {getattr(Keys, name): parameter(name) for name in ('status', 'headers', 'body', 'expires_at')}
    ).where(_IS_MINE)
)
_RELEASE = Statement(Keys.delete().where(_IS_MINE))


def make_key(
    db: Database, key: str, *, target: str, request: bytes, user_id: int | None, may_hold_secrets: bool
) -> Key:
    """Return the key of a caller at a target (method and address), for a request in its one spelling.

    A key without a caller belongs to the request itself: with another request it is another key. With
    `may_hold_secrets` the fingerprint is as costly to try out as the hash of a password.
    """
    scope = f'{user_id}\n{target}\n{key}'.encode(errors='surrogatepass')
    fingerprint = hashlib.sha256(request).hexdigest()
    if may_hold_secrets:
        fingerprint = slow_digest(fingerprint, hashlib.sha256(scope).digest(), db.settings.bcrypt_cost)
    if user_id is None:
        scope += b'\n' + fingerprint.encode()
    return Key(hashlib.sha256(scope).hexdigest(), fingerprint, user_id)


def answer_once(db: Database, key: Key, respond: Callable[[Database], Answer]) -> Answer:
    """Return the answer that the key was given before, or have `respond` make it, once with its effect.

    `respond` gets the database that its write must go through, and may be called again where the engine
    refused that write. Raises KeyReused, KeyInUse, and what `respond` raises.
    """
    claim = secrets.token_hex(16)
    try:
        known = _claim(db, key, claim)
    except peewee.IntegrityError:
        raise KeyInUse(_IN_USE) from None
    if known is not None:
        return known
    try:
        return _answer(_OneTransaction(db), key, claim, respond)
    except BaseException:
        with suppress(Unavailable):
            _release(db, key, claim)
        raise


@transaction
def _claim(db: Database, key: Key, claim: str) -> Answer | None:
    """Return the answer that the key has, or claim it; raises KeyReused, KeyInUse or IntegrityError."""
    now = db.now()
    row = _LOCK.one(db, digest=key.digest)
    if row is not None:
        known = _Row._make(row)
        if known.is_live(now):
            if known.fingerprint != key.fingerprint:
                raise KeyReused('This Idempotency-Key came with another request before.')
            if known.answer is None:
                raise KeyInUse(_IN_USE)
            return known.answer
        _FORGET.run(db, digest=key.digest)
    _CLAIM.run(db, **key._asdict(), claim=claim, expires_at=now + CLAIM_SECONDS * 1000)
    return None


@transaction
def _answer(db: Database, key: Key, claim: str, respond: Callable[[Database], Answer]) -> Answer:
    row = _FIND.one(db, digest=key.digest)
    known = _Row._make(row) if row is not None else None
    if known is not None and known.claim == claim and known.answer is not None:
        return known.answer  # an earlier try was committed after all, only the word of it was lost
    answer = respond(db)
    _record(db, key, claim, answer)
    return answer


@transaction
def _record(db: Database, key: Key, claim: str, answer: Answer) -> None:
    stored = {
        'status': answer.status,
        'headers': '\n'.join(f'{name}: {value}' for name, value in answer.headers.items()),
        'body': answer.body,
        'expires_at': db.now() + KEPT_SECONDS * 1000,
    }
    if not _ANSWER.count(db, digest=key.digest, claim=claim, **stored):
        raise KeyInUse(_IN_USE)  # the claim lapsed, and another request has it


@transaction
def _release(db: Database, key: Key, claim: str) -> None:
    _RELEASE.run(db, digest=key.digest, claim=claim)


class _OneTransaction(Database):
    """A database on which the transactions inside of one are parts of it: it begins with the first of them.

    So nothing is locked while a password is hashed. A part that fails is undone and may be tried again; a
    part that succeeds is committed with the whole.
    """

    def __init__(self, db: Database) -> None:
        vars(self).update(vars(db))
        self._db = db
        self._begun: ExitStack | None = None

    @property
    def apart(self) -> Database:
        return self._db

    @contextmanager
    def atomically(self) -> Iterator[None]:
        if self._begun is None:
            try:
                with ExitStack() as self._begun:
                    yield
            finally:
                self._begun = None
        elif self.engine.in_transaction():
            with self._db.atomically():
                yield
        else:
            with ExitStack() as part:
                part.enter_context(self._db.atomically())
                yield
                self._begun.push(part.pop_all())
