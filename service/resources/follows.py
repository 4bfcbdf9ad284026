"""Follow relations: how they are said, and following and unfollowing."""

import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

import falcon

from service import urls
from service.database.pagination import Page
from service.domain.errors import Forbidden
from service.domain.follows import (
    FollowRecord,
    find_follow,
    first_pages_of_followers,
    first_pages_of_following,
    follow,
    follow_all,
    list_followers,
    list_following,
    unfollow,
    unfollow_all,
)
from service.domain.users import find_user
from service.domain.viewer import Viewer, require_permission
from service.middleware.body import read_body, read_members
from service.middleware.conditional import precondition
from service.middleware.links import invalidates
from service.middleware.request import Expansions, Request
from service.representation.addresses import AddressBook
from service.representation.document import Document, Link
from service.representation.queries import Query, Vocabulary
from service.resources import made_up
from service.resources.answers import Answers, Samples, sample_linkage, sample_pages
from service.resources.collections import represent_listing
from service.resources.outcomes import created
from service.resources.relation import Entry, Relation
from service.resources.times import represent_time
from service.resources.users import (
    FOLLOW,
    RELATIONSHIPS,
    UNFOLLOW,
    represent_user,
    sample_user,
    sample_users,
)
from service.resources.users import SAMPLES as USERS

# What stands in a query as it is (RFC 3986 §3.4), and what is escaped already.
_QUERY = "%!$&'()*+,-./:;=?@_~"
_BARE_PERCENT = re.compile('%(?![0-9A-Fa-f]{2})')

MOST_TOLD = 10  # members of whom the Link header says what changed: servers and proxies limit headers


def represent_follow(relation: FollowRecord, viewer: Viewer | None, book: AddressBook) -> Document:
    """Return the relation with links to both users."""
    follower_id, followed_id = relation.follower_id, relation.followed_id
    return Document(
        kind='follows',
        id=f'{follower_id}-{followed_id}',
        properties={'created_at': represent_time(relation.created_at)},
        links={
            'self': book.link(urls.FOLLOW, user_id=follower_id, other_id=followed_id),
            'curies': book.curies,
            'hc:follower': book.link(urls.USER, user_id=follower_id),
            'hc:followed': book.link(urls.USER, user_id=followed_id),
        },
        relationships={'hc:follower': None, 'hc:followed': None},
    )


def represent_followers(req: Request, user_id: int, query: Query, page: Page) -> Document:
    """Return a page of those who follow the user."""
    return _represent_people(req, urls.FOLLOWERS, user_id, query, page, 'Followers')


def represent_following(req: Request, user_id: int, query: Query, page: Page) -> Document:
    """Return a page of those whom the user follows."""
    return _represent_people(req, urls.FOLLOWING, user_id, query, page, 'Following')


def represent_following_relation(req: Request, user_id: int) -> Document:
    """Return a page of the relation itself: it names those whom the user follows."""
    page = list_following(req.db, user_id, req.query.position, req.caller)
    related = req.book.link(urls.FOLLOWING, user_id=user_id)
    template = urls.FOLLOWING_RELATION
    return _represent_people(req, template, user_id, req.query, page, 'Following', related=related)


def _represent_people(
    req: Request, template: str, user_id: int, query: Query, page: Page, title: str, **links: Link
) -> Document:
    address = req.book.href(template, user_id=user_id)
    return represent_listing(
        req, 'users', address, page, represent_user, query=query, links=links, title=title
    )


def _expand_followers(req: Request, user_ids: Sequence[int], query: Query) -> dict[int, Document]:
    pages = first_pages_of_followers(req.db, user_ids, query.position, req.viewer)
    return {user_id: represent_followers(req, user_id, query, page) for user_id, page in pages.items()}


def _expand_following(req: Request, user_ids: Sequence[int], query: Query) -> dict[int, Document]:
    pages = first_pages_of_following(req.db, user_ids, query.position, req.viewer)
    return {user_id: represent_following(req, user_id, query, page) for user_id, page in pages.items()}


