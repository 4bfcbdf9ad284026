"""Items of stores: adding, finding, changing and deleting them."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import peewee

from service.database.compiled import CompiledQuery, RecordsByKey, add_to, bindparam, insert_into
from service.database.pagination import (
    FirstPagePerOwner,
    Key,
    KeysetQuery,
    Page,
    PageRequest,
    SortKey,
    in_every_order,
    page_of,
)
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.errors import NotFound
from service.domain.models import Item, Store
from service.domain.sharded_counters import add_to_total, read_total
from service.domain.stores import NEWEST_FIRST, StoreRecord, find_stores, lock_store, unique_names
from service.domain.text import casefolded
from service.domain.viewer import (
    CreationCheck,
    Viewer,
    authorize_change,
    authorize_write,
    check_creation,
    is_writer,
    require_editable,
)

MAX_PRICE = Decimal('99999999.99')
ORDERS = ('name', 'price', 'created_at')


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


_COLUMNS = (
    Item.id,
    Item.store,
    Store.name.alias('store_name'),
    Store.owner,
    Item.name,
    Item.cents,
    Item.created_at,
)
_WITH_STORE = Store.id == Item.store
_SELECT = Item.select(*_COLUMNS).join(Store, on=_WITH_STORE).where(Item.id == bindparam('item_id'))


def _in_every_order(source: Any, name: SortKey) -> dict[str, KeysetQuery]:
    """Return the queries that list items by each of ORDERS, also after a minus sign.

    With an inner join, MariaDB would read all stores and sort all items. Every item has a store.
    """
    return in_every_order(
        source.join(Store, peewee.JOIN.LEFT_OUTER, on=_WITH_STORE),
        _COLUMNS,
        _make_item,
        {'name': name, 'price': SortKey((Item.cents, Item.id)), 'created_at': SortKey(Item.id)},
    )


_COUNT_ITEM = add_to(Store.item_count)
_FIND = CompiledQuery(_SELECT)
_FIND_MANY = RecordsByKey(Item.select().join(Store, on=_WITH_STORE), Item.id, _COLUMNS, _make_item)
_FIRST = FirstPagePerOwner(
    Item.select().join(Store, on=_WITH_STORE).where(Item.store == bindparam('owner_id')),
    Store.id,
    Store.item_count,
    Item.id,
    _COLUMNS,
    _make_item,
)
# PostgreSQL locks the rows of the first table first: the store, as its deletion does.
_LOCK = CompiledQuery(
    Store.select(*_COLUMNS).join(Item, on=_WITH_STORE).where(Item.id == bindparam('item_id')), for_update=True
)
_ALL = _in_every_order(Item.select(), SortKey((Item.name_key, Item.id), str))
_OF_STORE = _in_every_order(
    Item.select().where(Item.store == bindparam('store_id')), SortKey(Item.name_key, str)
)
_INSERT = insert_into(Item)
_UPDATE = CompiledQuery(
    Item.update(
        {
            Item.name: bindparam('name'),
            Item.name_key: bindparam('name_key'),
            Item.cents: bindparam('cents'),
        }
    ).where(Item.id == bindparam('item_id'))
)
_DELETE = CompiledQuery(Item.delete().where(Item.id == bindparam('item_id')))


def find_item(session: Session, item_id: int, *, query: CompiledQuery = _FIND) -> ItemRecord:
    """Return the item; raises NotFound."""
    row = query.first(session, item_id=item_id)
    if row is None:
        raise NotFound('There is no such item.')
    return _make_item(row)


def find_items(session: Session, item_ids: Sequence[int]) -> dict[int, ItemRecord]:
    """Return the existing items with these ids."""
    return _FIND_MANY.find(session, item_ids)


def first_pages_of_items(session: Session, store_ids: Sequence[int], request: PageRequest) -> dict[int, Page]:
    """Return for each store the first page of its items, the newest first."""
    return _FIRST.pages(session, store_ids, request)


def list_items(session: Session, request: PageRequest, *, store_id: int | None = None) -> Page:
    """Return a page of all items, or those of the store, in one of ORDERS, by default the newest first.

    Ids grow with time, so items are ordered by id instead of time, and by id where their names or prices are
    equal.
    """
    order = request.order or NEWEST_FIRST
    if request.ids is not None:
        found = find_items(session, request.ids).values()
        items = (item for item in found if store_id in (None, item.store_id))
        keyed = ((_key_of_item(item, order.removeprefix('-')), item) for item in items)
        return page_of(keyed, request, newest_first=order.startswith('-'))
    if store_id is None:
        return _ALL[order].page(session, request, read_total(session, 'items'))
    store = find_stores(session, [store_id]).get(store_id)
    return list_items_of(session, store, request) if store else page_of((), request)


def list_items_of(session: Session, store: StoreRecord, request: PageRequest) -> Page:
    """Return a page of the store's items, as list_items does."""
    if request.ids is not None:
        return list_items(session, request, store_id=store.id)
    query = _OF_STORE[request.order or NEWEST_FIRST]
    return query.page(session, request, store.item_count, store_id=store.id)


def _key_of_item(item: ItemRecord, order: str) -> Key:
    """Return the key of an item in an order of ORDERS."""
    if order == 'name':
        return casefolded(item.name), item.id
    return (_cents(item.price), item.id) if order == 'price' else item.id


@unique_names()
@transaction
def add_item(
    session: Session,
    store_id: int,
    *,
    name: str,
    price: Decimal,
    by: Viewer,
    precondition: CreationCheck = None,
) -> ItemRecord:
    """Add an item to the store and return it.

    Raises NotFound, Forbidden, Conflict if another item of the store has the name, and what `precondition`
    raises.
    """
    store = lock_store(session, store_id)
    require_editable(store, by)
    check_creation(session, by, precondition, 'items')
    authorize_write(session, by)
    item = ItemRecord(
        session.new_id(), store_id, store.name, store.owner_id, name, _exact(price), session.now()
    )
    _INSERT.run(
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


@unique_names()
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
    item = find_item(session, item_id, query=_LOCK)
    authorize_change(session, item, by, precondition)
    changed = item._replace(**changes)
    cents = _cents(changed.price)
    _UPDATE.run(session, item_id=item_id, name=changed.name, name_key=casefolded(changed.name), cents=cents)
    return changed._replace(price=_exact(changed.price))


@transaction
def delete_item(
    session: Session, item_id: int, *, by: Viewer, precondition: Callable[[ItemRecord], None]
) -> None:
    """Delete the item; raises NotFound, Forbidden, and what `precondition` raises for the locked item."""
    item = find_item(session, item_id, query=_LOCK)
    authorize_change(session, item, by, precondition)
    _DELETE.run(session, item_id=item_id)
    _COUNT_ITEM.run(session, id=item.store_id, change=-1)
    add_to_total(session, 'items', -1)


def _cents(price: Decimal) -> int:
    return int(price.scaleb(2))


def _exact(price: Decimal) -> Decimal:
    """Return the price as it is stored, with two decimals."""
    return Decimal(_cents(price)).scaleb(-2)
