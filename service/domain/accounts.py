"""Account deletion.

ON DELETE CASCADE deletes the rows that belong to the user. Each module whose counters include such rows has a
function that corrects these counters; tests/domain/test_account_deletion.py recounts all of them.
"""

from collections.abc import Callable

from service.database.compiled import CompiledQuery, bindparam
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.follows import find_connected, uncount_follows
from service.domain.models import User
from service.domain.posts import uncount_posts
from service.domain.sharded_counters import add_to_total
from service.domain.stores import uncount_stores
from service.domain.users import UserRecord, find_user, lock_users
from service.domain.viewer import Viewer, authorize_change

_DELETE = CompiledQuery(User.delete().where(User.id == bindparam('user_id')))


@transaction
def delete_user(
    session: Session, user_id: int, *, by: Viewer, precondition: Callable[[UserRecord], None]
) -> None:
    """Delete the account with its posts, follows, tokens and stores, and correct every counter they affected.

    Raises NotFound, Forbidden, and what `precondition` raises for the locked user.
    """
    if by.user_id == user_id:  # nobody else may lock others
        _lock_account(session, user_id)
    user = find_user(session, user_id, by)
    authorize_change(session, user, by, precondition)
    _delete_account(session, user)


@transaction
def delete_user_as_operator(session: Session, user_id: int) -> None:
    """Delete the account as `delete_user` does, for the operator; raises NotFound."""
    _lock_account(session, user_id)
    _delete_account(session, find_user(session, user_id, None))


def _lock_account(session: Session, user_id: int) -> None:
    """Lock the user and those whose counters the deletion changes, if they are not too many."""
    lock_users(session, [user_id, *find_connected(session, user_id)])


def _delete_account(session: Session, user: UserRecord) -> None:
    uncount_follows(session, user)
    uncount_posts(session, user)
    uncount_stores(session, user)
    add_to_total(session, 'users', -1)
    _DELETE.run(session, user_id=user.id)
