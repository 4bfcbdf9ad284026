"""Tokens: proofs of a sign-in that expire, are renewed, listed and revoked; only digests are stored."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import NamedTuple

import peewee

from service.domain.database import Database, Statement, parameter, transaction
from service.domain.errors import NotFound, Unauthenticated
from service.domain.keys import CLIENT_ID, sign
from service.domain.paging import Listing, Page, Position
from service.domain.passwords import is_password
from service.domain.purge import purge
from service.domain.tables import Tokens, Users
from service.domain.text import normalize
from service.domain.throttle import Counted, count_try, require_tries, sign_ins
from service.domain.users import find_credentials
from service.domain.viewer import Viewer, note_write, require

PREFIX = 'hc_'
SECRET_BYTES = 32
USER_AGENT_LENGTH = 255


class Issuer(NamedTuple):
    """Who issues signed tokens, and for whom (RFC 9068 §2.2): absolute addresses."""

    name: str
    audience: str


class Token(NamedTuple):
    """A token without its secret; times are UTC milliseconds.

    `signed_in_at` is when its first ancestor was issued for a password: renewals count their age from there.
    """

    id: int
    user_id: int
    created_at: int
    expires_at: int
    signed_in_at: int
    last_used_at: int | None
    user_agent: str | None

    def is_revocable_by(self, viewer: Viewer | None) -> bool:
        """Whether the viewer may read and revoke this token."""
        return viewer is not None and viewer.user_id == self.user_id


class NewToken(NamedTuple):
    """A token that was just made, with its secret, which is told this once."""

    token: Token
    secret: str


_COLUMNS = tuple(getattr(Tokens, field) for field in Token._fields)
_LIVE = Tokens.expires_at > parameter('now')
_OWN = (Tokens.user_id == parameter('user_id')) & _LIVE
_VIEWER = Statement(
    Tokens.join(Users, on=(Users.id == Tokens.user_id))
    .select(Users.id, Users.username, Tokens.id)
    .where((Tokens.digest == parameter('digest')) & _LIVE)
)
_SELECT = Tokens.select(*_COLUMNS).where((Tokens.id == parameter('token_id')) & _LIVE)
_FIND = Statement(_SELECT)
_LOCK = Statement(_SELECT, lock=True)
_LIST = Listing(Tokens.select(Tokens.id, *_COLUMNS).where(_OWN), Tokens.id, Token._make)
_COUNT = Statement(Tokens.select(peewee.fn.COUNT(Tokens.id)).where(_OWN))
_INSERT = Statement(Tokens.insert({getattr(Tokens, name): parameter(name) for name in Tokens._columns}))
_DELETE = Statement(Tokens.delete().where(Tokens.id == parameter('token_id')))
_SIGN_IN = Statement(
    Users.update({Users.last_seen: parameter('now')}).where(
        (Users.id == parameter('user_id')) & (Users.password_hash == parameter('password_hash'))
    )
)


def is_signed(secret: str) -> bool:
    """Whether the secret is a signed token."""
    return not secret.startswith(PREFIX)


def digest(secret: str) -> str:
    """Return what is stored of a token's secret: its SHA-256, in hexadecimal."""
    return hashlib.sha256(secret.encode(errors='surrogatepass')).hexdigest()


def find_viewer(db: Database, secret: str) -> Viewer:
    """Return whom the secret speaks for; raises Unauthenticated where it is unknown, expired or revoked."""
    row = _VIEWER.one(db, digest=digest(secret), now=db.now())
    if row is None:
        raise Unauthenticated('The token is unknown, expired or revoked.', 'token')
    return Viewer._make(row)


