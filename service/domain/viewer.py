"""Who asks: the user and the token that a request's credentials name."""

from typing import NamedTuple

from service.domain.database import Database, Statement, parameter
from service.domain.errors import Forbidden, Unauthenticated
from service.domain.tables import Tokens, Users


class Viewer(NamedTuple):
    """A signed-in user, by the token that was presented."""

    user_id: int
    username: str
    token_id: int


_SEE = Statement(Users.update({Users.last_seen: parameter('now')}).where(Users.id == parameter('user_id')))
_USE = Statement(
    Tokens.update({Tokens.last_used_at: parameter('now')}).where(
        (Tokens.id == parameter('token_id')) & (Tokens.expires_at > parameter('now'))
    )
)


def note_write(db: Database, viewer: Viewer) -> int:
    """Note within a write that the viewer is there, and that the token still is: revocation holds at once.

    Returns when that was: the viewer's `last_seen` from now on. Raises Unauthenticated where the token was
    revoked or the account deleted since it was presented.
    """
    now = db.now()
    _SEE.run(db, now=now, user_id=viewer.user_id)
    if not _USE.count(db, now=now, token_id=viewer.token_id):
        raise Unauthenticated('The token is revoked or expired.', 'token')
    return now


def require(may: bool) -> None:
    """Raise Forbidden unless the viewer may do it, by the predicate of the thing it is done to."""
    if not may:
        raise Forbidden('It is for its owner alone.')
