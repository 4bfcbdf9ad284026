"""A town to measure: a celebrity whom everybody follows, a reader who follows 200, posts by everybody."""

from collections.abc import Iterable, Iterator
from typing import Any

from service.domain.clock import EPOCH, RANDOM_BITS, system_clock
from service.domain.database import Database, parameter, transaction
from service.domain.passwords import hash_password
from service.domain.posts import Posts
from service.domain.tables import Follows, Users
from service.domain.totals import SHARDS, Totals

CELEBRITY, READER, WRITER, NEIGHBOUR = range(4)  # the first inhabitants
PASSWORD = 'correct horse'
READ_BY_READER = 200
SMALLEST = 2 * READ_BY_READER
POSTS_EACH = 5
_PAST = 10**9  # milliseconds: all of the town is older than what is written while it is measured


class Town:
    """Who lives in it, by number from 0; ids grow by one millisecond each."""

    def __init__(self, users: int, posts_each: int) -> None:
        self.users = max(users, SMALLEST)
        self.posts_each = posts_each
        self._first = system_clock() - _PAST

    def id(self, number: int) -> int:
        """Return the id of the inhabitant, post or relation of that number."""
        return (self._first + number - EPOCH) << RANDOM_BITS

    def name(self, number: int) -> str:
        """Return the inhabitant's user name."""
        return f'user{number:07}'

    def follows(self) -> Iterator[tuple[int, int]]:
        """Yield who follows whom: everybody the celebrity, the reader 199 more."""
        yield from ((number, CELEBRITY) for number in range(1, self.users))
        step = (self.users - NEIGHBOUR) // (READ_BY_READER - 1)  # spread, as friends are
        yield from ((READER, NEIGHBOUR + step * n) for n in range(READ_BY_READER - 1))

    def user_rows(self, password_hash: str) -> Iterator[dict[str, Any]]:
        """Yield a row of each inhabitant, with the counters that fit the other rows."""
        followers = [0] * self.users
        following = [0] * self.users
        for follower, followed in self.follows():
            following[follower] += 1
            followers[followed] += 1
        for number in range(self.users):
            name = self.name(number)
            email = f'{name}@example.org'
            yield {
                'id': self.id(number),
                'username': name,
                'username_key': name,
                'email': email,
                'email_key': email,
                'password_hash': password_hash,
                'avatar_hash': f'{number:064x}',
                'about_me': f'I live in house {number}.',
                'member_since': self._first + number,
                'last_seen': self._first + number,
                'post_count': self.posts_each,
                'follower_count': followers[number],
                'following_count': following[number],
            }

    def follow_rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row of each relation."""
        for number, (follower, followed) in enumerate(self.follows()):
            yield {
                'id': self.id(number),
                'follower_id': self.id(follower),
                'followed_id': self.id(followed),
                'created_at': self._first + number,
            }

    def post_rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row of each post: everybody's first, then everybody's second, as they come in a town."""
        for number in range(self.users * self.posts_each):
            yield {
                'id': self.id(number),
                'author_id': self.id(number % self.users),
                'body': f'This is post {number}, and it says what is new.',
                'created_at': self._first + number,
                'updated_at': None,
            }


def settle(db: Database, town: Town) -> None:
    """Put the town into an empty database; everybody has the same password."""
    if db.execute('SELECT 1 FROM users LIMIT 1').fetchall():
        raise SystemExit('The database has users already; measuring needs an empty one of its own.')
    _insert(db, Users, town.user_rows(hash_password(PASSWORD, db.settings.bcrypt_cost)))
    _insert(db, Follows, town.follow_rows())
    _insert(db, Posts, town.post_rows())
    totals = {'users': town.users, 'posts': town.users * town.posts_each}
    _insert(
        db,
        Totals,
        (
            {'thing': name, 'shard': shard, 'amount': 0 if shard else totals[name]}
            for name in totals
            for shard in range(SHARDS)
        ),
    )


@transaction
def _insert(db: Database, table: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows by one prepared statement: a million take seconds, where built queries take minutes."""
    query = table.insert({getattr(table, name): parameter(name) for name in table._columns})
    sql, places = db.engine.get_sql_context().sql(query).query()
    names = [place.name for place in places]
    db.engine.cursor().executemany(sql, ([row[name] for name in names] for row in rows))
