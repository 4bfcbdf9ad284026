"""Resetting passwords and verifying email addresses, through links in mails."""

from service.database.compiled import CompiledQuery, bindparam
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.credentials import set_password_hash
from service.domain.errors import Throttled
from service.domain.mail_secrets import SecretRecord, find_secret, revoke_secrets
from service.domain.models import User
from service.domain.outbox import RESET_PASSWORD, VERIFY_EMAIL, add_mail
from service.domain.passwords import hash_password
from service.domain.rate_limits import Quotas
from service.domain.throttle import (
    PASSWORD_RESET,
    address_subjects,
    count_attempt,
    reset_email_subjects,
    verification_subjects,
)
from service.domain.users import find_user, lock_user
from service.domain.viewer import Viewer, authorize_write, require_write_scope

_VERIFY = CompiledQuery(
    User.update({User.email_verified_at: bindparam('now')}).where(
        (User.id == bindparam('user_id')) & User.email_verified_at.is_null()
    )
)


def request_password_reset(
    session: Session, *, email: str, client_address: str | None, quotas: Quotas | None = None
) -> None:
    """Request an email with a link to reset the password, if the address belongs to a user.

    The user is looked up only when the email is sent, so the response and its timing reveal nothing.
    Raises Throttled after too many requests from the IP address; after too many for one email address it
    does nothing.
    """
    count_attempt(session, address_subjects((PASSWORD_RESET,), client_address), quotas)
    try:
        count_attempt(session, reset_email_subjects(email))
    except Throttled:
        return
    add_mail(session, RESET_PASSWORD, email)


def request_email_verification(session: Session, *, by: Viewer) -> None:
    """Request another email with a link to verify the viewer's email address, unless it is verified.

    Raises Throttled after too many requests.
    """
    require_write_scope(by)
    if find_user(session, by.user_id, by).email_verified_at is None:
        count_attempt(session, verification_subjects(by.user_id))
        _request_email_verification(session, by)


@transaction
def _request_email_verification(session: Session, by: Viewer) -> None:
    authorize_write(session, by)
    add_mail(session, VERIFY_EMAIL, find_user(session, by.user_id, by).email, by.user_id)


def find_password_reset(session: Session, secret: str) -> SecretRecord:
    """Return the secret of an email; raises NotFound."""
    return find_secret(session, RESET_PASSWORD, secret)


def find_email_verification(session: Session, secret: str) -> SecretRecord:
    """Return the secret of an email; raises NotFound."""
    return find_secret(session, VERIFY_EMAIL, secret)


def reset_password(session: Session, secret: str, password: str) -> None:
    """Set the password with the secret from an email, and revoke all tokens; raises NotFound.

    The secret proves that the user receives mail at the address, so that is verified, too.
    """
    find_password_reset(session, secret)  # before the costly hash
    _reset_password(session, secret, hash_password(session, password))


@transaction
def _reset_password(session: Session, secret: str, new_hash: str) -> None:
    user_id = _use(session, RESET_PASSWORD, secret)
    set_password_hash(session, user_id, new_hash)
    _VERIFY.run(session, user_id=user_id, now=session.now())


@transaction
def verify_email(session: Session, secret: str) -> None:
    """Record the email address as verified, with the secret from an email; raises NotFound."""
    user_id = _use(session, VERIFY_EMAIL, secret)
    _VERIFY.run(session, user_id=user_id, now=session.now())


def _use(session: Session, purpose: str, secret: str) -> int:
    """Delete the secret and all others for the purpose, and return its user; raises NotFound."""
    user_id = find_secret(session, purpose, secret).user_id
    lock_user(session, user_id, None)
    find_secret(session, purpose, secret)  # concurrent requests may have used it meanwhile
    revoke_secrets(session, purpose, user_id)
    return user_id
