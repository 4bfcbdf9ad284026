"""Tokens: bearer tokens that expire, are renewed, listed and revoked; only their digests are stored."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import NamedTuple

import peewee

from service.database.compiled import CompiledQuery, RowsByKey, bindparam, insert_into
from service.database.pagination import KeysetQuery, Page, PageRequest, page_of
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.errors import NotFound, Unauthenticated
from service.domain.expiry import purge
from service.domain.models import Token, User
from service.domain.passwords import verify_password
from service.domain.rate_limits import Quotas
from service.domain.signing_keys import CLIENT_ID, sign
from service.domain.text import normalize
from service.domain.throttle import Subject, check_limits, count_attempt, sign_in_subjects
from service.domain.users import find_credentials
from service.domain.viewer import Viewer, authorize_write, require_permission

PREFIX = 'hc_'
SECRET_BYTES = 32
USER_AGENT_LENGTH = 255


class Issuer(NamedTuple):
    """The issuer and the audience of signed tokens (RFC 9068 §2.2): absolute URLs."""

    name: str
    audience: str


class TokenRecord(NamedTuple):
    """A token without its secret; times are UTC milliseconds.

    `signed_in_at` is when its first predecessor was issued for a password: the maximum age counts from there.
    """

    id: int
    user_id: int
    created_at: int
    expires_at: int
    signed_in_at: int
    last_used_at: int | None
    user_agent: str | None

    def is_revocable_by(self, viewer: Viewer | None) -> bool:
        """Return whether the viewer may read and revoke this token."""
        return viewer is not None and viewer.user_id == self.user_id


class NewToken(NamedTuple):
    """A new token with its secret, which is shown only once."""

    token: TokenRecord
    secret: str


_COLUMNS = tuple(getattr(Token, name) for name in TokenRecord._fields)
_IS_LIVE = Token.expires_at > bindparam('now')
_IS_OWN = (Token.user == bindparam('user_id')) & _IS_LIVE
_FIND_VIEWER = CompiledQuery(
    Token.select(User.id, User.username, Token.id)
    .join(User, on=(User.id == Token.user))
    .where((Token.digest == bindparam('digest')) & _IS_LIVE)
)
_SELECT = Token.select(*_COLUMNS).where((Token.id == bindparam('token_id')) & _IS_LIVE)
_FIND = CompiledQuery(_SELECT)
_LOCK = CompiledQuery(_SELECT, for_update=True)
_LIST = KeysetQuery(Token.select(Token.id, *_COLUMNS).where(_IS_OWN), Token.id, TokenRecord._make)
_FIND_OWN = RowsByKey(Token.select().where(_IS_OWN), Token.id, _COLUMNS)
_COUNT = CompiledQuery(Token.select(peewee.fn.COUNT(Token.id)).where(_IS_OWN))
_INSERT = insert_into(Token)
_DELETE = CompiledQuery(Token.delete().where(Token.id == bindparam('token_id')))
_UPDATE_LAST_SEEN = CompiledQuery(
    User.update({User.last_seen: bindparam('now')}).where(
        (User.id == bindparam('user_id')) & (User.password_hash == bindparam('password_hash'))
    )
)


def is_signed(secret: str) -> bool:
    """Return whether the secret is a signed token."""
    return not secret.startswith(PREFIX)


def digest(secret: str) -> str:
    """Return the hexadecimal SHA-256 of a token's secret, which is stored instead of it."""
    return hashlib.sha256(secret.encode(errors='surrogatepass')).hexdigest()


def find_viewer(session: Session, secret: str) -> Viewer:
    """Return the user of the token; raises Unauthenticated if it is unknown, expired or revoked."""
    row = _FIND_VIEWER.first(session, digest=digest(secret), now=session.now())
    if row is None:
        raise Unauthenticated('The token is unknown, expired or revoked.', 'token')
    return Viewer._make(row)


