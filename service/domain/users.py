"""People: who they are, and registering, finding, changing and deleting them."""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import peewee

from service.domain.database import Database, Statement, parameter, transaction, violated
from service.domain.errors import Conflict, Invalid, NotFound
from service.domain.paging import Listing, Page, Position
from service.domain.passwords import hash_password, is_password
from service.domain.tables import Follows, Tokens, Users
from service.domain.text import fold
from service.domain.throttle import Counted, count_try, registrations, require_tries, sign_ins
from service.domain.totals import add_to_total, read_total
from service.domain.viewer import Viewer, note_write, require

USERNAME = r'^[A-Za-z0-9_.\-]+$'
USERNAME_LENGTH = 64
EMAIL_LENGTH = 120
ABOUT_ME_LENGTH = 140
PASSWORD_LENGTH = 8


class User(NamedTuple):
    """A person; `is_followed` says whether the viewer for whom it was read follows this person.

    Times are UTC milliseconds, `avatar_hash` the hexadecimal SHA-256 of the lower-cased address.
    """

    id: int
    username: str
    email: str
    avatar_hash: str
    about_me: str
    member_since: int
    last_seen: int
    post_count: int
    follower_count: int
    following_count: int
    is_followed: bool

    def is_editable_by(self, viewer: Viewer | None) -> bool:
        """Whether the viewer may change and delete this account, and read what is its own."""
        return viewer is not None and viewer.user_id == self.id

    def is_followable_by(self, viewer: Viewer | None) -> bool:
        """Whether the viewer may follow or unfollow this person."""
        return viewer is not None and viewer.user_id != self.id


def user_columns(users: Any) -> tuple[Any, ...]:
    """Return the columns that make a User, in its order; the query they go into takes a `viewer_id`."""
    relation = Follows.alias('seen')
    is_followed = peewee.fn.EXISTS(
        relation.select(relation.id).where(
            (relation.follower_id == parameter('viewer_id')) & (relation.followed_id == users.id)
        )
    )
    return (*(getattr(users, field) for field in User._fields[:-1]), is_followed)


Settlement = Callable[[Database, User], None]
_SETTLEMENTS: list[Settlement] = []

_SELECT = Users.select(*user_columns(Users)).where(Users.id == parameter('user_id'))
_FIND = Statement(_SELECT)
_LOCK = Statement(_SELECT, lock=True)
_EVERYBODY = Users.select(Users.id, *user_columns(Users))
_BY_NAME = Users.select(Users.username_key, *user_columns(Users))
_ALL = {
    'id': Listing(_EVERYBODY, Users.id, User._make, newest_first=False),
    '-id': Listing(_EVERYBODY, Users.id, User._make),
    'username': Listing(_BY_NAME, Users.username_key, User._make, newest_first=False, key_type=str),
    '-username': Listing(_BY_NAME, Users.username_key, User._make, key_type=str),
}
ORDERS = ('id', 'username')
_NAMED = Users.username_key == parameter('username_key')
_FIND_NAMED = Statement(Users.select(*user_columns(Users)).where(_NAMED))
_WITH_NAME = Listing(_EVERYBODY.where(_NAMED), Users.id, User._make, newest_first=False)
_COUNT_NAMED = Statement(Users.select(peewee.fn.COUNT(Users.id)).where(_NAMED))
_STARTS = (Users.username_key >= parameter('first')) & (Users.username_key < parameter('behind'))
_STARTING = Listing(_BY_NAME.where(_STARTS), Users.username_key, User._make, newest_first=False, key_type=str)
_COUNT_STARTING = Statement(Users.select(peewee.fn.COUNT(Users.id)).where(_STARTS))
_CREDENTIALS = Statement(
    Users.select(Users.id, Users.password_hash).where(Users.username_key == parameter('username_key'))
)
_PASSWORD_HASH = Statement(Users.select(Users.password_hash).where(Users.id == parameter('user_id')))
_HOLDERS = Statement(
    Users.select(Users.id, Users.username_key, Users.email_key).where(
        (Users.username_key == parameter('username_key')) | (Users.email_key == parameter('email_key'))
    )
)
_INSERT = Statement(Users.insert({getattr(Users, name): parameter(name) for name in Users._columns}))
_IDENTITY = ('username', 'username_key', 'email', 'email_key', 'avatar_hash', 'about_me')
_CHANGE = Statement(
    Users.update({getattr(Users, name): parameter(name) for name in _IDENTITY}).where(
        Users.id == parameter('user_id')
    )
)
_CHANGE_PASSWORD = Statement(
    Users.update({Users.password_hash: parameter('new_hash')}).where(
        (Users.id == parameter('user_id')) & (Users.password_hash == parameter('old_hash'))
    )
)
_REVOKE_OTHER_TOKENS = Statement(
    Tokens.delete().where((Tokens.user_id == parameter('user_id')) & (Tokens.id != parameter('token_id')))
)
_SET_PASSWORD = Statement(
    Users.update({Users.password_hash: parameter('new_hash')}).where(Users.id == parameter('user_id'))
)
_REVOKE_TOKENS = Statement(
    Tokens.delete().where((Tokens.user_id == parameter('user_id')) & (Tokens.expires_at > parameter('now')))
)
_DELETE = Statement(Users.delete().where(Users.id == parameter('user_id')))


