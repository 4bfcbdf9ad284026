"""Stores: representation, actions and responders."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import ClassVar

import falcon

from service import urls
from service.database.clock import iso_time
from service.database.pagination import PageRequest
from service.domain.items import list_items_of
from service.domain.stores import (
    MAX_NAME_LENGTH,
    MAX_OWNED,
    ORDERS,
    StoreRecord,
    change_store,
    close_store,
    find_store,
    find_stores,
    list_stores,
    open_store,
)
from service.domain.viewer import Viewer
from service.http.conditional import creation_check, precondition
from service.http.operation import Operation, Route, Samples
from service.http.request import Expansions, Find, Request
from service.http.request_body import read_form
from service.representation.action import NOT_BLANK, Action, Field
from service.representation.display import ActionDisplay, Column, Count, Crumb, Display, NavigationLink
from service.representation.document import Document, Identifier, Relationship
from service.representation.kind import Kind, Member, id_member, time_member
from service.representation.query_parameters import QueryOptions
from service.representation.template import MAX_TEMPLATES, Template, variable
from service.representation.url_builder import UrlBuilder
from service.resources import sample_data
from service.resources.collection_pages import represent_listing
from service.resources.editable import apply_edit, editable_operations
from service.resources.module import EntryPointPart, LinkRelation
from service.resources.relationships import RelatedResource, ToOneRelationship
from service.resources.response_samples import sample_collection, sample_pages
from service.resources.responses import add_invalidation_links, respond_created, respond_no_content
from service.resources.user_document import ONE_USER, USER_SAMPLES, sample_user

NAME = Field(
    'name',
    'Name',
    required=True,
    min_length=1,
    max_length=MAX_NAME_LENGTH,
    regex=NOT_BLANK,
    rule='must not be blank',
    trim=True,
)
OPEN = Action('create', 'POST', 'Open a store', (NAME,))
EDIT = Action('edit', 'PATCH', 'Rename store', OPEN.optional('name'))
CLOSE = Action('delete', 'DELETE', 'Delete store')
STORE = Kind(
    'stores',
    'Store',
    (
        id_member('Identifies the store.'),
        Member('name', 'The name of the store, unique among all stores.'),
        Member('item_count', 'The number of items in the store.', 'integer'),
        time_member('created_at', 'When the store was opened.'),
    ),
    links=('collection', 'hc:owner', 'hc:items'),
    relationships={'hc:owner': 'users', 'hc:items': 'items'},
    to_many=('hc:items',),
    display=Display(
        plural='Stores',
        empty='No stores yet. Open the first one.',
        columns=(
            Column('name', 'Name'),
            Column('item_count', 'Items'),
            Column('created_at', 'Opened', is_day=True),
        ),
        counts=(Count('item_count', 'hc:items', 'item', 'items'),),
        links=(NavigationLink('hc:owner', 'Owner'),),
        summary=(Column('created_at', 'Opened', is_day=True),),
        actions={
            'create': ActionDisplay('Your store is open.'),
            'edit': ActionDisplay('The store is saved.'),
            'delete': ActionDisplay(
                'The store is deleted.',
                question='This deletes the store with all its items. It cannot be undone.',
            ),
        },
        includes={'hc:items': 'Items'},
    ),
)


def represent_store(store: StoreRecord, viewer: Viewer | None, builder: UrlBuilder) -> Document:
    """Return the store, with forms for its owner."""
    properties = {
        'id': store.id,
        'name': store.name,
        'item_count': store.item_count,
        'created_at': iso_time(store.created_at),
    }
    values = {'store_id': store.id, 'owner_id': store.owner_id}
    template = _store_template(builder, store.is_editable_by(viewer))
    return template.fill(str(store.id), properties, values, title=store.name)


@lru_cache(maxsize=MAX_TEMPLATES)
def _store_template(builder: UrlBuilder, is_editable: bool) -> Template:
    store_id, owner_id = variable('store_id'), variable('owner_id')
    self_link = builder.link_to(urls.STORE, store_id=store_id)
    return Template(
        Document(
            'stores',
            None,
            {},
            {
                'self': self_link,
                'curies': builder.curies,
                'collection': builder.link_to(urls.STORES),
                'hc:owner': builder.link_to(urls.USER, user_id=owner_id),
                'hc:items': builder.link_to(urls.STORE_ITEMS, store_id=store_id),
            },
            forms=(EDIT.at(self_link.href), CLOSE.at(self_link.href)) if is_editable else (),
            relationships={
                'hc:owner': Relationship(
                    builder.url_for(urls.OWNER_RELATIONSHIP, store_id=store_id), Identifier('users', owner_id)
                ),
                'hc:items': Relationship(builder.url_for(urls.ITEMS_RELATIONSHIP, store_id=store_id)),
            },
            display=STORE.display,
            parents=(Crumb('Stores', builder.url_for(urls.STORES)),),
        )
    )


STORE_SAMPLE = StoreRecord(
    sample_data.STORE_ID, sample_data.USER.id, 'Difference Engines', 1, sample_data.CREATED
)
SAMPLES = Samples(
    STORE,
    lambda builder: {
        'yours': represent_store(STORE_SAMPLE, sample_data.OWNER, builder),
        'other': represent_store(STORE_SAMPLE, sample_data.OTHER_USER, builder),
    },
)
_STORES = QueryOptions(
    'stores',
    paginated=True,
    related_filters=('owner',),
    sort_keys=ORDERS,
    unique_keys=('name',),
    can_include=True,
)
ONE_STORE = _STORES.of_one()


class StoresResource:
    """All stores; POST opens one."""

    tag = 'stores'
    operation_name = 'Stores'
    operations: ClassVar = {
        'GET': Operation(
            'List stores',
            'All stores, the newest first.',
            {200: sample_pages(urls.STORES, SAMPLES, (OPEN, urls.STORES))},
            query=_STORES,
        ),
        'POST': Operation(
            'Open a store',
            'Opens a store that belongs to the user who is signed in.',
            {201: SAMPLES},
            form=OPEN,
            query=ONE_STORE,
            linkage=lambda req: {'hc:owner': Identifier('users', str(req.user.user_id))},
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        owner_id = req.query.related_ids.get('owner')
        page = list_stores(req.db, req.query.page_request, owner_id=owner_id)
        url = req.builder.url_for(urls.STORES)
        forms = (OPEN.at(url),) if req.user.can_write else ()
        resp.media = represent_listing(req, STORE, url, page, represent_store, forms=forms)

    def on_post(self, req: Request, resp: falcon.Response) -> None:
        store = open_store(req.db, by=req.user, precondition=creation_check(req), **read_form(req))
        document = represent_store(store, req.viewer, req.builder)
        respond_created(resp, document, req.builder.url_for(urls.STORES))


class StoreResource:
    """One store."""

    tag = 'stores'
    operation_name = 'Store'
    operations: ClassVar = editable_operations(
        SAMPLES,
        EDIT,
        ONE_STORE,
        get=('Get a store', 'One store.'),
        put=('Rename a store', 'Changes the name of your own store.'),
        patch=('Patch a store', 'Changes the name of your own store, also by merge patch (RFC 7396).'),
        delete=('Delete a store', 'Deletes your own store with its items.'),
    )

    def on_get(self, req: Request, resp: falcon.Response, store_id: int) -> None:
        resp.media = represent_store(find_store(req.db, store_id), req.viewer, req.builder)

    def on_put(self, req: Request, resp: falcon.Response, store_id: int) -> None:
        store = find_store(req.db, store_id)
        resp.media = apply_edit(req, store, represent_store, change_store)
        items = req.builder.url_for(urls.STORE_ITEMS, store_id=store_id)  # whose page has the store's name
        add_invalidation_links(resp, req.builder.url_for(urls.STORES), items)

    on_patch = on_put

    def on_delete(self, req: Request, resp: falcon.Response, store_id: int) -> None:
        items = list_items_of(req.db, find_store(req.db, store_id), PageRequest(per_page=MAX_OWNED)).entries
        close_store(req.db, store_id, by=req.user, precondition=precondition(req, represent_store))
        gone = (req.builder.url_for(urls.ITEM, item_id=item.id) for item in items)
        respond_no_content(resp, *changed_with_items(req, store_id), *gone)


_GET_OWNER = Operation(
    'Get the owner of a store',
    'The user who owns the store; Content-Location has their own URL.',
    {200: USER_SAMPLES},
    query=ONE_USER,
)


def _find_stores(req: Request, store_ids: Sequence[int]) -> dict[int, Document]:
    stores = find_stores(req.db, store_ids)
    return {store_id: represent_store(store, req.viewer, req.builder) for store_id, store in stores.items()}


def changed_with_items(req: Request, store_id: int) -> tuple[str, ...]:
    """Return the URLs of the resources that change with an item of the store, except the item itself."""
    templates = (urls.STORES, urls.ITEMS, urls.STORE, urls.STORE_ITEMS)
    return tuple(req.builder.url_for(template, store_id=store_id) for template in templates)


def entry_point(viewer: Viewer | None, builder: UrlBuilder) -> EntryPointPart:
    """Return the link to the stores on the entry point, for signed-in users."""
    return EntryPointPart({'hc:stores': builder.link_to(urls.STORES)} if viewer else {})


def sample_store(builder: UrlBuilder) -> Document:
    """Return the store of the samples, as an anonymous client would see it."""
    return represent_store(STORE_SAMPLE, None, builder)


RELATIONS = (
    LinkRelation(
        'stores',
        'All stores, the newest first; POST opens a new one.',
        ('GET', 'POST'),
        'a collection of stores',
        sample_collection(urls.STORES, sample_store),
        (OPEN,),
    ),
    LinkRelation(
        'owner', 'The user who owns the store.', ('GET', 'PUT', 'PATCH', 'DELETE'), 'a user', sample_user
    ),
)
EXPANSIONS: Expansions = {}
RESOURCES: Mapping[str, Find] = {'stores': _find_stores}
ROUTES: tuple[Route, ...] = (
    (urls.STORES, StoresResource()),
    (urls.STORE, StoreResource()),
    (urls.STORE_OWNER, RelatedResource(StoreResource(), 'hc:owner', _GET_OWNER)),
    (urls.OWNER_RELATIONSHIP, ToOneRelationship(StoreResource(), 'hc:owner', USER_SAMPLES)),
)
