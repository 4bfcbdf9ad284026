"""Throttling: how many tries are allowed in how long, counted by the database for all nodes together.

A try that counts takes one of the places that its limit has for whoever is counted, and holds it for the
limit's time. The unique constraint gives a place to one try only, so the count is exact on every engine, in
any interval, and the rows are bounded. Nothing frees a place early: a right password does not forget the
wrong ones before it, so whoever owns one account cannot buy tries at others with it. Only tries that were
let through are counted, so a lock ends by itself, however hard somebody goes on trying.

Whoever is counted stands here as a digest. A user is counted by id, an unknown name by itself, so that both
are throttled alike and changing a name gains nothing.
"""

import hashlib
import random
from collections.abc import Sequence
from typing import NamedTuple

import peewee

from service.domain.database import Database, Statement, parameter, transaction
from service.domain.errors import Throttled
from service.domain.tables import Tries
from service.domain.text import fold

CLOCK_STEP_SECONDS = 60  # how far clocks may differ; a try from further in the future does not count


class Limit(NamedTuple):
    """So many tries in so many seconds."""

    name: str
    tries: int
    seconds: int


ACCOUNT = Limit('account', 10, 900)
ADDRESS = Limit('address', 100, 900)
REGISTRATION = Limit('registration', 1000, 3600)


class Counted(NamedTuple):
    """Whoever is counted against a limit."""

    limit: Limit
    digest: str


_HELD = Statement(
    Tries.select(Tries.place, Tries.expires_at).where(
        (Tries.digest == parameter('digest'))
        & (Tries.expires_at > parameter('now'))
        & (Tries.expires_at <= parameter('latest'))
    )
)
_FREE = Statement(
    Tries.delete().where(
        (Tries.digest == parameter('digest'))
        & ((Tries.expires_at <= parameter('now')) | (Tries.expires_at > parameter('latest')))
    )
)
_TAKE = Statement(Tries.insert({getattr(Tries, name): parameter(name) for name in Tries._columns}))


def sign_ins(user_id: int | None, username: str, address: str | None) -> tuple[Counted, ...]:
    """Return whom a failed sign-in counts against: the account, and the client's address if there is one."""
    account = _counted(ACCOUNT, f'name {fold(username)}' if user_id is None else f'user {user_id}')
    return (account,) if address is None else (account, _counted(ADDRESS, address))


def registrations(address: str | None) -> tuple[Counted, ...]:
    """Return whom a registration counts against: the client's address if there is one."""
    return () if address is None else (_counted(REGISTRATION, address),)


def _counted(limit: Limit, whom: str) -> Counted:
    text = f'{limit.name} {whom}'
    return Counted(limit, hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest())


def require_tries(db: Database, several: Sequence[Counted]) -> None:
    """Raise Throttled where any of them has no try left."""
    _held_places(db, several, db.now())


def count_try(db: Database, several: Sequence[Counted]) -> None:
    """Count one try against all of them; raises Throttled, counting nothing, where any has none left."""
    for _ in range(sum(counted.limit.tries for counted in several)):
        try:
            _count_try(db.apart, several)
        except peewee.IntegrityError:
            continue  # another try took that very place
        for limit, _ in several:
            db.observer.counted(limit.name)
        return None
    return require_tries(db, several)


@transaction
def _count_try(db: Database, several: Sequence[Counted]) -> None:
    now = db.now()
    for (limit, digest), held in _held_places(db, several, now):
        _FREE.run(db, digest=digest, now=now, latest=_latest(limit, now))
        place = random.choice([*set(range(limit.tries)).difference(held)])
        expires_at = now + limit.seconds * 1000
        _TAKE.run(db, id=db.new_id(), digest=digest, place=place, expires_at=expires_at)


def _held_places(db: Database, several: Sequence[Counted], now: int) -> list[tuple[Counted, dict[int, int]]]:
    """Return for each its places that are taken, with the time when they are free again; raises Throttled."""
    looked, waits = [], {}
    for counted in several:
        limit, digest = counted
        held = dict(_HELD.all(db, digest=digest, now=now, latest=_latest(limit, now)))
        looked.append((counted, held))
        if len(held) >= limit.tries:
            waits[limit.name] = min(limit.seconds, -(-(min(held.values()) - now) // 1000))
    for name in waits:
        db.observer.throttled(name)
    if waits:
        raise Throttled(max(waits.values()))
    return looked


def _latest(limit: Limit, now: int) -> int:
    return now + (limit.seconds + CLOCK_STEP_SECONDS) * 1000