def find_user(db: Database, user_id: int, viewer: Viewer | None, *, statement: Statement = _FIND) -> User:
    """Return the user as the viewer sees them; raises NotFound."""
    row = statement.one(db, user_id=user_id, viewer_id=viewer.user_id if viewer else 0)
    if row is None:
        raise NotFound('There is no such user.')
    return User._make(row)


def find_user_named(db: Database, username: str) -> User:
    """Return the user of that name, without regard to case, as nobody sees them; raises NotFound."""
    is_name = re.fullmatch(USERNAME, username)
    row = _FIND_NAMED.one(db, username_key=fold(username), viewer_id=0) if is_name else None
    if row is None:
        raise NotFound(f'There is no user {username!r}.')
    return User._make(row)


def lock_user(db: Database, user_id: int, viewer: Viewer | None) -> User:
    """Return the user, who then stays as they are until the transaction ends; raises NotFound."""
    return find_user(db, user_id, viewer, statement=_LOCK)


def list_users(
    db: Database,
    position: Position,
    viewer: Viewer,
    *,
    prefix: str = '',
    username: str | None = None,
    order: str = '',
) -> Page:
    """Return a page of all users, the first registered first, or by an `order` of ORDERS ('-id': last first).

    With a `prefix` it is of those whose names start with it, by name, with a `username` of who has that
    name; both without regard to case.
    """
    if username is not None:
        named = {'username_key': fold(username)}
        total = _COUNT_NAMED.one(db, **named)[0]
        return _WITH_NAME.page(db, position, total, viewer_id=viewer.user_id, **named)
    if not prefix:
        return _ALL[order or 'id'].page(db, position, read_total(db, 'users'), viewer_id=viewer.user_id)
    bounds = {'first': fold(prefix), 'behind': fold(prefix) + '\x7f'}  # names are ASCII
    total = _COUNT_STARTING.one(db, **bounds)[0]
    return _STARTING.page(db, position, total, viewer_id=viewer.user_id, **bounds)


def find_credentials(db: Database, username: str) -> tuple[int, str] | None:
    """Return the id and the password's hash of the user of that name, without regard to case, or None."""
    if not re.fullmatch(USERNAME, username):
        return None
    row: tuple[int, str] | None = _CREDENTIALS.one(db, username_key=fold(username))
    return row


def register_user(
    db: Database,
    *,
    username: str,
    email: str,
    password: str,
    about_me: str = '',
    client_address: str | None = None,
) -> User:
    """Make a new user and return them as nobody sees them.

    Raises Conflict for a taken name or address, and Throttled where too many came from `client_address`.
    """
    count_try(db, registrations(client_address))
    now = db.now()
    values = {
        **_identity(username, email, about_me),
        'password_hash': hash_password(password, db.settings.bcrypt_cost),
        'member_since': now,
        'last_seen': now,
        'post_count': 0,
        'follower_count': 0,
        'following_count': 0,
    }
    try:
        return _insert_user(db, values)
    except peewee.IntegrityError as error:
        raise _taken(db, error, values, user_id=0) from error


@transaction
def _insert_user(db: Database, values: dict[str, Any]) -> User:
    user_id = db.new_id()
    _INSERT.run(db, id=user_id, **values)
    add_to_total(db, 'users', 1)
    return find_user(db, user_id, None)


def change_user(
    db: Database, user_id: int, changes: dict[str, Any], *, by: Viewer, given: Callable[[User], None]
) -> User:
    """Change `username`, `email` and `about_me` where `changes` has them, and return the changed user.

    `given` is asked of the user as they are, in the same step (RFC 9110 §13.1.1). Raises NotFound,
    Forbidden, what `given` raises, and Conflict for a taken name or address.
    """
    try:
        return _change_user(db, user_id, changes, by, given)
    except peewee.IntegrityError as error:
        folded = {f'{name}_key': fold(changes.get(name, '')) for name in ('username', 'email')}
        raise _taken(db, error, folded, user_id=user_id) from error


@transaction
def _change_user(
    db: Database, user_id: int, changes: dict[str, Any], by: Viewer, given: Callable[[User], None]
) -> User:
    user = lock_user(db, user_id, by)
    require(user.is_editable_by(by))
    given(user)
    changed = user._replace(**changes, last_seen=note_write(db, by))
    identity = _identity(changed.username, changed.email, changed.about_me)
    _CHANGE.run(db, user_id=user_id, **identity)
    return changed._replace(avatar_hash=identity['avatar_hash'])


