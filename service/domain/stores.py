"""Stores and their items."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NamedTuple

import peewee

from service.database.compiled import CompiledQuery, RowsByKey, add_to, bindparam, insert_into
from service.database.errors import ConstraintViolation
from service.database.pagination import (
    FirstPagePerOwner,
    Key,
    KeysetQuery,
    Page,
    PageRequest,
    SortKey,
    page_of,
)
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.errors import Conflict, NotFound
from service.domain.models import Item, Store
from service.domain.sharded_counters import add_to_total, read_total
from service.domain.text import casefolded
from service.domain.users import UserRecord
from service.domain.viewer import Viewer, authorize_write, is_writer, require_permission

MAX_NAME_LENGTH = 80
MAX_OWNED = 20
MAX_PRICE = Decimal('99999999.99')
STORE_ORDERS = ('name', 'created_at')
ITEM_ORDERS = ('name', 'price', 'created_at')
_NEWEST_FIRST = '-created_at'


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


class ItemRecord(NamedTuple):
    """An item of a store, with an exact price; times are UTC milliseconds."""

    id: int
    store_id: int
    store_name: str
    owner_id: int
    name: str
    price: Decimal
    created_at: int

    def is_editable_by(self, viewer: Viewer | None) -> bool:
        """Return whether the viewer may change and delete the item: the store's owner may."""
        return is_writer(viewer, self.owner_id)


def _make_item(row: Any) -> ItemRecord:
    item_id, store_id, store_name, owner_id, name, cents, created_at = row
    price = Decimal(cents).scaleb(-2)
    return ItemRecord(item_id, store_id, store_name, owner_id, name, price, created_at)


_STORE_COLUMNS = tuple(getattr(Store, name) for name in StoreRecord._fields)
_ITEM_COLUMNS = (
    Item.id,
    Item.store,
    Store.name.alias('store_name'),
    Store.owner,
    Item.name,
    Item.cents,
    Item.created_at,
)
_IS_OF_STORE = Store.id == Item.store
_ONE_STORE = Store.select(*_STORE_COLUMNS).where(Store.id == bindparam('store_id'))
_ONE_ITEM = Item.select(*_ITEM_COLUMNS).join(Store, on=_IS_OF_STORE).where(Item.id == bindparam('item_id'))


def _stores_in_every_order(source: Any) -> dict[str, KeysetQuery]:
    """Return the queries that list stores by each of STORE_ORDERS, also after a minus sign."""
    keys = {'name': SortKey(Store.name_key, str), 'created_at': SortKey(Store.id)}
    return _in_orders(source, _STORE_COLUMNS, StoreRecord._make, keys)


def _items_in_every_order(source: Any, name: SortKey) -> dict[str, KeysetQuery]:
    """Return the queries that list items by each of ITEM_ORDERS, also after a minus sign.

    With an inner join, MariaDB would read all stores and sort all items. Every item has a store.
    """
    return _in_orders(
        source.join(Store, peewee.JOIN.LEFT_OUTER, on=_IS_OF_STORE),
        _ITEM_COLUMNS,
        _make_item,
        {'name': name, 'price': SortKey((Item.cents, Item.id)), 'created_at': SortKey(Item.id)},
    )


def _in_orders(
    source: Any, columns: Sequence[Any], make: Callable[[Any], Any], keys: Mapping[str, SortKey]
) -> dict[str, KeysetQuery]:
    queries: dict[str, KeysetQuery] = {}
    for name, key in keys.items():
        queries |= key.queries(source, name, columns, make)
    return queries


_FIND_STORE = CompiledQuery(_ONE_STORE)
_FIND_STORES = RowsByKey(Store.select(), Store.id, _STORE_COLUMNS)
_LOCK_STORE = CompiledQuery(_ONE_STORE, for_update=True)
_ALL_STORES = _stores_in_every_order(Store.select())
_STORES_OF = _stores_in_every_order(Store.select().where(Store.owner == bindparam('owner_id')))
_COUNT_STORES_OF = CompiledQuery(
    Store.select(peewee.fn.COUNT(Store.id)).where(Store.owner == bindparam('owner_id'))
)
_INSERT_STORE = insert_into(Store)
_UPDATE_STORE = CompiledQuery(
    Store.update({Store.name: bindparam('name'), Store.name_key: bindparam('name_key')}).where(
        Store.id == bindparam('store_id')
    )
)
_COUNT_ITEM = add_to(Store.item_count)
_DELETE_STORE = CompiledQuery(Store.delete().where(Store.id == bindparam('store_id')))
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
_FIND_ITEM = CompiledQuery(_ONE_ITEM)
_FIND_ITEMS = RowsByKey(Item.select().join(Store, on=_IS_OF_STORE), Item.id, _ITEM_COLUMNS)
_FIRST_ITEMS = FirstPagePerOwner(
    Item.select().join(Store, on=_IS_OF_STORE).where(Item.store == bindparam('owner_id')),
    Store.id,
    Store.item_count,
    Item.id,
    _ITEM_COLUMNS,
    _make_item,
)
_LOCK_ITEM = CompiledQuery(_ONE_ITEM, for_update=True)
_ALL_ITEMS = _items_in_every_order(Item.select(), SortKey((Item.name_key, Item.id), str))
_ITEMS_OF = _items_in_every_order(
    Item.select().where(Item.store == bindparam('store_id')), SortKey(Item.name_key, str)
)
_INSERT_ITEM = insert_into(Item)
_UPDATE_ITEM = CompiledQuery(
    Item.update(
        {
            Item.name: bindparam('name'),
            Item.name_key: bindparam('name_key'),
            Item.cents: bindparam('cents'),
        }
    ).where(Item.id == bindparam('item_id'))
)
_DELETE_ITEM = CompiledQuery(Item.delete().where(Item.id == bindparam('item_id')))


