"""Purging: what has expired is deleted a little at a time, so that no table grows with what is over."""

from typing import Any

from service.domain.database import Database, Statement, parameter, transaction
from service.domain.tables import IdempotencyKeys, Tokens, Tries

BATCH = 100  # rows of a table in one transaction


class _Expiring:
    """A table with `expires_at`, whose rows are named by one column."""

    def __init__(self, table: Any, name: Any) -> None:
        over = table.expires_at <= parameter('now')
        self._find = Statement(table.select(name).where(over).order_by(table.expires_at).limit(BATCH))
        named = name.in_([parameter(f'name{number}') for number in range(BATCH)])
        self._delete = Statement(table.delete().where(named & over))

    def delete_some(self, db: Database) -> int:
        """Delete at most BATCH expired rows and return how many there were."""
        now = db.now()
        names = [name for (name,) in self._find.all(db, now=now)]
        if names:
            places = {f'name{number}': names[number % len(names)] for number in range(BATCH)}
            self._delete.run(db, now=now, **places)
        return len(names)


_EXPIRING = (
    _Expiring(Tokens, Tokens.id),
    _Expiring(IdempotencyKeys, IdempotencyKeys.digest),
    _Expiring(Tries, Tries.id),
)


def purge(db: Database) -> bool:
    """Delete at most BATCH expired tokens, idempotency keys and counted tries each.

    Returns whether there may be more.
    """
    return max([_purge_table(db, expiring) for expiring in _EXPIRING]) >= BATCH


@transaction
def _purge_table(db: Database, expiring: _Expiring) -> int:
    return expiring.delete_some(db)
