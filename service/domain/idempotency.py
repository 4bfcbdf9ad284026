"""Idempotency keys: a request takes effect once, and a retry gets its first response.

A key is first claimed in its own transaction: the unique constraint admits one of several concurrent
requests, and the others get 409. The write of the request then begins its transaction as usual, but the
transaction stays open until the response is complete; the response is stored in the key's row, and one commit
makes both permanent. If the process is killed before the commit, neither takes effect, and the claim expires.
If a claim expires because the request is slow, and another request claims the key, the slow one is rolled
back.

Errors are not stored: a rejected request had no effect, its claim is released, and a retry is processed
again. A response is kept for 24 hours, and deleted with the account that sent the request.

The fingerprint of a request that may contain a password is as costly to compute as a password hash, so that
passwords are equally hard to guess from a stolen database.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from service.database.compiled import CompiledQuery, bindparam
from service.database.errors import ConstraintViolation, Unavailable
from service.database.session import Session
from service.database.transactions import deferred_transaction, transaction
from service.domain.errors import KeyInUse, KeyReused
from service.domain.models import IdempotencyKey
from service.domain.passwords import bcrypt_digest

MAX_AGE_SECONDS = 24 * 60 * 60
CLAIM_SECONDS = 10  # after which the process that holds the claim is assumed dead
_IN_USE = 'A request with this Idempotency-Key is being processed.'


class RequestKey(NamedTuple):
    """An idempotency key as it is stored: the `digest` of key and scope, the `fingerprint` of the request.

    `user_id` is None for an anonymous client.
    """

    digest: str
    fingerprint: str
    user_id: int | None


class StoredResponse(NamedTuple):
    """A response as it is sent: its status, its headers by name, and its text.

    `is_replayed` tells whether it is the response to an earlier request.
    """

    status: int
    headers: Mapping[str, str]
    body: str
    is_replayed: bool = False


class _Row(NamedTuple):
    fingerprint: str
    claim: str
    expires_at: int
    status: int | None
    headers: str | None
    body: str | None

    def is_live(self, now: int) -> bool:
        """Return whether the response is still stored, or the claim still held and not from the future."""
        latest = now + 2 * CLAIM_SECONDS * 1000
        return now < self.expires_at and (self.status is not None or self.expires_at < latest)

    @property
    def response(self) -> StoredResponse | None:
        """The response, None while there is only a claim."""
        if self.status is None:
            return None
        lines = (self.headers or '').splitlines()
        return StoredResponse(self.status, dict(line.split(': ', 1) for line in lines), self.body or '')


_HAS_DIGEST = IdempotencyKey.digest == bindparam('digest')
_IS_CLAIMED = _HAS_DIGEST & (IdempotencyKey.claim == bindparam('claim')) & IdempotencyKey.status.is_null()
_SELECT = IdempotencyKey.select(*(getattr(IdempotencyKey, name) for name in _Row._fields)).where(_HAS_DIGEST)
_FIND = CompiledQuery(_SELECT)
_LOCK = CompiledQuery(_SELECT, for_update=True)
_DELETE = CompiledQuery(IdempotencyKey.delete().where(_HAS_DIGEST))
_CLAIM = CompiledQuery(
    IdempotencyKey.insert(
        {
            getattr(IdempotencyKey, name): bindparam(name)
            for name in ('digest', 'user_id', 'fingerprint', 'claim', 'expires_at')
        }
    )
)
_STORE = CompiledQuery(
    IdempotencyKey.update(
        {
            getattr(IdempotencyKey, name): bindparam(name)
            for name in ('status', 'headers', 'body', 'expires_at')
        }
    ).where(_IS_CLAIMED)
)
_RELEASE = CompiledQuery(IdempotencyKey.delete().where(_IS_CLAIMED))


def make_key(
    session: Session, key: str, *, target: str, request: bytes, user_id: int | None, may_hold_secrets: bool
) -> RequestKey:
    """Return the key of a client at a target (method and URL), for a request in canonical form.

    For an anonymous client, the digest also depends on the request, so another request has another key. With
    `may_hold_secrets` the fingerprint is as costly to compute as a password hash.
    """
    scope = f'{user_id}\n{target}\n{key}'.encode(errors='surrogatepass')
    fingerprint = hashlib.sha256(request).hexdigest()
    if may_hold_secrets:
        fingerprint = bcrypt_digest(session, fingerprint, hashlib.sha256(scope).digest())
    if user_id is None:
        scope += b'\n' + fingerprint.encode()
    return RequestKey(hashlib.sha256(scope).hexdigest(), fingerprint, user_id)


def replay_or_run(
    session: Session, key: RequestKey, respond: Callable[[Session], StoredResponse]
) -> StoredResponse:
    """Return the response stored for the key, or call `respond` and store its response with its effect.

    `respond` is called with the session for its write, and again after a conflict. Raises KeyReused,
    KeyInUse, and what `respond` raises.
    """
    claim = secrets.token_hex(16)
    try:
        stored = _claim(session, key, claim)
    except ConstraintViolation:
        raise KeyInUse(_IN_USE) from None
    if stored is not None:
        return stored
    try:
        return _respond(session, key, claim, respond)
    except BaseException:
        with suppress(Unavailable):
            _release(session, key, claim)
        raise


@transaction
def _claim(session: Session, key: RequestKey, claim: str) -> StoredResponse | None:
    """Return the stored response, or claim the key; raises KeyReused, KeyInUse or ConstraintViolation."""
    now = session.now()
    values = _LOCK.first(session, digest=key.digest)
    if values is not None:
        row = _Row._make(values)
        if row.is_live(now):
            if row.fingerprint != key.fingerprint:
                raise KeyReused('This Idempotency-Key was used for another request.')
            if row.response is None:
                raise KeyInUse(_IN_USE)
            return row.response._replace(is_replayed=True)
        _DELETE.run(session, digest=key.digest)
    _CLAIM.run(session, **key._asdict(), claim=claim, expires_at=now + CLAIM_SECONDS * 1000)
    return None


@deferred_transaction
def _respond(
    session: Session, key: RequestKey, claim: str, respond: Callable[[Session], StoredResponse]
) -> StoredResponse:
    values = _FIND.first(session, digest=key.digest)
    row = _Row._make(values) if values is not None else None
    if row is not None and row.claim == claim and row.response is not None:
        return row.response  # an earlier attempt was committed, but not acknowledged
    response = respond(session)
    _store(session, key, claim, response)
    return response


@transaction
def _store(session: Session, key: RequestKey, claim: str, response: StoredResponse) -> None:
    values = {
        'status': response.status,
        'headers': '\n'.join(f'{name}: {value}' for name, value in response.headers.items()),
        'body': response.body,
        'expires_at': session.now() + MAX_AGE_SECONDS * 1000,
    }
    if not _STORE.execute(session, digest=key.digest, claim=claim, **values):
        raise KeyInUse(_IN_USE)  # the claim expired, and another request has it


@transaction
def _release(session: Session, key: RequestKey, claim: str) -> None:
    _RELEASE.run(session, digest=key.digest, claim=claim)
