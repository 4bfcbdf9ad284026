"""Credentials of users: passwords, and the suspension of accounts."""

import re
from collections.abc import Sequence

from service.database.compiled import CompiledQuery, bindparam
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.errors import Invalid, NotFound
from service.domain.mail_secrets import revoke_secrets
from service.domain.models import Token, User
from service.domain.outbox import RESET_PASSWORD
from service.domain.passwords import hash_password, verify_password
from service.domain.rate_limits import Quotas
from service.domain.text import casefolded
from service.domain.throttle import Subject, check_limits, count_attempt, sign_in_subjects
from service.domain.users import USERNAME_PATTERN, find_user, lock_user
from service.domain.viewer import Viewer, authorize_write, require_editable

_FIND = CompiledQuery(
    User.select(User.id, User.password_hash, User.suspended_at).where(
        User.username_key == bindparam('username_key')
    )
)
_FIND_PASSWORD_HASH = CompiledQuery(User.select(User.password_hash).where(User.id == bindparam('user_id')))
_REPLACE_PASSWORD = CompiledQuery(
    User.update({User.password_hash: bindparam('new_hash')}).where(
        (User.id == bindparam('user_id')) & (User.password_hash == bindparam('old_hash'))
    )
)
REVOKE_OTHER_TOKENS = CompiledQuery(
    Token.delete().where((Token.user == bindparam('user_id')) & (Token.id != bindparam('token_id')))
)
_SET_PASSWORD = CompiledQuery(
    User.update({User.password_hash: bindparam('new_hash')}).where(User.id == bindparam('user_id'))
)
_SUSPEND = CompiledQuery(
    User.update({User.suspended_at: bindparam('suspended_at')}).where(User.id == bindparam('user_id'))
)
_REVOKE_TOKENS = CompiledQuery(
    Token.delete().where((Token.user == bindparam('user_id')) & (Token.expires_at > bindparam('now')))
)


def find_credentials(session: Session, username: str) -> tuple[int, str, int | None] | None:
    """Return id, password hash and `suspended_at` of the user with that name, ignoring case, or None."""
    if not re.fullmatch(USERNAME_PATTERN, username):
        return None
    row: tuple[int, str, int | None] | None = _FIND.first(session, username_key=casefolded(username))
    return row


def change_password(
    session: Session,
    user_id: int,
    *,
    current_password: str,
    password: str,
    by: Viewer,
    client_address: str | None = None,
    quotas: Quotas | None = None,
) -> None:
    """Change the password and revoke all of the user's tokens but the presented one.

    Raises NotFound, Forbidden, Invalid for a wrong `current_password`, which counts as a failed sign-in, and
    Throttled after too many of them. `quotas` receives the remaining quotas.
    """
    require_editable(find_user(session, user_id, by), by)
    subjects = sign_in_subjects(user_id, by.username, client_address)
    check_limits(session, subjects, quotas)
    old_hash = _FIND_PASSWORD_HASH.first(session, user_id=user_id)[0]
    if not verify_password(session, current_password, old_hash):
        count_attempt(session, subjects, quotas)
        raise Invalid([('current_password', 'is not your password')])
    new_hash = hash_password(session, password)
    _change_password(session, user_id, old_hash, new_hash, by, subjects)


@transaction
def _change_password(
    session: Session, user_id: int, old_hash: str, new_hash: str, by: Viewer, subjects: Sequence[Subject]
) -> None:
    check_limits(session, subjects)  # concurrent requests with wrong passwords may have been counted since
    if not _REPLACE_PASSWORD.execute(session, user_id=user_id, old_hash=old_hash, new_hash=new_hash):
        raise Invalid([('current_password', 'is not your password')])  # another request has changed it
    authorize_write(session, by)
    revoke_secrets(session, RESET_PASSWORD, user_id)
    REVOKE_OTHER_TOKENS.run(session, user_id=user_id, token_id=by.token_id)


def set_password(session: Session, user_id: int, password: str) -> int:
    """Set the password without the old one, as the operator does, and revoke all tokens.

    Returns the number of live tokens that were revoked; raises NotFound.
    """
    return set_password_hash(session, user_id, hash_password(session, password))


@transaction
def set_password_hash(session: Session, user_id: int, new_hash: str) -> int:
    """Set the hash of the password, and revoke all tokens and links to reset it.

    Returns the number of live tokens that were revoked; raises NotFound.
    """
    if not _SET_PASSWORD.execute(session, user_id=user_id, new_hash=new_hash):
        raise NotFound('There is no such user.')
    revoke_secrets(session, RESET_PASSWORD, user_id)
    return _REVOKE_TOKENS.execute(session, user_id=user_id, now=session.now())


@transaction
def revoke_tokens(session: Session, user_id: int) -> int:
    """Revoke all of the user's tokens, as the operator does, and return the number of live ones.

    Raises NotFound.
    """
    lock_user(session, user_id, None)  # a concurrent sign-in or renewal ends first, and is revoked too
    return _REVOKE_TOKENS.execute(session, user_id=user_id, now=session.now())


@transaction
def suspend_user(session: Session, user_id: int) -> int:
    """Reject sign-ins of the user from now on, and revoke all tokens; return the number of live ones.

    Raises NotFound.
    """
    now = session.now()
    if lock_user(session, user_id, None).suspended_at is None:
        _SUSPEND.run(session, user_id=user_id, suspended_at=now)
    return _REVOKE_TOKENS.execute(session, user_id=user_id, now=now)


@transaction
def restore_user(session: Session, user_id: int) -> None:
    """Accept sign-ins of a suspended user again; raises NotFound."""
    lock_user(session, user_id, None)
    _SUSPEND.run(session, user_id=user_id, suspended_at=None)