def sign_in(
    db: Database,
    *,
    username: str,
    password: str,
    user_agent: str | None,
    client_address: str | None = None,
    issuer: Issuer | None = None,
) -> NewToken:
    """Issue a token for a name and its password; with an `issuer` a signed one.

    Raises Unauthenticated, in the same time for a wrong password and an unknown name, and Throttled after
    too many of either, for a right password too.
    """
    name = normalize(username)
    user_id, password_hash = find_credentials(db, name) or (None, None)
    tries = sign_ins(user_id, name, client_address)
    require_tries(db, tries)
    if not is_password(normalize(password), password_hash, db.settings.bcrypt_cost):
        count_try(db, tries)
        raise Unauthenticated('The user name or the password is wrong.', 'password')
    assert user_id is not None  # nobody's password is never right
    assert password_hash is not None
    purge(db)
    return _issue_token(db, user_id, password_hash, user_agent, tries, issuer)


@transaction
def _issue_token(
    db: Database,
    user_id: int,
    password_hash: str,
    user_agent: str | None,
    tries: Sequence[Counted],
    issuer: Issuer | None,
) -> NewToken:
    require_tries(db, tries)  # wrong passwords that came at the same time were counted meanwhile
    now = db.now()
    if not _SIGN_IN.count(db, user_id=user_id, password_hash=password_hash, now=now):
        raise Unauthenticated('The password was changed just now.', 'password')
    return _insert_token(db, user_id, now, user_agent, issuer)


def renew_token(
    db: Database, viewer: Viewer, user_agent: str | None, issuer: Issuer | None = None
) -> NewToken:
    """Revoke the viewer's token and issue one that lives longer, within the age that a sign-in may reach.

    With an `issuer` the new one is signed. Raises Unauthenticated where the old one was revoked meanwhile.
    """
    purge(db)
    return _renew_token(db, viewer, user_agent, issuer)


@transaction
def _renew_token(db: Database, viewer: Viewer, user_agent: str | None, issuer: Issuer | None) -> NewToken:
    note_write(db, viewer)
    old = Token._make(_LOCK.one(db, token_id=viewer.token_id, now=db.now()))
    _DELETE.run(db, token_id=old.id)
    return _insert_token(db, viewer.user_id, old.signed_in_at, user_agent, issuer)


def _insert_token(
    db: Database, user_id: int, signed_in_at: int, user_agent: str | None, issuer: Issuer | None
) -> NewToken:
    now = db.now()
    token = Token(
        id=db.new_id(),
        user_id=user_id,
        created_at=now,
        expires_at=min(
            now + db.settings.token_lifetime * 1000, signed_in_at + db.settings.token_max_age * 1000
        ),
        signed_in_at=signed_in_at,
        last_used_at=None,
        user_agent=user_agent[:USER_AGENT_LENGTH] if user_agent else None,
    )
    secret = _sign(db, token, issuer) if issuer else PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    _INSERT.run(db, digest=digest(secret), **token._asdict())
    return NewToken(token, secret)


def _sign(db: Database, token: Token, issuer: Issuer) -> str:
    """Return what says the same of the token to other services (RFC 9068 §2.2)."""
    return sign(
        db,
        {
            'iss': issuer.name,
            'sub': str(token.user_id),
            'aud': issuer.audience,
            'client_id': CLIENT_ID,
            'iat': token.created_at // 1000,
            'exp': token.expires_at // 1000,
            'jti': str(token.id),
        },
    )


def find_token(db: Database, token_id: int, viewer: Viewer, *, statement: Statement = _FIND) -> Token:
    """Return the live token; raises NotFound, and Forbidden where it is somebody else's."""
    row = statement.one(db, token_id=token_id, now=db.now())
    if row is None:
        raise NotFound('There is no such token, or it has expired.')
    token = Token._make(row)
    require(token.is_revocable_by(viewer))
    return token


def list_tokens(db: Database, position: Position, viewer: Viewer) -> Page:
    """Return a page of the viewer's live tokens, the newest first."""
    own = {'user_id': viewer.user_id, 'now': db.now()}
    return _LIST.page(db, position, _COUNT.one(db, **own)[0], **own)


@transaction
def revoke_token(db: Database, token_id: int, *, by: Viewer, given: Callable[[Token], None]) -> None:
    """Revoke the token at once and everywhere; raises NotFound, Forbidden, and what `given` raises of it."""
    given(find_token(db, token_id, by, statement=_LOCK))
    note_write(db, by)
    _DELETE.run(db, token_id=token_id)
