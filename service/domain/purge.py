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


_EXPIRING = {
    'tokens': _Expiring(Tokens, Tokens.id),
    'idempotency_keys': _Expiring(IdempotencyKeys, IdempotencyKeys.digest),
    'tries': _Expiring(Tries, Tries.id),
}


def purge(db: Database) -> bool:
    """Delete at most BATCH expired tokens, idempotency keys and counted tries each.

    Returns whether there may be more.
    """
    return max([_purge_table(db, expiring) for expiring in _EXPIRING.values()]) >= BATCH


def purge_all(db: Database) -> dict[str, int]:
    """Delete all that has expired, a BATCH in each transaction, and return how many rows by table."""
    purged = dict.fromkeys(_EXPIRING, 0)
    for table, expiring in _EXPIRING.items():
        while count := _purge_table(db, expiring):
            purged[table] += count
    return purged


@transaction
def _purge_table(db: Database, expiring: _Expiring) -> int:
    return expiring.delete_some(db)
