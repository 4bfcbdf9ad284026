"""Sharded counters: exact totals without COUNT(*) and without one row that all writers wait for."""

import random

import peewee

from service.database.compiled import CompiledQuery, bindparam, insert_into
from service.database.errors import ConstraintViolation
from service.database.session import Session
from service.domain.models import Total

SHARDS = 16

_READ = CompiledQuery(
    Total.select(peewee.fn.COALESCE(peewee.fn.SUM(Total.amount), 0)).where(Total.thing == bindparam('thing'))
)
_ADD = CompiledQuery(
    Total.update({Total.amount: Total.amount + bindparam('amount')}).where(
        (Total.thing == bindparam('thing')) & (Total.shard == bindparam('shard'))
    )
)
_INSERT = insert_into(Total)
_LOCK = CompiledQuery(
    Total.select(Total.shard).where(Total.thing == bindparam('thing')).order_by(Total.shard), for_update=True
)


def read_total(session: Session, kind: str) -> int:
    """Return the number of resources of the kind, such as `users`."""
    return int(_READ.first(session, thing=kind)[0])


def lock_total(session: Session, kind: str) -> None:
    """Prevent others from changing the number of resources of the kind until the transaction ends."""
    _LOCK.all(session, thing=kind)


def add_to_total(session: Session, kind: str, amount: int) -> None:
    """Change the number of resources of the kind, within the transaction that creates or deletes them."""
    values = {'thing': kind, 'shard': random.randrange(SHARDS), 'amount': amount}
    if not _ADD.execute(session, **values):
        try:
            with session.atomic():
                _INSERT.run(session, **values)
        except ConstraintViolation:  # another transaction has inserted this shard
            _ADD.run(session, **values)
