"""Posts: publishing, finding, changing and deleting them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import peewee

from service.database.compiled import CompiledQuery, RecordsByKey, add_to, bindparam, insert_into
from service.database.pagination import Bounds, FirstPagePerOwner, KeysetQuery, Page, PageRequest, page_of
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.errors import NotFound
from service.domain.models import Post, User
from service.domain.sharded_counters import add_to_total, read_total
from service.domain.users import UserRecord, find_user, find_users, user_columns, viewer_id
from service.domain.viewer import (
    ANONYMOUS,
    CreationCheck,
    Viewer,
    authorize_change,
    authorize_write,
    check_creation,
)

MAX_BODY_LENGTH = 140
MAX_FOUND = 20


class PostRecord(NamedTuple):
    """A post with its author; times are UTC milliseconds, `updated_at` is None until the text changes."""

    id: int
    body: str
    created_at: int
    updated_at: int | None
    author: UserRecord

    def is_editable_by(self, viewer: Viewer | None) -> bool:
        """Return whether the viewer may change and delete this post."""
        return self.author.is_editable_by(viewer)


def _make_post(row: Any) -> PostRecord:
    return PostRecord(row[0], row[1], row[2], row[3], UserRecord._make(row[4:]))


POST_COLUMNS = (Post.id, Post.body, Post.created_at, Post.updated_at, *user_columns(User))
ORDERS = ('created_at',)


def posts_by_time(query: Any, bounds: Bounds | None = None) -> dict[str, KeysetQuery]:
    """Return the listings of a query by the name of the order; they sort by id, since ids grow with time.

    The query selects the id of the post and then POST_COLUMNS.
    """
    newest_first = KeysetQuery(query, Post.id, _make_post, bounds=bounds)
    oldest_first = KeysetQuery(query, Post.id, _make_post, newest_first=False, bounds=bounds)
    return {'': newest_first, '-created_at': newest_first, 'created_at': oldest_first}


_WITH_AUTHOR = User.id == Post.author
_SELECT = Post.select(*POST_COLUMNS).join(User, on=_WITH_AUTHOR).where(Post.id == bindparam('post_id'))
# With an inner join, MariaDB would read all users and sort all posts. Every post has an author.
_LISTED = Post.select(Post.id, *POST_COLUMNS).join(User, peewee.JOIN.LEFT_OUTER, on=_WITH_AUTHOR)
_FIND = CompiledQuery(_SELECT)
_FIND_MANY = RecordsByKey(Post.select().join(User, on=_WITH_AUTHOR), Post.id, POST_COLUMNS, _make_post)
_LOCK = CompiledQuery(_SELECT, for_update=True)
_ALL = posts_by_time(_LISTED)
_OF_USER = posts_by_time(_LISTED.where(Post.author == bindparam('user_id')))
_FIRST = FirstPagePerOwner(
    Post.select().join(User, on=_WITH_AUTHOR).where(Post.author == bindparam('owner_id')),
    User.id,
    User.post_count,
    Post.id,
    POST_COLUMNS,
    _make_post,
)
_FIND_NEWEST_OF = CompiledQuery(
    Post.select(Post.id)
    .where(Post.author == bindparam('author_id'))
    .order_by(Post.id.desc())
    .limit(MAX_FOUND)
)
_INSERT = insert_into(Post)
_UPDATE = CompiledQuery(
    Post.update({Post.body: bindparam('body'), Post.updated_at: bindparam('now')}).where(
        Post.id == bindparam('post_id')
    )
)
_DELETE = CompiledQuery(Post.delete().where(Post.id == bindparam('post_id')))
_COUNT_POST = add_to(User.post_count)


def find_post(session: Session, post_id: int, viewer: Viewer, *, query: CompiledQuery = _FIND) -> PostRecord:
    """Return the post with its author, as the viewer sees them; raises NotFound."""
    row = query.first(session, post_id=post_id, viewer_id=viewer.user_id)
    if row is None:
        raise NotFound('There is no such post.')
    return _make_post(row)


def find_posts(session: Session, post_ids: Sequence[int], viewer: Viewer | None) -> dict[int, PostRecord]:
    """Return the existing posts with these ids, as the viewer sees them."""
    return _FIND_MANY.find(session, post_ids, viewer_id=viewer_id(viewer))


def find_newest_of(session: Session, author_id: int) -> list[int]:
    """Return the ids of the newest posts of a user, at most MAX_FOUND."""
    return [post_id for (post_id,) in _FIND_NEWEST_OF.all(session, author_id=author_id)]


def list_posts(
    session: Session,
    request: PageRequest,
    viewer: Viewer,
    *,
    author_id: int | None = None,
) -> Page:
    """Return a page of all posts, or those of the author, in one of ORDERS, by default the newest first."""
    if request.ids is not None:
        posts = find_posts(session, request.ids, viewer).values()
        return page_of_posts((post for post in posts if author_id in (None, post.author.id)), request)
    if author_id is None:
        total = read_total(session, 'posts')
        return _ALL[request.order].page(session, request, total, viewer_id=viewer.user_id)
    author = find_users(session, [author_id], viewer).get(author_id)
    return list_posts_of(session, author, request, viewer) if author else page_of_posts((), request)


def list_posts_of(session: Session, user: UserRecord, request: PageRequest, viewer: Viewer) -> Page:
    """Return a page of the user's posts, as list_posts does."""
    if request.ids is not None:
        return list_posts(session, request, viewer, author_id=user.id)
    query, total = _OF_USER[request.order], user.post_count
    return query.page(session, request, total, user_id=user.id, viewer_id=viewer.user_id)


