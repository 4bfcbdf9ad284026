"""The messages of the server, in text and HTML, from templates."""

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import urlsplit

import idna
import jinja2

from service import urls
from service.config import Settings

IGNORE = 'If you did not ask for this, ignore this email: nothing will change.'


class Text(NamedTuple):
    """The contents of a message: subject, paragraphs, the label of its link, and the last sentence."""

    subject: str
    paragraphs: tuple[str, ...]
    label: str = ''
    closing: str = IGNORE
    target: str = ''  # the URL template of the link


TEXTS = {
    'verify-email': Text(
        'Verify your email address',
        ('Please confirm that this is your email address. The link works once, within 7 days.',),
        'Verify the address',
        'If you have no account here, ignore this email.',
        urls.EMAIL_VERIFICATION,
    ),
    'email-changed': Text(
        'Your email address was changed',
        ('The email address of your account was changed, and this is the last mail to the old one.',),
        closing='If it was not you, ask the operator of the server for help at once.',
    ),
    'password-reset': Text(
        'Reset your password',
        (
            'Someone, probably you, asked to reset your password. The link below works once, within 30 '
            'minutes. A new password signs you out everywhere.',
        ),
        'Choose a new password',
        target=urls.PASSWORD_RESET,
    ),
    'test': Text(
        'Test of the mail settings',
        ('The server can send mail.',),
        closing='The operator of the server sent this email as a test.',
    ),
}
_FOLDER = files('service.mail') / 'templates'
_TEMPLATES = jinja2.Environment(
    # All are read at the start, so that an upgrade in place does not give old code new templates.
    loader=jinja2.DictLoader({file.name: file.read_text('utf-8') for file in _FOLDER.iterdir()}),
    autoescape=jinja2.select_autoescape(('html',)),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def compose(
    settings: Settings,
    purpose: str,
    recipient: str,
    *,
    mail_id: int,
    now: int,
    username: str = '',
    secret: str = '',
) -> EmailMessage:
    """Return the message for the purpose, with a link if it has a secret.

    The Message-ID contains `mail_id`, so that two copies of an email are recognised as one; `now` is in UTC
    milliseconds.
    """
    assert settings.base_url is not None
    assert settings.mail_from is not None
    text = TEXTS[purpose]
    link = settings.base_url + text.target.format(secret=secret) if secret else ''
    values = {**text._asdict(), 'username': username, 'link': link, 'origin': settings.base_url}
    message = EmailMessage(SMTP)
    message['From'] = settings.mail_from
    message['To'] = address_of(recipient)
    message['Subject'] = text.subject
    message['Date'] = format_datetime(datetime.fromtimestamp(now / 1000, UTC))
    message['Message-ID'] = f'<{mail_id}.{purpose}@{urlsplit(settings.base_url).hostname}>'
    message['Auto-Submitted'] = 'auto-generated'  # RFC 3834 §5
    message.set_content(_TEMPLATES.get_template('mail.txt').render(values))
    message.add_alternative(_TEMPLATES.get_template('mail.html').render(values), subtype='html')
    return message


def address_of(email: str) -> Address:
    """Return the address with its domain in ASCII (RFC 5890 §2.3.2.1), so that most servers accept it."""
    local, _, domain = email.rpartition('@')
    if not domain.isascii():
        domain = idna.encode(domain, uts46=True).decode()
    return Address(username=local, domain=domain)
