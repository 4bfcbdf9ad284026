"""An SMTP server that stores the messages that it receives."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tests.server import free_port

LINK = re.compile(r'^http\S+/(?:password-resets|email-verifications)/\S+$', re.MULTILINE)


class MailServer:
    """Stores messages, and takes `seconds` for each.

    Rejects every sender, recipient or message with the reply that is set for the command.
    """

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.rejection = ''  # of RCPT
        self.rejections: dict[str, str] = {}  # of MAIL and DATA
        self.seconds = 0.0
        self.is_busy = threading.Event()
        self.url = ''

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if 'MAIL' not in self.rejections:
            envelope.mail_from = address
        return self.rejections.get('MAIL', '250 OK')

    async def handle_RCPT(  # noqa: N802  # the name that aiosmtpd requires
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.rejection:
            return self.rejection
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if 'DATA' in self.rejections:
            return self.rejections['DATA']
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.is_busy.set()
        await asyncio.sleep(self.seconds)
        self.messages.append(message)
        self.recipients += envelope.rcpt_tos
        return '250 OK'

    def last_link(self) -> str:
        """Return the link in the text of the last message."""
        return link_of(self.messages[-1])


def text_of(message: EmailMessage, kind: str = 'plain') -> str:
    """Return the text or the HTML of the message."""
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def link_of(message: EmailMessage) -> str:
    """Return the link in the text of the message."""
    match = LINK.search(text_of(message).replace('\r', ''))
    assert match is not None
    return match[0]


@contextmanager
def mail_server(**options: Any) -> Iterator[MailServer]:
    """Provide a mail server on a free local port."""
    server, port = MailServer(), free_port()
    server.url = f'smtp://127.0.0.1:{port}'
    controller = Controller(server, hostname='127.0.0.1', port=port, **options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop(no_assert=True)
