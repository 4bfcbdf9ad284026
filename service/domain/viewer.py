"""The authenticated user with the token that they presented, and the checks of their writes."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from service.database.compiled import CompiledQuery, bindparam
from service.database.session import Session
from service.domain.errors import Forbidden, InsufficientScope, Unauthenticated
from service.domain.models import Token, User
from service.domain.sharded_counters import lock_total

WRITE, READ = SCOPES = ('write', 'read')


class Viewer(NamedTuple):
    """A signed-in user, with the token that was presented and its scope."""

    user_id: int
    username: str
    token_id: int
    scope: str = WRITE

    @property
    def can_write(self) -> bool:
        """Whether the token permits writes; if not, documents offer no forms that write."""
        return self.scope == WRITE


ANONYMOUS = Viewer(0, '', 0)  # no user has this id
CreationCheck = Callable[[], None] | None

_LOCK_USER = CompiledQuery(User.select(User.id).where(User.id == bindparam('user_id')), for_update=True)
_UPDATE_USER = CompiledQuery(
    User.update(
        {User.last_seen: bindparam('now'), User.post_count: User.post_count + bindparam('posts')}
    ).where(User.id == bindparam('user_id'))
)
_UPDATE_LAST_USED = CompiledQuery(
    Token.update({Token.last_used_at: bindparam('now')}).where(
        (Token.id == bindparam('token_id')) & (Token.expires_at > bindparam('now'))
    )
)


def is_writer(viewer: Viewer | None, user_id: int) -> bool:
    """Return whether the viewer is that user, with a token that permits writes."""
    return viewer is not None and viewer.user_id == user_id and viewer.can_write


def authorize_write(session: Session, viewer: Viewer, *, posts: int = 0) -> int:
    """Check inside the transaction that the token permits writes, and confirm it; return the time.

    `posts` is the change of the viewer's `post_count`, which is written together with `last_seen`. Raises
    InsufficientScope, and what `confirm_token` raises.
    """
    require_write_scope(viewer)
    return confirm_token(session, viewer, posts=posts)


def check_creation(session: Session, viewer: Viewer, precondition: CreationCheck, kind: str = '') -> None:
    """Call the precondition inside the transaction that creates a resource, if the request has one.

    Until the transaction ends, other writes of the viewer wait, and so do all changes of the number of
    resources of the kind, so that only one of several requests with the current entity tag of the collection
    succeeds (RFC 9110 §13.1.1). Raises what `precondition` raises.
    """
    if precondition is not None:
        _LOCK_USER.first(session, user_id=viewer.user_id)
        lock_total(session, kind)
        precondition()


class Editable(Protocol):
    """A record that can tell whether a viewer may change it."""

    @property
    def id(self) -> int: ...

    def is_editable_by(self, viewer: Viewer | None) -> bool: ...


Record = TypeVar('Record', bound=Editable)


def authorize_change(
    session: Session, record: Record, by: Viewer, precondition: Callable[[Record], None], *, posts: int = 0
) -> int:
    """Check inside the transaction that the viewer may change the locked record now; return the time.

    Raises Forbidden, what `precondition` raises for the record, and what `authorize_write` raises.
    """
    require_editable(record, by)
    precondition(record)
    return authorize_write(session, by, posts=posts)


def confirm_token(session: Session, viewer: Viewer, *, posts: int = 0) -> int:
    """Check the token again inside the transaction, so that revoking it takes effect at once.

    Updates `last_seen` and `last_used_at`, and returns their new value. Raises Unauthenticated if the token
    was revoked or the account deleted since it was presented.
    """
    now = session.now()
    _UPDATE_USER.run(session, now=now, posts=posts, user_id=viewer.user_id)
    use_token(session, viewer, now)
    return now


def use_token(session: Session, viewer: Viewer, now: int) -> None:
    """Check the token again as `confirm_token` does, for a caller that updates `last_seen` itself."""
    if not _UPDATE_LAST_USED.execute(session, now=now, token_id=viewer.token_id):
        raise Unauthenticated('The token is revoked or expired.', 'token')


def require_write_scope(viewer: Viewer | None) -> None:
    """Raise InsufficientScope if the viewer's token only permits reading."""
    if viewer is not None and not viewer.can_write:
        raise InsufficientScope('The token has the scope "read"; this needs one with the scope "write".')


def require_permission(is_allowed: bool, writer: Viewer | None = None) -> None:
    """Raise Forbidden unless it is allowed, or InsufficientScope if the `writer` has a token for reading."""
    if not is_allowed:
        require_write_scope(writer)
        raise Forbidden('Only the owner may do this.')


def require_editable(record: Editable, viewer: Viewer | None) -> None:
    """Raise Forbidden unless the viewer may change the record, or InsufficientScope if the token may not."""
    require_permission(record.is_editable_by(viewer), viewer)
