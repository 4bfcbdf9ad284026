"""The authenticated user and the token that they presented."""

from typing import NamedTuple

from service.database.compiled import CompiledQuery, bindparam
from service.database.session import Session
from service.domain.errors import Forbidden, Unauthenticated
from service.domain.models import Token, User


class Viewer(NamedTuple):
    """A signed-in user, with the token that was presented."""

    user_id: int
    username: str
    token_id: int


ANONYMOUS = Viewer(0, '', 0)  # nobody has this id

_UPDATE_LAST_SEEN = CompiledQuery(
    User.update({User.last_seen: bindparam('now')}).where(User.id == bindparam('user_id'))
)
_UPDATE_LAST_USED = CompiledQuery(
    Token.update({Token.last_used_at: bindparam('now')}).where(
        (Token.id == bindparam('token_id')) & (Token.expires_at > bindparam('now'))
    )
)


def authorize_write(session: Session, viewer: Viewer) -> int:
    """Check the token again inside the transaction, so that revoking it takes effect at once.

    Updates `last_seen` and `last_used_at`, and returns their new value. Raises Unauthenticated if the token
    was revoked or the account deleted since it was presented.
    """
    now = session.now()
    _UPDATE_LAST_SEEN.run(session, now=now, user_id=viewer.user_id)
    if not _UPDATE_LAST_USED.execute(session, now=now, token_id=viewer.token_id):
        raise Unauthenticated('The token is revoked or expired.', 'token')
    return now


def require_permission(is_allowed: bool) -> None:
    """Raise Forbidden if the viewer is not allowed to do this."""
    if not is_allowed:
        raise Forbidden('Only the owner may do this.')
