"""User resources: representation, actions and responders."""

from typing import ClassVar

import falcon

from service import urls
from service.domain.accounts import delete_user
from service.domain.passwords import BCRYPT_MAX_BYTES
from service.domain.users import (
    MAX_ABOUT_ME_LENGTH,
    MAX_EMAIL_LENGTH,
    MAX_USERNAME_LENGTH,
    MIN_PASSWORD_LENGTH,
    ORDERS,
    USERNAME,
    UserRecord,
    change_password,
    change_user,
    find_user,
    list_users,
    register_user,
)
from service.domain.viewer import Viewer, require_permission
from service.http.conditional import NO_STORE, precondition
from service.http.operation import Access, Operation, Route, Samples
from service.http.request import Expansions, Request
from service.http.request_body import read_form
from service.representation.action import EMAIL, Action, Field, Form
from service.representation.addresses import AddressBook
from service.representation.document import Document, Link
from service.representation.queries import FILTER_LENGTH, QueryOptions
from service.resources import sample_data
from service.resources.cache import cached
from service.resources.collection_pages import represent_listing, sample_page
from service.resources.module import EntryPointPart, LinkRelation, Sample
from service.resources.response_samples import sample_pages
from service.resources.responses import add_invalidation_links, apply_edit, respond_created
from service.resources.timestamps import represent_time

_NEW_PASSWORD = Field(
    'password',
    'Password',
    type='password',
    required=True,
    min_length=MIN_PASSWORD_LENGTH,
    max_length=BCRYPT_MAX_BYTES,
    max_bytes=BCRYPT_MAX_BYTES,
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
            regex=USERNAME,
            rule='may have only the letters A to Z, digits, and . _ -',
            autocomplete='username',
        ),
        Field(
            'email',
            'E-mail',
            type='email',
            required=True,
            min_length=1,
            max_length=MAX_EMAIL_LENGTH,
            regex=EMAIL,
            rule='must be an e-mail address',
            autocomplete='email',
        ),
        _NEW_PASSWORD,
        Field('about_me', 'About me', type='textarea', max_length=MAX_ABOUT_ME_LENGTH, nullable=True, rows=3),
    ),
)
EDIT = Action('edit', 'PUT', 'Edit profile', REGISTER.optional('username', 'email', 'about_me'))
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
        _NEW_PASSWORD,
    ),
)
FOLLOW = Action('follow', 'PUT', 'Follow')
UNFOLLOW = Action('unfollow', 'DELETE', 'Unfollow')
RELATIONSHIPS = ('hc:followers', 'hc:following', 'hc:posts')
SEARCH = Action(
    'search', 'GET', 'Search', (Field('q', 'Name starts with', type='search', max_length=FILTER_LENGTH),)
)


@cached
def represent_user(user: UserRecord, viewer: Viewer | None, book: AddressBook) -> Document:
    """Return the user as the viewer may see them: the e-mail address is for nobody else."""
    is_own = user.is_editable_by(viewer)
    properties = {
        'id': user.id,
        'username': user.username,
        'about_me': user.about_me,
        'last_seen': represent_time(user.last_seen),
        'member_since': represent_time(user.member_since),
        'post_count': user.post_count,
        'follower_count': user.follower_count,
        'following_count': user.following_count,
    }
    here = {'user_id': user.id}
    links: dict[str, Link | tuple[Link, ...]] = {
        'self': book.link(urls.USER, **here),
        'curies': book.curies,
        'collection': book.link(urls.USERS),
        'hc:followers': book.link(urls.FOLLOWERS, **here),
        'hc:following': book.link(urls.FOLLOWING, **here),
        'hc:posts': book.link(urls.USER_POSTS, **here),
    }
    if book.avatars:
        links['hc:avatar'] = Link(urls.AVATAR.format(avatar_hash=user.avatar_hash))
    forms: tuple[Form, ...] = ()
    if is_own:
        properties['email'] = user.email
        links['hc:feed'] = book.link(urls.FEED, **here)
        links['hc:tokens'] = book.link(urls.TOKENS)
        links['hc:password'] = book.link(urls.PASSWORD, **here)
        forms = (
            EDIT.at(book.href(urls.USER, **here), properties),
            CHANGE_PASSWORD.at(book.href(urls.PASSWORD, **here)),
            DELETE.at(book.href(urls.USER, **here)),
        )
    elif user.is_followable_by(viewer):
        assert viewer is not None
        relation = book.link(urls.FOLLOW, user_id=viewer.user_id, other_id=user.id)
        links['hc:follow'] = relation
        action = UNFOLLOW if user.is_followed else FOLLOW
        forms = (action.at(relation.href),)
    following = book.link(urls.FOLLOWING_RELATION, **here)
    relationships = {**dict.fromkeys(RELATIONSHIPS), 'hc:following': following}
    return Document(
        'users',
        str(user.id),
        properties,
        links,
        forms=forms,
        title=user.username,
        relationships=relationships,
    )


SAMPLES = Samples(
    'user',
    lambda book: {
        'yours': represent_user(sample_data.USER, sample_data.OWNER, book),
        'followed': represent_user(sample_data.USER, sample_data.OTHER_USER, book),
        'other': represent_user(sample_data.USER._replace(is_followed=False), sample_data.OTHER_USER, book),
    },
)
NEW_SAMPLE = Samples('new-user', lambda book: {'registered': represent_user(sample_data.USER, None, book)})
_ALL_USERS = QueryOptions(
    'users',
    paginated=True,
    search=('q',),
    filters=('username',),
    sort_keys=ORDERS,
    includable=RELATIONSHIPS,
)
_ONE_USER = _ALL_USERS.of_one()


