"""The outbox: emails to be sent, written in the transaction that causes them, and sent by any node.

A process claims an email by postponing it, and only one of several concurrent claims succeeds. If the process
ends before the email is sent, another takes over when it is due again. So each email is sent at least once.
"""

from typing import NamedTuple

import peewee

from service.database.compiled import CompiledQuery, bindparam, insert_into
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.models import Mail

VERIFY_EMAIL, EMAIL_CHANGED, RESET_PASSWORD = ('verify-email', 'email-changed', 'password-reset')
LEASE_SECONDS = 60  # before another process may claim a claimed mail
MIN_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS = 10, 3600  # before the next attempt
MAX_AGE_SECONDS = 5 * 86400  # after which an email is discarded (RFC 5321 §4.5.4.1)


class MailRecord(NamedTuple):
    """An email to be sent; times are UTC milliseconds.

    `user_id` is None if only the address was entered.
    """

    id: int
    purpose: str
    recipient: str
    user_id: int | None
    created_at: int
    due_at: int
    attempts: int


_FIND_DUE = CompiledQuery(
    Mail.select(Mail.id, Mail.purpose, Mail.recipient, Mail.user, Mail.created_at, Mail.due_at, Mail.attempts)
    .where(Mail.due_at <= bindparam('now'))
    .order_by(Mail.due_at, Mail.id)
    .limit(1)
)
_COUNT = CompiledQuery(Mail.select(peewee.fn.COUNT(Mail.id)))
_INSERT = insert_into(Mail)
_CLAIM = CompiledQuery(
    Mail.update({Mail.due_at: bindparam('lease'), Mail.attempts: Mail.attempts + 1}).where(
        (Mail.id == bindparam('mail_id')) & (Mail.due_at == bindparam('seen'))
    )
)
_POSTPONE = CompiledQuery(
    Mail.update({Mail.due_at: bindparam('due_at')}).where(Mail.id == bindparam('mail_id'))
)
_DELETE = CompiledQuery(Mail.delete().where(Mail.id == bindparam('mail_id')))


@transaction
def add_mail(session: Session, purpose: str, recipient: str, user_id: int | None = None) -> None:
    """Write an email to the outbox, if the server sends mail."""
    if session.settings.mail_url is None:
        return
    now = session.now()
    _INSERT.run(
        session,
        id=session.new_id(),
        purpose=purpose,
        recipient=recipient,
        user_id=user_id,
        created_at=now,
        due_at=now,
        attempts=0,
    )


def claim_mail(session: Session) -> MailRecord | None:
    """Claim an email that is due, and return it, or None if there is none."""
    while row := _FIND_DUE.first(session, now=session.now()):
        mail = MailRecord._make(row)
        if _claim(session, mail):
            return mail._replace(attempts=mail.attempts + 1)
    return None


@transaction
def _claim(session: Session, mail: MailRecord) -> bool:
    lease = session.now() + LEASE_SECONDS * 1000
    return _CLAIM.execute(session, mail_id=mail.id, seen=mail.due_at, lease=lease) == 1


@transaction
def remove_mail(session: Session, mail: MailRecord) -> None:
    """Delete an email that was sent, or that will not be sent."""
    _DELETE.run(session, mail_id=mail.id)


def postpone_mail(session: Session, mail: MailRecord) -> bool:
    """Postpone an email that could not be sent; return False if it is discarded instead."""
    now = session.now()
    if now - mail.created_at > MAX_AGE_SECONDS * 1000:
        remove_mail(session, mail)
        return False
    seconds = min(MIN_BACKOFF_SECONDS * 2 ** min(mail.attempts - 1, 20), MAX_BACKOFF_SECONDS)
    _postpone(session, mail.id, now + seconds * 1000)
    return True


@transaction
def _postpone(session: Session, mail_id: int, due_at: int) -> None:
    _POSTPONE.run(session, mail_id=mail_id, due_at=due_at)


def count_mails(session: Session) -> int:
    """Return the number of emails to be sent."""
    return int(_COUNT.first(session)[0])
