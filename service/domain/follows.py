"""Follow relations: who follows whom, exactly counted."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from service.domain.database import Database, Statement, parameter, transaction
from service.domain.errors import Invalid, NotFound
from service.domain.paging import FirstPages, Listing, Page, Position
from service.domain.tables import Follows, Users
from service.domain.users import User, find_user, lock_user, settles_deletion, user_columns
from service.domain.viewer import Viewer, note_write, require


class Follow(NamedTuple):
    """That one user follows another, since `created_at` (UTC milliseconds)."""

    follower_id: int
    followed_id: int
    created_at: int


Precondition = Callable[[Follow | None], None]

_PAIR = (Follows.follower_id == parameter('follower_id')) & (Follows.followed_id == parameter('followed_id'))
_FIND = Statement(Follows.select(Follows.follower_id, Follows.followed_id, Follows.created_at).where(_PAIR))
_INSERT = Statement(Follows.insert({getattr(Follows, name): parameter(name) for name in Follows._columns}))
_DELETE = Statement(Follows.delete().where(_PAIR))
_LOCK_BOTH = Statement(
    Users.select(Users.id)
    .where((Users.id == parameter('follower_id')) | (Users.id == parameter('followed_id')))
    .order_by(Users.id),
    lock=True,
)
_COUNT_FOLLOWING = Statement(
    Users.update({Users.following_count: Users.following_count + parameter('change')}).where(
        Users.id == parameter('user_id')
    )
)
_COUNT_FOLLOWER = Statement(
    Users.update({Users.follower_count: Users.follower_count + parameter('change')}).where(
        Users.id == parameter('user_id')
    )
)
_UNCOUNT_FOLLOWER = Statement(
    Users.update({Users.follower_count: Users.follower_count - 1}).where(
        Users.id.in_(Follows.select(Follows.followed_id).where(Follows.follower_id == parameter('user_id')))
    )
)
_UNCOUNT_FOLLOWED = Statement(
    Users.update({Users.following_count: Users.following_count - 1}).where(
        Users.id.in_(Follows.select(Follows.follower_id).where(Follows.followed_id == parameter('user_id')))
    )
)
_FOLLOWERS = Listing(
    Follows.join(Users, on=(Users.id == Follows.follower_id))
    .select(Follows.id, *user_columns(Users))
    .where(Follows.followed_id == parameter('user_id')),
    Follows.id,
    User._make,
)
_FOLLOWING = Listing(
    Follows.join(Users, on=(Users.id == Follows.followed_id))
    .select(Follows.id, *user_columns(Users))
    .where(Follows.follower_id == parameter('user_id')),
    Follows.id,
    User._make,
)
_Owners = Users.alias('owner')
_FIRST_FOLLOWERS = FirstPages(
    Follows.join(Users, on=(Users.id == Follows.follower_id))
    .join(_Owners, on=(_Owners.id == Follows.followed_id))
    .select()
    .where(Follows.followed_id == parameter('owner_id')),
    _Owners.id,
    _Owners.follower_count,
    Follows.id,
    user_columns(Users),
    User._make,
)
_FIRST_FOLLOWING = FirstPages(
    Follows.join(Users, on=(Users.id == Follows.followed_id))
    .join(_Owners, on=(_Owners.id == Follows.follower_id))
    .select()
    .where(Follows.follower_id == parameter('owner_id')),
    _Owners.id,
    _Owners.following_count,
    Follows.id,
    user_columns(Users),
    User._make,
)


def first_followers(
    db: Database, user_ids: Sequence[int], position: Position, viewer: Viewer | None
) -> dict[int, Page]:
    """Return for each of the users the first page of those who follow them."""
    return _FIRST_FOLLOWERS.pages(db, user_ids, position, viewer_id=viewer.user_id if viewer else 0)


def first_following(
    db: Database, user_ids: Sequence[int], position: Position, viewer: Viewer | None
) -> dict[int, Page]:
    """Return for each of the users the first page of those whom they follow."""
    return _FIRST_FOLLOWING.pages(db, user_ids, position, viewer_id=viewer.user_id if viewer else 0)


def list_followers(db: Database, user_id: int, position: Position, viewer: Viewer) -> Page:
    """Return a page of those who follow the user, the newest relation first; raises NotFound."""
    user = find_user(db, user_id, viewer)
    return _FOLLOWERS.page(db, position, user.follower_count, user_id=user_id, viewer_id=viewer.user_id)


def list_following(db: Database, user_id: int, position: Position, viewer: Viewer) -> Page:
    """Return a page of those whom the user follows, the newest relation first; raises NotFound."""
    user = find_user(db, user_id, viewer)
    return _FOLLOWING.page(db, position, user.following_count, user_id=user_id, viewer_id=viewer.user_id)


def find_follow(db: Database, follower_id: int, followed_id: int) -> Follow:
    """Return the relation; raises NotFound where there is none."""
    row = _FIND.one(db, follower_id=follower_id, followed_id=followed_id)
    if row is None:
        raise NotFound('The one user does not follow the other.')
    return Follow._make(row)


@transaction
def follow(
    db: Database, follower_id: int, followed_id: int, *, by: Viewer, given: Precondition
) -> tuple[Follow, bool]:
    """Make the one user follow the other; return the relation, and whether it is new.

    `given` is asked of the relation as it is, or None. Raises NotFound, Forbidden, what `given` raises, and
    Invalid (oneself).
    """
    relation = _lock_relation(db, follower_id, followed_id, by)
    given(relation)
    note_write(db, by)
    return _relate(db, follower_id, followed_id, relation)


@transaction
def follow_all(
    db: Database, follower_id: int, followed_ids: Iterable[int], *, by: Viewer, given: Callable[[User], None]
) -> None:
    """Make the one user follow all the others, or none of them where one is nobody.

    `given` is asked of the follower as they are. Raises NotFound, Forbidden, what `given` raises, and
    Invalid (oneself).
    """
    _lock_follower(db, follower_id, by, given)
    for followed_id in sorted(set(followed_ids)):
        relation = _lock_relation(db, follower_id, followed_id, by)
        _relate(db, follower_id, followed_id, relation)


@transaction
def unfollow(db: Database, follower_id: int, followed_id: int, *, by: Viewer, given: Precondition) -> None:
    """Make the one user not follow the other, whether they did or not.

    `given` is asked of the relation as it is, or None. Raises NotFound, Forbidden, and what `given` raises.
    """
    given(_lock_relation(db, follower_id, followed_id, by))
    note_write(db, by)
    _unrelate(db, follower_id, followed_id)


@transaction
def unfollow_all(
    db: Database, follower_id: int, followed_ids: Iterable[int], *, by: Viewer, given: Callable[[User], None]
) -> None:
    """Make the one user follow none of the others, or change nothing where one is nobody.

    `given` is asked of the follower as they are. Raises NotFound, Forbidden, and what `given` raises.
    """
    _lock_follower(db, follower_id, by, given)
    for followed_id in sorted(set(followed_ids)):
        _lock_relation(db, follower_id, followed_id, by)
        _unrelate(db, follower_id, followed_id)


def _lock_follower(db: Database, follower_id: int, by: Viewer, given: Callable[[User], None]) -> None:
    """Lock the user who follows, ask who may and the precondition of them, and note the write once."""
    follower = lock_user(db, follower_id, by)
    require(follower.is_editable_by(by))
    given(follower)
    note_write(db, by)


def _relate(db: Database, follower_id: int, followed_id: int, relation: Follow | None) -> tuple[Follow, bool]:
    """Make the relation where there is none; return it, and whether it is new; raises Invalid (oneself)."""
    if follower_id == followed_id:
        raise Invalid(detail='Nobody can follow themselves.')
    if relation is not None:
        return relation, False
    relation = Follow(follower_id, followed_id, db.now())
    _INSERT.run(db, id=db.new_id(), **relation._asdict())
    _count(db, follower_id, followed_id, 1)
    return relation, True


def _unrelate(db: Database, follower_id: int, followed_id: int) -> None:
    if _DELETE.count(db, follower_id=follower_id, followed_id=followed_id):
        _count(db, follower_id, followed_id, -1)


def _lock_relation(db: Database, follower_id: int, followed_id: int, by: Viewer) -> Follow | None:
    """Lock both users, the lower id first as everyone does, and return their relation, if there is one."""
    users = {user_id for (user_id,) in _LOCK_BOTH.all(db, follower_id=follower_id, followed_id=followed_id)}
    if not {follower_id, followed_id} <= users:
        raise NotFound('There is no such user.')
    require(by.user_id == follower_id)
    row = _FIND.one(db, follower_id=follower_id, followed_id=followed_id)
    return None if row is None else Follow._make(row)


def _count(db: Database, follower_id: int, followed_id: int, change: int) -> None:
    _COUNT_FOLLOWING.run(db, user_id=follower_id, change=change)
    _COUNT_FOLLOWER.run(db, user_id=followed_id, change=change)


@settles_deletion
def settle_follows(db: Database, user: User) -> None:
    """Put right whom others follow and are followed by, before an account goes with its relations."""
    _UNCOUNT_FOLLOWER.run(db, user_id=user.id)
    _UNCOUNT_FOLLOWED.run(db, user_id=user.id)
