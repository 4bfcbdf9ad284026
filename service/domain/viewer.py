"""The authenticated user and the token that they presented."""

from typing import NamedTuple

from service.database.compiled import CompiledQuery, bindparam
from service.database.session import Session
from service.domain.errors import Forbidden, InsufficientScope, Unauthenticated
from service.domain.models import Token, User

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
