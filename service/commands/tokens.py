"""Commands for tokens and for the keys that sign some of them."""

import click

from service.commands.cli import EXIT_CODES, json_option, open_current_schema, output
from service.domain.expiry import purge_all
from service.domain.signing_keys import rotate_keys
from service.domain.users import find_user_by_username, revoke_tokens


@click.group()
def tokens() -> None:
    """The tokens that people are signed in by."""


@tokens.command(epilog=EXIT_CODES)
@json_option
def purge(as_json: bool) -> None:
    """Delete what has expired: tokens, idempotency keys, and failed tries that were counted.

    The server does so too, a little with some writes; what is live stays.
    """
    with open_current_schema() as session:
        purged = purge_all(session)
    text = ', '.join(f'{table.replace("_", " ")}: {count}' for table, count in purged.items())
    output(f'Deleted {text}.', purged, as_json=as_json)


@tokens.command(epilog=EXIT_CODES)
@click.argument('user')
@json_option
def revoke(user: str, as_json: bool) -> None:
    """Revoke all tokens of the user USER, on every node at once."""
    with open_current_schema() as session:
        found = find_user_by_username(session, user)
        revoked = revoke_tokens(session, found.id)
    shown = {'username': found.username, 'revoked': revoked}
    output(f'Tokens of {found.username} revoked: {revoked}.', shown, as_json=as_json)


@click.group()
def keys() -> None:
    """The keys that signed tokens are signed with."""


@keys.command(epilog=EXIT_CODES)
@json_option
def rotate(as_json: bool) -> None:
    """Sign with a new key from now on; what the old ones signed stays valid until it expires."""
    with open_current_schema() as session:
        key = rotate_keys(session)
    output(f'Tokens are signed with key {key.id} now.', {'id': key.id}, as_json=as_json)