def _sample_follow(book: AddressBook) -> Document:
    return represent_follow(made_up.FOLLOW, made_up.OTHER, book)


SAMPLES = Samples('follow', lambda book: {'yours': _sample_follow(book)})


class FollowResource:
    """The relation between two users: put to follow, deleted to unfollow."""

    tag = 'follows'
    operation_name = 'Follow'
    description = 'The relation between two users: put to follow, deleted to unfollow.'
    for_owner = frozenset(('PUT', 'DELETE'))
    vocabulary = Vocabulary('follows')
    reads: ClassVar = {'PUT': FOLLOW}
    answers: ClassVar[Answers] = {
        'GET': {200: SAMPLES},
        'PUT': {200: SAMPLES, 201: SAMPLES},
        'DELETE': {204: None},
    }

    def on_get(self, req: Request, resp: falcon.Response, user_id: int, other_id: int) -> None:
        resp.media = represent_follow(find_follow(req.db, user_id, other_id), req.viewer, req.book)

    def on_put(self, req: Request, resp: falcon.Response, user_id: int, other_id: int) -> None:
        find_user(req.db, other_id, req.viewer)
        require_permission(find_user(req.db, user_id, req.viewer).is_editable_by(req.viewer))
        read_body(req)  # nothing in it matters, but it must be one that can be read
        given = precondition(req, represent_follow)
        relation, is_new = follow(req.db, user_id, other_id, by=req.caller, precondition=given)
        resp.media = represent_follow(relation, req.viewer, req.book)
        if is_new:
            created(resp, resp.media)
        invalidates(resp, *_changed_by_following(req.book, user_id, other_id))

    def on_delete(self, req: Request, resp: falcon.Response, user_id: int, other_id: int) -> None:
        given = precondition(req, represent_follow)
        unfollow(req.db, user_id, other_id, by=req.caller, precondition=given)
        resp.status = falcon.HTTP_204
        invalidates(resp, *_changed_by_following(req.book, user_id, other_id))


class FollowersResource:
    """Those who follow a user."""

    tag = 'follows'
    operation_name = 'Followers'
    description = 'Those who follow a user.'
    vocabulary = Vocabulary('users', paged=True, relations=RELATIONSHIPS)
    answers: ClassVar[Answers] = {'GET': {200: sample_pages(urls.FOLLOWERS, USERS)}}

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        page = list_followers(req.db, user_id, req.query.position, req.caller)
        resp.media = represent_followers(req, user_id, req.query, page)


class FollowingResource:
    """Those whom a user follows."""

    tag = 'follows'
    operation_name = 'Following'
    description = 'Those whom a user follows.'
    vocabulary = Vocabulary('users', paged=True, relations=RELATIONSHIPS)
    answers: ClassVar[Answers] = {'GET': {200: sample_pages(urls.FOLLOWING, USERS)}}

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        page = list_following(req.db, user_id, req.query.position, req.caller)
        resp.media = represent_following(req, user_id, req.query, page)


_LINKAGE = sample_linkage(urls.FOLLOWING_RELATION, urls.FOLLOWING, USERS)


