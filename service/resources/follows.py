"""Follow resources: representation, actions and responders."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar, NamedTuple
from urllib.parse import quote

import falcon

from service import urls
from service.database.clock import iso_time
from service.database.pagination import Page
from service.domain.errors import Forbidden
from service.domain.follows import (
    FOLLOWERS,
    FOLLOWING,
    FollowList,
    FollowRecord,
    find_follow,
    follow,
    follow_all,
    unfollow,
    unfollow_all,
)
from service.domain.users import UserRecord, find_user
from service.domain.viewer import Viewer, require_editable
from service.http.conditional import precondition, target_precondition
from service.http.operation import Access, Formats, Operation, Route, Samples
from service.http.request import Expansions, Find, Request
from service.http.request_body import read_body, read_resource_identifiers
from service.representation.display import Display
from service.representation.document import Document, Identifier, Relationship, member
from service.representation.kind import Kind, time_member
from service.representation.query import Query
from service.representation.query_parameters import QueryOptions
from service.representation.url_builder import UrlBuilder
from service.resources import sample_data
from service.resources.collection_pages import represent_listing
from service.resources.module import EntryPointPart, LinkRelation
from service.resources.relationships import ToOneRelationship, as_relationship, to_many_route
from service.resources.response_samples import sample_pages
from service.resources.responses import add_invalidation_links, respond_created, respond_no_content
from service.resources.user_document import (
    FOLLOW,
    UNFOLLOW,
    USER,
    USER_SAMPLES,
    represent_user,
    sample_user,
    sample_users,
    with_user_title,
)

# The characters that a query may contain (RFC 3986 §3.4), including the % of escapes.
_QUERY_CHARACTERS = "%!$&'()*+,-./:;=?@_~"
_BARE_PERCENT = re.compile('%(?![0-9A-Fa-f]{2})')

DEPRECATED = '@1764028800'  # 2025-11-25, in seconds (RFC 9745 §2.1)


KIND = Kind(
    'follows',
    'Follow',
    (time_member('created_at', 'When the user began to follow the other.'),),
    links=('hc:follower', 'hc:followed'),
    relationships={'hc:follower': 'users', 'hc:followed': 'users'},
)


def represent_follow(record: FollowRecord, viewer: Viewer | None, builder: UrlBuilder) -> Document:
    """Return the follow with links to both users."""
    follower_id, followed_id = record.follower_id, record.followed_id
    return Document(
        kind='follows',
        id=f'{follower_id}-{followed_id}',
        properties={'created_at': iso_time(record.created_at)},
        links={
            'self': builder.link_to(urls.FOLLOW, user_id=follower_id, other_id=followed_id),
            'curies': builder.curies,
            'hc:follower': builder.link_to(urls.USER, user_id=follower_id),
            'hc:followed': builder.link_to(urls.USER, user_id=followed_id),
        },
        relationships={
            rel: Relationship(
                builder.url_for(
                    urls.FOLLOW_RELATIONSHIP, user_id=follower_id, other_id=followed_id, name=member(rel)
                ),
                Identifier('users', str(user_id)),
            )
            for rel, user_id in (('hc:follower', follower_id), ('hc:followed', followed_id))
        },
    )


class _Listing(NamedTuple):
    """The followers of a user, or the users that a user follows, as a collection with a URL and pages."""

    users: FollowList
    template: str
    title: str
    display: Display


_FOLLOWERS = _Listing(
    FOLLOWERS,
    urls.FOLLOWERS,
    'Followers',
    replace(USER.display, empty='No followers yet. People who follow this account are listed here.'),
)
_FOLLOWING = _Listing(
    FOLLOWING,
    urls.FOLLOWING,
    'Following',
    replace(USER.display, empty='Not following anyone yet. Find people to follow under People.'),
)


def _represent(req: Request, listing: _Listing, user_id: int, query: Query, page: Page) -> Document:
    _, template, title, display = listing
    url = req.builder.url_for(template, user_id=user_id)
    return represent_listing(req, USER, url, page, represent_user, query=query, title=title, display=display)


def _expand(listing: _Listing, req: Request, user_ids: Sequence[int], query: Query) -> dict[int, Document]:
    pages = listing.users.first_pages(req.db, user_ids, query.page_request, req.viewer)
    return {user_id: _represent(req, listing, user_id, query, page) for user_id, page in pages.items()}


def _represent_page(req: Request, listing: _Listing, user: UserRecord) -> Document:
    page = listing.users.page(req.db, user, req.query.page_request, req.user)
    return _represent(req, listing, user.id, req.query, page)


def _represent_relationship(req: Request, user_id: int) -> Document:
    """Return a page of the relationship itself: the identifiers of the users that a user follows."""
    following = _represent_page(req, _FOLLOWING, find_user(req.db, user_id, req.user))
    return as_relationship(following, req.builder.url_for(urls.FOLLOWING_RELATIONSHIP, user_id=user_id))


def _sample_follow(builder: UrlBuilder) -> Document:
    return represent_follow(sample_data.FOLLOW, sample_data.OTHER_USER, builder)


SAMPLES = Samples(KIND, lambda builder: {'yours': _sample_follow(builder)})
_ONE_FOLLOW = QueryOptions('follows', can_include=True)
_USERS = QueryOptions('users', paginated=True, can_include=True)


def _follow_linkage(req: Request) -> dict[str, Identifier]:
    follower_id, _, followed_id = req.resource_id.partition('-')
    return {'hc:follower': Identifier('users', follower_id), 'hc:followed': Identifier('users', followed_id)}


class FollowResource:
    """The follow between two users: PUT follows, DELETE unfollows."""

    tag = 'follows'
    operation_name = 'Follow'
    operations: ClassVar = {
        'GET': Operation(
            'Get a follow',
            'When a user began to follow another; 404 if they do not.',
            {200: SAMPLES},
            query=_ONE_FOLLOW,
        ),
        'PUT': Operation(
            'Follow a user',
            'Makes the user follow the other one; idempotent: 200 if they already do.',
            {200: SAMPLES, 201: SAMPLES},
            Access.OWNER,
            FOLLOW,
            _ONE_FOLLOW,
            linkage=_follow_linkage,
        ),
        'DELETE': Operation(
            'Unfollow a user',
            'Ends the follow; idempotent: 204 even if there is none.',
            {204: None},
            Access.OWNER,
            query=_ONE_FOLLOW,
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response, user_id: int, other_id: int) -> None:
        resp.media = represent_follow(find_follow(req.db, user_id, other_id), req.viewer, req.builder)

    def on_put(self, req: Request, resp: falcon.Response, user_id: int, other_id: int) -> None:
        find_user(req.db, other_id, req.viewer)
        require_editable(find_user(req.db, user_id, req.viewer), req.viewer)
        read_body(req)  # its members are ignored, but it must be well-formed
        check = precondition(req, represent_follow)
        record, is_new = follow(req.db, user_id, other_id, by=req.user, precondition=check)
        resp.media = represent_follow(record, req.viewer, req.builder)
        if is_new:
            respond_created(resp, resp.media)
        relationship = req.builder.url_for(urls.FOLLOWING_RELATIONSHIP, user_id=user_id)
        add_invalidation_links(resp, *_changed_by_following(req.builder, user_id, other_id), relationship)

    def on_delete(self, req: Request, resp: falcon.Response, user_id: int, other_id: int) -> None:
        check = precondition(req, represent_follow)
        unfollow(req.db, user_id, other_id, by=req.user, precondition=check)
        relationship = req.builder.url_for(urls.FOLLOWING_RELATIONSHIP, user_id=user_id)
        respond_no_content(resp, *_changed_by_following(req.builder, user_id, other_id), relationship)


class FollowersResource:
    """The users who follow a user."""

    tag = 'follows'
    operation_name = 'Followers'
    operations: ClassVar = {
        'GET': Operation(
            'List followers',
            'The users who follow this one, the newest follow first.',
            {200: sample_pages(urls.FOLLOWERS, USER_SAMPLES)},
            query=_USERS,
        )
    }

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        user = find_user(req.db, user_id, req.user)
        document = _represent_page(req, _FOLLOWERS, user)
        resp.media = with_user_title(document, 'Followers of', user, req.builder)


class FollowingResource:
    """The users that a user follows."""

    tag = 'follows'
    operation_name = 'Following'
    operations: ClassVar = {
        'GET': Operation(
            'List followed users',
            'The users that this one follows, the newest follow first.',
            {200: sample_pages(urls.FOLLOWING, USER_SAMPLES)},
            query=_USERS,
        )
    }

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        user = find_user(req.db, user_id, req.user)
        document = _represent_page(req, _FOLLOWING, user)
        resp.media = with_user_title(document, 'Followed by', user, req.builder)


_LINKAGE = sample_pages(urls.FOLLOWING_RELATIONSHIP, USER_SAMPLES, related=urls.FOLLOWING)
_MEMBERS = QueryOptions('users', paginated=True)
_CHANGED_MEMBERS = _MEMBERS.of_one()  # without a cursor, which could be invalid after the change took effect


class FollowingRelationshipResource:
    """The relationship to the users that a user follows: POST adds members, DELETE removes them."""

    tag = 'follows'
    operation_name = 'FollowingRelation'
    operations: ClassVar = {
        'GET': Operation(
            'List the ids of followed users',
            'The identifiers of the users that this one follows, in JSON:API.',
            {200: _LINKAGE},
            query=_MEMBERS,
            formats=Formats.RELATIONSHIP,
        ),
        'POST': Operation(
            'Follow users',
            'Follows every user that the body identifies; idempotent.',
            {200: _LINKAGE},
            Access.OWNER,
            FOLLOW,
            _CHANGED_MEMBERS,
            Formats.RELATIONSHIP,
        ),
        'DELETE': Operation(
            'Unfollow users',
            'Unfollows every user that the body identifies; idempotent.',
            {200: _LINKAGE},
            Access.OWNER,
            UNFOLLOW,
            _CHANGED_MEMBERS,
            Formats.RELATIONSHIP,
        ),
        'PATCH': Operation(
            'Replace the followed users',
            'Always responds with 403: add and remove users instead.',
            {},
            Access.OWNER,
            query=_CHANGED_MEMBERS,
            formats=Formats.RELATIONSHIP,
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        resp.media = _represent_relationship(req, user_id)

    def on_post(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        _change_members(req, resp, user_id, follow_all)

    def on_delete(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        _change_members(req, resp, user_id, unfollow_all)

    def on_patch(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        find_user(req.db, user_id, req.viewer)
        raise Forbidden(
            'The members of this relationship cannot be replaced as a whole: add or remove them by POST or '
            'DELETE.'
        )


def _change_members(req: Request, resp: falcon.Response, user_id: int, change: Callable[..., None]) -> None:
    require_editable(find_user(req.db, user_id, req.viewer), req.viewer)
    members = read_resource_identifiers(req)
    change(req.db, user_id, members, by=req.user, precondition=target_precondition(req))
    resp.media = _represent_relationship(req, user_id)
    changed = [url for other_id in members for url in _changed_by_following(req.builder, user_id, other_id)]
    changed += (req.builder.url_for(urls.FOLLOW, user_id=user_id, other_id=other_id) for other_id in members)
    add_invalidation_links(resp, *dict.fromkeys(changed))


class LegacyFollowedRedirect:
    """A redirect from the URL that `following` had in 2018, so that old links still work."""

    tag = 'follows'
    operation_name = 'Followed'
    operations: ClassVar = {
        method: Operation(
            f'{method} at a former URL',
            f'Redirects {method} to the users that this one follows, which had this URL in 2018.',
            {308: None},
            Access.SHARED,
            formats=Formats.FIXED,
            deprecated=True,
        )
        for method in ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')
    }

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        query = _BARE_PERCENT.sub('%25', quote(req.query_string, safe=_QUERY_CHARACTERS))
        resp.status = falcon.HTTP_308
        url = req.builder.url_for(urls.FOLLOWING, user_id=user_id)
        resp.set_header('Location', f'{url}?{query}' if query else url)
        resp.set_header('Deprecation', DEPRECATED)
        resp.append_header('Link', f'<{url}>; rel="successor-version"')

    on_post = on_put = on_patch = on_delete = on_get


def _changed_by_following(builder: UrlBuilder, user_id: int, other_id: int) -> tuple[str, ...]:
    """Return the URLs of what a follow changes: both users, and collections of users or of their posts."""
    templates = (urls.USER, urls.USER_POSTS, urls.FOLLOWERS, urls.FOLLOWING)
    return (
        builder.url_for(urls.USERS),
        builder.url_for(urls.POSTS),
        builder.url_for(urls.FEED, user_id=user_id),
        *(builder.url_for(template, user_id=user_id) for template in templates),
        *(builder.url_for(template, user_id=other_id) for template in templates),
        builder.url_for(urls.FOLLOWERS_RELATIONSHIP, user_id=other_id),
    )


def entry_point(viewer: Viewer | None, builder: UrlBuilder) -> EntryPointPart:
    """Return no links: clients find follows through users."""
    return EntryPointPart({})


RELATIONS = (
    LinkRelation(
        'followers',
        'The users who follow the user, the newest follow first.',
        ('GET',),
        'a collection of users',
        sample_users(urls.FOLLOWERS),
    ),
    LinkRelation(
        'following',
        'The users that the user follows, the newest follow first.',
        ('GET',),
        'a collection of users',
        sample_users(urls.FOLLOWING),
    ),
    LinkRelation(
        'follow',
        'Your follow of the user: PUT to follow, DELETE to unfollow; both are idempotent. GET is 404 while '
        'you do not follow the user.',
        ('GET', 'PUT', 'DELETE'),
        'a follow',
        _sample_follow,
    ),
    LinkRelation(
        'follower',
        'The user who follows.',
        ('GET', 'PUT', 'PATCH', 'DELETE'),
        'a user',
        sample_user,
    ),
    LinkRelation(
        'followed',
        'The user who is followed.',
        ('GET', 'PUT', 'PATCH', 'DELETE'),
        'a user',
        sample_user,
    ),
)
EXPANSIONS: Expansions = {
    ('users', 'hc:followers'): partial(_expand, _FOLLOWERS),
    ('users', 'hc:following'): partial(_expand, _FOLLOWING),
}
RESOURCES: Mapping[str, Find] = {}
ROUTES: tuple[Route, ...] = (
    (urls.FOLLOWERS, FollowersResource()),
    (urls.FOLLOWING, FollowingResource()),
    (urls.FOLLOWING_RELATIONSHIP, FollowingRelationshipResource()),
    to_many_route(urls.FOLLOWERS_RELATIONSHIP, urls.FOLLOWERS, FollowersResource(), USER_SAMPLES),
    (urls.FOLLOWER_RELATIONSHIP, ToOneRelationship(FollowResource(), 'hc:follower', USER_SAMPLES)),
    (urls.FOLLOWED_RELATIONSHIP, ToOneRelationship(FollowResource(), 'hc:followed', USER_SAMPLES)),
    (urls.FOLLOWED, LegacyFollowedRedirect()),
    (urls.FOLLOW, FollowResource()),
)
