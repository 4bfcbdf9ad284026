"""Sending the due emails of the outbox, in a thread of each worker process."""

import dataclasses
import logging
import threading
from email.message import EmailMessage

from service.config import Settings
from service.database.connect import open_engine
from service.database.errors import Unavailable
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.errors import NotFound
from service.domain.mail_secrets import create_secret
from service.domain.outbox import (
    EMAIL_CHANGED,
    RESET_PASSWORD,
    MailRecord,
    claim_mail,
    postpone_mail,
    remove_mail,
)
from service.domain.text import casefolded
from service.domain.users import UserRecord, find_user, find_user_by_email
from service.mail.messages import compose
from service.mail.smtp import MailError, send_message

POLL_SECONDS = 1.0
STOP_SECONDS = 5.0  # to finish the current mail when the process ends

log = logging.getLogger(__name__)


def send_due_mail(session: Session) -> int:
    """Send the emails that are due, and return their number; failed ones are retried later."""
    sent = 0
    while mail := claim_mail(session):
        message = _prepare(session, mail)
        if message is None:
            remove_mail(session, mail)
            continue
        try:
            send_message(session.settings, message)
        except MailError as error:
            _handle_failure(session, mail, error)
        else:
            remove_mail(session, mail)
            sent += 1
    return sent


def _handle_failure(session: Session, mail: MailRecord, error: MailError) -> None:
    """Postpone the email, or discard it after a permanent error or too many days."""
    if error.is_permanent:
        remove_mail(session, mail)
        is_kept = False
    else:
        is_kept = postpone_mail(session, mail)
    outcome = 'will be retried' if is_kept else 'is discarded'
    log.warning('mail %s (%s), attempt %s, %s: %s', mail.id, mail.purpose, mail.attempts, outcome, error)


@transaction
def _prepare(session: Session, mail: MailRecord) -> EmailMessage | None:
    """Return the message with a new secret, or None if it should no longer be sent."""
    user = _recipient_of(session, mail)
    if user is None:
        return None
    recipient, secret = mail.recipient, ''
    if mail.purpose != EMAIL_CHANGED:
        recipient = user.email
        secret = create_secret(session, mail.purpose, user.id, casefolded(user.email))
    return compose(
        session.settings,
        mail.purpose,
        recipient,
        mail_id=mail.id,
        now=session.now(),
        username=user.username,
        secret=secret,
    )


def _recipient_of(session: Session, mail: MailRecord) -> UserRecord | None:
    """Return the recipient, or None if no user has the address or it no longer needs verification."""
    if mail.purpose == RESET_PASSWORD:
        user = find_user_by_email(session, mail.recipient)
        return user if user is not None and user.suspended_at is None else None
    try:
        user = find_user(session, mail.user_id or 0, None)
    except NotFound:
        return None
    if mail.purpose == EMAIL_CHANGED:
        return user
    return user if user.email == mail.recipient and user.email_verified_at is None else None


class Sender(threading.Thread):
    """The thread of a process that sends mail until it is stopped, with its own connection."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name='mail', daemon=True)
        self._settings = dataclasses.replace(settings, database_pool=1)
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Stop after the current mail; wait for that at most STOP_SECONDS."""
        self._stopped.set()
        self.join(STOP_SECONDS)

    def run(self) -> None:
        session = Session(open_engine(self._settings), self._settings)
        is_failing = False
        while not self._stopped.wait(POLL_SECONDS):
            try:
                send_due_mail(session)
                is_failing = False
            except Unavailable as error:
                if not is_failing:
                    log.warning('mail cannot be sent at the moment: %s', error.__cause__ or error)
                is_failing = True
            except Exception:
                if not is_failing:
                    log.exception('mail cannot be sent at the moment')
                is_failing = True
            finally:
                session.release()
        session.close()
