"""Posts: what people publish, and the feed of those whom one follows."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import peewee

from service.domain.database import Database, Statement, parameter, transaction
from service.domain.errors import NotFound
from service.domain.paging import FirstPages, Listing, Page, Parts, Position
from service.domain.tables import Follows, Users
from service.domain.totals import add_to_total, read_total
from service.domain.users import User, find_user, settles_deletion, user_columns
from service.domain.viewer import Viewer, note_write, require

BODY_LENGTH = 140

Posts: Any = peewee.Table('posts', ('id', 'author_id', 'body', 'created_at', 'updated_at'))


class Post(NamedTuple):
    """What someone published; times are UTC milliseconds, `updated_at` None until the text changes."""

    id: int
    body: str
    created_at: int
    updated_at: int | None
    author: User

    def is_editable_by(self, viewer: Viewer | None) -> bool:
        """Whether the viewer may change and delete this post."""
        return self.author.is_editable_by(viewer)


def _make_post(row: Any) -> Post:
    return Post(row[0], row[1], row[2], row[3], User._make(row[4:]))


_COLUMNS = (Posts.id, Posts.body, Posts.created_at, Posts.updated_at, *user_columns(Users))
_WITH_AUTHORS = Posts.join(Users, on=(Users.id == Posts.author_id))
_SELECT = _WITH_AUTHORS.select(*_COLUMNS).where(Posts.id == parameter('post_id'))
_LISTED = _WITH_AUTHORS.select(Posts.id, *_COLUMNS)
_FED_BY = Follows.select(Follows.followed_id.alias('owner_id')).where(
    Follows.follower_id == parameter('viewer_id')
) + peewee.Select(columns=(parameter('viewer_id').alias('owner_id'),))

_FIND = Statement(_SELECT)
_LOCK = Statement(_SELECT, lock=True)


def _by_time(query: Any, parts: Parts | None = None) -> dict[str, Listing]:
    """Return the listings of a query's posts by order: ids grow with time, so they decide."""
    newest_first = Listing(query, Posts.id, _make_post, parts=parts)
    oldest_first = Listing(query, Posts.id, _make_post, newest_first=False, parts=parts)
    return {'': newest_first, '-created_at': newest_first, 'created_at': oldest_first}


ORDERS = ('created_at',)
_ALL = _by_time(_LISTED)
_OF_USER = _by_time(_LISTED.where(Posts.author_id == parameter('user_id')))
_authors = _FED_BY.alias('authors')
# SQLite takes a CROSS JOIN in the order that it is written in. It would look up the authors first, of whom
# most have nothing in the span.
_FEED = _by_time(
    _authors.join(Posts, peewee.JOIN.CROSS)
    .join(Users, peewee.JOIN.CROSS)
    .select(Posts.id, *_COLUMNS)
    .where((Posts.author_id == _authors.c.owner_id) & (Users.id == Posts.author_id)),
    Parts(_FED_BY, Posts, owner='author_id', key='id'),
)
_FIRST = FirstPages(
    _WITH_AUTHORS.select().where(Posts.author_id == parameter('owner_id')),
    Users.id,
    Users.post_count,
    Posts.id,
    _COLUMNS,
    _make_post,
)
_COUNT_FEED = Statement(
    _authors.join(Users, peewee.JOIN.CROSS)
    .select(peewee.fn.COALESCE(peewee.fn.SUM(Users.post_count), 0), peewee.fn.COUNT(Users.id))
    .where((Users.id == _authors.c.owner_id) & (Users.post_count > 0))
)
_INSERT = Statement(Posts.insert({getattr(Posts, name): parameter(name) for name in Posts._columns}))
_CHANGE = Statement(
    Posts.update({Posts.body: parameter('body'), Posts.updated_at: parameter('now')}).where(
        Posts.id == parameter('post_id')
    )
)
_DELETE = Statement(Posts.delete().where(Posts.id == parameter('post_id')))
_COUNT_POST = Statement(
    Users.update({Users.post_count: Users.post_count + parameter('change')}).where(
        Users.id == parameter('user_id')
    )
)