def sign_in(
    session: Session,
    *,
    username: str,
    password: str,
    user_agent: str | None,
    client_address: str | None = None,
    quotas: Quotas | None = None,
    issuer: Issuer | None = None,
) -> NewToken:
    """Issue a token for a user name and password; with an `issuer` a signed one.

    Raises Unauthenticated, in the same time for a wrong password and an unknown name, and Throttled after too
    many of either, also for the right password. `quotas` receives what is left of each rate limit.
    """
    name = normalize(username)
    user_id, password_hash = find_credentials(session, name) or (None, None)
    subjects = sign_in_subjects(user_id, name, client_address)
    check_limits(session, subjects, quotas)
    if not verify_password(normalize(password), password_hash, session.settings.bcrypt_cost):
        count_attempt(session, subjects, quotas)
        raise Unauthenticated('The user name or the password is wrong.', 'password')
    assert user_id is not None  # verify_password is False for an unknown name
    assert password_hash is not None
    purge(session)
    return _issue_token(session, user_id, password_hash, user_agent, subjects, issuer)


@transaction
def _issue_token(
    session: Session,
    user_id: int,
    password_hash: str,
    user_agent: str | None,
    subjects: Sequence[Subject],
    issuer: Issuer | None,
) -> NewToken:
    check_limits(session, subjects)  # concurrent requests with wrong passwords may have been counted since
    now = session.now()
    if not _UPDATE_LAST_SEEN.execute(session, user_id=user_id, password_hash=password_hash, now=now):
        raise Unauthenticated('The password has just been changed.', 'password')
    return _insert_token(session, user_id, now, user_agent, issuer)


def renew_token(
    session: Session, viewer: Viewer, user_agent: str | None, issuer: Issuer | None = None
) -> NewToken:
    """Replace the viewer's token by one that expires later, within the maximum age of a sign-in.

    With an `issuer` the new one is signed. Raises Unauthenticated if the old one has been revoked.
    """
    purge(session)
    return _renew_token(session, viewer, user_agent, issuer)


@transaction
def _renew_token(session: Session, viewer: Viewer, user_agent: str | None, issuer: Issuer | None) -> NewToken:
    authorize_write(session, viewer)
    old = TokenRecord._make(_LOCK.first(session, token_id=viewer.token_id, now=session.now()))
    _DELETE.run(session, token_id=old.id)
    return _insert_token(session, viewer.user_id, old.signed_in_at, user_agent, issuer)


def _insert_token(
    session: Session, user_id: int, signed_in_at: int, user_agent: str | None, issuer: Issuer | None
) -> NewToken:
    now = session.now()
    token = TokenRecord(
        id=session.new_id(),
        user_id=user_id,
        created_at=now,
        expires_at=min(
            now + session.settings.token_lifetime * 1000, signed_in_at + session.settings.token_max_age * 1000
        ),
        signed_in_at=signed_in_at,
        last_used_at=None,
        user_agent=user_agent[:USER_AGENT_LENGTH] if user_agent else None,
    )
    secret = _sign(session, token, issuer) if issuer else PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    _INSERT.run(session, digest=digest(secret), **token._asdict())
    return NewToken(token, secret)


def _sign(session: Session, token: TokenRecord, issuer: Issuer) -> str:
    """Return the signed token, which other services can verify (RFC 9068 §2.2)."""
    return sign(
        session,
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


def find_token(
    session: Session, token_id: int, viewer: Viewer, *, query: CompiledQuery = _FIND
) -> TokenRecord:
    """Return the live token; raises NotFound, and Forbidden if it belongs to another user."""
    row = query.first(session, token_id=token_id, now=session.now())
    if row is None:
        raise NotFound('There is no such token, or it has expired.')
    token = TokenRecord._make(row)
    require_permission(token.is_revocable_by(viewer))
    return token


def list_tokens(
    session: Session, request: PageRequest, viewer: Viewer, *, ids: Sequence[int] | None = None
) -> Page:
    """Return a page of the viewer's live tokens, the newest first, or of those with the `ids`."""
    own = {'user_id': viewer.user_id, 'now': session.now()}
    if ids is not None:
        rows = _FIND_OWN.find(session, ids, **own)
        tokens = ((token_id, TokenRecord._make(row)) for token_id, row in rows.items())
        return page_of(tokens, request, newest_first=True)
    return _LIST.page(session, request, _COUNT.first(session, **own)[0], **own)


@transaction
def revoke_token(
    session: Session, token_id: int, *, by: Viewer, precondition: Callable[[TokenRecord], None]
) -> None:
    """Revoke the token; raises NotFound, Forbidden, and what `precondition` raises for the locked token."""
    precondition(find_token(session, token_id, by, query=_LOCK))
    authorize_write(session, by)
    _DELETE.run(session, token_id=token_id)
