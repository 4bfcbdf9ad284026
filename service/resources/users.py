"""User resources: representation, actions and responders."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import ClassVar

import falcon

from service import urls
from service.database.clock import iso_time
from service.domain.accounts import delete_user
from service.domain.credentials import change_password
from service.domain.errors import RegistrationClosed
from service.domain.follows import find_connected
from service.domain.posts import find_newest_of
from service.domain.stores import find_owned
from service.domain.throttle import REGISTRATION, SIGN_IN
from service.domain.users import (
    MAX_ABOUT_ME_LENGTH,
    MAX_EMAIL_LENGTH,
    MAX_PASSWORD_LENGTH,
    MAX_USERNAME_LENGTH,
    MIN_PASSWORD_LENGTH,
    ORDERS,
    USERNAME_PATTERN,
    UserRecord,
    change_user,
    find_user,
    find_users,
    list_users,
    register_user,
)
from service.domain.viewer import Viewer, require_editable
from service.http.cache_control import NO_STORE
from service.http.conditional import creation_check, precondition
from service.http.operation import Access, Operation, Route, Samples
from service.http.request import Expansions, Find, Request
from service.http.request_body import read_form
from service.representation.action import EMAIL, Action, Field, Form
from service.representation.display import ActionDisplay, Column, Count, Crumb, Display
from service.representation.document import Document, Link, Relationship, member
from service.representation.kind import Kind, Member, Presence, id_member, time_member
from service.representation.parameter_values import MAX_FILTER_LENGTH
from service.representation.query_parameters import QueryOptions
from service.representation.template import MAX_TEMPLATES, Template, variable
from service.representation.url_builder import UrlBuilder
from service.resources import sample_data
from service.resources.collection_pages import represent_listing
from service.resources.editable import apply_edit, editable_operations
from service.resources.entry_point import ACTIONS
from service.resources.module import EntryPointPart, LinkRelation, Sample
from service.resources.response_samples import sample_collection, sample_pages
from service.resources.responses import (
    MAX_INVALIDATION_LINKS,
    add_invalidation_links,
    respond_created,
    respond_no_content,
)

_NEW_PASSWORD = Field(
    'password',
    'Password',
    type='password',
    required=True,
    min_length=MIN_PASSWORD_LENGTH,
    max_length=MAX_PASSWORD_LENGTH,
    autocomplete='new-password',
)
REGISTER = Action(
    'register',
    'POST',
    'Sign up',
    (
        Field(
            'username',
            'User name',
            required=True,
            min_length=1,
            max_length=MAX_USERNAME_LENGTH,
            regex=USERNAME_PATTERN,
            rule='may contain only the letters A to Z, digits, dots, underscores and hyphens',
            autocomplete='username',
        ),
        Field(
            'email',
            'Email',
            type='email',
            required=True,
            min_length=1,
            max_length=MAX_EMAIL_LENGTH,
            regex=EMAIL,
            rule='must be an email address',
            trim=True,
            autocomplete='email',
        ),
        _NEW_PASSWORD,
        Field('about_me', 'About me', type='textarea', max_length=MAX_ABOUT_ME_LENGTH, nullable=True, rows=3),
    ),
)
EDIT = Action('edit', 'PATCH', 'Edit profile', REGISTER.optional('username', 'email', 'about_me'))
DELETE = Action('delete', 'DELETE', 'Delete account')
CHANGE_PASSWORD = Action(
    'change-password',
    'PUT',
    'Change password',
    (
        Field(
            'current_password',
            'Current password',
            type='password',
            required=True,
            autocomplete='current-password',
        ),
        replace(_NEW_PASSWORD, prompt='New password'),
    ),
)
REQUEST_VERIFICATION = Action('request-verification', 'POST', 'Send another verification mail')
FOLLOW = Action('follow', 'PUT', 'Follow')
UNFOLLOW = Action('unfollow', 'DELETE', 'Unfollow')
RELATIONSHIPS = ('hc:followers', 'hc:following', 'hc:posts')
OWN_RELATIONSHIPS = ('hc:feed', 'hc:tokens')
SEARCH = Action(
    'search', 'GET', 'Search', (Field('q', 'Name starts with', type='search', max_length=MAX_FILTER_LENGTH),)
)


USER = Kind(
    'users',
    'User',
    (
        id_member('Identifies the user.'),
        Member('username', 'The name that the user signs in with, as it was typed.'),
        Member('about_me', 'A text by the user about themselves; may be empty.'),
        time_member('last_seen', 'When the user last changed anything, or signed in.'),
        time_member('member_since', 'When the user registered.'),
        Member('post_count', 'The number of posts that the user has published.', 'integer'),
        Member('follower_count', 'The number of users who follow this one.', 'integer'),
        Member('following_count', 'The number of users that this one follows.', 'integer'),
        Member('email', "The user's email address.", presence=Presence.OWNER),
        Member(
            'email_verified',
            'Only for the owner, on servers with mail: whether a link in an email to the address was used.',
            'boolean',
            presence=Presence.OPTIONAL,
        ),
    ),
    links=('collection', 'hc:followers', 'hc:following', 'hc:posts'),
    optional_links=('hc:avatar', 'hc:follow', 'hc:feed', 'hc:tokens', 'hc:password'),
    relationships={
        'hc:followers': 'users',
        'hc:following': 'users',
        'hc:posts': 'posts',
        'hc:feed': 'posts',
        'hc:tokens': 'tokens',
    },
    to_many=(*RELATIONSHIPS, *OWN_RELATIONSHIPS),
    display=Display(
        plural='People',
        empty='No user name starts with this. Try fewer letters.',
        text='about_me',
        picture='hc:avatar',
        counts=(
            Count('post_count', 'hc:posts', 'post', 'posts'),
            Count('following_count', 'hc:following', 'following', 'following'),
            Count('follower_count', 'hc:followers', 'follower', 'followers'),
        ),
        summary=(Column('member_since', 'Joined', is_day=True),),
        actions={
            'search': ActionDisplay(is_prominent=True),
            'follow': ActionDisplay('You follow them now.', is_prominent=True),
            'unfollow': ActionDisplay('You no longer follow them.', is_prominent=True),
            'edit': ActionDisplay('Your profile is saved.'),
            'request-verification': ActionDisplay(
                'An email with a link is on its way to your address.',
                question='The email has a link that verifies your email address.',
            ),
            'change-password': ActionDisplay(
                'Your password is changed, and you are signed out everywhere else.'
            ),
            'delete': ActionDisplay(
                ACTIONS['delete'].outcome,
                question='This deletes your account with all your posts, follows, sign-ins, stores and their '
                'items. It cannot be undone.',
                ends_session=True,
            ),
        },
        includes={'hc:posts': 'Posts'},
    ),
)


def represent_user(user: UserRecord, viewer: Viewer | None, builder: UrlBuilder) -> Document:
    """Return the user; the email address is only for the user themselves."""
    properties = {
        'id': user.id,
        'username': user.username,
        'about_me': user.about_me,
        'last_seen': iso_time(user.last_seen),
        'member_since': iso_time(user.member_since),
        'post_count': user.post_count,
        'follower_count': user.follower_count,
        'following_count': user.following_count,
    }
    is_own = user.is_own(viewer)
    is_unverified = is_own and builder.features.mail and user.email_verified_at is None
    if is_own:
        properties['email'] = user.email
        if builder.features.mail:
            properties['email_verified'] = not is_unverified
    is_followed = None if viewer is None or is_own else user.is_followed
    can_write = viewer is not None and viewer.can_write
    template = _template(builder, is_own, is_followed, can_write, is_unverified)
    user_id = str(user.id)
    values = {'user_id': user_id, 'viewer_id': viewer and viewer.user_id, 'avatar_hash': user.avatar_hash}
    return template.fill(user_id, properties, values, title=user.username)


@lru_cache(maxsize=MAX_TEMPLATES)
def _template(
    builder: UrlBuilder, is_own: bool, is_followed: bool | None, can_write: bool, is_unverified: bool
) -> Template:
    """Return the template of users; `is_followed` is None for an anonymous client or if `is_own`."""
    ids = {'user_id': variable('user_id')}
    links: dict[str, Link | tuple[Link, ...]] = {
        'self': builder.link_to(urls.USER, **ids),
        'curies': builder.curies,
        'collection': builder.link_to(urls.USERS),
        'hc:followers': builder.link_to(urls.FOLLOWERS, **ids),
        'hc:following': builder.link_to(urls.FOLLOWING, **ids),
        'hc:posts': builder.link_to(urls.USER_POSTS, **ids),
    }
    if builder.features.avatars:
        avatar = urls.AVATAR.format(avatar_hash=variable('avatar_hash'))
        links['hc:avatar'] = Link(avatar, type='image/png')
    forms: tuple[Form, ...] = ()
    if is_own:
        links['hc:feed'] = builder.link_to(urls.FEED, **ids)
        links['hc:tokens'] = builder.link_to(urls.TOKENS)
        links['hc:password'] = builder.link_to(urls.PASSWORD, **ids)
        verification = REQUEST_VERIFICATION.at(builder.url_for(urls.EMAIL_VERIFICATIONS))
        forms = (
            EDIT.at(builder.url_for(urls.USER, **ids)),
            CHANGE_PASSWORD.at(builder.url_for(urls.PASSWORD, **ids)),
            *((verification,) if is_unverified else ()),
            DELETE.at(builder.url_for(urls.USER, **ids)),
        )
    elif is_followed is not None:
        follow = builder.link_to(urls.FOLLOW, user_id=variable('viewer_id'), other_id=variable('user_id'))
        links['hc:follow'] = follow
        forms = ((UNFOLLOW if is_followed else FOLLOW).at(follow.href),)
    return Template(
        Document(
            'users',
            None,
            {},
            links,
            forms=forms if can_write else (),
            relationships={
                rel: Relationship(builder.url_for(urls.USER_RELATIONSHIP, name=member(rel), **ids))
                for rel in (*RELATIONSHIPS, *(OWN_RELATIONSHIPS if is_own else ()))
            },
            display=USER.display,
            parents=(Crumb('People', builder.url_for(urls.USERS)),),
        )
    )


def with_user_title(document: Document, title: str, user: UserRecord, builder: UrlBuilder) -> Document:
    """Return the document with a title that names the user: `Followers of ada`."""
    user_url = builder.url_for(urls.USER, user_id=user.id)
    parents = (Crumb('People', builder.url_for(urls.USERS)), Crumb(user.username, user_url))
    return replace(document, title=f'{title} {user.username}', parents=parents)


SAMPLES = Samples(
    USER,
    lambda builder: {
        'yours': represent_user(sample_data.USER, sample_data.OWNER, builder),
        'followed': represent_user(sample_data.USER, sample_data.OTHER_USER, builder),
        'other': represent_user(
            sample_data.USER._replace(is_followed=False), sample_data.OTHER_USER, builder
        ),
    },
)
NEW_SAMPLE = Samples(USER, lambda builder: {'registered': represent_user(sample_data.USER, None, builder)})
_ALL_USERS = QueryOptions(
    'users',
    paginated=True,
    filters=('q', 'username'),
    sort_keys=ORDERS,
    unique_keys=ORDERS,
    can_include=True,
)
ONE_USER = _ALL_USERS.of_one()


class UsersResource:
    """All users; POST registers one."""

    tag = 'users'
    operation_name = 'Users'
    operations: ClassVar = {
        'GET': Operation(
            'List users',
            'All users, a page at a time, or those whose name starts with `q`.',
            {200: sample_pages(urls.USERS, SAMPLES, (SEARCH, urls.USERS))},
            form=SEARCH,
            query=_ALL_USERS,
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
        SAMPLES,
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


def sample_user(builder: UrlBuilder) -> Document:
    """Return the sample user as another user sees them."""
    return represent_user(sample_data.USER, sample_data.OTHER_USER, builder)


def _sample_self(builder: UrlBuilder) -> Document:
    return represent_user(sample_data.USER, sample_data.OWNER, builder)


def sample_users(template: str) -> Sample:
    """Return a function that makes a sample of the users at a URL template."""
    return sample_collection(template, sample_user, user_id=sample_data.USER.id)


RELATIONS = (
    LinkRelation(
        'users',
        'All users, a page at a time; POST registers a new one.',
        ('GET', 'POST'),
        'a collection of users',
        sample_users(urls.USERS),
    ),
    LinkRelation(
        'user',
        'One user, by id: the URL is a template.',
        ('GET', 'PUT', 'PATCH', 'DELETE'),
        'a user',
        sample_user,
    ),
    LinkRelation(
        'me',
        'The user who is signed in.',
        ('GET', 'PUT', 'PATCH', 'DELETE'),
        'a user: yourself',
        _sample_self,
    ),
    LinkRelation(
        'password',
        "Changes the user's password: PUT `current_password` and `password`. This revokes all other tokens "
        'of the user.',
        ('PUT',),
        'no document: the response to PUT is 204',
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
