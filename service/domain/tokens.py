"""Bearer tokens: issuing, renewing, listing and revoking them; only their digests are stored."""

import secrets
from collections.abc import Callable, Sequence
from typing import NamedTuple

import peewee

from service.database.compiled import CompiledQuery, RecordsByKey, bindparam, insert_into
from service.database.pagination import KeysetQuery, Page, PageRequest, page_of
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.credentials import REVOKE_OTHER_TOKENS, find_credentials
from service.domain.errors import NotFound, Suspended, Unauthenticated
from service.domain.expiry import purge
from service.domain.models import Token, User
from service.domain.passwords import verify_password
from service.domain.rate_limits import Quotas
from service.domain.signing_keys import CLIENT_ID, read_audiences, sign
from service.domain.text import digest_of, normalize
from service.domain.throttle import Subject, check_limits, count_attempt, sign_in_subjects
from service.domain.viewer import (
    WRITE,
    CreationCheck,
    Viewer,
    authorize_write,
    check_creation,
    confirm_token,
    require_permission,
)

PREFIX = 'hc_'
SECRET_BYTES = 32
MAX_USER_AGENT_LENGTH = 255
MAX_NAME_LENGTH = 80
MAX_LIVE_TOKENS = 100  # of a user
GRACE_SECONDS = 30  # for which a renewed token stays valid, so that a client can retry a lost renewal
MIN_LIFETIME, MAX_LIFETIME = 1, 10**9  # seconds that a sign-in can request


class Issuer(NamedTuple):
    """The issuer and the audience of signed tokens (RFC 9068 §2.2): absolute URLs."""

    name: str
    audience: str


class TokenRecord(NamedTuple):
    """A token without its secret; times are UTC milliseconds, `lifetime` is in seconds, None for the default.

    `signed_in_at` is when the sign-in issued the first token, from which the maximum age counts; `sign_in_id`
    is the id of that token. `renewed_at` is None unless this token was renewed.
    """

    id: int
    user_id: int
    created_at: int
    expires_at: int
    signed_in_at: int
    last_used_at: int | None
    user_agent: str | None
    name: str | None
    scope: str
    lifetime: int | None
    sign_in_id: int
    renewed_at: int | None

    def is_revocable_by(self, viewer: Viewer | None) -> bool:
        """Return whether the viewer may revoke this token; a read-only token can revoke only itself."""
        return (
            viewer is not None
            and viewer.user_id == self.user_id
            and (viewer.can_write or viewer.token_id == self.id)
        )


class TokenOptions(NamedTuple):
    """The options of a sign-in: a name, a scope, a lifetime in seconds, and an issuer for a signed token."""

    name: str | None = None
    scope: str = WRITE
    lifetime: int | None = None
    issuer: Issuer | None = None


DEFAULT_OPTIONS = TokenOptions()


class NewToken(NamedTuple):
    """A new token with its secret, which only the response to the sign-in contains."""

    token: TokenRecord
    secret: str


_COLUMNS = tuple(getattr(Token, name) for name in TokenRecord._fields)
_IS_LIVE = Token.expires_at > bindparam('now')
_IS_OWN = (Token.user == bindparam('user_id')) & _IS_LIVE
_FIND_VIEWER = CompiledQuery(
    Token.select(User.id, User.username, Token.id, Token.scope)
    .join(User, on=(User.id == Token.user))
    .where((Token.digest == bindparam('digest')) & _IS_LIVE)
)
_SELECT = Token.select(*_COLUMNS).where((Token.id == bindparam('token_id')) & _IS_LIVE)
_FIND = CompiledQuery(_SELECT)
_LOCK = CompiledQuery(_SELECT, for_update=True)
_LIST = KeysetQuery(Token.select(Token.id, *_COLUMNS).where(_IS_OWN), Token.id, TokenRecord._make)
_FIND_OWN = RecordsByKey(Token.select().where(_IS_OWN), Token.id, _COLUMNS, TokenRecord._make)
_COUNT = CompiledQuery(Token.select(peewee.fn.COUNT(Token.id)).where(_IS_OWN))
_INSERT = insert_into(Token)
_DELETE = CompiledQuery(Token.delete().where(Token.id == bindparam('token_id')))
_DELETE_WITH_PREDECESSORS = CompiledQuery(
    Token.delete().where(
        (Token.user == bindparam('user_id'))
        & (
            (Token.id == bindparam('token_id'))
            | ((Token.sign_in_id == bindparam('sign_in_id')) & Token.renewed_at.is_null(False))
        )
    )
)
_RENEW = CompiledQuery(
    Token.update({Token.renewed_at: bindparam('now'), Token.expires_at: bindparam('expires_at')}).where(
        Token.id == bindparam('token_id')
    )
)
# The tokens to revoke when there are too many: first those that have been renewed, then the oldest. The new
# one is kept, and the one that it renews, so that the client can retry if it does not receive the response.
_FIND_EXCESS = CompiledQuery(
    Token.select(Token.id)
    .where(_IS_OWN & (Token.id != bindparam('kept_id')))
    .order_by(Token.renewed_at.is_null(False), Token.id.desc())
    .limit(MAX_LIVE_TOKENS)
    .offset(MAX_LIVE_TOKENS - 1)
)
_UPDATE_LAST_SEEN = CompiledQuery(
    User.update({User.last_seen: bindparam('now')}).where(
        (User.id == bindparam('user_id'))
        & (User.password_hash == bindparam('password_hash'))
        & User.suspended_at.is_null()
    )
)