@contextmanager
def _unique_names() -> Iterator[None]:
    """Raise Conflict if a unique constraint rejects a name."""
    try:
        yield
    except ConstraintViolation as error:
        if error.constraint not in ('stores_name', 'items_name'):
            raise
        raise Conflict([('name', 'is taken')]) from error


def find_store(session: Session, store_id: int, *, query: CompiledQuery = _FIND_STORE) -> StoreRecord:
    """Return the store; raises NotFound."""
    row = query.first(session, store_id=store_id)
    if row is None:
        raise NotFound('There is no such store.')
    return StoreRecord._make(row)


def find_stores(session: Session, store_ids: Sequence[int]) -> dict[int, StoreRecord]:
    """Return the existing stores with these ids."""
    rows = _FIND_STORES.find(session, store_ids)
    return {store_id: StoreRecord._make(row) for store_id, row in rows.items()}


def list_stores(
    session: Session,
    request: PageRequest,
    *,
    owner_id: int | None = None,
    ids: Sequence[int] | None = None,
    order: str = '',
) -> Page:
    """Return a page of all stores, or those of the owner, or those with the `ids`.

    The newest comes first, unless an `order` of STORE_ORDERS is requested. Ids grow with time, so stores are
    ordered by id instead of time.
    """
    order = order or _NEWEST_FIRST
    if ids is not None:
        stores = (store for store in find_stores(session, ids).values() if owner_id in (None, store.owner_id))
        is_by_name = order.endswith('name')
        keyed = ((casefolded(store.name) if is_by_name else store.id, store) for store in stores)
        return page_of(keyed, request, newest_first=order.startswith('-'))
    if owner_id is None:
        return _ALL_STORES[order].page(session, request, read_total(session, 'stores'))
    total = _COUNT_STORES_OF.first(session, owner_id=owner_id)[0]
    return _STORES_OF[order].page(session, request, total, owner_id=owner_id)


@_unique_names()
@transaction
def open_store(session: Session, *, name: str, by: Viewer) -> StoreRecord:
    """Open a store that the viewer owns and return it; raises Conflict if the name is taken."""
    authorize_write(session, by)
    store = StoreRecord(session.new_id(), by.user_id, name, 0, session.now())
    _INSERT_STORE.run(session, name_key=casefolded(name), **store._asdict())
    add_to_total(session, 'stores', 1)
    return store


@_unique_names()
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
    store = _lock_store(session, store_id, by)
    precondition(store)
    authorize_write(session, by)
    changed = store._replace(**changes)
    _UPDATE_STORE.run(session, store_id=store_id, name=changed.name, name_key=casefolded(changed.name))
    return changed


@transaction
def close_store(
    session: Session, store_id: int, *, by: Viewer, precondition: Callable[[StoreRecord], None]
) -> None:
    """Delete the store with its items; raises NotFound, Forbidden, and what `precondition` raises."""
    store = _lock_store(session, store_id, by)
    precondition(store)
    authorize_write(session, by)
    _DELETE_STORE.run(session, store_id=store_id)
    add_to_total(session, 'stores', -1)
    add_to_total(session, 'items', -store.item_count)


def uncount_stores(session: Session, user: UserRecord) -> None:
    """Correct the numbers of all stores and items, before the account is deleted with its stores."""
    stores, items = _COUNT_OWNED.first(session, owner_id=user.id)
    add_to_total(session, 'stores', -stores)
    add_to_total(session, 'items', -int(items))


def find_owned(session: Session, owner_id: int) -> tuple[list[int], list[int]]:
    """Return the ids of the first stores and items of a user, at most MAX_OWNED in total."""
    rows = _FIND_OWNED.all(session, owner_id=owner_id)
    items = [item_id for _, item_id in rows if item_id is not None]
    return list(dict.fromkeys(store_id for store_id, _ in rows)), items


def find_item(session: Session, item_id: int, *, query: CompiledQuery = _FIND_ITEM) -> ItemRecord:
    """Return the item; raises NotFound."""
    row = query.first(session, item_id=item_id)
    if row is None:
        raise NotFound('There is no such item.')
    return _make_item(row)