class UsersResource:
    """Everybody, and signing up."""

    tag = 'users'
    operation_name = 'Users'
    description = 'Everybody, and signing up.'
    operations: ClassVar = {
        'GET': Operation(
            {200: sample_pages(urls.USERS, SAMPLES, (SEARCH, urls.USERS))}, form=SEARCH, query=_ALL_USERS
        ),
        'POST': Operation({201: NEW_SAMPLE}, Access.ANYONE, REGISTER, _ONE_USER),
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.media = _represent_users(req)

    def on_post(self, req: Request, resp: falcon.Response) -> None:
        user = register_user(req.db, client_address=req.client_address, **read_form(req))
        respond_created(resp, represent_user(user, None, req.book))
        resp.set_header('Cache-Control', NO_STORE)  # its owner will see more of it
        add_invalidation_links(resp, req.book.href(urls.USERS))


def _represent_users(req: Request) -> Document:
    query = req.query
    prefix, username = query.filters.get('q', ''), query.filters.get('username')
    page = list_users(req.db, query.position, req.caller, prefix=prefix, username=username, order=query.order)
    address = req.book.href(urls.USERS)
    return represent_listing(
        req,
        'users',
        address,
        page,
        represent_user,
        links={'search': Link(address + '{?q,per_page}', templated=True)},
        forms=(SEARCH.at(address, query.filters),),
    )


class UserResource:
    """One person."""

    tag = 'users'
    operation_name = 'User'
    description = 'One person.'
    operations: ClassVar = {
        'GET': Operation({200: SAMPLES}, query=_ONE_USER),
        'PUT': Operation({200: SAMPLES}, Access.OWNER, EDIT, _ONE_USER),
        'PATCH': Operation({200: SAMPLES}, Access.OWNER, EDIT, _ONE_USER),
        'DELETE': Operation({204: None}, Access.OWNER, query=_ONE_USER),
    }

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        resp.media = represent_user(find_user(req.db, user_id, req.viewer), req.viewer, req.book)

    def on_put(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        user = find_user(req.db, user_id, req.caller)
        resp.media = apply_edit(req, user, represent_user, change_user)
        add_invalidation_links(resp, req.book.href(urls.USERS))

    on_patch = on_put

    def on_delete(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        delete_user(req.db, user_id, by=req.caller, precondition=precondition(req, represent_user))
        resp.status = falcon.HTTP_204
        add_invalidation_links(resp, req.book.href(urls.USERS), req.book.href(urls.POSTS))


class PasswordResource:
    """The password of one person: it can be changed, never read."""

    tag = 'users'
    operation_name = 'Password'
    description = 'The password of one person: it can be changed, never read.'
    operations: ClassVar = {
        'PUT': Operation({204: None}, Access.OWNER, CHANGE_PASSWORD, QueryOptions('users')),
    }

    def on_put(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        user = find_user(req.db, user_id, req.viewer)
        require_permission(user.is_editable_by(req.viewer))
        given = precondition(req, represent_user)
        values = read_form(req, lambda: given(None))
        change_password(req.db, user_id, by=req.caller, client_address=req.client_address, **values)
        resp.status = falcon.HTTP_204
        add_invalidation_links(resp, req.book.href(urls.TOKENS), req.book.href(urls.USER, user_id=user_id))


def entry_point(viewer: Viewer | None, book: AddressBook) -> EntryPointPart:
    """Return the links and forms of users on the entry point."""
    links = {'hc:users': book.link(urls.USERS)}
    if viewer is None:
        return EntryPointPart(links, (REGISTER.at(book.href(urls.USERS)),))
    links['hc:me'] = book.link(urls.USER, user_id=viewer.user_id)
    links['hc:user'] = book.template(urls.USER, user_id='id')
    return EntryPointPart(links)


def sample_user(book: AddressBook) -> Document:
    """Return a user as somebody else sees them, as an example."""
    return represent_user(sample_data.USER, sample_data.OTHER_USER, book)


def _sample_self(book: AddressBook) -> Document:
    return represent_user(sample_data.USER, sample_data.OWNER, book)


def sample_users(template: str) -> Sample:
    """Return what makes an example of a collection of users at an address."""
    return lambda book: sample_page(
        'users', book.href(template, user_id=sample_data.USER.id), sample_user(book), book
    )


RELATIONS = (
    LinkRelation(
        'users',
        'Everybody who has signed up, a page at a time; a new user is posted here.',
        ('GET', 'POST'),
        'a collection of users',
        sample_users(urls.USERS),
    ),
    LinkRelation(
        'user',
        'One user, by id: the address is a template.',
        ('GET', 'PUT', 'PATCH', 'DELETE'),
        'a user',
        sample_user,
    ),
    LinkRelation(
        'me',
        'The user who is signed in.',
        ('GET', 'PUT', 'PATCH', 'DELETE'),
        'a user: oneself',
        _sample_self,
    ),
    LinkRelation(
        'password',
        "Where the user's password is changed: put `current_password` and `password`. All other tokens of "
        'the user are revoked by it.',
        ('PUT',),
        'nothing that could be read: the answer to a change is 204, without a document',
    ),
    LinkRelation('avatar', "The user's picture, an image that Gravatar draws.", ('GET',), 'an image'),
    LinkRelation(
        'page',
        'A page of the collection by its number: the address is a template.',
        ('GET',),
        'a page of the same collection',
        sample_users(urls.USERS),
    ),
)
EXPANSIONS: Expansions = {}
ROUTES: tuple[Route, ...] = (
    (urls.USERS, UsersResource()),
    (urls.USER, UserResource()),
    (urls.PASSWORD, PasswordResource()),
)
