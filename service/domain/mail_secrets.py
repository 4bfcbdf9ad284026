"""Secrets in mail links: random, stored as digests, and bound to the address that the email was sent to."""

import secrets
from typing import NamedTuple

from service.database.compiled import CompiledQuery, bindparam, insert_into
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.errors import NotFound
from service.domain.models import MailSecret, User
from service.domain.outbox import RESET_PASSWORD, VERIFY_EMAIL
from service.domain.text import digest_of

SECRET_BYTES = 32
LIFETIMES = {RESET_PASSWORD: 1800, VERIFY_EMAIL: 7 * 86400}  # seconds


class SecretRecord(NamedTuple):
    """A valid secret of a user; times are UTC milliseconds."""

    id: int
    user_id: int
    username: str
    expires_at: int


# A secret is invalid once the user has another address.
_FIND = CompiledQuery(
    MailSecret.select(MailSecret.id, User.id.alias('user_id'), User.username, MailSecret.expires_at)
    .join(User, on=(User.id == MailSecret.user))
    .where(
        (MailSecret.digest == bindparam('digest'))
        & (MailSecret.purpose == bindparam('purpose'))
        & (MailSecret.expires_at > bindparam('now'))
        & (MailSecret.email_key == User.email_key)
    )
)
_INSERT = insert_into(MailSecret)
_DELETE = CompiledQuery(
    MailSecret.delete().where(
        (MailSecret.user == bindparam('user_id')) & (MailSecret.purpose == bindparam('purpose'))
    )
)


@transaction
def create_secret(session: Session, purpose: str, user_id: int, email_key: str) -> str:
    """Return a new secret for an email to the user's current address."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    _INSERT.run(
        session,
        id=session.new_id(),
        digest=digest_of(secret),
        purpose=purpose,
        user_id=user_id,
        email_key=email_key,
        expires_at=session.now() + LIFETIMES[purpose] * 1000,
    )
    return secret


def find_secret(session: Session, purpose: str, secret: str) -> SecretRecord:
    """Return the secret; raises NotFound if it is unknown, used or expired, or for another address."""
    row = _FIND.first(session, digest=digest_of(secret), purpose=purpose, now=session.now())
    if row is None:
        raise NotFound('The link is incomplete, expired or already used. Request a new one.')
    return SecretRecord._make(row)


def revoke_secrets(session: Session, purpose: str, user_id: int) -> None:
    """Delete the secrets of the user for the purpose."""
    _DELETE.run(session, user_id=user_id, purpose=purpose)
