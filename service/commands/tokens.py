"""The `tokens` and `keys` commands."""

import click

from service.commands.cli import EXIT_CODES, LONG_SECONDS, json_option, open_current_schema, output
from service.domain.credentials import revoke_tokens
from service.domain.expiry import purge_all
from service.domain.signing_keys import rotate_keys
from service.domain.users import find_user_by_username
from service.logs import format_time


@click.group()
def tokens() -> None:
    """Manage bearer tokens."""


@tokens.command(epilog=EXIT_CODES)
@json_option
def purge(as_json: bool) -> None:
    """Delete expired tokens, idempotency keys, rate-limited attempts and mail links.

    The server also deletes them, in small batches.
    """
    with open_current_schema(seconds=LONG_SECONDS) as session:
        purged = purge_all(session)
    labels = {
        'tokens': 'tokens',
        'idempotency_keys': 'idempotency keys',
        'tries': 'attempts',
        'mail_secrets': 'links',
    }
    text = ', '.join(f'{labels[table]}: {count}' for table, count in purged.items())
    output(f'Deleted {text}.', purged, as_json=as_json)


@tokens.command(epilog=EXIT_CODES)
@click.argument('user')
@json_option
def revoke(user: str, as_json: bool) -> None:
    """Revoke all tokens of the user USER, with immediate effect on every node."""
    with open_current_schema() as session:
        owner = find_user_by_username(session, user)
        revoked = revoke_tokens(session, owner.id)
    values = {'username': owner.username, 'revoked': revoked}
    output(f'Tokens of {owner.username} revoked: {revoked}.', values, as_json=as_json)


@click.group()
def keys() -> None:
    """Manage the keys that sign tokens."""


@keys.command(epilog=EXIT_CODES)
@json_option
def rotate(as_json: bool) -> None:
    """Create a new key, which signs tokens once all cached key sets contain it.

    Tokens signed with the old keys stay valid until they expire.
    """
    with open_current_schema() as session:
        key = rotate_keys(session)
    start = format_time(key.signs_from / 1000)
    output(
        f'Tokens are signed with key {key.id} from {start} on.',
        {'id': key.id, 'signs_from': start},
        as_json=as_json,
    )
