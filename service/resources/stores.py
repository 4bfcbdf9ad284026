"""Store and item resources: representation, actions and responders."""

from decimal import Decimal
from typing import ClassVar

import falcon

from service import urls
from service.domain.stores import (
    MAX_NAME_LENGTH,
    MAX_PRICE,
    ItemRecord,
    StoreRecord,
    add_item,
    change_item,
    change_store,
    close_store,
    delete_item,
    find_item,
    find_store,
    list_items,
    list_items_of,
    list_stores,
    open_store,
)
from service.domain.viewer import Viewer, require_permission
from service.http.conditional import precondition
from service.http.operation import Access, Operation, Route, Samples
from service.http.request import Expansions, Request
from service.http.request_body import read_form
from service.representation.action import NOT_BLANK, Action, Field, Form
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.representation.queries import QueryOptions
from service.resources import sample_data
from service.resources.cache import cached
from service.resources.collection_pages import represent_listing, sample_page
from service.resources.module import EntryPointPart, LinkRelation
from service.resources.response_samples import sample_pages
from service.resources.responses import add_invalidation_links, apply_edit, respond_created
from service.resources.timestamps import represent_time
from service.resources.users import sample_user

_NAME = Field(
    'name',
    'Name',
    required=True,
    min_length=1,
    max_length=MAX_NAME_LENGTH,
    regex=NOT_BLANK,
    rule='must not be blank',
    trim=True,
)
_PRICE = Field(
    'price',
    'Price',
    type='number',
    required=True,
    regex=None,
    min='0.00',
    max=str(MAX_PRICE),
    step='0.01',
)
OPEN = Action('create', 'POST', 'Open a store', (_NAME,))
EDIT = Action('edit', 'PUT', 'Rename store', OPEN.optional('name'))
CLOSE = Action('delete', 'DELETE', 'Delete store')
ADD = Action('create', 'POST', 'Add an item', (_NAME, _PRICE))
EDIT_ITEM = Action('edit', 'PUT', 'Edit item', ADD.optional('name', 'price'))
DELETE_ITEM = Action('delete', 'DELETE', 'Delete item')


@cached
def represent_store(store: StoreRecord, viewer: Viewer | None, book: AddressBook) -> Document:
    """Return the store; its owner may change it."""
    here = book.link(urls.STORE, store_id=store.id)
    forms: tuple[Form, ...] = ()
    if store.is_editable_by(viewer):
        forms = (EDIT.at(here.href, {'name': store.name}), CLOSE.at(here.href))
    return Document(
        kind='stores',
        id=str(store.id),
        properties={
            'id': store.id,
            'name': store.name,
            'item_count': store.item_count,
            'created_at': represent_time(store.created_at),
        },
        links={
            'self': here,
            'curies': book.curies,
            'collection': book.link(urls.STORES),
            'hc:owner': book.link(urls.USER, user_id=store.owner_id),
            'hc:items': book.link(urls.STORE_ITEMS, store_id=store.id),
        },
        forms=forms,
        title=store.name,
        relationships={'hc:owner': None, 'hc:items': None},
    )


@cached
def represent_item(item: ItemRecord, viewer: Viewer | None, book: AddressBook) -> Document:
    """Return the item, its price as a decimal text with two places."""
    here = book.link(urls.ITEM, item_id=item.id)
    properties = {
        'id': item.id,
        'name': item.name,
        'price': f'{item.price:.2f}',
        'created_at': represent_time(item.created_at),
    }
    forms: tuple[Form, ...] = ()
    if item.is_editable_by(viewer):
        forms = (EDIT_ITEM.at(here.href, properties), DELETE_ITEM.at(here.href))
    return Document(
        kind='items',
        id=str(item.id),
        properties=properties,
        links={
            'self': here,
            'curies': book.curies,
            'collection': book.link(urls.ITEMS),
            'hc:store': book.link(urls.STORE, store_id=item.store_id),
        },
        forms=forms,
        title=item.name,
        relationships={'hc:store': None},
    )


