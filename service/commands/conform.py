"""The `conform` command, which tests any running server against the standards."""

import json
import os
import sys
from pathlib import Path

import click

from service.conformance import suite
from service.conformance.client import Client
from service.conformance.report import Credentials, to_html, to_junit, to_text
from service.conformance.report import describe as describe_report
from service.conformance.transport import TransportError, send

FORMATS = (*suite.FORMATS, 'all')
EXIT_CODES = (
    'Exit codes: 0 no rule of level MUST failed; 1 one failed, or a request got no response; 2 usage '
    'error; 4 no response to the first request.'
)

report_file = click.Path(dir_okay=False, writable=True, path_type=Path)


def _check_rules(context: click.Context, option: click.Parameter, ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids; raises BadParameter if there is no such rule."""
    rule_ids = {rule.id for rule in suite.RULES}
    for rule_id in ids:
        if rule_id not in rule_ids:
            raise click.BadParameter(f'there is no rule {rule_id}.')
    return ids


def _check_user(context: click.Context, option: click.Parameter, user: str) -> str:
    """Return the credentials; raises BadParameter if they have no password."""
    if user and ':' not in user:
        raise click.BadParameter('must be a name and a password, with a colon between them.')
    return user


def _check_folder(context: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    """Return the path; raises BadParameter if no file exists or can be created there."""
    if path is not None and not path.exists() and not os.access(path.parent, os.W_OK | os.X_OK):
        raise click.BadParameter(f'cannot create a file in {str(path.parent)!r}.')
    return path


@click.command(epilog=EXIT_CODES)
@click.argument('url')
@click.option('--format', 'formats', type=click.Choice(FORMATS), multiple=True, default=['all'])
@click.option(
    '--token', default='', help='A bearer token to send.', envvar='CONFORM_TOKEN', show_default=False
)
@click.option(
    '--user',
    default='',
    metavar='NAME:PASSWORD',
    callback=_check_user,
    help='Basic credentials to send.',
    show_default=False,
)
@click.option(
    '--ignore',
    'ignored',
    metavar='RULE',
    multiple=True,
    callback=_check_rules,
    help='The id of a rule whose findings do not count; can be repeated.',
)
@click.option('--write', is_flag=True, help='Also send unsafe methods; created resources are deleted.')
@click.option('--max-requests', type=click.IntRange(1), default=500)
@click.option('--rate', type=click.FloatRange(0), default=0.0, help='Requests a second; 0 is unlimited.')
@click.option('--json', 'as_json', is_flag=True, help='Print the report as JSON.')
@click.option('--junit', type=report_file, callback=_check_folder, help='Write the report as JUnit XML here.')
@click.option(
    '--html', type=report_file, callback=_check_folder, help='Write the report as an HTML page here.'
)
@click.pass_context
def conform(
    context: click.Context,
    url: str,
    formats: tuple[str, ...],
    token: str,
    user: str,
    ignored: tuple[str, ...],
    write: bool,
    max_requests: int,
    rate: float,
    as_json: bool,
    junit: Path | None,
    html: Path | None,
) -> None:
    """Test the server at URL against the standards: HAL, HAL-FORMS, JSON:API, problem details and HTTP.

    It follows links from URL, stays on its origin, and sends safe methods only, unless --write is given.
    """
    if not url.startswith(('http://', 'https://')):
        raise click.UsageError('URL must start with http:// or https://.')
    username, _, password = user.partition(':')
    credentials = Credentials(token, username, password)
    with click.progressbar(length=max_requests, label='Requests', file=sys.stderr) as bar:
        client = Client(
            send,
            url,
            authorization=credentials.authorization,
            max_requests=max_requests,
            rate=rate,
            may_write=write,
            on_send=lambda: bar.update(1),
        )
        try:
            report = suite.run(client, tuple(suite.FORMATS) if 'all' in formats else formats, ignored)
        except TransportError as error:
            click.echo(f'Error: {credentials.mask(str(error))}', err=True)
            context.exit(4)
    if junit is not None:
        junit.write_text(to_junit(report, credentials))
    if html is not None:
        html.write_text(to_html(report, credentials))
    text = to_text(report, credentials)
    click.echo(json.dumps(describe_report(report, credentials)) if as_json else text)
    context.exit(0 if report.has_passed else 1)