def find_items(session: Session, item_ids: Sequence[int]) -> dict[int, ItemRecord]:
    """Return the existing items with these ids."""
    return {item_id: _make_item(row) for item_id, row in _FIND_ITEMS.find(session, item_ids).items()}


def first_pages_of_items(session: Session, store_ids: Sequence[int], request: PageRequest) -> dict[int, Page]:
    """Return for each store the first page of its items, the newest first."""
    return _FIRST_ITEMS.pages(session, store_ids, request)


def list_items(
    session: Session,
    request: PageRequest,
    *,
    store_id: int | None = None,
    ids: Sequence[int] | None = None,
    order: str = '',
) -> Page:
    """Return a page of all items, or those of the store, or those with the `ids`.

    The newest comes first, unless an `order` of ITEM_ORDERS is requested. Ids grow with time, so items are
    ordered by id instead of time, and by id where their names or prices are equal.
    """
    order = order or _NEWEST_FIRST
    if ids is not None:
        items = (item for item in find_items(session, ids).values() if store_id in (None, item.store_id))
        keyed = ((_key_of_item(item, order.removeprefix('-')), item) for item in items)
        return page_of(keyed, request, newest_first=order.startswith('-'))
    if store_id is None:
        return _ALL_ITEMS[order].page(session, request, read_total(session, 'items'))
    store = find_stores(session, [store_id]).get(store_id)
    return list_items_of(session, store, request, order=order) if store else page_of((), request)


def list_items_of(
    session: Session,
    store: StoreRecord,
    request: PageRequest,
    *,
    ids: Sequence[int] | None = None,
    order: str = '',
) -> Page:
    """Return a page of the store's items, or those with the `ids`, as list_items does."""
    if ids is not None:
        return list_items(session, request, store_id=store.id, ids=ids, order=order)
    query = _ITEMS_OF[order or _NEWEST_FIRST]
    return query.page(session, request, store.item_count, store_id=store.id)


def _key_of_item(item: ItemRecord, order: str) -> Key:
    """Return the key of an item in an order of ITEM_ORDERS."""
    if order == 'name':
        return casefolded(item.name), item.id
    return (_cents(item.price), item.id) if order == 'price' else item.id


@_unique_names()
@transaction
def add_item(session: Session, store_id: int, *, name: str, price: Decimal, by: Viewer) -> ItemRecord:
    """Add an item to the store and return it.

    Raises NotFound, Forbidden, and Conflict if another item of the store has the name.
    """
    store = _lock_store(session, store_id, by)
    authorize_write(session, by)
    item = ItemRecord(
        session.new_id(), store_id, store.name, store.owner_id, name, _exact(price), session.now()
    )
    _INSERT_ITEM.run(
        session,
        id=item.id,
        store_id=store_id,
        name=name,
        name_key=casefolded(name),
        cents=_cents(price),
        created_at=item.created_at,
    )
    _COUNT_ITEM.run(session, id=store_id, change=1)
    add_to_total(session, 'items', 1)
    return item


@_unique_names()
@transaction
def change_item(
    session: Session,
    item_id: int,
    changes: dict[str, Any],
    *,
    by: Viewer,
    precondition: Callable[[ItemRecord], None],
) -> ItemRecord:
    """Change the item's `name` and `price` if present in `changes`, and return the changed item.

    `precondition` is called with the locked item (RFC 9110 §13.1.1). Raises NotFound, Forbidden, what
    `precondition` raises, and Conflict if another item of the store has the name.
    """
    item = _lock_item(session, item_id, by)
    precondition(item)
    authorize_write(session, by)
    changed = item._replace(**changes)
    cents = _cents(changed.price)
    _UPDATE_ITEM.run(
        session, item_id=item_id, name=changed.name, name_key=casefolded(changed.name), cents=cents
    )
    return changed._replace(price=_exact(changed.price))


@transaction
def delete_item(
    session: Session, item_id: int, *, by: Viewer, precondition: Callable[[ItemRecord], None]
) -> None:
    """Delete the item; raises NotFound, Forbidden, and what `precondition` raises for the locked item."""
    item = _lock_item(session, item_id, by)
    precondition(item)
    authorize_write(session, by)
    _DELETE_ITEM.run(session, item_id=item_id)
    _COUNT_ITEM.run(session, id=item.store_id, change=-1)
    add_to_total(session, 'items', -1)


def _lock_store(session: Session, store_id: int, by: Viewer) -> StoreRecord:
    store = find_store(session, store_id, query=_LOCK_STORE)
    require_permission(store.is_editable_by(by), by)
    return store


def _lock_item(session: Session, item_id: int, by: Viewer) -> ItemRecord:
    item = find_item(session, item_id, query=_LOCK_ITEM)
    require_permission(item.is_editable_by(by), by)
    return item


def _cents(price: Decimal) -> int:
    return int(price.scaleb(2))


def _exact(price: Decimal) -> Decimal:
    """Return the price as it is stored, with two decimals."""
    return Decimal(_cents(price)).scaleb(-2)
