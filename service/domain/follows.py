"""Follows: following, unfollowing, and listing the followers of a user and the users that they follow."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from service.database.compiled import CompiledQuery, RecordsByKey, add_to, bindparam, insert_into
from service.database.pagination import FirstPagePerOwner, KeysetQuery, Page, PageRequest, page_of
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.errors import Invalid, NotFound
from service.domain.models import Follow, User
from service.domain.users import UserRecord, find_user, lock_users, user_columns, viewer_id
from service.domain.viewer import Viewer, authorize_change, authorize_write, is_writer, require_permission


class FollowRecord(NamedTuple):
    """A follow: one user follows another, since `created_at` (UTC milliseconds)."""

    follower_id: int
    followed_id: int
    created_at: int


Precondition = Callable[[FollowRecord | None], None]

MAX_CONNECTED = 1000

_IS_PAIR = (Follow.follower == bindparam('follower_id')) & (Follow.followed == bindparam('followed_id'))
_FIND = CompiledQuery(Follow.select(Follow.follower, Follow.followed, Follow.created_at).where(_IS_PAIR))
_INSERT = insert_into(Follow)
_DELETE = CompiledQuery(Follow.delete().where(_IS_PAIR))
_FIND_CONNECTED = CompiledQuery(
    Follow.select(Follow.follower, Follow.followed)
    .where((Follow.follower == bindparam('user_id')) | (Follow.followed == bindparam('user_id')))
    .limit(MAX_CONNECTED)
)
_COUNT_FOLLOWING = add_to(User.following_count)
_COUNT_FOLLOWER = add_to(User.follower_count)
_UNCOUNT_FOLLOWER = CompiledQuery(
    User.update({User.follower_count: User.follower_count - 1}).where(
        User.id.in_(Follow.select(Follow.followed).where(Follow.follower == bindparam('user_id')))
    )
)
_UNCOUNT_FOLLOWING = CompiledQuery(
    User.update({User.following_count: User.following_count - 1}).where(
        User.id.in_(Follow.select(Follow.follower).where(Follow.followed == bindparam('user_id')))
    )
)


class FollowList:
    """The followers of a user, or the users that a user follows.

    `listed` is the column of a follow with the users of the list, `owner` the one with the user whose list it
    is, and `total` the attribute of that user with their number.
    """

    def __init__(self, listed: Any, owner: Any, total: str) -> None:
        columns = user_columns(User)
        follows = Follow.select().join(User, on=(User.id == listed))
        of_user = follows.where(owner == bindparam('user_id'))
        self._total = total
        self._list = KeysetQuery(of_user.select(Follow.id, *columns), Follow.id, UserRecord._make)
        self._find = RecordsByKey(
            of_user, listed, (Follow.id, *columns), lambda row: (row[0], UserRecord._make(row[1:]))
        )
        self._first = FirstPagePerOwner(
            follows.join_from(Follow, _Owner, on=(_Owner.id == owner)).where(owner == bindparam('owner_id')),
            _Owner.id,
            getattr(_Owner, total),
            Follow.id,
            columns,
            UserRecord._make,
        )

    def page(self, session: Session, user: UserRecord, request: PageRequest, viewer: Viewer) -> Page:
        """Return a page for the user, the newest follow first."""
        values = {'user_id': user.id, 'viewer_id': viewer.user_id}
        if request.ids is not None:
            return page_of(self._find.find(session, request.ids, **values).values(), request)
        return self._list.page(session, request, getattr(user, self._total), **values)

    def first_pages(
        self, session: Session, user_ids: Sequence[int], request: PageRequest, viewer: Viewer | None
    ) -> dict[int, Page]:
        """Return the first page for each user."""
        return self._first.pages(session, user_ids, request, viewer_id=viewer_id(viewer))


_Owner = User.alias('owner')
FOLLOWERS = FollowList(Follow.follower, Follow.followed, 'follower_count')
FOLLOWING = FollowList(Follow.followed, Follow.follower, 'following_count')


def find_follow(session: Session, follower_id: int, followed_id: int) -> FollowRecord:
    """Return the follow; raises NotFound."""
    found = _find(session, follower_id, followed_id)
    if found is None:
        raise NotFound('The user does not follow the other user.')
    return found


def _find(session: Session, follower_id: int, followed_id: int) -> FollowRecord | None:
    row = _FIND.first(session, follower_id=follower_id, followed_id=followed_id)
    return None if row is None else FollowRecord._make(row)


@transaction
def follow(
    session: Session, follower_id: int, followed_id: int, *, by: Viewer, precondition: Precondition
) -> tuple[FollowRecord, bool]:
    """Make one user follow another; return the follow, and whether it is new.

    `precondition` is called with the existing follow, or None. Raises NotFound, Forbidden, what
    `precondition` raises, and Invalid for following oneself.
    """
    existing = _lock_pair(session, follower_id, followed_id, by)
    precondition(existing)
    authorize_write(session, by)
    return _insert_follow(session, follower_id, followed_id, existing)


@transaction
def follow_all(
    session: Session,
    follower_id: int,
    followed_ids: Iterable[int],
    *,
    by: Viewer,
    precondition: Callable[[UserRecord], None],
) -> None:
    """Make one user follow all the others, or none of them if one does not exist.

    `precondition` is called with the locked follower. Raises NotFound, Forbidden, what `precondition`
    raises, and Invalid for following oneself.
    """
    members = sorted(set(followed_ids))
    existing = lock_users(session, [follower_id, *members])
    authorize_change(session, find_user(session, follower_id, by), by, precondition)
    for followed_id in members:
        if followed_id not in existing:
            raise NotFound(f'There is no user with the id {followed_id}.', member=str(followed_id))
        _insert_follow(session, follower_id, followed_id, _find(session, follower_id, followed_id))


@transaction
def unfollow(
    session: Session, follower_id: int, followed_id: int, *, by: Viewer, precondition: Precondition
) -> None:
    """Make one user stop following another, if they do, and if the other exists.

    `precondition` is called with the existing follow, or None. Raises NotFound, Forbidden, and what
    `precondition` raises.
    """
    precondition(_lock_pair(session, follower_id, followed_id, by, needs_followed=False))
    authorize_write(session, by)
    _delete_follow(session, follower_id, followed_id)


@transaction
def unfollow_all(
    session: Session,
    follower_id: int,
    followed_ids: Iterable[int],
    *,
    by: Viewer,
    precondition: Callable[[UserRecord], None],
) -> None:
    """Make one user stop following the others; any who are not followed or do not exist are ignored.

    `precondition` is called with the locked follower. Raises NotFound, Forbidden, and what it raises.
    """
    existing = lock_users(session, [follower_id, *followed_ids])
    authorize_change(session, find_user(session, follower_id, by), by, precondition)
    for followed_id in sorted(existing):
        _delete_follow(session, follower_id, followed_id)


def _insert_follow(
    session: Session, follower_id: int, followed_id: int, existing: FollowRecord | None
) -> tuple[FollowRecord, bool]:
    """Insert the follow unless it exists; return it, and whether it is new; raises Invalid."""
    if follower_id == followed_id:
        raise Invalid(detail='Users cannot follow themselves.', member=str(followed_id))
    if existing is not None:
        return existing, False
    created = FollowRecord(follower_id, followed_id, session.now())
    _INSERT.run(session, id=session.new_id(), **created._asdict())
    _count(session, follower_id, followed_id, 1)
    return created, True


def _delete_follow(session: Session, follower_id: int, followed_id: int) -> None:
    if _DELETE.execute(session, follower_id=follower_id, followed_id=followed_id):
        _count(session, follower_id, followed_id, -1)


def _lock_pair(
    session: Session, follower_id: int, followed_id: int, by: Viewer, *, needs_followed: bool = True
) -> FollowRecord | None:
    """Lock both users, and return their follow, if any.

    Raises Forbidden, and NotFound if the follower, or the followed user if needed, does not exist.
    """
    users = lock_users(session, (follower_id, followed_id))
    if follower_id not in users or (needs_followed and followed_id not in users):
        raise NotFound('There is no such user.')
    require_permission(is_writer(by, follower_id), by)
    return _find(session, follower_id, followed_id)


def _count(session: Session, follower_id: int, followed_id: int, change: int) -> None:
    _COUNT_FOLLOWING.run(session, id=follower_id, change=change)
    _COUNT_FOLLOWER.run(session, id=followed_id, change=change)


def find_connected(session: Session, user_id: int) -> list[int]:
    """Return the ids of followers and followed users, from at most MAX_CONNECTED follows of the user."""
    rows = _FIND_CONNECTED.all(session, user_id=user_id)
    return list(dict.fromkeys(other for row in rows for other in row if other != user_id))


def uncount_follows(session: Session, user: UserRecord) -> None:
    """Correct the counters of the other users, before the account is deleted with its follows."""
    _UNCOUNT_FOLLOWER.run(session, user_id=user.id)
    _UNCOUNT_FOLLOWING.run(session, user_id=user.id)
