"""Commands for people: adding and deleting them, and setting a password that was forgotten."""

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
    """The people who have an account."""


@user.command(epilog=EXIT_CODES)
@click.argument('name')
@click.argument('email')
@password_stdin
@json_option
def add(name: str, email: str, password_stdin: bool, as_json: bool) -> None:
    """Sign up the user NAME with the address EMAIL.

    The rules are those of the API, and the password is asked for.
    """
    password = _read_password(is_piped=password_stdin)
    with open_current_schema(create=True) as session:
        values = REGISTER.read({'username': name, 'email': email, 'password': password})
        added = register_user(session, **values)
    shown = {'id': added.id, 'username': added.username, 'email': added.email}
    output(f'{added.username} has the id {added.id}.', shown, as_json=as_json)


@user.command(epilog=EXIT_CODES)
@click.argument('name')
@password_stdin
@json_option
def password(name: str, password_stdin: bool, as_json: bool) -> None:
    """Set the password of the user NAME, and revoke all their tokens.

    The rules are those of the API, and the password is asked for.
    """
    with open_current_schema() as session:
        found = find_user_by_username(session, name)
        values = SET_PASSWORD.read({'password': _read_password(is_piped=password_stdin)})
        revoked = set_password(session, found.id, values['password'])
    shown = {'username': found.username, 'revoked': revoked}
    output(f'{found.username} has a new password; tokens revoked: {revoked}.', shown, as_json=as_json)


@user.command(epilog=EXIT_CODES)
@click.argument('name')
@click.option('--yes', is_flag=True, help='Do not ask.')
@json_option
def delete(name: str, yes: bool, as_json: bool) -> None:
    """Delete the user NAME with all posts, follow relations, tokens and stores."""
    with open_current_schema() as session:
        found = find_user_by_username(session, name)
        if not yes:
            things = f'{found.post_count} posts and {found.follower_count} followers'
            click.confirm(f'Delete {found.username}, who has {things}?', abort=True, err=True)
        delete_user_as_operator(session, found.id)
    shown = {'id': found.id, 'username': found.username}
    output(f'{found.username} is deleted.', shown, as_json=as_json)


def _read_password(*, is_piped: bool) -> str:
    """Return the password that is piped in or typed twice: a command line can be read by others."""
    if is_piped:
        return sys.stdin.readline().removesuffix('\n').removesuffix('\r')
    if not sys.stdin.isatty():
        raise click.UsageError(
            'There is no terminal to ask for the password at: pipe it in, with --password-stdin.'
        )
    typed: str = click.prompt('Password', hide_input=True, confirmation_prompt=True, err=True)
    return typed
