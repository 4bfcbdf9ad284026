"""Stores: opening, finding, changing and closing them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import peewee

from service.database.compiled import CompiledQuery, RecordsByKey, bindparam, insert_into
from service.database.errors import ConstraintViolation
from service.database.pagination import Page, PageRequest, SortKey, in_every_order, page_of
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.errors import Conflict, NotFound
from service.domain.models import Item, Store
from service.domain.sharded_counters import add_to_total, read_total
from service.domain.text import casefolded
from service.domain.users import UserRecord
from service.domain.viewer import (
    CreationCheck,
    Viewer,
    authorize_change,
    authorize_write,
    check_creation,
    is_writer,
)

MAX_NAME_LENGTH = 80
MAX_OWNED = 20
ORDERS = ('name', 'created_at')
NEWEST_FIRST = '-created_at'


class StoreRecord(NamedTuple):
    """A store; times are UTC milliseconds."""

    id: int
    owner_id: int
    name: str
    item_count: int
    created_at: int

    def is_editable_by(self, viewer: Viewer | None) -> bool:
        """Return whether the viewer may change and delete the store, and add items."""
        return is_writer(viewer, self.owner_id)


_COLUMNS = tuple(getattr(Store, name) for name in StoreRecord._fields)
_SELECT = Store.select(*_COLUMNS).where(Store.id == bindparam('store_id'))
_KEYS = {'name': SortKey(Store.name_key, str), 'created_at': SortKey(Store.id)}
_FIND = CompiledQuery(_SELECT)
_FIND_MANY = RecordsByKey(Store.select(), Store.id, _COLUMNS, StoreRecord._make)
_LOCK = CompiledQuery(_SELECT, for_update=True)
_ALL = in_every_order(Store.select(), _COLUMNS, StoreRecord._make, _KEYS)
_OF_OWNER = in_every_order(
    Store.select().where(Store.owner == bindparam('owner_id')), _COLUMNS, StoreRecord._make, _KEYS
)
_COUNT = CompiledQuery(Store.select(peewee.fn.COUNT(Store.id)).where(Store.owner == bindparam('owner_id')))
_INSERT = insert_into(Store)
_UPDATE = CompiledQuery(
    Store.update({Store.name: bindparam('name'), Store.name_key: bindparam('name_key')}).where(
        Store.id == bindparam('store_id')
    )
)
_DELETE = CompiledQuery(Store.delete().where(Store.id == bindparam('store_id')))
_COUNT_OWNED = CompiledQuery(
    Store.select(peewee.fn.COUNT(Store.id), peewee.fn.COALESCE(peewee.fn.SUM(Store.item_count), 0)).where(
        Store.owner == bindparam('owner_id')
    )
)
_FIND_OWNED = CompiledQuery(
    Store.select(Store.id, Item.id)
    .join(Item, peewee.JOIN.LEFT_OUTER, on=(Item.store == Store.id))
    .where(Store.owner == bindparam('owner_id'))
    .order_by(Store.id, Item.id)
    .limit(MAX_OWNED)
)


@contextmanager
def unique_names() -> Iterator[None]:
    """Raise Conflict if a unique constraint rejects a name."""
    try:
        yield
    except ConstraintViolation as error:
        if error.constraint not in ('stores_name', 'items_name'):
            raise
        raise Conflict([('name', 'is taken')]) from error


def find_store(session: Session, store_id: int, *, query: CompiledQuery = _FIND) -> StoreRecord:
    """Return the store; raises NotFound."""
    row = query.first(session, store_id=store_id)
    if row is None:
        raise NotFound('There is no such store.')
    return StoreRecord._make(row)


def find_stores(session: Session, store_ids: Sequence[int]) -> dict[int, StoreRecord]:
    """Return the existing stores with these ids."""
    return _FIND_MANY.find(session, store_ids)


def list_stores(session: Session, request: PageRequest, *, owner_id: int | None = None) -> Page:
    """Return a page of all stores, or those of the owner, in one of ORDERS, by default the newest first.

    Ids grow with time, so stores are ordered by id instead of time.
    """
    order = request.order or NEWEST_FIRST
    if request.ids is not None:
        found = find_stores(session, request.ids).values()
        stores = (store for store in found if owner_id in (None, store.owner_id))
        is_by_name = order.endswith('name')
        keyed = ((casefolded(store.name) if is_by_name else store.id, store) for store in stores)
        return page_of(keyed, request, newest_first=order.startswith('-'))
    if owner_id is None:
        return _ALL[order].page(session, request, read_total(session, 'stores'))
    total = _COUNT.first(session, owner_id=owner_id)[0]
    return _OF_OWNER[order].page(session, request, total, owner_id=owner_id)


@unique_names()
@transaction
def open_store(session: Session, *, name: str, by: Viewer, precondition: CreationCheck = None) -> StoreRecord:
    """Open a store that the viewer owns and return it.

    Raises Conflict if the name is taken, and what `precondition` raises.
    """
    check_creation(session, by, precondition, 'stores')
    authorize_write(session, by)
    store = StoreRecord(session.new_id(), by.user_id, name, 0, session.now())
    _INSERT.run(session, name_key=casefolded(name), **store._asdict())
    add_to_total(session, 'stores', 1)
    return store


@unique_names()
@transaction
def change_store(
    session: Session,
    store_id: int,
    changes: dict[str, Any],
    *,
    by: Viewer,
    precondition: Callable[[StoreRecord], None],
) -> StoreRecord:
    """Change the store's `name` if present in `changes`, and return the changed store.

    `precondition` is called with the locked store (RFC 9110 §13.1.1). Raises NotFound, Forbidden, what
    `precondition` raises, and Conflict if the name is taken.
    """
    store = lock_store(session, store_id)
    authorize_change(session, store, by, precondition)
    changed = store._replace(**changes)
    _UPDATE.run(session, store_id=store_id, name=changed.name, name_key=casefolded(changed.name))
    return changed


@transaction
def close_store(
    session: Session, store_id: int, *, by: Viewer, precondition: Callable[[StoreRecord], None]
) -> None:
    """Delete the store with its items; raises NotFound, Forbidden, and what `precondition` raises."""
    store = lock_store(session, store_id)
    authorize_change(session, store, by, precondition)
    _DELETE.run(session, store_id=store_id)
    add_to_total(session, 'stores', -1)
    add_to_total(session, 'items', -store.item_count)


def uncount_stores(session: Session, user: UserRecord) -> None:
    """Correct the numbers of all stores and items, before the account is deleted with its stores."""
    stores, items = _COUNT_OWNED.first(session, owner_id=user.id)
    add_to_total(session, 'stores', -stores)
    add_to_total(session, 'items', -int(items))


def find_owned(session: Session, owner_id: int) -> tuple[list[int], list[int]]:
    """Return the ids of the first stores and items of a user, at most MAX_OWNED of each."""
    rows = _FIND_OWNED.all(session, owner_id=owner_id)
    items = [item_id for _, item_id in rows if item_id is not None]
    return list(dict.fromkeys(store_id for store_id, _ in rows)), items


def lock_store(session: Session, store_id: int) -> StoreRecord:
    """Return the store, whose row stays locked until the transaction ends; raises NotFound."""
    return find_store(session, store_id, query=_LOCK)
