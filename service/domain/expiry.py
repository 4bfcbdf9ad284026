"""Expiry: deleting expired tokens, idempotency keys, attempts and mail links in small batches."""

from typing import Any

from service.database.compiled import CompiledQuery, bindparam
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.models import Attempt, IdempotencyKey, MailSecret, Token

BATCH_SIZE = 100  # rows of one table that one transaction deletes


class _ExpiringTable:
    """A table with `expires_at` and a primary key of one column."""

    def __init__(self, model: Any) -> None:
        key = model._meta.primary_key
        is_expired = model.expires_at <= bindparam('now')
        self._find = CompiledQuery(
            model.select(key).where(is_expired).order_by(model.expires_at).limit(BATCH_SIZE)
        )
        keys = key.in_([bindparam(f'key{number}') for number in range(BATCH_SIZE)])
        self._delete = CompiledQuery(model.delete().where(keys & is_expired))

    def delete_batch(self, session: Session) -> int:
        """Delete at most BATCH_SIZE expired rows and return their number; usually one SELECT finds none."""
        now = session.now()
        keys = [key for (key,) in self._find.all(session, now=now)]
        if keys:
            padded = {f'key{number}': keys[number % len(keys)] for number in range(BATCH_SIZE)}
            _run(session, self._delete, now=now, **padded)
        return len(keys)


@transaction
def _run(session: Session, /, query: CompiledQuery, **values: Any) -> None:
    query.run(session, **values)


_TABLES = {
    model._meta.table_name: _ExpiringTable(model) for model in (Token, IdempotencyKey, Attempt, MailSecret)
}


def purge(session: Session) -> bool:
    """Delete at most BATCH_SIZE expired tokens, idempotency keys, attempts and mail links each.

    Returns whether there may be more.
    """
    return max([table.delete_batch(session) for table in _TABLES.values()]) >= BATCH_SIZE


def purge_all(session: Session) -> dict[str, int]:
    """Delete everything that has expired, in batches, and return the number of rows by table."""
    purged = dict.fromkeys(_TABLES, 0)
    for name, table in _TABLES.items():
        while count := table.delete_batch(session):
            purged[name] += count
    return purged
