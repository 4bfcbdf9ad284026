"""The command line: `python -m service COMMAND`."""

import os
import signal
import sys
from collections import UserDict
from contextlib import suppress
from importlib import import_module
from typing import Any

from service import VERSION
from service.domain.text import has_surrogates

try:
    import click

    from service.commands.cli import EXIT_CODES, ExitCode
except ModuleNotFoundError as error:
    sys.exit(f'{error}. Is this the Python of the virtual environment, .venv/bin/python?')
except KeyboardInterrupt:
    sys.exit('Aborted!')  # as click reports it later

MODULES = {
    'check': 'database',
    'conform': 'conform',
    'demo': 'demo',
    'keys': 'tokens',
    'mail': 'mail',
    'migrate': 'database',
    'openapi': 'api',
    'post': 'posts',
    'routes': 'api',
    'serve': 'serve',
    'settings': 'database',
    'tokens': 'tokens',
    'user': 'users',
}


class Main(click.Group):
    """The group of all commands; reports errors of the operating system in one line."""

    def main(self, *args: Any, **parameters: Any) -> Any:
        """Run a command; an error of the operating system, such as a full disk, ends it with one line."""
        try:
            return super().main(*args, **parameters)
        except OSError as error:
            place = f'Cannot use {error.filename}: ' if error.filename else ''
            click.echo(f'Error: {place}{error.strerror or error}.', err=True)
            with open(os.devnull, 'w') as nothing, suppress(OSError):
                os.dup2(nothing.fileno(), sys.stdout.fileno())  # Python flushes it at exit
            sys.exit(ExitCode.REJECTED)


class Commands(UserDict[str, Any]):
    """The commands by name; the module of one is imported when the command is used."""

    def __getitem__(self, name: str) -> click.Command:
        command: click.Command = getattr(import_module(f'service.commands.{self.data[name]}'), name)
        return command


@click.version_option(VERSION, prog_name='Halcyon')
@click.group(cls=Main, commands=Commands(MODULES), epilog=EXIT_CODES, context_settings={'show_default': True})
def main() -> None:
    """Operate Halcyon, a microblog served as hypermedia.

    Commands read the same environment variables as the server, which `serve` or `gunicorn` starts.
    """
    if has_surrogates(''.join(sys.argv)):
        raise click.UsageError('An argument is not valid UTF-8.')


if __name__ == '__main__':
    try:
        main(prog_name='python -m service')
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # another Ctrl-C ends the process without a traceback