class FollowingRelationResource:
    """The relation to those whom a user follows: members are posted to follow them, deleted to unfollow."""

    tag = 'follows'
    operation_name = 'FollowingRelation'
    description = (
        'The relation to those whom a user follows: members are posted to follow them, deleted to unfollow.'
    )
    vocabulary = Vocabulary('users', paged=True)
    is_linkage = True
    for_owner = frozenset(('POST', 'DELETE', 'PATCH'))
    reads: ClassVar = {'POST': FOLLOW, 'DELETE': UNFOLLOW}
    answers: ClassVar[Answers] = {
        'GET': {200: _LINKAGE},
        'POST': {200: _LINKAGE},
        'DELETE': {200: _LINKAGE},
        'PATCH': {},
    }

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        resp.media = represent_following_relation(req, user_id)

    def on_post(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        _change_members(req, resp, user_id, follow_all)

    def on_delete(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        _change_members(req, resp, user_id, unfollow_all)

    def on_patch(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        find_user(req.db, user_id, req.viewer)
        raise Forbidden('The members of this relation cannot be replaced as a whole: post and delete them.')


def _change_members(req: Request, resp: falcon.Response, user_id: int, change: Callable[..., None]) -> None:
    require_permission(find_user(req.db, user_id, req.viewer).is_editable_by(req.viewer))
    members = read_members(req)
    given = precondition(req, lambda *_: represent_following_relation(req, user_id))
    change(req.db, user_id, members, by=req.caller, precondition=given)
    resp.media = represent_following_relation(req, user_id)
    for other_id in members[:MOST_TOLD]:
        invalidates(resp, *_changed_by_following(req.book, user_id, other_id))


class FollowedResource:
    """Where those whom a user follows were in 2018: an address once published does not break."""

    tag = 'follows'
    operation_name = 'Followed'
    description = 'Where those whom a user follows were in 2018: an address once published does not break.'
    public = frozenset(('GET', 'POST', 'PUT', 'PATCH', 'DELETE'))
    negotiates = False
    answers: ClassVar[Answers] = {method: {308: None} for method in public}

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        query = _BARE_PERCENT.sub('%25', quote(req.query_string, safe=_QUERY))
        resp.status = falcon.HTTP_308
        address = req.book.href(urls.FOLLOWING, user_id=user_id)
        resp.set_header('Location', f'{address}?{query}' if query else address)

    on_post = on_put = on_patch = on_delete = on_get


def _changed_by_following(book: AddressBook, user_id: int, other_id: int) -> tuple[str, ...]:
    return (
        book.href(urls.USER, user_id=user_id),
        book.href(urls.USER, user_id=other_id),
        book.href(urls.FOLLOWING, user_id=user_id),
        book.href(urls.FOLLOWERS, user_id=other_id),
        book.href(urls.FEED, user_id=user_id),
    )


def enter(viewer: Viewer | None, book: AddressBook) -> Entry:
    """Return what the entry point says of follow relations: nothing, for they are found on users."""
    return Entry({})


RELATIONS = (
    Relation(
        'followers',
        'Those who follow the user, the newest relation first.',
        ('GET',),
        'a collection of users',
        sample_users(urls.FOLLOWERS),
    ),
    Relation(
        'following',
        'Those whom the user follows, the newest relation first.',
        ('GET',),
        'a collection of users',
        sample_users(urls.FOLLOWING),
    ),
    Relation(
        'follow',
        'The relation between you and the user: put to follow, delete to unfollow, both as often as you '
        'like; it is not found while you do not follow.',
        ('GET', 'PUT', 'DELETE'),
        'a follow relation',
        _sample_follow,
    ),
    Relation(
        'follower',
        'The user who follows, of a follow relation.',
        ('GET', 'PUT', 'PATCH', 'DELETE'),
        'a user',
        sample_user,
    ),
    Relation(
        'followed',
        'The user who is followed, of a follow relation.',
        ('GET', 'PUT', 'PATCH', 'DELETE'),
        'a user',
        sample_user,
    ),
)
EXPANSIONS: Expansions = {
    ('users', 'hc:followers'): _expand_followers,
    ('users', 'hc:following'): _expand_following,
}
ROUTES: tuple[tuple[str, Any], ...] = (
    (urls.FOLLOWERS, FollowersResource()),
    (urls.FOLLOWING, FollowingResource()),
    (urls.FOLLOWING_RELATION, FollowingRelationResource()),
    (urls.FOLLOWED, FollowedResource()),
    (urls.FOLLOW, FollowResource()),
)
