"""Follow relations: how they are said, and following and unfollowing."""

from typing import Any, ClassVar

import falcon

from service import urls
from service.domain.follows import Follow, find_follow, follow, list_followers, list_following, unfollow
from service.domain.users import find_user
from service.domain.viewer import Viewer, require
from service.middleware.body import read_body
from service.middleware.conditional import precondition
from service.middleware.links import invalidates
from service.middleware.request import Request
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.representation.queries import read_page_query
from service.resources.answers import MOMENT, VIEWER, Answers, Samples, sample_pages
from service.resources.collections import represent_page
from service.resources.relation import Entry, Relation
from service.resources.times import represent_time
from service.resources.users import ADA, FOLLOW, GRACE, represent_user
from service.resources.users import SAMPLES as USERS


def represent_follow(relation: Follow, viewer: Viewer | None, book: AddressBook) -> Document:
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
    )


SAMPLES = Samples(
    'follow', lambda book: {'yours': represent_follow(Follow(ADA.id, GRACE.id, MOMENT), VIEWER, book)}
)


class FollowResource:
    """The relation between two users: put to follow, deleted to unfollow."""

    for_owner = frozenset(('PUT', 'DELETE'))
    reads: ClassVar = {'PUT': FOLLOW}
    answers: ClassVar[Answers] = {
        'GET': {200: SAMPLES},
        'PUT': {200: SAMPLES, 201: SAMPLES},
        'DELETE': {204: None},
    }

    def on_get(self, req: Request, resp: falcon.Response, user_id: int, other_id: int) -> None:
        resp.media = represent_follow(find_follow(req.db, user_id, other_id), req.viewer, req.book)

    def on_put(self, req: Request, resp: falcon.Response, user_id: int, other_id: int) -> None:
        require(find_user(req.db, user_id, req.viewer).is_editable_by(req.viewer))
        find_user(req.db, other_id, req.viewer)
        read_body(req)  # nothing in it matters, but it must be one that can be read
        given = precondition(req, represent_follow)
        relation, is_new = follow(req.db, user_id, other_id, by=req.caller, given=given)
        document = represent_follow(relation, req.viewer, req.book)
        resp.media = document
        if is_new:
            resp.status, resp.location = falcon.HTTP_201, document.href
        invalidates(resp, *_changed_by_following(req.book, user_id, other_id))

    def on_delete(self, req: Request, resp: falcon.Response, user_id: int, other_id: int) -> None:
        given = precondition(req, represent_follow)
        unfollow(req.db, user_id, other_id, by=req.caller, given=given)
        resp.status = falcon.HTTP_204
        invalidates(resp, *_changed_by_following(req.book, user_id, other_id))


class FollowersResource:
    """Those who follow a user."""

    answers: ClassVar[Answers] = {'GET': {200: sample_pages(urls.FOLLOWERS, USERS)}}

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        query = read_page_query(req.params)
        page = list_followers(req.db, user_id, query.position, req.caller)
        items = [represent_user(user, req.viewer, req.book) for user in page.entries]
        address = req.book.href(urls.FOLLOWERS, user_id=user_id)
        resp.media = represent_page('users', address, query, page, items, req.book)


class FollowingResource:
    """Those whom a user follows."""

    answers: ClassVar[Answers] = {'GET': {200: sample_pages(urls.FOLLOWING, USERS)}}

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        query = read_page_query(req.params)
        page = list_following(req.db, user_id, query.position, req.caller)
        items = [represent_user(user, req.viewer, req.book) for user in page.entries]
        address = req.book.href(urls.FOLLOWING, user_id=user_id)
        resp.media = represent_page('users', address, query, page, items, req.book)


class FollowedResource:
    """Where those whom a user follows were in 2018: an address once published does not break."""

    public = frozenset(('GET', 'POST', 'PUT', 'PATCH', 'DELETE'))
    negotiates = False
    answers: ClassVar[Answers] = {method: {308: None} for method in public}

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        resp.status = falcon.HTTP_308
        resp.location = req.book.href(urls.FOLLOWING, user_id=user_id) + (
            f'?{req.query_string}' if req.query_string else ''
        )

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
    Relation('followers', 'Those who follow the user, the newest relation first.', ('GET',)),
    Relation('following', 'Those whom the user follows, the newest relation first.', ('GET',)),
    Relation(
        'follow',
        'The relation between you and the user: put to follow, delete to unfollow, both as often as you '
        'like; it is not found while you do not follow.',
        ('GET', 'PUT', 'DELETE'),
    ),
    Relation('follower', 'The user who follows, of a follow relation.', ('GET', 'PUT', 'PATCH', 'DELETE')),
    Relation(
        'followed', 'The user who is followed, of a follow relation.', ('GET', 'PUT', 'PATCH', 'DELETE')
    ),
)
ROUTES: tuple[tuple[str, Any], ...] = (
    (urls.FOLLOWERS, FollowersResource()),
    (urls.FOLLOWING, FollowingResource()),
    (urls.FOLLOWED, FollowedResource()),
    (urls.FOLLOW, FollowResource()),
)