def page_of_posts(posts: Iterable[PostRecord], request: PageRequest) -> Page:
    """Return a page of posts that have been read, in one of ORDERS."""
    return page_of(((post.id, post) for post in posts), request, newest_first=request.order != 'created_at')


def first_pages_of_posts(
    session: Session, user_ids: Sequence[int], request: PageRequest, viewer: Viewer | None
) -> dict[int, Page]:
    """Return for each user the first page of their posts, the newest first."""
    return _FIRST.pages(session, user_ids, request, viewer_id=viewer_id(viewer))


@transaction
def publish_post(
    session: Session, *, body: str, by: Viewer, precondition: CreationCheck = None
) -> PostRecord:
    """Publish a post by the viewer and return it; raises what `precondition` raises."""
    check_creation(session, by, precondition, 'posts')
    now = authorize_write(session, by, posts=1)
    post_id = session.new_id()
    _INSERT.run(session, id=post_id, author_id=by.user_id, body=body, created_at=now, updated_at=None)
    add_to_total(session, 'posts', 1)
    return PostRecord(post_id, body, now, None, find_user(session, by.user_id, by))


@transaction
def change_post(
    session: Session,
    post_id: int,
    changes: dict[str, str],
    *,
    by: Viewer,
    precondition: Callable[[PostRecord], None],
) -> PostRecord:
    """Change the post's `body` if present in `changes`, and return the changed post.

    `precondition` is called with the locked post (RFC 9110 §13.1.1). Raises NotFound, Forbidden, and what
    `precondition` raises.
    """
    post = find_post(session, post_id, by, query=_LOCK)
    now = authorize_change(session, post, by, precondition)
    post = post._replace(author=post.author._replace(last_seen=now))
    body = changes.get('body', post.body)
    if body == post.body:
        return post
    _UPDATE.run(session, post_id=post_id, body=body, now=now)
    return post._replace(body=body, updated_at=now)


@transaction
def delete_post(
    session: Session, post_id: int, *, by: Viewer, precondition: Callable[[PostRecord], None]
) -> None:
    """Delete the post; raises NotFound, Forbidden, and what `precondition` raises for the locked post."""
    post = find_post(session, post_id, by, query=_LOCK)
    authorize_change(session, post, by, precondition, posts=-1)
    _DELETE.run(session, post_id=post_id)
    add_to_total(session, 'posts', -1)


@transaction
def delete_post_as_operator(session: Session, post_id: int) -> PostRecord:
    """Delete the post of any author, and return it; raises NotFound."""
    post = find_post(session, post_id, ANONYMOUS, query=_LOCK)
    _DELETE.run(session, post_id=post_id)
    _COUNT_POST.run(session, id=post.author.id, change=-1)
    add_to_total(session, 'posts', -1)
    return post


def uncount_posts(session: Session, user: UserRecord) -> None:
    """Correct the number of all posts, before the account is deleted with its posts."""
    add_to_total(session, 'posts', -user.post_count)
