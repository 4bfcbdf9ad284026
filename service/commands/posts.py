"""The `post` command."""

import click

from service.commands.cli import EXIT_CODES, json_option, open_current_schema, output
from service.database.ids import MAX_ID
from service.domain.posts import delete_post_as_operator, find_post
from service.domain.viewer import ANONYMOUS
from service.logs import printable


@click.group()
def post() -> None:
    """Manage posts."""


@post.command(epilog=EXIT_CODES)
@click.argument('post_id', type=click.IntRange(1, MAX_ID))
@click.option('--yes', is_flag=True, help='Do not ask for confirmation.')
@json_option
def delete(post_id: int, yes: bool, as_json: bool) -> None:
    """Delete the post with the id POST_ID, of any author."""
    with open_current_schema() as session:
        if not yes:
            record = find_post(session, post_id, ANONYMOUS)
            click.confirm(
                f'Delete post {post_id} of {record.author.username} ({printable(record.body)})?',
                abort=True,
                err=True,
            )
        deleted = delete_post_as_operator(session, post_id)
    values = {'id': deleted.id, 'author': deleted.author.username}
    output(f'Post {deleted.id} of {deleted.author.username} was deleted.', values, as_json=as_json)
