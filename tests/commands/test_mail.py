"""The `mail test` command."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.commands.cli import ExitCode
from tests.client import ORIGIN
from tests.commands.conftest import Operator, error_of
from tests.mail_server import mail_server


def configure(operator: Operator, url: str) -> None:
    operator.environment |= {'BASE_URL': ORIGIN, 'MAIL_URL': url, 'MAIL_FROM': 'halcyon@example.org'}


def test_a_test_mail_is_sent_immediately(new_operator: Operator) -> None:
    with mail_server() as inbox:
        configure(new_operator, inbox.url)
        report = new_operator.run_json('mail', 'test', 'ada@example.org')
        assert report == {'server': inbox.url, 'recipient': 'ada@example.org'}
        (message,) = inbox.messages
    assert message['Subject'] == 'Test of the mail settings'


def test_a_rejected_recipient_is_reported_in_one_line(new_operator: Operator) -> None:
    with mail_server() as inbox:
        configure(new_operator, inbox.url)
        inbox.rejection = '550 no such mailbox'
        result = new_operator.run('mail', 'test', 'ada@example.org')
    assert result.exit_code == ExitCode.REJECTED
    assert error_of(result) == f'{inbox.url}: the recipient was rejected (550)'


@pytest.mark.parametrize(
    ('command', 'text'),
    [('MAIL', 'the sender was rejected (550)'), ('DATA', 'the message was rejected (550)')],
)
def test_another_rejection_is_reported_in_words(new_operator: Operator, command: str, text: str) -> None:
    with mail_server() as inbox:
        configure(new_operator, inbox.url)
        inbox.rejections = {command: '550 not from here'}
        result = new_operator.run('mail', 'test', 'ada@example.org')
    assert error_of(result) == f'{inbox.url}: {text}'


def test_a_server_that_is_no_mail_server_is_reported(new_operator: Operator) -> None:
    def hang_up() -> None:
        other.accept()[0].close()

    with socket.create_server(('127.0.0.1', 0)) as other, ThreadPoolExecutor(1) as pool:
        pool.submit(hang_up)
        configure(new_operator, f'smtp://127.0.0.1:{other.getsockname()[1]}')
        result = new_operator.run('mail', 'test', 'ada@example.org')
    assert error_of(result).endswith(': the server closed the connection; it may not be a mail server')


def test_the_command_reports_a_missing_mail_url(new_operator: Operator) -> None:
    result = new_operator.run('mail', 'test', 'ada@example.org')
    assert result.exit_code == ExitCode.SETTING
    assert 'MAIL_URL' in error_of(result)


def test_an_invalid_email_is_rejected(new_operator: Operator) -> None:
    configure(new_operator, 'smtp://127.0.0.1:1')
    assert new_operator.run('mail', 'test', 'unknown').exit_code == ExitCode.REJECTED
