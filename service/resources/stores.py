"""Stores and their items: how they are said, what can be done to them, and where."""

from decimal import Decimal
from typing import Any, ClassVar

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
from service.middleware.body import read_body
from service.middleware.conditional import precondition
from service.middleware.links import invalidates
from service.middleware.request import Expansions, Request
from service.representation.action import NOT_BLANK, Action, Field, Form
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.representation.queries import Vocabulary
from service.resources import made_up
from service.resources.answers import Answers, Samples, sample_pages
from service.resources.collections import represent_listing, sample_page
from service.resources.memory import remembered
from service.resources.outcomes import created, edited
from service.resources.relation import Entry, Relation
from service.resources.times import represent_time
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


@remembered
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


@remembered
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


_STORE = StoreRecord(made_up.STORE_ID, made_up.USER.id, 'Difference Engines', 1, made_up.MORNING)
_ITEM = ItemRecord(7_400_000_000_000_007, _STORE.id, made_up.USER.id, 'Gear', Decimal('15.99'), made_up.LATER)
SAMPLES = Samples(
    'store',
    lambda book: {
        'yours': represent_store(_STORE, made_up.SELF, book),
        'other': represent_store(_STORE, made_up.OTHER, book),
    },
)
ITEM_SAMPLES = Samples(
    'item',
    lambda book: {
        'yours': represent_item(_ITEM, made_up.SELF, book),
        'other': represent_item(_ITEM, made_up.OTHER, book),
    },
)


