"""The `user` commands: add, list, show, password, suspend, restore and delete."""

import sys
from typing import Any

import click

from service.commands.cli import EXIT_CODES, json_option, open_current_schema, output
from service.database.pagination import PageRequest
from service.domain.accounts import delete_user_as_operator
from service.domain.credentials import restore_user, set_password, suspend_user
from service.domain.users import UserRecord, find_user_by_username, list_users, register_user
from service.domain.viewer import ANONYMOUS
from service.logs import format_time, printable
from service.representation.action import Action
from service.resources.user_document import REGISTER

MAX_LISTED = 1_000_000
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


@user.command('list', epilog=EXIT_CODES)
@click.option('--prefix', default='', help='Only users whose names start with this.')
@click.option('--limit', type=click.IntRange(1, MAX_LISTED), default=100, help='Number of users.')
@json_option
def list_(prefix: str, limit: int, as_json: bool) -> None:
    """List users in the order of their registration, or by name if a prefix is given."""
    with open_current_schema() as session:
        page = list_users(session, PageRequest(per_page=limit), ANONYMOUS, prefix=prefix)
    values = [_describe(record) for record in page.entries]
    width = max((len(row['username']) for row in values), default=0)
    lines = [f'{row["id"]}  {row["username"]:<{width}}  {row["email"]}{_remark(row)}' for row in values]
    lines.append(f'{len(values)} of {page.total_items} users.')
    output('\n'.join(lines), {'users': values, 'total': page.total_items}, as_json=as_json)


@user.command(epilog=EXIT_CODES)
@click.argument('name')
@json_option
def show(name: str, as_json: bool) -> None:
    """Show the user NAME, without secrets."""
    with open_current_schema() as session:
        values = _describe(find_user_by_username(session, name))
    width = max(map(len, values))
    lines = (f'{label:<{width}}  {value}' for label, value in values.items())
    output('\n'.join(lines), values, as_json=as_json)


@user.command(epilog=EXIT_CODES)
@click.argument('name')
@password_stdin
@json_option
def password(name: str, password_stdin: bool, as_json: bool) -> None:
    """Set the password of the user NAME, and revoke all their tokens.

    The same rules apply as in the API. Prompts for the password.
    """
    with open_current_schema() as session:
        record = find_user_by_username(session, name)
        form = SET_PASSWORD.read({'password': _read_password(is_piped=password_stdin)})
        revoked = set_password(session, record.id, form['password'])
    values = {'username': record.username, 'revoked': revoked}
    output(
        f'The password of {record.username} was changed; tokens revoked: {revoked}.', values, as_json=as_json
    )


@user.command(epilog=EXIT_CODES)
@click.argument('name')
@click.option('--yes', is_flag=True, help='Do not ask for confirmation.')
@json_option
def delete(name: str, yes: bool, as_json: bool) -> None:
    """Delete the user NAME with all their posts, follows, tokens and stores."""
    with open_current_schema() as session:
        record = find_user_by_username(session, name)
        if not yes:
            counts = f'{record.post_count} posts, {record.follower_count} followers'
            click.confirm(f'Delete {record.username} ({counts})?', abort=True, err=True)
        delete_user_as_operator(session, record.id)
    values = {'id': record.id, 'username': record.username}
    output(f'{record.username} was deleted.', values, as_json=as_json)


@user.command(epilog=EXIT_CODES)
@click.argument('name')
@json_option
def suspend(name: str, as_json: bool) -> None:
    """Reject sign-ins of the user NAME, and revoke all their tokens, until `user restore`.

    Their posts and stores stay.
    """
    with open_current_schema() as session:
        record = find_user_by_username(session, name)
        revoked = suspend_user(session, record.id)
    values = {'username': record.username, 'revoked': revoked}
    output(f'{record.username} is suspended; tokens revoked: {revoked}.', values, as_json=as_json)


@user.command(epilog=EXIT_CODES)
@click.argument('name')
@json_option
def restore(name: str, as_json: bool) -> None:
    """Accept sign-ins of the suspended user NAME again."""
    with open_current_schema() as session:
        record = find_user_by_username(session, name)
        restore_user(session, record.id)
    output(f'{record.username} can sign in.', {'username': record.username}, as_json=as_json)


def _describe(record: UserRecord) -> dict[str, Any]:
    """Return the printable details of a user that an operator may see."""
    return {
        'id': record.id,
        'username': printable(record.username),
        'email': printable(record.email),
        'email_verified': _time_or_no(record.email_verified_at),
        'member_since': format_time(record.member_since / 1000),
        'last_seen': format_time(record.last_seen / 1000),
        'posts': record.post_count,
        'followers': record.follower_count,
        'following': record.following_count,
        'suspended': _time_or_no(record.suspended_at),
    }


def _time_or_no(milliseconds: int | None) -> str:
    return 'no' if milliseconds is None else format_time(milliseconds / 1000)


def _remark(details: dict[str, Any]) -> str:
    return '' if details['suspended'] == 'no' else f'  suspended since {details["suspended"]}'


def _read_password(*, is_piped: bool) -> str:
    """Return the password, piped in or typed twice; other users can read command lines."""
    if is_piped:
        return sys.stdin.readline().removesuffix('\n').removesuffix('\r')
    if not sys.stdin.isatty():
        raise click.UsageError('No terminal to prompt for the password. Pipe it in with --password-stdin.')
    password: str = click.prompt('Password', hide_input=True, confirmation_prompt=True, err=True)
    return password