def find_post(db: Database, post_id: int, viewer: Viewer, *, statement: Statement = _FIND) -> Post:
    """Return the post with its author, as the viewer sees them; raises NotFound."""
    row = statement.one(db, post_id=post_id, viewer_id=viewer.user_id)
    if row is None:
        raise NotFound('There is no such post.')
    return _make_post(row)


def list_posts(db: Database, position: Position, viewer: Viewer, *, order: str = '') -> Page:
    """Return a page of all posts, the newest first, or by an `order` of ORDERS."""
    return _ALL[order].page(db, position, read_total(db, 'posts'), viewer_id=viewer.user_id)


def list_posts_of(db: Database, user_id: int, position: Position, viewer: Viewer, *, order: str = '') -> Page:
    """Return a page of the user's posts, the newest first, or by an `order` of ORDERS; raises NotFound."""
    total = find_user(db, user_id, viewer).post_count
    return _OF_USER[order].page(db, position, total, user_id=user_id, viewer_id=viewer.user_id)


def first_posts_of(
    db: Database, user_ids: Sequence[int], position: Position, viewer: Viewer | None
) -> dict[int, Page]:
    """Return for each of the users the first page of their posts, the newest first."""
    return _FIRST.pages(db, user_ids, position, viewer_id=viewer.user_id if viewer else 0)


def list_feed(db: Database, user_id: int, position: Position, viewer: Viewer, *, order: str = '') -> Page:
    """Return a page of the viewer's own posts and those of whom they follow, the newest first.

    With an `order` of ORDERS it is by that. Raises NotFound, and Forbidden where `user_id` is somebody else.
    """
    if user_id != viewer.user_id:  # who asks is there
        require(find_user(db, user_id, viewer).is_editable_by(viewer))
    total, authors = _COUNT_FEED.one(db, viewer_id=user_id)
    return _FEED[order].page(db, position, int(total), viewer_id=user_id, part_count=authors)


@transaction
def publish_post(db: Database, *, body: str, by: Viewer) -> Post:
    """Publish a post of the viewer's and return it."""
    note_write(db, by)
    post_id = db.new_id()
    _INSERT.run(db, id=post_id, author_id=by.user_id, body=body, created_at=db.now(), updated_at=None)
    _COUNT_POST.run(db, user_id=by.user_id, change=1)
    add_to_total(db, 'posts', 1)
    return find_post(db, post_id, by)


@transaction
def change_post(
    db: Database, post_id: int, changes: dict[str, str], *, by: Viewer, given: Callable[[Post], None]
) -> Post:
    """Change the post's `body` where `changes` has it, and return the changed post.

    `given` is asked of the post as it is, in the same step (RFC 9110 §13.1.1). Raises NotFound, Forbidden,
    and what `given` raises.
    """
    post = _lock_editable(db, post_id, by, given)
    now = note_write(db, by)
    post = post._replace(author=post.author._replace(last_seen=now))
    body = changes.get('body', post.body)
    if body == post.body:
        return post
    _CHANGE.run(db, post_id=post_id, body=body, now=now)
    return post._replace(body=body, updated_at=now)


@transaction
def delete_post(db: Database, post_id: int, *, by: Viewer, given: Callable[[Post], None]) -> None:
    """Delete the post; raises NotFound, Forbidden, and what `given` raises of the post as it is."""
    _lock_editable(db, post_id, by, given)
    note_write(db, by)
    _DELETE.run(db, post_id=post_id)
    _COUNT_POST.run(db, user_id=by.user_id, change=-1)
    add_to_total(db, 'posts', -1)


def _lock_editable(db: Database, post_id: int, by: Viewer, given: Callable[[Post], None]) -> Post:
    post = find_post(db, post_id, by, statement=_LOCK)
    require(post.is_editable_by(by))
    given(post)
    return post


@settles_deletion
def settle_posts(db: Database, user: User) -> None:
    """Put right how many posts there are, before an account goes with its own."""
    add_to_total(db, 'posts', -user.post_count)
