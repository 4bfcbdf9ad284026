"""The command that fills an empty database with a town of people."""

import sys
import time

import click

from service.commands.outcome import EXIT_CODES, Exit, Failure, as_json, operated_database, say
from service.database.session import Session
from service.domain.demo import MOST_EACH, MOST_ITEMS, MOST_STORES, MOST_USERS, PASSWORD, Town, settle


@click.command(epilog=EXIT_CODES)
@click.option('--users', type=click.IntRange(1, MOST_USERS), default=1000, help='How many people.')
@click.option(
    '--follows', type=click.IntRange(0, MOST_EACH), default=10, help='How many others each follows.'
)
@click.option(
    '--posts', type=click.IntRange(0, MOST_EACH), default=3, help='How many posts each has published.'
)
@click.option('--stores', type=click.IntRange(0, MOST_STORES), default=0, help='How many stores in all.')
@click.option(
    '--items', type=click.IntRange(0, MOST_ITEMS), default=10, help='How many items each store has.'
)
@click.option('--seed', type=int, default=1, help='Another number makes other people.')
@as_json
def demo(users: int, follows: int, posts: int, stores: int, items: int, seed: int, as_json: bool) -> None:
    """Fill an empty database with demo data.

    It is a town of people who follow each other, publish, and keep stores. --follows, --posts and --items
    are of each one, not in all. Everybody follows the celebrity first, then people of the neighbourhood. The
    same numbers and the same --seed make the same town; its last year ends now. All have the same password,
    which is printed: it is for trying things out.

    A database that has users already is refused. What goes in goes in a neighbourhood at a time, whole and
    exactly counted, so a run that is interrupted leaves a smaller town.
    """
    try:
        with operated_database(may_be_new=True) as db:
            town = Town(users, follows, posts, stores, items, seed, db.now())
            _settle(db, town)
    except KeyboardInterrupt:
        raise Failure('Stopped: what is there is whole and exactly counted.', Exit.REFUSED) from None
    shown = {
        'users': town.users,
        'follows': town.users * town.follows,
        'posts': town.users * town.posts,
        'stores': town.stores,
        'items': town.stores * town.items,
        'celebrity': town.name(0),
        'password': PASSWORD,
    }
    counts = ', '.join(f'{count:,} {thing}' for thing, count in list(shown.items())[:5])
    text = f'{counts}. Everybody follows {town.name(0)}; everybody signs in with {PASSWORD!r}.'
    say(text, shown, as_json=as_json)


def _settle(db: Session, town: Town) -> None:
    """Put the town into the database, and tell how far it is."""
    started, steps = time.monotonic(), settle(db, town)
    settled = next(steps)  # before the bar, for it is here that it is refused

    def rate(current: object) -> str:
        return f'{settled / (time.monotonic() - started):,.0f} rows/s'

    with click.progressbar(
        length=town.rows, label=f'{town.rows:,} rows', item_show_func=rate, file=sys.stderr
    ) as bar:
        bar.update(settled, settled)
        for rows in steps:
            settled += rows
            bar.update(rows, settled)
