"""The mail command: test."""

from __future__ import annotations

from service.commands.cli import ExitCode
from tests.client import ORIGIN
from tests.commands.conftest import Operator, refusal
from tests.mail_server import mail_server


def configure(operator: Operator, url: str) -> None:
    operator.environment |= {'BASE_URL': ORIGIN, 'MAIL_URL': url, 'MAIL_FROM': 'halcyon@example.org'}


def test_a_test_mail_is_sent_immediately(newcomer: Operator) -> None:
    with mail_server() as inbox:
        configure(newcomer, inbox.url)
        printed = newcomer.ask('mail', 'test', 'ada@example.org')
        assert printed == {'server': inbox.url, 'recipient': 'ada@example.org'}
        (message,) = inbox.messages
    assert message['Subject'] == 'Test of the mail settings'


def test_a_mail_server_that_refuses_is_reported_in_one_line(newcomer: Operator) -> None:
    with mail_server() as inbox:
        configure(newcomer, inbox.url)
        inbox.reply = '550 no such mailbox'
        result = newcomer.run('mail', 'test', 'ada@example.org')
    assert result.exit_code == ExitCode.REJECTED
    assert refusal(result) == f'{inbox.url}: the recipient was rejected (550)'


def test_the_command_reports_a_missing_mail_server(newcomer: Operator) -> None:
    result = newcomer.run('mail', 'test', 'ada@example.org')
    assert result.exit_code == ExitCode.SETTING
    assert 'MAIL_URL' in refusal(result)


def test_a_wrong_address_is_rejected(newcomer: Operator) -> None:
    configure(newcomer, 'smtp://127.0.0.1:1')
    assert newcomer.run('mail', 'test', 'nobody').exit_code == ExitCode.REJECTED
