"""Stores and their items: opening a store, filling it, changing and closing it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NamedTuple

import peewee

from service.domain.database import Database, Statement, parameter, transaction, violated
from service.domain.errors import Conflict, NotFound
from service.domain.paging import Listing, Page, Position
from service.domain.text import fold
from service.domain.totals import add_to_total, read_total
from service.domain.users import User, settles_deletion
from service.domain.viewer import Viewer, note_write, require

NAME_LENGTH = 80
LARGEST_PRICE = Decimal('99999999.99')

Stores: Any = peewee.Table('stores', ('id', 'owner_id', 'name', 'name_key', 'item_count', 'created_at'))
Items: Any = peewee.Table('items', ('id', 'store_id', 'name', 'name_key', 'cents', 'created_at'))


class Store(NamedTuple):
    """A store, which its owner fills; times are UTC milliseconds."""

    id: int
    owner_id: int
    name: str
    item_count: int
    created_at: int

    def is_editable_by(self, viewer: Viewer | None) -> bool:
        """Whether the viewer may fill, change and close the store."""
        return viewer is not None and viewer.user_id == self.owner_id


class Item(NamedTuple):
    """Something that a store has, at an exact price; times are UTC milliseconds."""

    id: int
    store_id: int
    owner_id: int
    name: str
    price: Decimal
    created_at: int

    def is_editable_by(self, viewer: Viewer | None) -> bool:
        """Whether the viewer may change and delete the item: the store's owner may."""
        return viewer is not None and viewer.user_id == self.owner_id


def _make_item(row: Any) -> Item:
    item_id, store_id, owner_id, name, cents, created_at = row
    return Item(item_id, store_id, owner_id, name, Decimal(cents).scaleb(-2), created_at)


_STORE = tuple(getattr(Stores, field) for field in Store._fields)
_ITEM = (Items.id, Items.store_id, Stores.owner_id, Items.name, Items.cents, Items.created_at)
_IN_STORES = Items.join(Stores, on=(Stores.id == Items.store_id))
_ONE_STORE = Stores.select(*_STORE).where(Stores.id == parameter('store_id'))
_ONE_ITEM = _IN_STORES.select(*_ITEM).where(Items.id == parameter('item_id'))

_FIND_STORE = Statement(_ONE_STORE)
_LOCK_STORE = Statement(_ONE_STORE, lock=True)
_LIST_STORES = Listing(Stores.select(Stores.id, *_STORE), Stores.id, Store._make)
_INSERT_STORE = Statement(Stores.insert({getattr(Stores, name): parameter(name) for name in Stores._columns}))
_CHANGE_STORE = Statement(
    Stores.update({Stores.name: parameter('name'), Stores.name_key: parameter('name_key')}).where(
        Stores.id == parameter('store_id')
    )
)
_COUNT_ITEM = Statement(
    Stores.update({Stores.item_count: Stores.item_count + parameter('change')}).where(
        Stores.id == parameter('store_id')
    )
)
_DELETE_STORE = Statement(Stores.delete().where(Stores.id == parameter('store_id')))
_OWNED = Statement(
    Stores.select(peewee.fn.COUNT(Stores.id), peewee.fn.COALESCE(peewee.fn.SUM(Stores.item_count), 0)).where(
        Stores.owner_id == parameter('owner_id')
    )
)

_FIND_ITEM = Statement(_ONE_ITEM)
_LOCK_ITEM = Statement(_ONE_ITEM, lock=True)
_LIST_ITEMS = Listing(_IN_STORES.select(Items.id, *_ITEM), Items.id, _make_item)
_LIST_ITEMS_OF = Listing(
    _IN_STORES.select(Items.id, *_ITEM).where(Items.store_id == parameter('store_id')), Items.id, _make_item
)
_INSERT_ITEM = Statement(Items.insert({getattr(Items, name): parameter(name) for name in Items._columns}))
_CHANGE_ITEM = Statement(
    Items.update(
        {
            Items.name: parameter('name'),
            Items.name_key: parameter('name_key'),
            Items.cents: parameter('cents'),
        }
    ).where(Items.id == parameter('item_id'))
)
_DELETE_ITEM = Statement(Items.delete().where(Items.id == parameter('item_id')))


def find_store(db: Database, store_id: int, *, statement: Statement = _FIND_STORE) -> Store:
    """Return the store; raises NotFound."""
    row = statement.one(db, store_id=store_id)
    if row is None:
        raise NotFound('There is no such store.')
    return Store._make(row)


def list_stores(db: Database, position: Position) -> Page:
    """Return a page of all stores, the newest first."""
    return _LIST_STORES.page(db, position, read_total(db, 'stores'))


def open_store(db: Database, *, name: str, by: Viewer) -> Store:
    """Open a store of the viewer's and return it; raises Conflict for a taken name."""
    with _unique_names():
        return _open_store(db, name, by)


@transaction
def _open_store(db: Database, name: str, by: Viewer) -> Store:
    note_write(db, by)
    store = Store(db.new_id(), by.user_id, name, 0, db.now())
    _INSERT_STORE.run(db, name_key=fold(name), **store._asdict())
    add_to_total(db, 'stores', 1)
    return store


