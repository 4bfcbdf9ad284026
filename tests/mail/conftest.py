"""Fixtures: a mail server, and an application that sends mail to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from service.config import Settings
from service.database.session import Session
from service.domain.startup import open_session
from tests.client import ORIGIN, PASSWORD, Client
from tests.clock import MovableClock
from tests.conftest import Start
from tests.mail_server import MailServer, mail_server
from tests.plain_browser import PlainBrowser

SENDER = 'Halcyon <halcyon@example.org>'


@pytest.fixture(scope='module')
def shared_inbox() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def inbox(shared_inbox: MailServer) -> MailServer:
    shared_inbox.messages, shared_inbox.recipients, shared_inbox.rejection = [], [], ''
    return shared_inbox


@pytest.fixture
def environment(inbox: MailServer) -> dict[str, str]:
    return {'BASE_URL': ORIGIN, 'MAIL_URL': inbox.url, 'MAIL_FROM': SENDER}


@pytest.fixture
def app(start: Start, environment: dict[str, str]) -> Any:
    """The application with mail."""
    return start(**environment)


@pytest.fixture
def db(database_url: str, clock: MovableClock, environment: dict[str, str]) -> Iterator[Session]:
    """The session of a process that sends mail."""
    settings = Settings.from_environment({'DATABASE_URL': database_url, 'BCRYPT_COST': '4', **environment})
    db = open_session(settings, clock)
    yield db
    db.close()


@pytest.fixture
def browser(app: Any, ada: Client) -> PlainBrowser:
    """A browser in which Ada is signed in."""
    browser = PlainBrowser(app)
    browser.open(f'{ORIGIN}/api')
    browser.submit('login', username='ada', password=PASSWORD)
    return browser


def count_pending(db: Session) -> int:
    """Return the number of emails that are still to be sent."""
    return int(db.execute('SELECT COUNT(*) FROM outbox').fetchone()[0])
