"""User resources: all users, one user, and the password."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar

import falcon

from service import urls
from service.domain.accounts import delete_user
from service.domain.credentials import change_password
from service.domain.errors import RegistrationClosed
from service.domain.follows import find_connected
from service.domain.posts import find_newest_of
from service.domain.stores import find_owned
from service.domain.throttle import REGISTRATION, SIGN_IN
from service.domain.users import change_user, find_user, find_users, list_users, register_user
from service.domain.viewer import Viewer, require_editable
from service.http.cache_control import NO_STORE
from service.http.conditional import creation_check, precondition
from service.http.operation import Access, Operation, Route
from service.http.request import Expansions, Find, Request
from service.http.request_body import read_form
from service.representation.document import Document, Link
from service.representation.query_parameters import QueryOptions
from service.representation.url_builder import UrlBuilder
from service.resources import sample_data
from service.resources.collection_pages import represent_listing
from service.resources.editable import apply_edit, editable_operations
from service.resources.module import EntryPointPart, LinkRelation
from service.resources.response_samples import sample_pages
from service.resources.responses import (
    MAX_INVALIDATION_LINKS,
    add_invalidation_links,
    respond_created,
    respond_no_content,
)
from service.resources.user_document import (
    ALL_USERS,
    CHANGE_PASSWORD,
    EDIT,
    NEW_SAMPLE,
    ONE_USER,
    REGISTER,
    SEARCH,
    USER,
    USER_SAMPLES,
    represent_user,
    sample_user,
    sample_users,
)


class UsersResource:
    """All users; POST registers one."""

    tag = 'users'
    operation_name = 'Users'
    operations: ClassVar = {
        'GET': Operation(
            'List users',
            'All users, a page at a time, or those whose name starts with `q`.',
            {200: sample_pages(urls.USERS, USER_SAMPLES, (SEARCH, urls.USERS))},
            form=SEARCH,
            query=ALL_USERS,
        ),
        'POST': Operation(
            'Register',
            'Registers a new user, who can then sign in.',
            {201: NEW_SAMPLE},
            Access.ANYONE,
            REGISTER,
            ONE_USER,
            linkage=lambda req: {},
            limits=(REGISTRATION,),
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.media = _represent_users(req)

    def on_post(self, req: Request, resp: falcon.Response) -> None:
        if not req.builder.features.registration:
            raise RegistrationClosed('Registration is closed. Ask the operator for an account.')
        user = register_user(
            req.db,
            client_address=req.uncounted_address,
            quotas=req.quotas,
            by=req.viewer,
            precondition=creation_check(req),
            **read_form(req),
        )
        respond_created(resp, represent_user(user, None, req.builder), req.builder.url_for(urls.USERS))
        resp.set_header('Cache-Control', NO_STORE)  # the new user, once signed in, sees more


def _represent_users(req: Request) -> Document:
    query = req.query
    page = list_users(
        req.db,
        query.page_request,
        req.user,
        prefix=query.filters.get('q', ''),
        username=query.filters.get('username'),
    )
    url = req.builder.url_for(urls.USERS)
    return represent_listing(
        req,
        USER,
        url,
        page,
        represent_user,
        links={'search': Link(url + '{?q,per_page}', templated=True)},
        forms=(SEARCH.at(url, query.filters),),
    )


def _find_users(req: Request, user_ids: Sequence[int]) -> dict[int, Document]:
    users = find_users(req.db, user_ids, req.viewer)
    return {user_id: represent_user(user, req.viewer, req.builder) for user_id, user in users.items()}


class UserResource:
    """One user."""

    tag = 'users'
    operation_name = 'User'
    operations: ClassVar = editable_operations(
        USER_SAMPLES,
        EDIT,
        ONE_USER,
        get=('Get a user', 'The profile of a user; your own includes the email address.'),
        put=('Edit a user', 'Changes your own profile; absent members stay the same.'),
        patch=(
            'Patch a user',
            'Changes your own profile, also by merge patch (RFC 7396): null empties `about_me`.',
        ),
        delete=('Delete a user', 'Deletes your own account with its posts, follows, tokens and stores.'),
    )

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        resp.media = represent_user(find_user(req.db, user_id, req.viewer), req.viewer, req.builder)

    def on_put(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        user = find_user(req.db, user_id, req.user)
        change = partial(change_user, client_address=req.client_address)
        resp.media = apply_edit(req, user, represent_user, change)
        add_invalidation_links(resp, *_changed_by_user(req, user_id))

    on_patch = on_put

    def on_delete(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        changed = _changed_by_deletion(req, user_id) if req.user.user_id == user_id else ()
        delete_user(req.db, user_id, by=req.user, precondition=precondition(req, represent_user))
        respond_no_content(resp, *changed)


class PasswordResource:
    """The password of one user, which can be changed but not read."""

    tag = 'users'
    operation_name = 'Password'
    operations: ClassVar = {
        'PUT': Operation(
            'Change the password',
            'Changes your own password, and revokes your other tokens.',
            {204: None},
            Access.OWNER,
            CHANGE_PASSWORD,
            QueryOptions('users'),
            limits=SIGN_IN,
        ),
    }

    def on_put(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        user = find_user(req.db, user_id, req.viewer)
        require_editable(user, req.viewer)
        check = precondition(req, represent_user)
        values = read_form(req, lambda: check(None))
        change_password(
            req.db,
            user_id,
            by=req.user,
            client_address=req.client_address,
            quotas=req.quotas,
            **values,
        )
        respond_no_content(
            resp, req.builder.url_for(urls.TOKENS), req.builder.url_for(urls.USER, user_id=user_id)
        )


def _changed_by_user(req: Request, user_id: int) -> tuple[str, ...]:
    collections = (urls.USERS, urls.POSTS, urls.USER_POSTS, urls.FEED)
    return tuple(req.builder.url_for(template, user_id=user_id) for template in collections)


def _changed_by_deletion(req: Request, user_id: int) -> tuple[str, ...]:
    """Return the URLs of what the deletion of a user deletes, and of users whose counters it changes."""
    stores, items = find_owned(req.db, user_id)
    posts = find_newest_of(req.db, user_id)
    connected = find_connected(req.db, user_id)[:MAX_INVALIDATION_LINKS]
    collections = (
        *((urls.STORES,) if stores else ()),
        *((urls.ITEMS,) if items else ()),
        *(urls.TOKENS, urls.FOLLOWERS, urls.FOLLOWING),
    )
    return (
        *_changed_by_user(req, user_id),
        *(req.builder.url_for(template, user_id=user_id) for template in collections),
        *(req.builder.url_for(urls.STORE, store_id=store_id) for store_id in stores),
        *(req.builder.url_for(urls.STORE_ITEMS, store_id=store_id) for store_id in stores),
        *(req.builder.url_for(urls.ITEM, item_id=item_id) for item_id in items),
        *(req.builder.url_for(urls.POST, post_id=post_id) for post_id in posts),
        *(req.builder.url_for(urls.USER, user_id=other_id) for other_id in connected),
    )


def entry_point(viewer: Viewer | None, builder: UrlBuilder) -> EntryPointPart:
    """Return the links and forms of users on the entry point."""
    links = {'hc:users': builder.link_to(urls.USERS)}
    if viewer is None:
        is_open = builder.features.registration
        return EntryPointPart(links, (REGISTER.at(builder.url_for(urls.USERS)),) if is_open else ())
    links['hc:me'] = builder.link_to(urls.USER, user_id=viewer.user_id)
    links['hc:user'] = builder.template_for(urls.USER, user_id='id')
    return EntryPointPart(links)


def _sample_self(builder: UrlBuilder) -> Document:
    return represent_user(sample_data.USER, sample_data.OWNER, builder)


RELATIONS = (
    LinkRelation(
        'users',
        'All users, a page at a time; POST registers a new one.',
        ('GET', 'POST'),
        'a collection of users',
        sample_users(urls.USERS),
        (REGISTER,),
    ),
    LinkRelation(
        'user',
        'One user, by id: the URL is a template.',
        ('GET', 'PUT', 'PATCH', 'DELETE'),
        'a user',
        sample_user,
        (EDIT,),
    ),
    LinkRelation(
        'me',
        'The user who is signed in.',
        ('GET', 'PUT', 'PATCH', 'DELETE'),
        'a user: yourself',
        _sample_self,
        (EDIT,),
    ),
    LinkRelation(
        'password',
        "Changes the user's password, and revokes all other tokens of the user.",
        ('PUT',),
        'no document: the response to PUT is 204',
        actions=(CHANGE_PASSWORD,),
    ),
    LinkRelation('avatar', "The user's picture, an image at Gravatar.", ('GET',), 'an image'),
    LinkRelation(
        'page',
        'A page of the collection by its number: the URL is a template.',
        ('GET',),
        'a page of the same collection',
        sample_users(urls.USERS),
    ),
)
EXPANSIONS: Expansions = {}
RESOURCES: Mapping[str, Find] = {'users': _find_users}
ROUTES: tuple[Route, ...] = (
    (urls.USERS, UsersResource()),
    (urls.USER, UserResource()),
    (urls.PASSWORD, PasswordResource()),
)
