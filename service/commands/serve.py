"""The `serve` command."""

import click

from service.commands.cli import EXIT_CODES
from service.serving import granian_server, gunicorn_server
from service.serving.start import read_settings

SERVERS = {'gunicorn': gunicorn_server.run, 'granian': granian_server.run}


@click.command(epilog=EXIT_CODES)
@click.option('--server', type=click.Choice(list(SERVERS)), default='gunicorn', help='The HTTP server.')
def serve(server: str) -> None:
    """Start the server, and run until SIGTERM or Ctrl-C.

    `gunicorn` is the same as the program of that name. `granian` is faster, and is installed separately.
    """
    SERVERS[server](read_settings())
