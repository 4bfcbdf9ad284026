"""The feed: a user's own posts and those of the users they follow, merged by time."""

from collections.abc import Mapping
from typing import Any

import peewee

from service.database.compiled import CompiledQuery, bindparam
from service.database.ids import MAX_ID
from service.database.pagination import Page, PageRequest
from service.database.session import Session
from service.domain.models import Follow, Post, User
from service.domain.posts import POST_COLUMNS, find_posts, page_of_posts, posts_by_time
from service.domain.users import find_user
from service.domain.viewer import Viewer, require_permission


class MergedSources:
    """The bound on the keys of a page that is merged from the sorted entries of several sources.

    A page of n entries needs at most the n newest entries of each source, and at most n sources. With
    at least n sources, sorted by their newest entries, the bound is the newest entry of the n-th source; with
    fewer, it is the newest of the n-th entries of the sources. Finding it takes one index lookup for each
    source, so the time for a page, unlike that for sorting all entries, does not depend on their number.

    `owners` is a query of `owner_id`; `owner` and `key` are columns of the table of all entries, with an
    index of both. Keys are positive integers.
    """

    def __init__(self, owners: Any, entries: Any, *, owner: str, key: str) -> None:
        self._owners = owners
        self._entries = entries.alias('step')
        self._owner = getattr(self._entries, owner)
        self._key = getattr(self._entries, key)

    def condition(self, key: Any, *, start: Any, descending: bool) -> Any:
        """Return the condition that a key is within the bound of the page that begins at `start`."""
        owners = self._owners.alias('owners')
        step = self._entries.select(self._key).where(self._owner == owners.c.owner_id)
        if start is not None:
            step = step.where(self._key <= start if descending else self._key >= start)
        step = step.order_by(_in_order(self._key, descending)).limit(1).offset(bindparam('skip'))
        beyond = 0 if descending else MAX_ID  # where a source has no such entry
        reached = peewee.fn.COALESCE(step, beyond).alias('reached')
        ends = peewee.Select((owners,), (reached,)).alias('ends')
        ranked = peewee.Select((ends,), (ends.c.reached,)).order_by(_in_order(ends.c.reached, descending))
        end = peewee.fn.COALESCE(ranked.limit(1).offset(bindparam('rank')), beyond)
        return key >= end if descending else key <= end

    def values(self, values: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """Return the values for a bound that includes `depth` entries of `source_count` sources."""
        has_enough = values['source_count'] >= depth
        return {**values, 'skip': 0 if has_enough else depth - 1, 'rank': depth - 1 if has_enough else 0}


def _in_order(key: Any, descending: bool) -> Any:
    return key.desc() if descending else key.asc()


_AUTHORS = Follow.select(Follow.followed.alias('owner_id')).where(
    Follow.follower == bindparam('viewer_id')
) + peewee.Select(columns=(bindparam('viewer_id').alias('owner_id'),))
_authors = _AUTHORS.alias('authors')
# SQLite executes a CROSS JOIN in the order in which it is written. Otherwise it would look up all users
# first, although most have no post within the bound.
_FEED = posts_by_time(
    _authors.join(Post, peewee.JOIN.CROSS)
    .join(User, peewee.JOIN.CROSS)
    .select(Post.id, *POST_COLUMNS)
    .where((Post.author == _authors.c.owner_id) & (User.id == Post.author)),
    MergedSources(_AUTHORS, Post, owner='author', key='id'),
)
_COUNT = CompiledQuery(
    _authors.join(User, peewee.JOIN.CROSS)
    .select(peewee.fn.COALESCE(peewee.fn.SUM(User.post_count), 0), peewee.fn.COUNT(User.id))
    .where((User.id == _authors.c.owner_id) & (User.post_count > 0))
)


def list_feed(session: Session, user_id: int, request: PageRequest, viewer: Viewer) -> Page:
    """Return a page of the viewer's feed, in one of posts.ORDERS, by default the newest post first.

    Raises NotFound, and Forbidden if `user_id` is another user.
    """
    if user_id != viewer.user_id:
        require_permission(find_user(session, user_id, viewer).is_own(viewer))
    if request.ids is not None:
        posts = find_posts(session, request.ids, viewer).values()
        in_feed = (post for post in posts if post.author.is_followed or post.author.id == user_id)
        return page_of_posts(in_feed, request)
    total, authors = _COUNT.first(session, viewer_id=user_id)
    query = _FEED[request.order]
    return query.page(session, request, int(total), viewer_id=user_id, source_count=authors)