_STORE = StoreRecord(sample_data.STORE_ID, sample_data.USER.id, 'Difference Engines', 1, sample_data.CREATED)
_ITEM = ItemRecord(
    7_400_000_000_000_007, _STORE.id, sample_data.USER.id, 'Gear', Decimal('15.99'), sample_data.UPDATED
)
SAMPLES = Samples(
    'store',
    lambda book: {
        'yours': represent_store(_STORE, sample_data.OWNER, book),
        'other': represent_store(_STORE, sample_data.OTHER_USER, book),
    },
)
ITEM_SAMPLES = Samples(
    'item',
    lambda book: {
        'yours': represent_item(_ITEM, sample_data.OWNER, book),
        'other': represent_item(_ITEM, sample_data.OTHER_USER, book),
    },
)
_ITEM_PAGES = sample_pages(urls.STORE_ITEMS, ITEM_SAMPLES, (ADD, urls.STORE_ITEMS), for_owner=True)
_STORES = QueryOptions('stores', paginated=True)
_ITEMS = QueryOptions('items', paginated=True)
_ONE_STORE, _ONE_ITEM = _STORES.of_one(), _ITEMS.of_one()


class StoresResource:
    """All stores, and opening one."""

    tag = 'stores'
    operation_name = 'Stores'
    description = 'All stores, and opening one.'
    operations: ClassVar = {
        'GET': Operation({200: sample_pages(urls.STORES, SAMPLES, (OPEN, urls.STORES))}, query=_STORES),
        'POST': Operation({201: SAMPLES}, form=OPEN, query=_ONE_STORE),
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        page = list_stores(req.db, req.query.position)
        address = req.book.href(urls.STORES)
        forms = (OPEN.at(address),)
        resp.media = represent_listing(req, 'stores', address, page, represent_store, forms=forms)

    def on_post(self, req: Request, resp: falcon.Response) -> None:
        store = open_store(req.db, by=req.caller, **read_form(req))
        respond_created(resp, represent_store(store, req.viewer, req.book))
        add_invalidation_links(resp, req.book.href(urls.STORES))


class StoreResource:
    """One store."""

    tag = 'stores'
    operation_name = 'Store'
    description = 'One store.'
    operations: ClassVar = {
        'GET': Operation({200: SAMPLES}, query=_ONE_STORE),
        'PUT': Operation({200: SAMPLES}, Access.OWNER, EDIT, _ONE_STORE),
        'PATCH': Operation({200: SAMPLES}, Access.OWNER, EDIT, _ONE_STORE),
        'DELETE': Operation({204: None}, Access.OWNER, query=_ONE_STORE),
    }

    def on_get(self, req: Request, resp: falcon.Response, store_id: int) -> None:
        resp.media = represent_store(find_store(req.db, store_id), req.viewer, req.book)

    def on_put(self, req: Request, resp: falcon.Response, store_id: int) -> None:
        store = find_store(req.db, store_id)
        resp.media = apply_edit(req, store, represent_store, change_store)
        add_invalidation_links(resp, req.book.href(urls.STORES))

    on_patch = on_put

    def on_delete(self, req: Request, resp: falcon.Response, store_id: int) -> None:
        close_store(req.db, store_id, by=req.caller, precondition=precondition(req, represent_store))
        resp.status = falcon.HTTP_204
        add_invalidation_links(resp, req.book.href(urls.STORES), req.book.href(urls.ITEMS))


class StoreItemsResource:
    """The items of one store, and adding one."""

    tag = 'stores'
    operation_name = 'StoreItems'
    description = 'The items of one store, and adding one.'
    operations: ClassVar = {
        'GET': Operation({200: _ITEM_PAGES}, query=_ITEMS),
        'POST': Operation({201: ITEM_SAMPLES}, Access.OWNER, ADD, _ONE_ITEM),
    }

    def on_get(self, req: Request, resp: falcon.Response, store_id: int) -> None:
        store = find_store(req.db, store_id)
        page = list_items_of(req.db, store, req.query.position)
        address = req.book.href(urls.STORE_ITEMS, store_id=store_id)
        forms = (ADD.at(address),) if store.is_editable_by(req.viewer) else ()
        resp.media = represent_listing(req, 'items', address, page, represent_item, forms=forms)

    def on_post(self, req: Request, resp: falcon.Response, store_id: int) -> None:
        require_permission(find_store(req.db, store_id).is_editable_by(req.viewer))
        item = add_item(req.db, store_id, by=req.caller, **read_form(req))
        respond_created(resp, represent_item(item, req.viewer, req.book))
        add_invalidation_links(resp, *_changed_by_item(req, store_id))


class ItemsResource:
    """The items of all stores."""

    tag = 'stores'
    operation_name = 'Items'
    description = 'The items of all stores.'
    operations: ClassVar = {'GET': Operation({200: sample_pages(urls.ITEMS, ITEM_SAMPLES)}, query=_ITEMS)}

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        page = list_items(req.db, req.query.position)
        resp.media = represent_listing(req, 'items', req.book.href(urls.ITEMS), page, represent_item)


class ItemResource:
    """One item."""

    tag = 'stores'
    operation_name = 'Item'
    description = 'One item.'
    operations: ClassVar = {
        'GET': Operation({200: ITEM_SAMPLES}, query=_ONE_ITEM),
        'PUT': Operation({200: ITEM_SAMPLES}, Access.OWNER, EDIT_ITEM, _ONE_ITEM),
        'PATCH': Operation({200: ITEM_SAMPLES}, Access.OWNER, EDIT_ITEM, _ONE_ITEM),
        'DELETE': Operation({204: None}, Access.OWNER, query=_ONE_ITEM),
    }

    def on_get(self, req: Request, resp: falcon.Response, item_id: int) -> None:
        resp.media = represent_item(find_item(req.db, item_id), req.viewer, req.book)

    def on_put(self, req: Request, resp: falcon.Response, item_id: int) -> None:
        item = find_item(req.db, item_id)
        resp.media = apply_edit(req, item, represent_item, change_item)
        add_invalidation_links(resp, *_changed_by_item(req, item.store_id))

    on_patch = on_put

    def on_delete(self, req: Request, resp: falcon.Response, item_id: int) -> None:
        store_id = find_item(req.db, item_id).store_id
        delete_item(req.db, item_id, by=req.caller, precondition=precondition(req, represent_item))
        resp.status = falcon.HTTP_204
        add_invalidation_links(resp, *_changed_by_item(req, store_id))


def _changed_by_item(req: Request, store_id: int) -> tuple[str, ...]:
    here = (req.book.href(template, store_id=store_id) for template in (urls.STORE, urls.STORE_ITEMS))
    return (req.book.href(urls.ITEMS), *here)


def entry_point(viewer: Viewer | None, book: AddressBook) -> EntryPointPart:
    """Return the links and forms of stores on the entry point, to those who are signed in."""
    if viewer is None:
        return EntryPointPart({})
    return EntryPointPart({'hc:stores': book.link(urls.STORES), 'hc:items': book.link(urls.ITEMS)})


def _sample_store(book: AddressBook) -> Document:
    return represent_store(_STORE, None, book)


def _sample_stores(book: AddressBook) -> Document:
    return sample_page('stores', book.href(urls.STORES), _sample_store(book), book)


def _sample_items(book: AddressBook) -> Document:
    return sample_page('items', book.href(urls.ITEMS), represent_item(_ITEM, None, book), book)


RELATIONS = (
    LinkRelation(
        'stores',
        'All stores, the newest first; a new one is posted here.',
        ('GET', 'POST'),
        'a collection of stores',
        _sample_stores,
    ),
    LinkRelation(
        'store',
        'The store that an item is in.',
        ('GET', 'PUT', 'PATCH', 'DELETE'),
        'a store',
        _sample_store,
    ),
    LinkRelation(
        'owner', 'The user who owns the store.', ('GET', 'PUT', 'PATCH', 'DELETE'), 'a user', sample_user
    ),
    LinkRelation(
        'items',
        'Items, the newest first: those of all stores, or of one store, whose owner posts new ones there.',
        ('GET', 'POST'),
        'a collection of items',
        _sample_items,
    ),
)
EXPANSIONS: Expansions = {}
ROUTES: tuple[Route, ...] = (
    (urls.STORES, StoresResource()),
    (urls.STORE, StoreResource()),
    (urls.STORE_ITEMS, StoreItemsResource()),
    (urls.ITEMS, ItemsResource()),
    (urls.ITEM, ItemResource()),
)
