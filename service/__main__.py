"""The command line: `python -m service COMMAND`."""

from importlib import import_module

import click

from service import VERSION
from service.commands.cli import EXIT_CODES

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


class Commands(click.Group):
    """The commands; the module of one is imported only when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, or None if there is no such command."""
        if cmd_name not in MODULES:
            return None
        command: click.Command = getattr(import_module(f'service.commands.{MODULES[cmd_name]}'), cmd_name)
        return command


@click.version_option(VERSION, prog_name='Halcyon')
@click.group(cls=Commands, epilog=EXIT_CODES, context_settings={'show_default': True})
def main() -> None:
    """Operate Halcyon, a microblog served as hypermedia.

    Commands read the same environment variables as the server, which `serve` or `gunicorn` starts.
    """


if __name__ == '__main__':
    main(prog_name='python -m service')
