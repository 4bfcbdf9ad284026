"""The `mail` command: test."""

import click

from service.commands.cli import (
    EXIT_CODES,
    ExitCode,
    Failure,
    exit_on_error,
    json_option,
    output,
    read_settings,
)
from service.config import SettingError
from service.database.clock import system_clock
from service.database.ids import IdGenerator
from service.mail.messages import compose
from service.mail.smtp import MailError, send_message
from service.representation.action import Action
from service.resources.recovery import FORGOT_PASSWORD

RECIPIENT = Action('test', 'POST', 'Send a test', FORGOT_PASSWORD.fields)


@click.group()
def mail() -> None:
    """Check the mail settings."""


@mail.command(epilog=EXIT_CODES)
@click.argument('address')
@json_option
def test(address: str, as_json: bool) -> None:
    """Send a test mail to ADDRESS through the server of MAIL_URL. No database is needed."""
    with exit_on_error():
        settings = read_settings()
        if settings.mail_url is None:
            raise SettingError('MAIL_URL: must be set, otherwise the server sends no mail')
        recipient = RECIPIENT.read({'email': address})['email']
    mail_id = IdGenerator(system_clock)()
    try:
        send_message(settings, compose(settings, 'test', recipient, mail_id=mail_id, now=system_clock()))
    except MailError as error:
        raise Failure(f'{settings.mail_server}: {error}', ExitCode.REJECTED) from error
    values = {'server': settings.mail_server, 'recipient': recipient}
    output(f'{settings.mail_server} accepted an email to {recipient}.', values, as_json=as_json)