def is_signed(secret: str) -> bool:
    """Return whether the secret is a signed token."""
    return not secret.startswith(PREFIX)


def find_viewer(session: Session, secret: str, *, audience: str = '') -> Viewer:
    """Return the user of the token.

    Raises Unauthenticated if it is unknown, expired or revoked, and if it is signed for another audience.
    """
    row = _FIND_VIEWER.first(session, digest=digest_of(secret), now=session.now())
    if row is None:
        raise Unauthenticated('The token is unknown, expired or revoked.', 'token')
    if is_signed(secret) and audience not in read_audiences(secret):
        raise Unauthenticated('The token is for another audience.', 'token')
    return Viewer._make(row)


class VerifiedAccount(NamedTuple):
    """An account whose password was verified; `subjects` are those whose attempts are counted."""

    user_id: int
    password_hash: str
    subjects: Sequence[Subject]


def verify_account(
    session: Session,
    username: str,
    password: str,
    *,
    client_address: str | None = None,
    quotas: Quotas | None = None,
) -> VerifiedAccount:
    """Return the account with a user name and password.

    Raises Unauthenticated, in the same time for a wrong password and an unknown name, Suspended for the right
    password of a suspended account, and Throttled after too many wrong ones, also for the right password.
    `quotas` receives the remaining quotas.
    """
    name = normalize(username)
    user_id, password_hash, suspended_at = find_credentials(session, name) or (None, None, None)
    subjects = sign_in_subjects(user_id, name, client_address)
    check_limits(session, subjects, quotas)
    if not verify_password(session, normalize(password), password_hash):
        count_attempt(session, subjects, quotas)
        raise Unauthenticated('The user name or the password is wrong.', 'password')
    assert user_id is not None  # verify_password is False for an unknown name
    assert password_hash is not None
    if suspended_at is not None:
        raise Suspended('This account is suspended. Contact the operator.')
    return VerifiedAccount(user_id, password_hash, subjects)


def issue_token(
    session: Session,
    account: VerifiedAccount,
    user_agent: str | None,
    options: TokenOptions = DEFAULT_OPTIONS,
) -> NewToken:
    """Issue a token for an account whose password was verified.

    Raises Unauthenticated if the password has been changed since, and Throttled.
    """
    purge(session)
    return _issue_token(session, account, user_agent, options)


def sign_in(
    session: Session,
    *,
    username: str,
    password: str,
    user_agent: str | None,
    options: TokenOptions = DEFAULT_OPTIONS,
) -> NewToken:
    """Issue a token for a user name and password; raises what `verify_account` and `issue_token` raise."""
    return issue_token(session, verify_account(session, username, password), user_agent, options)


@transaction
def _issue_token(
    session: Session, account: VerifiedAccount, user_agent: str | None, options: TokenOptions
) -> NewToken:
    user_id, password_hash, subjects = account
    check_limits(session, subjects)  # concurrent requests with wrong passwords may have been counted since
    now = session.now()
    if not _UPDATE_LAST_SEEN.execute(session, user_id=user_id, password_hash=password_hash, now=now):
        raise Unauthenticated('The password has just been changed, or the account suspended.', 'password')
    return _insert_token(session, user_id, user_agent, options)


