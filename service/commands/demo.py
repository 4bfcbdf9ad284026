"""The `demo` command: fills an empty database with generated data."""

import sys
import time

import click

from service.commands.cli import (
    EXIT_CODES,
    LONG_SECONDS,
    ExitCode,
    Failure,
    json_option,
    open_current_schema,
    output,
)
from service.database.session import Session
from service.domain.demo.generator import (
    MAX_ITEMS,
    MAX_PER_USER,
    MAX_STORES,
    MAX_USERS,
    PASSWORD,
    DemoData,
    load,
)
from service.domain.tokens import TokenOptions, sign_in
from service.domain.viewer import READ


@click.command(epilog=EXIT_CODES)
@click.option('--users', type=click.IntRange(1, MAX_USERS), default=1000, help='Number of users.')
@click.option('--follows', type=click.IntRange(0, MAX_PER_USER), default=10, help='Follows of each user.')
@click.option('--posts', type=click.IntRange(0, MAX_PER_USER), default=3, help='Posts of each user.')
@click.option('--stores', type=click.IntRange(0, MAX_STORES), default=20, help='Number of stores.')
@click.option('--items', type=click.IntRange(0, MAX_ITEMS), default=10, help='Items of each store.')
@click.option('--seed', type=int, default=1, help='Seed of the generated data.')
@json_option
def demo(users: int, follows: int, posts: int, stores: int, items: int, seed: int, as_json: bool) -> None:
    """Fill an empty database with demo data.

    Every user follows one celebrity first, and then other users. The same options and seed produce the same
    data, spread over the past year. All users have the same password, which is printed.

    The celebrity has a read-only token, as a script would have, which expires like any other.

    A database that has users is rejected. The data is loaded in batches, each in one transaction with exact
    counters, so the result of an interrupted run is smaller, but consistent.
    """
    try:
        with open_current_schema(create=True, seconds=LONG_SECONDS) as session:
            data = DemoData(users, follows, posts, stores, items, seed, session.now())
            _load(session, data)
            _sign_in(session, data.username(0))
    except KeyboardInterrupt:
        raise Failure('Interrupted. The data loaded so far is consistent.', ExitCode.REJECTED) from None
    counts = {
        'users': data.users,
        'follows': data.users * data.follows,
        'posts': data.users * data.posts,
        'stores': data.stores,
        'items': data.stores * data.items,
    }
    celebrity = data.username(0)
    text = (
        f'{", ".join(f"{count:,} {name}" for name, count in counts.items())}.'
        f' Every user follows {celebrity}; the password of every user is {PASSWORD!r}.'
    )
    output(text, {**counts, 'celebrity': celebrity, 'password': PASSWORD}, as_json=as_json)


def _load(session: Session, data: DemoData) -> None:
    """Load the data, with a progress bar on standard error."""
    started, batches = time.monotonic(), load(session, data)
    loaded = next(batches)  # before the bar, since a database with users is rejected here

    def rate(current: object) -> str:
        return f'{loaded / (time.monotonic() - started):,.0f} rows/s'

    with click.progressbar(
        length=data.row_count, label=f'{data.row_count:,} rows', item_show_func=rate, file=sys.stderr
    ) as bar:
        bar.update(loaded, loaded)
        for rows in batches:
            loaded += rows
            bar.update(rows, loaded)


def _sign_in(session: Session, username: str) -> None:
    """Sign a user in as a script would, so that their page of tokens lists more than the current browser."""
    options = TokenOptions(name='Backup script', scope=READ)
    sign_in(session, username=username, password=PASSWORD, user_agent='curl/8.5.0', options=options)
