"""The `user` commands: add, password and delete."""

import sys

import click

from service.commands.cli import EXIT_CODES, json_option, open_current_schema, output
from service.domain.accounts import delete_user_as_operator
from service.domain.users import find_user_by_username, register_user, set_password
from service.representation.action import Action
from service.resources.users import REGISTER

SET_PASSWORD = Action('set-password', 'PUT', 'Set password', REGISTER.optional('password'))

password_stdin = click.option(
    '--password-stdin', is_flag=True, help='Read the password from the first line of standard input.'
)


@click.group()
def user() -> None:
    """Manage user accounts."""


@user.command(epilog=EXIT_CODES)
@click.argument('name')
@click.argument('email')
@password_stdin
@json_option
def add(name: str, email: str, password_stdin: bool, as_json: bool) -> None:
    """Register the user NAME with the email address EMAIL.

    The same rules apply as in the API. Prompts for the password.
    """
    password = _read_password(is_piped=password_stdin)
    with open_current_schema(create=True) as session:
        form = REGISTER.read({'username': name, 'email': email, 'password': password})
        added = register_user(session, **form)
    values = {'id': added.id, 'username': added.username, 'email': added.email}
    output(f'{added.username} was added with id {added.id}.', values, as_json=as_json)


@user.command(epilog=EXIT_CODES)
@click.argument('name')
@password_stdin
@json_option
def password(name: str, password_stdin: bool, as_json: bool) -> None:
    """Set the password of the user NAME, and revoke all their tokens.

    The same rules apply as in the API. Prompts for the password.
    """
    with open_current_schema() as session:
        found = find_user_by_username(session, name)
        form = SET_PASSWORD.read({'password': _read_password(is_piped=password_stdin)})
        revoked = set_password(session, found.id, form['password'])
    values = {'username': found.username, 'revoked': revoked}
    output(
        f'The password of {found.username} was changed; tokens revoked: {revoked}.', values, as_json=as_json
    )


@user.command(epilog=EXIT_CODES)
@click.argument('name')
@click.option('--yes', is_flag=True, help='Do not ask for confirmation.')
@json_option
def delete(name: str, yes: bool, as_json: bool) -> None:
    """Delete the user NAME with all their posts, follows, tokens and stores."""
    with open_current_schema() as session:
        found = find_user_by_username(session, name)
        if not yes:
            counts = f'{found.post_count} posts, {found.follower_count} followers'
            click.confirm(f'Delete {found.username} ({counts})?', abort=True, err=True)
        delete_user_as_operator(session, found.id)
    values = {'id': found.id, 'username': found.username}
    output(f'{found.username} was deleted.', values, as_json=as_json)


def _read_password(*, is_piped: bool) -> str:
    """Return the password, piped in or typed twice; other users can read command lines."""
    if is_piped:
        return sys.stdin.readline().removesuffix('\n').removesuffix('\r')
    if not sys.stdin.isatty():
        raise click.UsageError('No terminal to prompt for the password. Pipe it in with --password-stdin.')
    typed: str = click.prompt('Password', hide_input=True, confirmation_prompt=True, err=True)
    return typed