def change_store(
    db: Database, store_id: int, changes: dict[str, Any], *, by: Viewer, given: Callable[[Store], None]
) -> Store:
    """Change the store's `name` where `changes` has it, and return the changed store.

    `given` is asked of the store as it is, in the same step (RFC 9110 §13.1.1). Raises NotFound, Forbidden,
    what `given` raises, and Conflict for a taken name.
    """
    with _unique_names():
        return _change_store(db, store_id, changes, by, given)


@transaction
def _change_store(
    db: Database, store_id: int, changes: dict[str, Any], by: Viewer, given: Callable[[Store], None]
) -> Store:
    store = _lock_store(db, store_id, by)
    given(store)
    note_write(db, by)
    changed = store._replace(**changes)
    _CHANGE_STORE.run(db, store_id=store_id, name=changed.name, name_key=fold(changed.name))
    return changed


@transaction
def close_store(db: Database, store_id: int, *, by: Viewer, given: Callable[[Store], None]) -> None:
    """Delete the store with its items; raises NotFound, Forbidden, and what `given` raises of it."""
    store = _lock_store(db, store_id, by)
    given(store)
    note_write(db, by)
    _DELETE_STORE.run(db, store_id=store_id)
    add_to_total(db, 'stores', -1)
    add_to_total(db, 'items', -store.item_count)


@settles_deletion
def settle_stores(db: Database, user: User) -> None:
    """Put right how many stores and items there are, before the account that owns some goes."""
    stores, items = _OWNED.one(db, owner_id=user.id)
    add_to_total(db, 'stores', -stores)
    add_to_total(db, 'items', -int(items))


def find_item(db: Database, item_id: int, *, statement: Statement = _FIND_ITEM) -> Item:
    """Return the item; raises NotFound."""
    row = statement.one(db, item_id=item_id)
    if row is None:
        raise NotFound('There is no such item.')
    return _make_item(row)


def list_items(db: Database, position: Position) -> Page:
    """Return a page of the items of all stores, the newest first."""
    return _LIST_ITEMS.page(db, position, read_total(db, 'items'))


def list_items_of(db: Database, store: Store, position: Position) -> Page:
    """Return a page of the store's items, the newest first."""
    return _LIST_ITEMS_OF.page(db, position, store.item_count, store_id=store.id)


def add_item(db: Database, store_id: int, *, name: str, price: Decimal, by: Viewer) -> Item:
    """Add an item to the store and return it; raises NotFound, Forbidden, and Conflict for a taken name."""
    with _unique_names():
        return _add_item(db, store_id, name, price, by)


@transaction
def _add_item(db: Database, store_id: int, name: str, price: Decimal, by: Viewer) -> Item:
    store = _lock_store(db, store_id, by)
    note_write(db, by)
    item_id = db.new_id()
    _INSERT_ITEM.run(
        db,
        id=item_id,
        store_id=store.id,
        name=name,
        name_key=fold(name),
        cents=_cents(price),
        created_at=db.now(),
    )
    _COUNT_ITEM.run(db, store_id=store_id, change=1)
    add_to_total(db, 'items', 1)
    return find_item(db, item_id)


def change_item(
    db: Database, item_id: int, changes: dict[str, Any], *, by: Viewer, given: Callable[[Item], None]
) -> Item:
    """Change the item's `name` and `price` where `changes` has them, and return the changed item.

    `given` is asked of the item as it is, in the same step (RFC 9110 §13.1.1). Raises NotFound, Forbidden,
    what `given` raises, and Conflict for a name that another item of the store has.
    """
    with _unique_names():
        return _change_item(db, item_id, changes, by, given)


@transaction
def _change_item(
    db: Database, item_id: int, changes: dict[str, Any], by: Viewer, given: Callable[[Item], None]
) -> Item:
    item = _lock_item(db, item_id, by)
    given(item)
    note_write(db, by)
    changed = item._replace(**changes)
    _CHANGE_ITEM.run(
        db, item_id=item_id, name=changed.name, name_key=fold(changed.name), cents=_cents(changed.price)
    )
    return find_item(db, item_id)


@transaction
def delete_item(db: Database, item_id: int, *, by: Viewer, given: Callable[[Item], None]) -> None:
    """Delete the item; raises NotFound, Forbidden, and what `given` raises of the item as it is."""
    item = _lock_item(db, item_id, by)
    given(item)
    note_write(db, by)
    _DELETE_ITEM.run(db, item_id=item_id)
    _COUNT_ITEM.run(db, store_id=item.store_id, change=-1)
    add_to_total(db, 'items', -1)


def _lock_store(db: Database, store_id: int, by: Viewer) -> Store:
    store = find_store(db, store_id, statement=_LOCK_STORE)
    require(store.is_editable_by(by))
    return store


def _lock_item(db: Database, item_id: int, by: Viewer) -> Item:
    item = find_item(db, item_id, statement=_LOCK_ITEM)
    require(item.is_editable_by(by))
    return item


def _cents(price: Decimal) -> int:
    return int(price.scaleb(2))


@contextmanager
def _unique_names() -> Iterator[None]:
    """Say Conflict where a unique constraint refuses a name."""
    try:
        yield
    except peewee.IntegrityError as error:
        if violated(error) not in ('stores_name', 'items_name'):
            raise
        raise Conflict([('name', 'is taken')]) from error
