"""Posts: how they are said, publishing and changing them, and the feed."""

from typing import Any, ClassVar

import falcon

from service import urls
from service.domain.posts import (
    BODY_LENGTH,
    Post,
    change_post,
    delete_post,
    find_post,
    list_feed,
    list_posts,
    list_posts_of,
    publish_post,
)
from service.domain.viewer import Viewer, require
from service.middleware.body import read_body, submit
from service.middleware.conditional import precondition
from service.middleware.links import invalidates
from service.middleware.request import Request
from service.representation.action import NOT_BLANK, Action, Field, Form
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.representation.queries import read_page_query
from service.resources.answers import MOMENT, VIEWER, Answers, Samples, sample_pages
from service.resources.collections import represent_page
from service.resources.relation import Entry, Relation
from service.resources.times import represent_time
from service.resources.users import ADA, GRACE, represent_user

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
            max_length=BODY_LENGTH,
            regex=NOT_BLANK,
            rule='must not be blank',
            trim=True,
            placeholder='What is new?',
        ),
    ),
)
EDIT = Action('edit', 'PUT', 'Edit post', PUBLISH.optional('body'))
DELETE = Action('delete', 'DELETE', 'Delete post')


def represent_post(post: Post, viewer: Viewer | None, book: AddressBook) -> Document:
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
    )


def _represent_posts(req: Request, address: str, query: Any, page: Any) -> Document:
    return represent_page(
        'posts',
        address,
        query,
        page,
        [represent_post(post, req.viewer, req.book) for post in page.entries],
        req.book,
        forms=(PUBLISH.at(req.book.href(urls.POSTS)),),
    )


_OWN_POST = Post(ADA.id + 8192, 'Hello, hypermedia', MOMENT, MOMENT, ADA)
SAMPLES = Samples(
    'post',
    lambda book: {
        'yours': represent_post(_OWN_POST, VIEWER, book),
        'other': represent_post(_OWN_POST._replace(author=GRACE, updated_at=None), VIEWER, book),
    },
)


class PostsResource:
    """All posts, and publishing one."""

    reads: ClassVar = {'POST': PUBLISH}
    answers: ClassVar[Answers] = {
        'GET': {200: sample_pages(urls.POSTS, SAMPLES, (PUBLISH, urls.POSTS))},
        'POST': {201: SAMPLES},
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        query = read_page_query(req.params)
        page = list_posts(req.db, query.position, req.caller)
        resp.media = _represent_posts(req, req.book.href(urls.POSTS), query, page)

    def on_post(self, req: Request, resp: falcon.Response) -> None:
        post = publish_post(req.db, by=req.caller, **self.reads[req.method].read(read_body(req)))
        document = represent_post(post, req.viewer, req.book)
        resp.status, resp.location, resp.media = falcon.HTTP_201, document.href, document
        invalidates(resp, *_changed_by_posting(req))


class PostResource:
    """One post."""

    for_owner = frozenset(('PUT', 'PATCH', 'DELETE'))
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
        require(post.is_editable_by(req.viewer))
        given = precondition(req, represent_post)
        changes = submit(req, self.reads[req.method], given, post)
        changed = change_post(req.db, post_id, changes, by=req.caller, given=given)
        resp.media = represent_post(changed, req.viewer, req.book)
        invalidates(resp, *_changed_by_posting(req))

    on_patch = on_put

    def on_delete(self, req: Request, resp: falcon.Response, post_id: int) -> None:
        delete_post(req.db, post_id, by=req.caller, given=precondition(req, represent_post))
        resp.status = falcon.HTTP_204
        invalidates(resp, *_changed_by_posting(req))


class UserPostsResource:
    """The posts of one user."""

    answers: ClassVar[Answers] = {'GET': {200: sample_pages(urls.USER_POSTS, SAMPLES, (PUBLISH, urls.POSTS))}}

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        query = read_page_query(req.params)
        page = list_posts_of(req.db, user_id, query.position, req.caller)
        resp.media = _represent_posts(req, req.book.href(urls.USER_POSTS, user_id=user_id), query, page)


class FeedResource:
    """What the viewer and those whom they follow have posted."""

    for_owner = frozenset(('GET',))
    answers: ClassVar[Answers] = {'GET': {200: sample_pages(urls.FEED, SAMPLES, (PUBLISH, urls.POSTS))}}

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        query = read_page_query(req.params)
        page = list_feed(req.db, user_id, query.position, req.caller)
        resp.media = _represent_posts(req, req.book.href(urls.FEED, user_id=user_id), query, page)


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


RELATIONS = (
    Relation('posts', 'Posts, the newest first: all of them, or those of one user.', ('GET', 'POST')),
    Relation('feed', 'The posts of the user and of those whom the user follows, the newest first.', ('GET',)),
)
ROUTES: tuple[tuple[str, Any], ...] = (
    (urls.POSTS, PostsResource()),
    (urls.POST, PostResource()),
    (urls.USER_POSTS, UserPostsResource()),
    (urls.FEED, FeedResource()),
)
