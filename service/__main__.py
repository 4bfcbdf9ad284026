"""The command line: `python -m service COMMAND`."""

import click

from service.commands.api import openapi, routes
from service.commands.cli import EXIT_CODES
from service.commands.conform import conform
from service.commands.database import check, migrate, settings
from service.commands.demo import demo
from service.commands.mail import mail
from service.commands.posts import post
from service.commands.serve import serve
from service.commands.tokens import keys, tokens
from service.commands.users import user
from service.resources.openapi.description import VERSION


@click.version_option(VERSION, prog_name='Halcyon')
@click.group(epilog=EXIT_CODES, context_settings={'show_default': True})
def main() -> None:
    """Operate Halcyon, a microblog served as hypermedia.

    Commands read the same environment variables as the server, which `serve` or `gunicorn` starts.
    """


for command in (
    serve,
    check,
    settings,
    migrate,
    user,
    post,
    tokens,
    keys,
    mail,
    routes,
    openapi,
    demo,
    conform,
):
    main.add_command(command)

if __name__ == '__main__':
    main(prog_name='python -m service')