def change_password(
    db: Database,
    user_id: int,
    *,
    current_password: str,
    password: str,
    by: Viewer,
    client_address: str | None = None,
) -> None:
    """Change the password and revoke all the user's tokens but the one that was presented.

    Raises NotFound, Forbidden, Invalid for a wrong `current_password`, which counts as a failed sign-in,
    and Throttled after too many of them.
    """
    require(find_user(db, user_id, by).is_editable_by(by))
    tries = sign_ins(user_id, by.username, client_address)
    require_tries(db, tries)
    old_hash = _PASSWORD_HASH.one(db, user_id=user_id)[0]
    if not is_password(current_password, old_hash, db.settings.bcrypt_cost):
        count_try(db, tries)
        raise Invalid([('current_password', 'is not your password')])
    new_hash = hash_password(password, db.settings.bcrypt_cost)
    _change_password(db, user_id, old_hash, new_hash, by, tries)


@transaction
def _change_password(
    db: Database, user_id: int, old_hash: str, new_hash: str, by: Viewer, tries: Sequence[Counted]
) -> None:
    require_tries(db, tries)  # wrong passwords that came at the same time were counted meanwhile
    if not _CHANGE_PASSWORD.count(db, user_id=user_id, old_hash=old_hash, new_hash=new_hash):
        raise Invalid([('current_password', 'is not your password')])  # it changed meanwhile
    note_write(db, by)
    _REVOKE_OTHER_TOKENS.run(db, user_id=user_id, token_id=by.token_id)


def set_password(db: Database, user_id: int, password: str) -> int:
    """Set the password, as the operator does, who need not know the old one, and revoke all the tokens.

    Returns how many live ones there were; raises NotFound.
    """
    return _set_password(db, user_id, hash_password(password, db.settings.bcrypt_cost))


@transaction
def _set_password(db: Database, user_id: int, new_hash: str) -> int:
    if not _SET_PASSWORD.count(db, user_id=user_id, new_hash=new_hash):
        raise NotFound('There is no such user.')
    return _REVOKE_TOKENS.count(db, user_id=user_id, now=db.now())


@transaction
def revoke_tokens(db: Database, user_id: int) -> int:
    """Revoke all the user's tokens, as the operator does, and return how many live ones there were.

    Raises NotFound.
    """
    lock_user(db, user_id, None)  # a sign-in or renewal that is under way is waited for, and revoked too
    return _REVOKE_TOKENS.count(db, user_id=user_id, now=db.now())


def settles_deletion(settle: Settlement) -> Settlement:
    """Have `settle` put right, before an account goes, the counters that its things move."""
    _SETTLEMENTS.append(settle)
    return settle


@transaction
def delete_user(db: Database, user_id: int, *, by: Viewer, given: Callable[[User], None]) -> None:
    """Delete the account with its posts, follow relations and tokens, and put right every counter it moved.

    Raises NotFound, Forbidden, and what `given` raises of the user as they are.
    """
    user = lock_user(db, user_id, by)
    require(user.is_editable_by(by))
    given(user)
    note_write(db, by)
    _delete_account(db, user)


@transaction
def remove_user(db: Database, user_id: int) -> None:
    """Delete the account as delete_user does, at the operator's word; raises NotFound."""
    _delete_account(db, lock_user(db, user_id, None))


def _delete_account(db: Database, user: User) -> None:
    for settle in _SETTLEMENTS:
        settle(db, user)
    add_to_total(db, 'users', -1)
    _DELETE.run(db, user_id=user.id)


def _identity(username: str, email: str, about_me: str) -> dict[str, str]:
    """What is stored of who a user is, with all that is made of it."""
    return {
        'username': username,
        'username_key': fold(username),
        'email': email,
        'email_key': fold(email),
        'avatar_hash': avatar_hash_of(email),
        'about_me': about_me,
    }


def avatar_hash_of(email: str) -> str:
    """Return what Gravatar knows an address by: the SHA-256 of it in lower case, in hexadecimal."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def _taken(db: Database, error: peewee.IntegrityError, values: dict[str, Any], *, user_id: int) -> Exception:
    """Name every value that another user has; the constraint that refused names at least one."""
    keys = {name: values[name] for name in ('username_key', 'email_key')}
    refused = violated(error)
    taken = {name for name in keys if refused == f'users_{name}'}
    for holder, *held in _HOLDERS.all(db, **keys):
        if holder != user_id:
            taken |= {name for name, value in zip(keys, held, strict=True) if keys[name] == value}
    if not taken:
        return error
    return Conflict((name.removesuffix('_key'), 'is taken by another user') for name in keys if name in taken)
