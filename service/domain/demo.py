"""Demo data: a town of people who follow each other, publish, and keep stores, put in by bulk.

Each neighbourhood goes in whole, in one transaction, with all that its people do and every counter that it
moves. So at any moment the database says the truth, also about a town that was not finished.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from service.database.compiled import CompiledQuery, bindparam
from service.database.errors import ConstraintViolation
from service.database.ids import EPOCH, RANDOM_BITS
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.demo_words import (
    ENDINGS,
    FIRST_NAMES,
    FONDNESSES,
    GOODS,
    LAST_NAMES,
    NEWS,
    OCCUPATIONS,
    OPENINGS,
    PLACES,
    QUALITIES,
    STORE_KINDS,
    STORE_NAMES,
)
from service.domain.errors import Conflict
from service.domain.models import Follow, Item, Post, Store, User
from service.domain.passwords import hash_password
from service.domain.sharded_counters import add_to_total
from service.domain.text import casefolded
from service.domain.users import avatar_hash_of

PASSWORD = 'correct horse'
CELEBRITY = 0  # the number of the one whom everybody follows
NEIGHBOURS = 2000  # at least, in a neighbourhood, unless the town is smaller
MOST_USERS, MOST_EACH, MOST_STORES, MOST_ITEMS = 10_000_000, 500, 1_000_000, 1000
STORES_AT_ONCE = 1000

_DAY = 86_400_000
_SEASON = 90 * _DAY  # in each of which one kind of thing happens, so that nothing comes before what it needs
_JOINING, _FOLLOWING, _TRADING, _PUBLISHING = range(4)
_SPREAD = 2_654_435_761  # Knuth's multiplicative hash: numbers in a row come out far apart
_STRIDE = 7919  # a prime, so that every pair of names comes once before any comes again

Row = tuple[Any, ...]

# The fields of the rows, in their order.
_USER_FIELDS = (
    *(User.id, User.username, User.username_key, User.email, User.email_key),
    *(User.password_hash, User.avatar_hash, User.about_me),
    *(User.member_since, User.last_seen),
    *(User.post_count, User.follower_count, User.following_count),
)
_FOLLOW_FIELDS = (Follow.id, Follow.follower, Follow.followed, Follow.created_at)
_POST_FIELDS = (Post.id, Post.author, Post.body, Post.created_at, Post.updated_at)
_STORE_FIELDS = (Store.id, Store.owner, Store.name, Store.name_key, Store.item_count, Store.created_at)
_ITEM_FIELDS = (Item.id, Item.store, Item.name, Item.name_key, Item.cents, Item.created_at)


_ANYBODY = CompiledQuery(User.select(User.id).limit(1))
_COUNT_FOLLOWERS = CompiledQuery(
    User.update({User.follower_count: User.follower_count + bindparam('change')}).where(
        User.id == bindparam('user_id')
    )
)


class Town:
    """Who lives in it and what they did, by number from 0; the same seed makes the same town.

    Everybody follows `follows` others, or all where there are fewer, and has published `posts` posts. The
    year that it takes ends at `now` (UTC milliseconds).
    """

    def __init__(
        self,
        users: int,
        follows: int,
        posts: int,
        stores: int = 0,
        items: int = 0,
        seed: int = 1,
        now: int = 0,
    ) -> None:
        self.users = users
        self.follows = min(follows, users - 1)
        self.posts = posts
        self.stores = stores
        self.items = items
        self.rows = users * (1 + self.follows + posts) + stores * (1 + items)
        self._seed = seed
        self._start = now - 4 * _SEASON
        self._neighbourhoods = max(1, users // max(NEIGHBOURS, 2 * self.follows))

    def neighbourhoods(self) -> Iterator[range]:
        """Yield the numbers of the people of each neighbourhood."""
        many = self._neighbourhoods
        yield from (range(self.users * n // many, self.users * (n + 1) // many) for n in range(many))

    def name(self, number: int) -> str:
        """Return the user name of the person of that number."""
        turn, pair = divmod(number, len(FIRST_NAMES) * len(LAST_NAMES))
        last, first = divmod(pair * _STRIDE % (len(FIRST_NAMES) * len(LAST_NAMES)), len(FIRST_NAMES))
        return f'{FIRST_NAMES[first]}.{LAST_NAMES[last]}{turn + 1 if turn else ""}'

    def user_id(self, number: int) -> int:
        """Return the id of the person of that number."""
        return self._moment(_JOINING, number, self.users)[0]

    def _moment(self, season: int, number: int, several: int) -> tuple[int, int]:
        """Return the id and the time of the one of that number among several that came in a season.

        Ids grow with time and are made of it as all are (clock.py); the rest of them only looks random.
        """
        spread = number * _SPREAD & 0xFFFFFFFF
        time = (
            self._start + season * _SEASON + number * _SEASON // several + (_SEASON // several * spread >> 32)
        )
        return (time - EPOCH) << RANDOM_BITS | spread >> 7 & ((1 << RANDOM_BITS) - 1), time

    def _chance(self, *what: object) -> random.Random:
        return random.Random(f'{self._seed} {what}')

    def relations(self, people: range) -> list[tuple[int, int]]:
        """Return who of these people follows whom: the celebrity first, then neighbours."""
        chance, several = self._chance('follows', people.start), self.follows
        relations: list[tuple[int, int]] = []
        for number in people if several else ():
            drawn = chance.sample(people, min(several + 1, len(people)))
            others = [other for other in drawn if other not in (number, CELEBRITY)]
            first = [] if number == CELEBRITY else [CELEBRITY]
            relations += [(number, other) for other in [*first, *others][:several]]
        return relations

    def follow_rows(self, people: range, relations: Sequence[tuple[int, int]]) -> Iterator[Row]:
        """Yield the rows of the relations of these people."""
        for number, (follower, followed) in enumerate(relations, people.start * self.follows):
            follow_id, time = self._moment(_FOLLOWING, number, self.users * self.follows)
            yield follow_id, self.user_id(follower), self.user_id(followed), time

    def post_rows(self, people: range) -> Iterator[Row]:
        """Yield the rows of the posts of these people: the first of each of them, then the second."""
        chance, several = self._chance('posts', people.start), len(people)
        for turn in range(self.posts):
            opening, news, ending = (chance.choices(some, k=several) for some in (OPENINGS, NEWS, ENDINGS))
            for n, (author, post_id, time) in enumerate(self._published(people, turn)):
                body = f'{opening[n]} {news[n]}. {ending[n]}'.rstrip()
                yield post_id, self.user_id(author), body, time, None

    def _published(self, people: range, turn: int) -> Iterator[tuple[int, int, int]]:
        """Yield who of these people published when in that turn, with the ids of the posts."""
        authors = self._chance('authors', people.start, turn).sample(people, len(people))
        for place, author in enumerate(authors, turn * self.users + people.start):
            yield author, *self._moment(_PUBLISHING, place, self.users * self.posts)

    def user_rows(self, people: range, followers: Counter[int], password_hash: str) -> Iterator[Row]:
        """Yield the rows of these people, who have so many followers among themselves."""
        chance = self._chance('people', people.start)
        last = self._published(people, self.posts - 1) if self.posts else ()
        last_seen = {author: time for author, _, time in last}
        for number in people:
            user_id, time = self._moment(_JOINING, number, self.users)
            name = self.name(number)
            email = f'{name}@example.org'
            about_me = f'{chance.choice(OCCUPATIONS)} in {chance.choice(PLACES)}. {chance.choice(FONDNESSES)}'
            yield (
                *(user_id, name, casefolded(name), email, casefolded(email)),
                *(password_hash, avatar_hash_of(email), about_me.rstrip()),
                *(time, last_seen.get(number, time)),
                *(self.posts, followers[number], self.follows),
            )

    def store_rows(self, numbers: range) -> Iterator[Row]:
        """Yield the rows of the stores of these numbers, which belong to people all over the town."""
        for number in numbers:
            store_id, time = self._moment(_TRADING, number, self.stores)
            turn, pair = divmod(number, len(STORE_NAMES) * len(STORE_KINDS))
            kind, first = divmod(pair * _STRIDE % (len(STORE_NAMES) * len(STORE_KINDS)), len(STORE_NAMES))
            name = f'{STORE_NAMES[first]} {STORE_KINDS[kind]}{f" {turn + 1}" if turn else ""}'
            owner = self.user_id(number * self.users // self.stores)
            yield store_id, owner, name, casefolded(name), self.items, time

    def item_rows(self, numbers: range) -> Iterator[Row]:
        """Yield the rows of the items of the stores of these numbers."""
        chance = self._chance('items', numbers.start)
        for number in numbers:
            store_id, _ = self._moment(_TRADING, number, self.stores)
            for place in range(self.items):
                item_id, time = self._moment(_TRADING, number * self.items + place, self.stores * self.items)
                turn, pair = divmod(place + number, len(GOODS) * len(QUALITIES))
                quality, thing = divmod(pair * _STRIDE % (len(GOODS) * len(QUALITIES)), len(GOODS))
                name = f'{QUALITIES[quality]} {GOODS[thing]}{f" {turn + 1}" if turn else ""}'
                yield item_id, store_id, name, casefolded(name), chance.randrange(1, 240) * 50 - 1, time


def settle(db: Session, town: Town) -> Iterator[int]:
    """Put the town into an empty database, and yield how many rows each transaction has added.

    Everybody's password is PASSWORD. Raises Conflict where the database has users already, or gets some
    from elsewhere that take the name of one to come.
    """
    password_hash = hash_password(PASSWORD, db.settings.bcrypt_cost)
    for statement in db.engine.bulk_load_sql:
        db.execute(statement)
    try:
        for people in town.neighbourhoods():
            yield _settle_neighbourhood(db, town, people, password_hash)
        for first in range(0, town.stores, STORES_AT_ONCE):
            yield _open_stores(db, town, range(first, min(first + STORES_AT_ONCE, town.stores)))
    except ConstraintViolation as refused:
        raise Conflict(
            detail='Somebody else writes into the database: what is there is whole, but no more goes in.'
        ) from refused


@transaction
def _settle_neighbourhood(db: Session, town: Town, people: range, password_hash: str) -> int:
    if people.start == CELEBRITY and _ANYBODY.first(db) is not None:
        raise Conflict(detail='The database has users already: demo data goes into an empty one.')
    relations = town.relations(people)
    followers = Counter(followed for _, followed in relations)
    db.insert_many(User, town.user_rows(people, followers, password_hash), _USER_FIELDS)
    db.insert_many(Follow, town.follow_rows(people, relations), _FOLLOW_FIELDS)
    db.insert_many(Post, town.post_rows(people), _POST_FIELDS)
    if CELEBRITY not in people:
        _COUNT_FOLLOWERS.run(db, user_id=town.user_id(CELEBRITY), change=followers[CELEBRITY])
    add_to_total(db, 'users', len(people))
    add_to_total(db, 'posts', len(people) * town.posts)
    return len(people) * (1 + town.posts) + len(relations)


@transaction
def _open_stores(db: Session, town: Town, numbers: range) -> int:
    db.insert_many(Store, town.store_rows(numbers), _STORE_FIELDS)
    db.insert_many(Item, town.item_rows(numbers), _ITEM_FIELDS)
    add_to_total(db, 'stores', len(numbers))
    add_to_total(db, 'items', len(numbers) * town.items)
    return len(numbers) * (1 + town.items)
