"""The command that fills an empty database with a data of people."""

import sys
import time

import click

from service.commands.cli import EXIT_CODES, ExitCode, Failure, json_option, open_current_schema, output
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


@click.command(epilog=EXIT_CODES)
@click.option('--users', type=click.IntRange(1, MAX_USERS), default=1000, help='How many people.')
@click.option(
    '--follows', type=click.IntRange(0, MAX_PER_USER), default=10, help='How many others each follows.'
)
@click.option(
    '--posts', type=click.IntRange(0, MAX_PER_USER), default=3, help='How many posts each has published.'
)
@click.option('--stores', type=click.IntRange(0, MAX_STORES), default=0, help='How many stores in all.')
@click.option('--items', type=click.IntRange(0, MAX_ITEMS), default=10, help='How many items each store has.')
@click.option('--seed', type=int, default=1, help='Another number makes other people.')
@json_option
def demo(users: int, follows: int, posts: int, stores: int, items: int, seed: int, as_json: bool) -> None:
    """Fill an empty database with demo data.

    It is a data of people who follow each other, publish, and keep stores. --follows, --posts and --items
    are of each one, not in all. Everybody follows the celebrity first, then people of the neighbourhood. The
    same numbers and the same --seed make the same data; its last year ends now. All have the same password,
    which is printed: it is for trying things out.

    A database that has users already is refused. What goes in goes in a neighbourhood at a time, whole and
    exactly counted, so a run that is interrupted leaves a smaller data.
    """
    try:
        with open_current_schema(create=True) as session:
            data = DemoData(users, follows, posts, stores, items, seed, session.now())
            _load(session, data)
    except KeyboardInterrupt:
        raise Failure('Stopped: what is there is whole and exactly counted.', ExitCode.REJECTED) from None
    shown = {
        'users': data.users,
        'follows': data.users * data.follows,
        'posts': data.users * data.posts,
        'stores': data.stores,
        'items': data.stores * data.items,
        'celebrity': data.username(0),
        'password': PASSWORD,
    }
    counts = ', '.join(f'{count:,} {thing}' for thing, count in list(shown.items())[:5])
    text = f'{counts}. Everybody follows {data.username(0)}; everybody signs in with {PASSWORD!r}.'
    output(text, shown, as_json=as_json)


def _load(session: Session, data: DemoData) -> None:
    """Put the data into the database, and tell how far it is."""
    started, steps = time.monotonic(), load(session, data)
    loaded = next(steps)  # before the bar, for it is here that it is refused

    def rate(current: object) -> str:
        return f'{loaded / (time.monotonic() - started):,.0f} rows/s'

    with click.progressbar(
        length=data.row_count, label=f'{data.row_count:,} rows', item_show_func=rate, file=sys.stderr
    ) as bar:
        bar.update(loaded, loaded)
        for rows in steps:
            loaded += rows
            bar.update(rows, loaded)