class StoresResource:
    """All stores, and opening one."""

    tag = 'stores'
    operation_name = 'Stores'
    description = 'All stores, and opening one.'
    vocabulary = Vocabulary('stores', paged=True)
    reads: ClassVar = {'POST': OPEN}
    answers: ClassVar[Answers] = {
        'GET': {200: sample_pages(urls.STORES, SAMPLES, (OPEN, urls.STORES))},
        'POST': {201: SAMPLES},
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        page = list_stores(req.db, req.query.position)
        address = req.book.href(urls.STORES)
        forms = (OPEN.at(address),)
        resp.media = represent_listing(req, 'stores', address, page, represent_store, forms=forms)

    def on_post(self, req: Request, resp: falcon.Response) -> None:
        store = open_store(req.db, by=req.caller, **self.reads[req.method].read(read_body(req)))
        created(resp, represent_store(store, req.viewer, req.book))
        invalidates(resp, req.book.href(urls.STORES))


class StoreResource:
    """One store."""

    tag = 'stores'
    operation_name = 'Store'
    description = 'One store.'
    for_owner = frozenset(('PUT', 'PATCH', 'DELETE'))
    vocabulary = Vocabulary('stores')
    reads: ClassVar = {'PUT': EDIT, 'PATCH': EDIT}
    answers: ClassVar[Answers] = {
        'GET': {200: SAMPLES},
        'PUT': {200: SAMPLES},
        'PATCH': {200: SAMPLES},
        'DELETE': {204: None},
    }

    def on_get(self, req: Request, resp: falcon.Response, store_id: int) -> None:
        resp.media = represent_store(find_store(req.db, store_id), req.viewer, req.book)

    def on_put(self, req: Request, resp: falcon.Response, store_id: int) -> None:
        store = find_store(req.db, store_id)
        resp.media = edited(req, store, represent_store, self.reads[req.method], change_store)
        invalidates(resp, req.book.href(urls.STORES))

    on_patch = on_put

    def on_delete(self, req: Request, resp: falcon.Response, store_id: int) -> None:
        close_store(req.db, store_id, by=req.caller, precondition=precondition(req, represent_store))
        resp.status = falcon.HTTP_204
        invalidates(resp, req.book.href(urls.STORES), req.book.href(urls.ITEMS))


class StoreItemsResource:
    """The items of one store, and adding one."""

    tag = 'stores'
    operation_name = 'StoreItems'
    description = 'The items of one store, and adding one.'
    for_owner = frozenset(('POST',))
    vocabulary = Vocabulary('items', paged=True)
    reads: ClassVar = {'POST': ADD}
    answers: ClassVar[Answers] = {
        'GET': {200: sample_pages(urls.STORE_ITEMS, ITEM_SAMPLES, (ADD, urls.STORE_ITEMS), for_owner=True)},
        'POST': {201: ITEM_SAMPLES},
    }

    def on_get(self, req: Request, resp: falcon.Response, store_id: int) -> None:
        store = find_store(req.db, store_id)
        page = list_items_of(req.db, store, req.query.position)
        address = req.book.href(urls.STORE_ITEMS, store_id=store_id)
        forms = (ADD.at(address),) if store.is_editable_by(req.viewer) else ()
        resp.media = represent_listing(req, 'items', address, page, represent_item, forms=forms)

    def on_post(self, req: Request, resp: falcon.Response, store_id: int) -> None:
        require_permission(find_store(req.db, store_id).is_editable_by(req.viewer))
        item = add_item(req.db, store_id, by=req.caller, **self.reads[req.method].read(read_body(req)))
        created(resp, represent_item(item, req.viewer, req.book))
        invalidates(resp, *_changed_by_item(req, store_id))


class ItemsResource:
    """The items of all stores."""

    tag = 'stores'
    operation_name = 'Items'
    description = 'The items of all stores.'
    vocabulary = Vocabulary('items', paged=True)
    answers: ClassVar[Answers] = {'GET': {200: sample_pages(urls.ITEMS, ITEM_SAMPLES)}}

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        page = list_items(req.db, req.query.position)
        resp.media = represent_listing(req, 'items', req.book.href(urls.ITEMS), page, represent_item)


class ItemResource:
    """One item."""

    tag = 'stores'
    operation_name = 'Item'
    description = 'One item.'
    for_owner = frozenset(('PUT', 'PATCH', 'DELETE'))
    vocabulary = Vocabulary('items')
    reads: ClassVar = {'PUT': EDIT_ITEM, 'PATCH': EDIT_ITEM}
    answers: ClassVar[Answers] = {
        'GET': {200: ITEM_SAMPLES},
        'PUT': {200: ITEM_SAMPLES},
        'PATCH': {200: ITEM_SAMPLES},
        'DELETE': {204: None},
    }

    def on_get(self, req: Request, resp: falcon.Response, item_id: int) -> None:
        resp.media = represent_item(find_item(req.db, item_id), req.viewer, req.book)

    def on_put(self, req: Request, resp: falcon.Response, item_id: int) -> None:
        item = find_item(req.db, item_id)
        resp.media = edited(req, item, represent_item, self.reads[req.method], change_item)
        invalidates(resp, *_changed_by_item(req, item.store_id))

    on_patch = on_put

    def on_delete(self, req: Request, resp: falcon.Response, item_id: int) -> None:
        store_id = find_item(req.db, item_id).store_id
        delete_item(req.db, item_id, by=req.caller, precondition=precondition(req, represent_item))
        resp.status = falcon.HTTP_204
        invalidates(resp, *_changed_by_item(req, store_id))


def _changed_by_item(req: Request, store_id: int) -> tuple[str, ...]:
    here = (req.book.href(template, store_id=store_id) for template in (urls.STORE, urls.STORE_ITEMS))
    return (req.book.href(urls.ITEMS), *here)


def enter(viewer: Viewer | None, book: AddressBook) -> Entry:
    """Return what the entry point says of stores, to those who are signed in."""
    if viewer is None:
        return Entry({})
    return Entry({'hc:stores': book.link(urls.STORES), 'hc:items': book.link(urls.ITEMS)})


def _sample_store(book: AddressBook) -> Document:
    return represent_store(_STORE, None, book)


def _sample_stores(book: AddressBook) -> Document:
    return sample_page('stores', book.href(urls.STORES), _sample_store(book), book)


def _sample_items(book: AddressBook) -> Document:
    return sample_page('items', book.href(urls.ITEMS), represent_item(_ITEM, None, book), book)


RELATIONS = (
    Relation(
        'stores',
        'All stores, the newest first; a new one is posted here.',
        ('GET', 'POST'),
        'a collection of stores',
        _sample_stores,
    ),
    Relation(
        'store',
        'The store that an item is in.',
        ('GET', 'PUT', 'PATCH', 'DELETE'),
        'a store',
        _sample_store,
    ),
    Relation(
        'owner', 'The user who owns the store.', ('GET', 'PUT', 'PATCH', 'DELETE'), 'a user', sample_user
    ),
    Relation(
        'items',
        'Items, the newest first: those of all stores, or of one store, whose owner posts new ones there.',
        ('GET', 'POST'),
        'a collection of items',
        _sample_items,
    ),
)
EXPANSIONS: Expansions = {}
ROUTES: tuple[tuple[str, Any], ...] = (
    (urls.STORES, StoresResource()),
    (urls.STORE, StoreResource()),
    (urls.STORE_ITEMS, StoreItemsResource()),
    (urls.ITEMS, ItemsResource()),
    (urls.ITEM, ItemResource()),
)
