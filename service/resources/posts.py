"""Posts: how they are said, publishing and changing them, and the feed."""

from collections.abc import Sequence
from typing import Any, ClassVar

import falcon

from service import urls
from service.database.pagination import Page
from service.domain.feed import list_feed
from service.domain.posts import (
    MAX_BODY_LENGTH,
    ORDERS,
    PostRecord,
    change_post,
    delete_post,
    find_post,
    first_pages_of_posts,
    list_posts,
    list_posts_of,
    publish_post,
)
from service.domain.viewer import Viewer
from service.middleware.body import read_body
from service.middleware.conditional import precondition
from service.middleware.links import invalidates
from service.middleware.request import Expansions, Request
from service.representation.action import NOT_BLANK, Action, Field, Form
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.representation.queries import Query, Vocabulary
from service.resources import made_up
from service.resources.answers import Answers, Samples, sample_pages
from service.resources.collections import represent_listing, sample_page
from service.resources.memory import remembered
from service.resources.outcomes import created, edited
from service.resources.relation import Entry, Relation, Sample
from service.resources.times import represent_time
from service.resources.users import represent_user

PUBLISH = Action(
    'publish',
    'POST',
    'Publish a post',
    (
        Field(
            'body',
            'Text',
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
EDIT = Action('edit', 'PUT', 'Edit post', PUBLISH.optional('body'))
DELETE = Action('delete', 'DELETE', 'Delete post')


@remembered
def represent_post(post: PostRecord, viewer: Viewer | None, book: AddressBook) -> Document:
    """Return the post with its author, the whole user."""
    author = represent_user(post.author, viewer, book)
    properties = {
        'id': post.id,
        'body': post.body,
        'created_at': represent_time(post.created_at),
        'updated_at': None if post.updated_at is None else represent_time(post.updated_at),
    }
    here = book.link(urls.POST, post_id=post.id)
    forms: tuple[Form, ...] = ()
    if post.is_editable_by(viewer):
        forms = (EDIT.at(here.href, {'body': post.body}), DELETE.at(here.href))
    return Document(
        kind='posts',
        id=str(post.id),
        properties=properties,
        links={
            'self': here,
            'curies': book.curies,
            'collection': book.link(urls.POSTS),
            'author': author.links['self'],
        },
        embedded={'author': author},
        forms=forms,
        title=f'Post by {post.author.username}',
    )


PAGE = Vocabulary('posts', paged=True, sorts=ORDERS, relations=('author',))


def _represent_posts(req: Request, address: str, query: Query, page: Page, title: str = '') -> Document:
    forms = (PUBLISH.at(req.book.href(urls.POSTS)),)
    return represent_listing(
        req, 'posts', address, page, represent_post, query=query, forms=forms, title=title
    )


SAMPLES = Samples(
    'post',
    lambda book: {
        'yours': represent_post(made_up.POST._replace(updated_at=made_up.LATER), made_up.SELF, book),
        'other': represent_post(made_up.POST, made_up.OTHER, book),
    },
)


class PostsResource:
    """All posts, and publishing one."""

    tag = 'posts'
    operation_name = 'Posts'
    description = 'All posts, and publishing one.'
    vocabulary = PAGE
    reads: ClassVar = {'POST': PUBLISH}
    answers: ClassVar[Answers] = {
        'GET': {200: sample_pages(urls.POSTS, SAMPLES, (PUBLISH, urls.POSTS))},
        'POST': {201: SAMPLES},
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        page = list_posts(req.db, req.query.position, req.caller, order=req.query.order)
        resp.media = _represent_posts(req, req.book.href(urls.POSTS), req.query, page)

    def on_post(self, req: Request, resp: falcon.Response) -> None:
        post = publish_post(req.db, by=req.caller, **self.reads[req.method].read(read_body(req)))
        created(resp, represent_post(post, req.viewer, req.book))
        invalidates(resp, *_changed_by_posting(req))


class PostResource:
    """One post."""

    tag = 'posts'
    operation_name = 'Post'
    description = 'One post.'
    for_owner = frozenset(('PUT', 'PATCH', 'DELETE'))
    vocabulary = Vocabulary('posts', relations=('author',))
    reads: ClassVar = {'PUT': EDIT, 'PATCH': EDIT}
    answers: ClassVar[Answers] = {
        'GET': {200: SAMPLES},
        'PUT': {200: SAMPLES},
        'PATCH': {200: SAMPLES},
        'DELETE': {204: None},
    }

    def on_get(self, req: Request, resp: falcon.Response, post_id: int) -> None:
        resp.media = represent_post(find_post(req.db, post_id, req.caller), req.viewer, req.book)

    def on_put(self, req: Request, resp: falcon.Response, post_id: int) -> None:
        post = find_post(req.db, post_id, req.caller)
        resp.media = edited(req, post, represent_post, self.reads[req.method], change_post)
        invalidates(resp, *_changed_by_posting(req))

    on_patch = on_put

    def on_delete(self, req: Request, resp: falcon.Response, post_id: int) -> None:
        delete_post(req.db, post_id, by=req.caller, precondition=precondition(req, represent_post))
        resp.status = falcon.HTTP_204
        invalidates(resp, *_changed_by_posting(req))


class UserPostsResource:
    """The posts of one user."""

    tag = 'posts'
    operation_name = 'UserPosts'
    description = 'The posts of one user.'
    vocabulary = PAGE
    answers: ClassVar[Answers] = {'GET': {200: sample_pages(urls.USER_POSTS, SAMPLES, (PUBLISH, urls.POSTS))}}

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        page = list_posts_of(req.db, user_id, req.query.position, req.caller, order=req.query.order)
        resp.media = _represent_posts_of(req, user_id, req.query, page)


def _represent_posts_of(req: Request, user_id: int, query: Query, page: Page) -> Document:
    return _represent_posts(req, req.book.href(urls.USER_POSTS, user_id=user_id), query, page)


def _expand_posts(req: Request, user_ids: Sequence[int], query: Query) -> dict[int, Document]:
    pages = first_pages_of_posts(req.db, user_ids, query.position, req.viewer)
    return {user_id: _represent_posts_of(req, user_id, query, page) for user_id, page in pages.items()}


class FeedResource:
    """What the viewer and those whom they follow have posted."""

    tag = 'posts'
    operation_name = 'Feed'
    description = 'What the viewer and those whom they follow have posted.'
    for_owner = frozenset(('GET',))
    vocabulary = PAGE
    answers: ClassVar[Answers] = {'GET': {200: sample_pages(urls.FEED, SAMPLES, (PUBLISH, urls.POSTS))}}

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        page = list_feed(req.db, user_id, req.query.position, req.caller, order=req.query.order)
        address = req.book.href(urls.FEED, user_id=user_id)
        resp.media = _represent_posts(req, address, req.query, page, title='Feed')


def _changed_by_posting(req: Request) -> tuple[str, ...]:
    here = {'user_id': req.caller.user_id}
    own = (req.book.href(template, **here) for template in (urls.USER, urls.USER_POSTS, urls.FEED))
    return (req.book.href(urls.POSTS), *own)


def enter(viewer: Viewer | None, book: AddressBook) -> Entry:
    """Return what the entry point says of posts, to those who are signed in."""
    if viewer is None:
        return Entry({})
    posts = book.link(urls.POSTS)
    links = {'hc:posts': posts, 'hc:feed': book.link(urls.FEED, user_id=viewer.user_id)}
    return Entry(links, (PUBLISH.at(posts.href),))


def _sample_posts(template: str) -> Sample:
    def sample(book: AddressBook) -> Document:
        post = represent_post(made_up.POST, made_up.OTHER, book)
        return sample_page('posts', book.href(template, user_id=made_up.OTHER.user_id), post, book)

    return sample


RELATIONS = (
    Relation(
        'posts',
        'Posts, the newest first: all of them, or those of one user.',
        ('GET', 'POST'),
        'a collection of posts',
        _sample_posts(urls.POSTS),
    ),
    Relation(
        'feed',
        'The posts of the user and of those whom the user follows, the newest first.',
        ('GET',),
        'a collection of posts',
        _sample_posts(urls.FEED),
    ),
)
EXPANSIONS: Expansions = {('users', 'hc:posts'): _expand_posts}
ROUTES: tuple[tuple[str, Any], ...] = (
    (urls.POSTS, PostsResource()),
    (urls.POST, PostResource()),
    (urls.USER_POSTS, UserPostsResource()),
    (urls.FEED, FeedResource()),
)
