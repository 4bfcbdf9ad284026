"""Post resources and the feed: representation, actions and responders."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import ClassVar, Unpack

import falcon

from service import urls
from service.database.clock import iso_time
from service.database.pagination import Page
from service.domain.feed import list_feed
from service.domain.posts import (
    MAX_BODY_LENGTH,
    ORDERS,
    PostRecord,
    change_post,
    delete_post,
    find_post,
    find_posts,
    first_pages_of_posts,
    list_posts,
    list_posts_of,
    publish_post,
)
from service.domain.users import find_user
from service.domain.viewer import Viewer
from service.http.conditional import creation_check, precondition
from service.http.operation import Access, Operation, Route, Samples
from service.http.request import Expansions, Find, Request
from service.http.request_body import read_form
from service.representation.action import NOT_BLANK, Action, Field
from service.representation.display import ActionDisplay, Display
from service.representation.document import Document, Identifier, Relationship
from service.representation.kind import Kind, Member, id_member, time_member
from service.representation.query import Query
from service.representation.query_parameters import QueryOptions
from service.representation.template import MAX_TEMPLATES, Template, variable
from service.representation.url_builder import UrlBuilder
from service.resources import sample_data
from service.resources.collection_pages import PageExtras, represent_listing
from service.resources.editable import apply_edit, editable_operations
from service.resources.module import EntryPointPart, LinkRelation
from service.resources.relationships import RelatedResource, ToOneRelationship, to_many_route
from service.resources.response_samples import sample_collection, sample_pages
from service.resources.responses import add_invalidation_links, respond_created, respond_no_content
from service.resources.user_document import ONE_USER, USER_SAMPLES, represent_user, with_user_title

PUBLISH = Action(
    'publish',
    'POST',
    'Publish a post',
    (
        Field(
            'body',
            'Your post',
            type='textarea',
            required=True,
            min_length=1,
            max_length=MAX_BODY_LENGTH,
            regex=NOT_BLANK,
            rule='must not be blank',
            trim=True,
            placeholder='What is new?',
            rows=3,
        ),
    ),
)
EDIT = Action('edit', 'PATCH', 'Edit post', PUBLISH.optional('body'))
DELETE = Action('delete', 'DELETE', 'Delete post')


KIND = Kind(
    'posts',
    'Post',
    (
        id_member('Identifies the post.'),
        Member('body', 'The text of the post.'),
        time_member('created_at', 'When the post was published.'),
        time_member('updated_at', 'When the post was last edited, null if it never was.', nullable=True),
    ),
    links=('collection', 'author'),
    relationships={'author': 'users'},
    embedded={'author': 'users'},
    display=Display(
        plural='Posts',
        empty='No posts yet.',
        text='body',
        byline='author',
        moment='created_at',
        edited='updated_at',
        actions={
            'publish': ActionDisplay('Your post is published.', label='Publish', is_prominent=True),
            'edit': ActionDisplay('Your post is saved.', label='Edit'),
            'delete': ActionDisplay(
                'Your post is deleted.',
                question='This deletes the post. It cannot be undone.',
                label='Delete',
            ),
        },
    ),
)

FEED_DISPLAY = replace(
    KIND.display,
    empty='Your feed is empty. Publish your first post, or find people to follow under People.',
)


def represent_post(post: PostRecord, viewer: Viewer | None, builder: UrlBuilder) -> Document:
    """Return the post, with its author embedded."""
    properties = {
        'id': post.id,
        'body': post.body,
        'created_at': iso_time(post.created_at),
        'updated_at': None if post.updated_at is None else iso_time(post.updated_at),
    }
    return _template(builder, post.is_editable_by(viewer)).fill(
        str(post.id),
        properties,
        {'post_id': post.id, 'author_id': post.author.id},
        title=f'Post by {post.author.username}',
        embedded={'author': represent_user(post.author, viewer, builder)},
    )


@lru_cache(maxsize=MAX_TEMPLATES)
def _template(builder: UrlBuilder, is_editable: bool) -> Template:
    author_id = variable('author_id')
    self_link = builder.link_to(urls.POST, post_id=variable('post_id'))
    relationship = builder.url_for(urls.AUTHOR_RELATIONSHIP, post_id=variable('post_id'))
    return Template(
        Document(
            'posts',
            None,
            {},
            {
                'self': self_link,
                'curies': builder.curies,
                'collection': builder.link_to(urls.POSTS),
                'author': builder.link_to(urls.USER, user_id=author_id),
            },
            forms=(EDIT.at(self_link.href), DELETE.at(self_link.href)) if is_editable else (),
            relationships={'author': Relationship(relationship, Identifier('users', author_id))},
            display=KIND.display,
        )
    )


_PAGE = QueryOptions('posts', paginated=True, sort_keys=ORDERS, can_include=True)
_ALL_POSTS = _PAGE._replace(related_filters=('author',))
_ONE = _PAGE.of_one()


def _represent_posts(
    req: Request, url: str, query: Query, page: Page, **extras: Unpack[PageExtras]
) -> Document:
    if req.viewer is not None and req.viewer.can_write:
        extras['forms'] = (PUBLISH.at(req.builder.url_for(urls.POSTS)),)
    return represent_listing(req, KIND, url, page, represent_post, query=query, **extras)


SAMPLES = Samples(
    KIND,
    lambda builder: {
        'yours': represent_post(
            sample_data.POST._replace(updated_at=sample_data.UPDATED), sample_data.OWNER, builder
        ),
        'other': represent_post(sample_data.POST, sample_data.OTHER_USER, builder),
    },
)


class PostsResource:
    """All posts; POST publishes one."""

    tag = 'posts'
    operation_name = 'Posts'
    operations: ClassVar = {
        'GET': Operation(
            'List posts',
            'All posts, the newest first.',
            {200: sample_pages(urls.POSTS, SAMPLES, (PUBLISH, urls.POSTS))},
            query=_ALL_POSTS,
        ),
        'POST': Operation(
            'Publish a post',
            'Publishes a post of the user who is signed in.',
            {201: SAMPLES},
            form=PUBLISH,
            query=_ONE,
            linkage=lambda req: {'author': Identifier('users', str(req.user.user_id))},
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        author_id = req.query.related_ids.get('author')
        page = list_posts(req.db, req.query.page_request, req.user, author_id=author_id)
        resp.media = _represent_posts(req, req.builder.url_for(urls.POSTS), req.query, page)

    def on_post(self, req: Request, resp: falcon.Response) -> None:
        post = publish_post(req.db, by=req.user, precondition=creation_check(req), **read_form(req))
        respond_created(resp, represent_post(post, req.viewer, req.builder), *_changed_by_posting(req))


class PostResource:
    """One post."""

    tag = 'posts'
    operation_name = 'Post'
    operations: ClassVar = editable_operations(
        SAMPLES,
        EDIT,
        _ONE,
        get=('Get a post', 'One post with its author.'),
        put=('Edit a post', 'Changes the text of your own post.'),
        patch=('Patch a post', 'Changes the text of your own post, also by merge patch (RFC 7396).'),
        delete=('Delete a post', 'Deletes your own post.'),
    )

    def on_get(self, req: Request, resp: falcon.Response, post_id: int) -> None:
        resp.media = represent_post(find_post(req.db, post_id, req.user), req.viewer, req.builder)

    def on_put(self, req: Request, resp: falcon.Response, post_id: int) -> None:
        post = find_post(req.db, post_id, req.user)
        resp.media = apply_edit(req, post, represent_post, change_post)
        add_invalidation_links(resp, *_changed_by_posting(req))

    on_patch = on_put

    def on_delete(self, req: Request, resp: falcon.Response, post_id: int) -> None:
        delete_post(req.db, post_id, by=req.user, precondition=precondition(req, represent_post))
        respond_no_content(resp, *_changed_by_posting(req))


def _find_posts(req: Request, post_ids: Sequence[int]) -> dict[int, Document]:
    posts = find_posts(req.db, post_ids, req.viewer)
    return {post_id: represent_post(post, req.viewer, req.builder) for post_id, post in posts.items()}


_GET_AUTHOR = Operation(
    'Get the author of a post',
    'The user who published the post; Content-Location has their own URL.',
    {200: USER_SAMPLES},
    query=ONE_USER,
)


class UserPostsResource:
    """The posts of one user."""

    tag = 'posts'
    operation_name = 'UserPosts'
    operations: ClassVar = {
        'GET': Operation(
            'List the posts of a user',
            'The posts of one user, the newest first.',
            {200: sample_pages(urls.USER_POSTS, SAMPLES, (PUBLISH, urls.POSTS))},
            query=_PAGE,
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        user = find_user(req.db, user_id, req.user)
        page = list_posts_of(req.db, user, req.query.page_request, req.user)
        document = _represent_posts_of(req, user_id, req.query, page)
        resp.media = with_user_title(document, 'Posts by', user, req.builder)


def _represent_posts_of(req: Request, user_id: int, query: Query, page: Page) -> Document:
    return _represent_posts(req, req.builder.url_for(urls.USER_POSTS, user_id=user_id), query, page)


def _expand_posts(req: Request, user_ids: Sequence[int], query: Query) -> dict[int, Document]:
    pages = first_pages_of_posts(req.db, user_ids, query.page_request, req.viewer)
    return {user_id: _represent_posts_of(req, user_id, query, page) for user_id, page in pages.items()}


class FeedResource:
    """The posts of the viewer and of the users that they follow."""

    tag = 'posts'
    operation_name = 'Feed'
    operations: ClassVar = {
        'GET': Operation(
            'Get the feed',
            'Your own posts and those of the users that you follow, the newest first.',
            {200: sample_pages(urls.FEED, SAMPLES, (PUBLISH, urls.POSTS))},
            Access.OWNER,
            query=_PAGE,
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        resp.media = _represent_feed(req, user_id, req.query)


def _represent_feed(req: Request, user_id: int, query: Query) -> Document:
    page = list_feed(req.db, user_id, query.page_request, req.user)
    url = req.builder.url_for(urls.FEED, user_id=user_id)
    return _represent_posts(req, url, query, page, title='Feed', display=FEED_DISPLAY)


def _expand_feed(req: Request, user_ids: Sequence[int], query: Query) -> dict[int, Document]:
    return {user_id: _represent_feed(req, user_id, query) for user_id in user_ids}


def _changed_by_posting(req: Request) -> tuple[str, ...]:
    templates = (urls.POSTS, urls.USERS, urls.USER, urls.USER_POSTS, urls.FEED)
    return tuple(req.builder.url_for(template, user_id=req.user.user_id) for template in templates)


def entry_point(viewer: Viewer | None, builder: UrlBuilder) -> EntryPointPart:
    """Return the links and forms of posts on the entry point, for signed-in users."""
    if viewer is None:
        return EntryPointPart({})
    posts = builder.link_to(urls.POSTS)
    links = {'hc:posts': posts, 'hc:feed': builder.link_to(urls.FEED, user_id=viewer.user_id)}
    return EntryPointPart(links, (PUBLISH.at(posts.href),) if viewer.can_write else ())


def _sample_post(builder: UrlBuilder) -> Document:
    return represent_post(sample_data.POST, sample_data.OTHER_USER, builder)


RELATIONS = (
    LinkRelation(
        'posts',
        'Posts, the newest first: all of them, or those of one user.',
        ('GET', 'POST'),
        'a collection of posts',
        sample_collection(urls.POSTS, _sample_post),
        (PUBLISH,),
    ),
    LinkRelation(
        'feed',
        'The posts of the user and of the users that they follow, the newest first.',
        ('GET',),
        'a collection of posts',
        sample_collection(urls.FEED, _sample_post, user_id=sample_data.OTHER_USER.user_id),
    ),
)
EXPANSIONS: Expansions = {
    ('users', 'hc:posts'): _expand_posts,
    ('users', 'hc:feed'): _expand_feed,
    ('entry-points', 'hc:feed'): _expand_feed,
}
RESOURCES: Mapping[str, Find] = {'posts': _find_posts}
ROUTES: tuple[Route, ...] = (
    (urls.POSTS, PostsResource()),
    (urls.POST, PostResource()),
    (urls.POST_AUTHOR, RelatedResource(PostResource(), 'author', _GET_AUTHOR)),
    (urls.USER_POSTS, UserPostsResource()),
    (urls.FEED, FeedResource()),
    (urls.AUTHOR_RELATIONSHIP, ToOneRelationship(PostResource(), 'author', USER_SAMPLES)),
    to_many_route(urls.POSTS_RELATIONSHIP, urls.USER_POSTS, UserPostsResource(), SAMPLES),
    to_many_route(urls.FEED_RELATIONSHIP, urls.FEED, FeedResource(), SAMPLES),
)
