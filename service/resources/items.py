"""Items of stores: representation, actions and responders."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import ClassVar

import falcon

from service import urls
from service.database.clock import iso_time
from service.database.pagination import Page
from service.domain.items import (
    MAX_PRICE,
    ORDERS,
    ItemRecord,
    add_item,
    change_item,
    delete_item,
    find_item,
    find_items,
    first_pages_of_items,
    list_items,
    list_items_of,
)
from service.domain.stores import StoreRecord, find_store, find_stores
from service.domain.viewer import Viewer, require_editable
from service.http.conditional import creation_check, precondition
from service.http.operation import Access, Operation, Route, Samples
from service.http.request import Expansions, Find, Request
from service.http.request_body import read_form
from service.representation.action import Action, Field
from service.representation.display import ActionDisplay, Column, Crumb, Display
from service.representation.document import Document, Identifier, Relationship
from service.representation.kind import Kind, Member, id_member, time_member
from service.representation.query import Query
from service.representation.query_parameters import QueryOptions
from service.representation.template import MAX_TEMPLATES, Template, variable
from service.representation.url_builder import UrlBuilder
from service.resources import sample_data
from service.resources.collection_pages import represent_listing
from service.resources.editable import apply_edit, editable_operations
from service.resources.module import EntryPointPart, LinkRelation
from service.resources.relationships import RelatedResource, ToOneRelationship, to_many_route
from service.resources.response_samples import sample_collection, sample_pages
from service.resources.responses import add_invalidation_links, respond_created, respond_no_content
from service.resources.stores import EDIT as EDIT_STORE
from service.resources.stores import (
    NAME,
    ONE_STORE,
    STORE_SAMPLE,
    changed_with_items,
    sample_store,
)
from service.resources.stores import SAMPLES as STORE_SAMPLES

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
ADD = Action('create', 'POST', 'Add an item', (NAME, _PRICE))
EDIT = Action('edit', 'PATCH', 'Edit item', ADD.optional('name', 'price'))
DELETE = Action('delete', 'DELETE', 'Delete item')
ITEM = Kind(
    'items',
    'Item',
    (
        id_member('Identifies the item.'),
        Member('name', 'The name of the item, unique in its store.'),
        Member(
            'price', 'The price: a decimal number with two decimal places, as a string so that it is exact.'
        ),
        time_member('created_at', 'When the item was added.'),
    ),
    links=('collection', 'hc:store'),
    relationships={'hc:store': 'stores'},
    display=Display(
        plural='Items',
        empty='No items yet.',
        columns=(
            Column('name', 'Name'),
            Column('price', 'Price'),
            Column('created_at', 'Added', is_day=True),
        ),
        summary=(Column('price', 'Price'), Column('created_at', 'Added', is_day=True)),
        actions={
            'create': ActionDisplay('The item is added.'),
            'edit': ActionDisplay('The item is saved.'),
            'delete': ActionDisplay(
                'The item is deleted.', question='This deletes the item. It cannot be undone.'
            ),
        },
    ),
)


def represent_item(item: ItemRecord, viewer: Viewer | None, builder: UrlBuilder) -> Document:
    """Return the item, with its price as a decimal string."""
    properties = {
        'id': item.id,
        'name': item.name,
        'price': f'{item.price:.2f}',
        'created_at': iso_time(item.created_at),
    }
    values = {'item_id': item.id, 'store_id': item.store_id, 'store_name': item.store_name}
    template = _item_template(builder, item.is_editable_by(viewer))
    return template.fill(str(item.id), properties, values, title=item.name)


@lru_cache(maxsize=MAX_TEMPLATES)
def _item_template(builder: UrlBuilder, is_editable: bool) -> Template:
    item_id, store_id = variable('item_id'), variable('store_id')
    self_link = builder.link_to(urls.ITEM, item_id=item_id)
    store = builder.link_to(urls.STORE, store_id=store_id)
    return Template(
        Document(
            'items',
            None,
            {},
            {
                'self': self_link,
                'curies': builder.curies,
                'collection': builder.link_to(urls.ITEMS),
                'hc:store': store,
            },
            forms=(EDIT.at(self_link.href), DELETE.at(self_link.href)) if is_editable else (),
            relationships={
                'hc:store': Relationship(
                    builder.url_for(urls.STORE_RELATIONSHIP, item_id=item_id), Identifier('stores', store_id)
                )
            },
            display=ITEM.display,
            parents=(
                Crumb('Stores', builder.url_for(urls.STORES)),
                Crumb(variable('store_name'), store.href),
            ),
        )
    )


_ITEM = ItemRecord(
    7_400_000_000_000_007,
    STORE_SAMPLE.id,
    STORE_SAMPLE.name,
    sample_data.USER.id,
    'Gear',
    Decimal('15.99'),
    sample_data.UPDATED,
)
SAMPLES = Samples(
    ITEM,
    lambda builder: {
        'yours': represent_item(_ITEM, sample_data.OWNER, builder),
        'other': represent_item(_ITEM, sample_data.OTHER_USER, builder),
    },
)
_PAGES = sample_pages(urls.STORE_ITEMS, SAMPLES, (ADD, urls.STORE_ITEMS))
_ITEMS = QueryOptions('items', paginated=True, related_filters=('store',), sort_keys=ORDERS, can_include=True)
_ITEMS_OF_ONE = _ITEMS._replace(related_filters=())
_ONE_ITEM = _ITEMS.of_one()


class StoreItemsResource:
    """The items of one store; POST adds one."""

    tag = 'stores'
    operation_name = 'StoreItems'
    operations: ClassVar = {
        'GET': Operation(
            'List the items of a store',
            'The items of one store, the newest first.',
            {200: _PAGES},
            query=_ITEMS_OF_ONE,
        ),
        'POST': Operation(
            'Add an item',
            'Adds an item to your own store.',
            {201: SAMPLES},
            Access.OWNER,
            ADD,
            _ONE_ITEM,
            linkage=lambda req: {'hc:store': Identifier('stores', req.resource_id)},
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response, store_id: int) -> None:
        store = find_store(req.db, store_id)
        page = list_items_of(req.db, store, req.query.page_request)
        resp.media = _represent_items_of(req, store, req.query, page)

    def on_post(self, req: Request, resp: falcon.Response, store_id: int) -> None:
        require_editable(find_store(req.db, store_id), req.viewer)
        item = add_item(req.db, store_id, by=req.user, precondition=creation_check(req), **read_form(req))
        document = represent_item(item, req.viewer, req.builder)
        respond_created(resp, document, *changed_with_items(req, store_id))


def _represent_items_of(req: Request, store: StoreRecord, query: Query, page: Page) -> Document:
    url = req.builder.url_for(urls.STORE_ITEMS, store_id=store.id)
    return represent_listing(
        req,
        ITEM,
        url,
        page,
        represent_item,
        query=query,
        forms=(ADD.at(url),) if store.is_editable_by(req.viewer) else (),
        title=f'Items of {store.name}',
        parents=(
            Crumb('Stores', req.builder.url_for(urls.STORES)),
            Crumb(store.name, req.builder.url_for(urls.STORE, store_id=store.id)),
        ),
    )


def _expand_items(req: Request, store_ids: Sequence[int], query: Query) -> dict[int, Document]:
    stores = find_stores(req.db, store_ids)
    pages = first_pages_of_items(req.db, store_ids, query.page_request)
    return {
        store_id: _represent_items_of(req, stores[store_id], query, page) for store_id, page in pages.items()
    }


def _find_items(req: Request, item_ids: Sequence[int]) -> dict[int, Document]:
    items = find_items(req.db, item_ids)
    return {item_id: represent_item(item, req.viewer, req.builder) for item_id, item in items.items()}


class ItemsResource:
    """The items of all stores."""

    tag = 'stores'
    operation_name = 'Items'
    operations: ClassVar = {
        'GET': Operation(
            'List items',
            'The items of all stores, the newest first.',
            {200: sample_pages(urls.ITEMS, SAMPLES)},
            query=_ITEMS,
        )
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        store_id = req.query.related_ids.get('store')
        page = list_items(req.db, req.query.page_request, store_id=store_id)
        url = req.builder.url_for(urls.ITEMS)
        resp.media = represent_listing(req, ITEM, url, page, represent_item)


class ItemResource:
    """One item."""

    tag = 'stores'
    operation_name = 'Item'
    operations: ClassVar = editable_operations(
        SAMPLES,
        EDIT,
        _ONE_ITEM,
        get=('Get an item', 'One item.'),
        put=('Edit an item', 'Changes an item of your own store; absent members stay the same.'),
        patch=('Patch an item', 'Changes an item of your own store, also by merge patch (RFC 7396).'),
        delete=('Delete an item', 'Deletes an item of your own store.'),
    )

    def on_get(self, req: Request, resp: falcon.Response, item_id: int) -> None:
        resp.media = represent_item(find_item(req.db, item_id), req.viewer, req.builder)

    def on_put(self, req: Request, resp: falcon.Response, item_id: int) -> None:
        item = find_item(req.db, item_id)
        resp.media = apply_edit(req, item, represent_item, change_item)
        add_invalidation_links(resp, *changed_with_items(req, item.store_id))

    on_patch = on_put

    def on_delete(self, req: Request, resp: falcon.Response, item_id: int) -> None:
        store_id = find_item(req.db, item_id).store_id
        delete_item(req.db, item_id, by=req.user, precondition=precondition(req, represent_item))
        respond_no_content(resp, *changed_with_items(req, store_id))


_GET_STORE = Operation(
    'Get the store of an item',
    'The store that the item is in; Content-Location has its own URL.',
    {200: STORE_SAMPLES},
    query=ONE_STORE,
)


def _sample_item(builder: UrlBuilder) -> Document:
    return represent_item(_ITEM, None, builder)


def entry_point(viewer: Viewer | None, builder: UrlBuilder) -> EntryPointPart:
    """Return the link to the items on the entry point, for signed-in users."""
    return EntryPointPart({'hc:items': builder.link_to(urls.ITEMS)} if viewer else {})


RELATIONS = (
    LinkRelation(
        'store',
        'The store that an item is in.',
        ('GET', 'PUT', 'PATCH', 'DELETE'),
        'a store',
        sample_store,
        (EDIT_STORE,),
    ),
    LinkRelation(
        'items',
        'Items, the newest first: those of all stores, or of one store, whose owner can POST new ones.',
        ('GET', 'POST'),
        'a collection of items',
        sample_collection(urls.ITEMS, _sample_item),
        (ADD,),
    ),
)
EXPANSIONS: Expansions = {('stores', 'hc:items'): _expand_items}
RESOURCES: Mapping[str, Find] = {'items': _find_items}
ROUTES: tuple[Route, ...] = (
    (urls.STORE_ITEMS, StoreItemsResource()),
    (urls.ITEMS, ItemsResource()),
    (urls.ITEM, ItemResource()),
    (urls.ITEM_STORE, RelatedResource(ItemResource(), 'hc:store', _GET_STORE)),
    to_many_route(urls.ITEMS_RELATIONSHIP, urls.STORE_ITEMS, StoreItemsResource(), SAMPLES),
    (urls.STORE_RELATIONSHIP, ToOneRelationship(ItemResource(), 'hc:store', STORE_SAMPLES)),
)
