"""How many there are of a thing, exactly, without counting them."""

import random
from typing import Any

import peewee

from service.domain.database import Database, Statement, parameter

SHARDS = 16

Totals: Any = peewee.Table('totals', ('thing', 'shard', 'amount'))

READ_TOTAL = Statement(
    Totals.select(peewee.fn.COALESCE(peewee.fn.SUM(Totals.amount), 0)).where(
        Totals.thing == parameter('thing')
    )
)
_ADD = Statement(
    Totals.update({Totals.amount: Totals.amount + parameter('change')}).where(
        (Totals.thing == parameter('thing')) & (Totals.shard == parameter('shard'))
    )
)
_START = Statement(
    Totals.insert(thing=parameter('thing'), shard=parameter('shard'), amount=parameter('change'))
)


def read_total(db: Database, thing: str) -> int:
    """Return how many there are of the thing."""
    return int(READ_TOTAL.one(db, thing=thing)[0])


def add_to_total(db: Database, thing: str, change: int) -> None:
    """Change how many there are of the thing, within the transaction that makes or deletes them."""
    place = {'thing': thing, 'shard': random.randrange(SHARDS), 'change': change}
    if not _ADD.count(db, **place):
        try:
            with db.atomically():
                _START.run(db, **place)
        except peewee.IntegrityError:  # another transaction started this shard meanwhile
            _ADD.run(db, **place)
