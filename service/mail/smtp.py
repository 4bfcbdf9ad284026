"""Sending messages to the mail server (RFC 5321), over TLS if the server supports it."""

import ipaddress
import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import urlsplit

from service.config import MailServer, Settings, parse_mail_url

SECONDS = 10  # to wait for one reply of the mail server
PERMANENT = 500  # replies of this code or greater are permanent (RFC 5321 §4.2.1)
_EVENTS: dict[type[smtplib.SMTPException], str] = {
    smtplib.SMTPConnectError: 'the mail server accepts no connections',
    smtplib.SMTPAuthenticationError: 'the user or the password was rejected',
    smtplib.SMTPSenderRefused: 'the sender was rejected',
    smtplib.SMTPDataError: 'the message was rejected',
}


class MailError(Exception):
    """A message could not be sent; the text does not quote it.

    If the error `is_permanent`, a retry would fail, too.
    """

    def __init__(self, text: str, *, is_permanent: bool = False) -> None:
        super().__init__(text)
        self.is_permanent = is_permanent


def send_message(settings: Settings, message: EmailMessage) -> None:
    """Send the message to the configured mail server; raises MailError."""
    assert settings.mail_url is not None
    server = parse_mail_url(settings.mail_url)
    try:
        with _connect(server, urlsplit(settings.base_url or '').hostname) as smtp:
            smtp.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code = max(code for code, _ in error.recipients.values())
        raise MailError(f'the recipient was rejected ({code})', is_permanent=code >= PERMANENT) from None
    except smtplib.SMTPResponseException as error:
        event = next(
            (text for kind, text in _EVENTS.items() if isinstance(error, kind)), 'a command was rejected'
        )
        raise MailError(f'{event} ({error.smtp_code})') from None
    except smtplib.SMTPNotSupportedError as error:
        raise MailError(f'the mail server lacks an extension: {error}', is_permanent=True) from None
    except smtplib.SMTPServerDisconnected:
        raise MailError('the server closed the connection; it may not be a mail server') from None
    except (OSError, smtplib.SMTPException) as error:
        reason = getattr(error, 'strerror', None) or type(error).__name__
        raise MailError(str(reason)) from None


def _connect(server: MailServer, name: str | None) -> smtplib.SMTP:
    """Return a connection to the server, signed in if it has a user.

    A password is sent only over TLS, except to this machine. The certificate of the server is verified.
    """
    context = ssl.create_default_context()
    if server.is_tls:
        return _signed_in(
            smtplib.SMTP_SSL(server.host, server.port, name, timeout=SECONDS, context=context), server
        )
    smtp = smtplib.SMTP(server.host, server.port, name, timeout=SECONDS)
    try:
        smtp.ehlo()
        if smtp.has_extn('starttls'):
            smtp.starttls(context=context)
        elif server.user and not _is_local(server.host):
            raise MailError('the mail server does not support TLS, and a password is sent only over TLS')
    except BaseException:
        smtp.close()
        raise
    return _signed_in(smtp, server)


def _signed_in(smtp: smtplib.SMTP, server: MailServer) -> smtplib.SMTP:
    if server.user:
        try:
            smtp.login(server.user, server.password)
        except BaseException:
            smtp.close()
            raise
    return smtp


def _is_local(host: str) -> bool:
    try:
        return host == 'localhost' or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