def renew_token(
    session: Session,
    viewer: Viewer,
    user_agent: str | None,
    issuer: Issuer | None = None,
    precondition: CreationCheck = None,
) -> NewToken:
    """Issue a token like the viewer's that expires later, within the maximum age of a sign-in.

    With an `issuer` it is signed. The old one stays valid for GRACE_SECONDS. Raises Unauthenticated if it has
    been revoked, and what `precondition` raises.
    """
    purge(session)
    return _renew_token(session, viewer, user_agent, issuer, precondition)


@transaction
def _renew_token(
    session: Session,
    viewer: Viewer,
    user_agent: str | None,
    issuer: Issuer | None,
    precondition: CreationCheck,
) -> NewToken:
    check_creation(session, viewer, precondition)
    now = confirm_token(session, viewer)
    old = TokenRecord._make(_LOCK.first(session, token_id=viewer.token_id, now=now))
    expires_at = min(old.expires_at, now + GRACE_SECONDS * 1000)
    _RENEW.run(session, token_id=old.id, now=now, expires_at=expires_at)
    options = TokenOptions(old.name, old.scope, old.lifetime, issuer)
    return _insert_token(session, viewer.user_id, user_agent, options, old)


def renew_aging_token(session: Session, viewer: Viewer, user_agent: str | None) -> NewToken | None:
    """Renew the viewer's token in the second half of its lifetime; return None in the first half.

    Raises NotFound if it has been revoked, and what `renew_token` raises.
    """
    token = find_token(session, viewer.token_id, viewer)
    is_aging = session.now() >= (token.created_at + token.expires_at) // 2
    return renew_token(session, viewer, user_agent) if is_aging else None


def _insert_token(
    session: Session,
    user_id: int,
    user_agent: str | None,
    options: TokenOptions,
    old: TokenRecord | None = None,
) -> NewToken:
    """Insert a token, and revoke the user's oldest ones beyond MAX_LIVE_TOKENS."""
    now, settings, token_id = session.now(), session.settings, session.new_id()
    lifetime = min(settings.token_lifetime, options.lifetime or settings.token_lifetime)
    signed_in_at = now if old is None else old.signed_in_at
    expires_at = min(now + lifetime * 1000, signed_in_at + settings.token_max_age * 1000)
    if expires_at <= now:  # the maximum age is shorter than when the old token was issued
        raise Unauthenticated('The token is too old to be renewed. Sign in again.', 'token')
    token = TokenRecord(
        id=token_id,
        user_id=user_id,
        created_at=now,
        expires_at=expires_at,
        signed_in_at=signed_in_at,
        last_used_at=None,
        user_agent=user_agent[:MAX_USER_AGENT_LENGTH] if user_agent else None,
        name=options.name,
        scope=options.scope,
        lifetime=options.lifetime,
        sign_in_id=token_id if old is None else old.sign_in_id,
        renewed_at=None,
    )
    issuer = options.issuer
    secret = _sign(session, token, issuer) if issuer else PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    _INSERT.run(session, digest=digest_of(secret), **token._asdict())
    kept_id = token_id if old is None else old.id
    for (excess_id,) in _FIND_EXCESS.all(session, user_id=user_id, now=now, kept_id=kept_id):
        _DELETE.run(session, token_id=excess_id)
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
            'scope': token.scope,
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
    require_permission(token.user_id == viewer.user_id)
    return token


def list_tokens(session: Session, request: PageRequest, viewer: Viewer) -> Page:
    """Return a page of the viewer's live tokens, the newest first."""
    own = {'user_id': viewer.user_id, 'now': session.now()}
    if request.ids is not None:
        return page_of(_FIND_OWN.find(session, request.ids, **own).items(), request)
    return _LIST.page(session, request, _COUNT.first(session, **own)[0], **own)


@transaction
def revoke_token(
    session: Session, token_id: int, *, by: Viewer, precondition: Callable[[TokenRecord], None]
) -> None:
    """Revoke the token and its predecessors that are still valid.

    Raises NotFound, Forbidden, and what `precondition` raises for the locked token.
    """
    token = find_token(session, token_id, by, query=_LOCK)
    require_permission(token.is_revocable_by(by), by)
    precondition(token)
    confirm_token(session, by)
    _DELETE_WITH_PREDECESSORS.run(
        session, user_id=token.user_id, token_id=token_id, sign_in_id=token.sign_in_id
    )


@transaction
def revoke_other_tokens(session: Session, *, by: Viewer) -> None:
    """Revoke all of the viewer's tokens but the presented one; raises InsufficientScope."""
    authorize_write(session, by)
    REVOKE_OTHER_TOKENS.run(session, user_id=by.user_id, token_id=by.token_id)
