"""Users: registering, finding and changing them."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import peewee

from service.database.compiled import CompiledQuery, RecordsByKey, bindparam, insert_into
from service.database.errors import ConstraintViolation
from service.database.pagination import Page, PageRequest, SortKey, in_every_order, page_of
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.errors import Conflict, NotFound
from service.domain.models import Follow, User
from service.domain.outbox import EMAIL_CHANGED, VERIFY_EMAIL, add_mail
from service.domain.passwords import hash_password
from service.domain.rate_limits import Quotas
from service.domain.sharded_counters import add_to_total, read_total
from service.domain.text import casefolded
from service.domain.throttle import (
    REGISTRATION,
    address_subjects,
    check_limits,
    count_attempt,
    verification_subjects,
)
from service.domain.viewer import (
    ANONYMOUS,
    CreationCheck,
    Viewer,
    check_creation,
    is_writer,
    require_editable,
    use_token,
)

USERNAME_PATTERN = r'^[A-Za-z0-9_.\-]+$'
MAX_USERNAME_LENGTH = 64
PAIR, LOCKED_AT_ONCE = 2, 50  # numbers of users that one statement locks
MAX_EMAIL_LENGTH = 120
MAX_ABOUT_ME_LENGTH = 140
MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 256


class UserRecord(NamedTuple):
    """A user as one viewer sees them: `is_followed` tells whether that viewer follows them.

    Times are UTC milliseconds, None for events that have not happened; `avatar_hash` is the hexadecimal
    SHA-256 of the lower-cased email address.
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
    email_verified_at: int | None
    suspended_at: int | None
    is_followed: bool

    def is_own(self, viewer: Viewer | None) -> bool:
        """Return whether it is the viewer's account, whose private members they may read."""
        return viewer is not None and viewer.user_id == self.id

    def is_editable_by(self, viewer: Viewer | None) -> bool:
        """Return whether the viewer may change and delete this account."""
        return is_writer(viewer, self.id)


def user_columns(user: Any) -> tuple[Any, ...]:
    """Return the columns of a UserRecord, in its order; their query has the parameter `viewer_id`."""
    follow = Follow.alias('seen')
    is_followed = peewee.fn.EXISTS(
        follow.select(follow.id).where(
            (follow.follower == bindparam('viewer_id')) & (follow.followed == user.id)
        )
    )
    return (*(getattr(user, name) for name in UserRecord._fields[:-1]), is_followed)


def viewer_id(viewer: Viewer | None) -> int:
    """Return the value of the parameter `viewer_id`: 0 for anonymous clients, an id that no user has."""
    return viewer.user_id if viewer else 0


_SELECT = User.select(*user_columns(User)).where(User.id == bindparam('user_id'))
_FIND = CompiledQuery(_SELECT)
_FIND_MANY = RecordsByKey(User.select(), User.id, user_columns(User), UserRecord._make)
_LOCK = CompiledQuery(_SELECT, for_update=True)
_LOCK_MANY = {
    count: CompiledQuery(
        User.select(User.id)
        .where(User.id.in_([bindparam(f'id{number}') for number in range(count)]))
        .order_by(User.id),
        for_update=True,
    )
    for count in (PAIR, LOCKED_AT_ONCE)
}
ORDERS = ('id', 'username')

_KEYS = {'id': SortKey(User.id), 'username': SortKey(User.username_key, str)}
_HAS_USERNAME = User.username_key == bindparam('username_key')
_HAS_PREFIX = (User.username_key >= bindparam('first')) & (User.username_key < bindparam('end'))
_ALL = in_every_order(User.select(), user_columns(User), UserRecord._make, _KEYS)
_WITH_PREFIX = in_every_order(User.select().where(_HAS_PREFIX), user_columns(User), UserRecord._make, _KEYS)
_FIND_BY_USERNAME = CompiledQuery(User.select(*user_columns(User)).where(_HAS_USERNAME))
_FIND_BY_EMAIL = CompiledQuery(
    User.select(*user_columns(User)).where(User.email_key == bindparam('email_key'))
)
_COUNT_BY_PREFIX = CompiledQuery(User.select(peewee.fn.COUNT(User.id)).where(_HAS_PREFIX))
_FIND_HOLDERS = CompiledQuery(
    User.select(User.id, User.username_key, User.email_key).where(
        (User.username_key == bindparam('username_key')) | (User.email_key == bindparam('email_key'))
    )
)
_INSERT = insert_into(User)
_IDENTITY = (User.username, User.username_key, User.email, User.email_key, User.avatar_hash, User.about_me)
_CHANGEABLE = (*_IDENTITY, User.email_verified_at, User.last_seen)
_UPDATE = CompiledQuery(
    User.update({field: bindparam(field.column_name) for field in _CHANGEABLE}).where(
        User.id == bindparam('user_id')
    )
)


def find_user(
    session: Session, user_id: int, viewer: Viewer | None, *, query: CompiledQuery = _FIND
) -> UserRecord:
    """Return the user as the viewer sees them; raises NotFound."""
    row = query.first(session, user_id=user_id, viewer_id=viewer_id(viewer))
    if row is None:
        raise NotFound('There is no such user.')
    return UserRecord._make(row)


def find_users(session: Session, user_ids: Sequence[int], viewer: Viewer | None) -> dict[int, UserRecord]:
    """Return the existing users with these ids, as the viewer sees them."""
    return _FIND_MANY.find(session, user_ids, viewer_id=viewer_id(viewer))


def find_user_by_username(session: Session, username: str) -> UserRecord:
    """Return the user with that name, ignoring case, as an anonymous client sees them; raises NotFound."""
    is_name = re.fullmatch(USERNAME_PATTERN, username)
    row = (
        _FIND_BY_USERNAME.first(session, username_key=casefolded(username), viewer_id=0) if is_name else None
    )
    if row is None:
        raise NotFound(f'There is no user {username!r}.')
    return UserRecord._make(row)


def lock_user(session: Session, user_id: int, viewer: Viewer | None) -> UserRecord:
    """Return the user, whose row stays locked until the transaction ends; raises NotFound."""
    return find_user(session, user_id, viewer, query=_LOCK)


def lock_users(session: Session, user_ids: Iterable[int]) -> set[int]:
    """Lock those of the users that exist until the transaction ends, and return their ids.

    They are locked in the order of their ids, so that transactions that lock several users do not deadlock.
    """
    ordered = sorted(set(user_ids))
    locked = set()
    for start in range(0, len(ordered), LOCKED_AT_ONCE):
        batch = ordered[start : start + LOCKED_AT_ONCE]
        count = PAIR if len(batch) <= PAIR else LOCKED_AT_ONCE
        padded = batch + [0] * (count - len(batch))  # no user has the id 0
        ids = {f'id{number}': user_id for number, user_id in enumerate(padded)}
        rows = _LOCK_MANY[count].all(session, **ids)
        locked |= {user_id for (user_id,) in rows}
    return locked


def find_user_by_email(session: Session, email: str) -> UserRecord | None:
    """Return the user with that email address, ignoring case, or None."""
    row = _FIND_BY_EMAIL.first(session, email_key=casefolded(email), viewer_id=0)
    return None if row is None else UserRecord._make(row)


def list_users(
    session: Session,
    request: PageRequest,
    viewer: Viewer,
    *,
    prefix: str = '',
    username: str | None = None,
) -> Page:
    """Return a page of all users, in one of ORDERS, by default the oldest first ('-id': the newest first).

    `prefix` and `username` restrict the users; with a `prefix` the default order is by name. Names are
    compared ignoring case.
    """
    order = request.order or ('username' if prefix else 'id')
    if username is None and request.ids is None:
        return _list_with_prefix(session, request, viewer, prefix, order)
    if request.ids is not None:
        users = [*find_users(session, request.ids, viewer).values()]
    else:
        rows = _FIND_BY_USERNAME.all(
            session, username_key=casefolded(username or ''), viewer_id=viewer.user_id
        )
        users = [UserRecord._make(row) for row in rows]
    named = [(casefolded(user.username), user) for user in users]
    return page_of(
        (
            (name if order.endswith('username') else user.id, user)
            for name, user in named
            if name.startswith(casefolded(prefix)) and (username is None or name == casefolded(username))
        ),
        request,
        newest_first=order.startswith('-'),
    )


def _list_with_prefix(
    session: Session, request: PageRequest, viewer: Viewer, prefix: str, order: str
) -> Page:
    if not prefix:
        total = read_total(session, 'users')
        return _ALL[order].page(session, request, total, viewer_id=viewer.user_id)
    bounds = {'first': casefolded(prefix), 'end': casefolded(prefix) + '\x7f'}  # names are ASCII
    total = _COUNT_BY_PREFIX.first(session, **bounds)[0]
    return _WITH_PREFIX[order].page(session, request, total, viewer_id=viewer.user_id, **bounds)


def register_user(
    session: Session,
    *,
    username: str,
    email: str,
    password: str,
    about_me: str = '',
    client_address: str | None = None,
    quotas: Quotas | None = None,
    by: Viewer | None = None,
    precondition: CreationCheck = None,
) -> UserRecord:
    """Register a user and return them as an anonymous client sees them.

    Raises Conflict if the name or the email address is taken, Throttled after too many registrations from the
    IP address `client_address`, and what the `precondition` of the viewer `by` raises. `quotas` receives the
    remaining quotas.
    """
    count_attempt(session, address_subjects((REGISTRATION,), client_address), quotas)
    now = session.now()
    values = {
        **_identity(username, email, about_me),
        'password_hash': hash_password(session, password),
        'member_since': now,
        'last_seen': now,
        'post_count': 0,
        'follower_count': 0,
        'following_count': 0,
        'email_verified_at': None,
        'suspended_at': None,
    }
    try:
        return _insert_user(session, values, by or ANONYMOUS, precondition)
    except ConstraintViolation as error:
        raise _taken(session, error, values, user_id=0) from error


@transaction
def _insert_user(
    session: Session, values: dict[str, Any], by: Viewer, precondition: CreationCheck
) -> UserRecord:
    check_creation(session, by, precondition, 'users')
    row = {'id': session.new_id(), **values}
    _INSERT.run(session, **row)
    add_to_total(session, 'users', 1)
    add_mail(session, VERIFY_EMAIL, row['email'], row['id'])
    return UserRecord(is_followed=False, **{name: row[name] for name in UserRecord._fields if name in row})


def change_user(
    session: Session,
    user_id: int,
    changes: dict[str, Any],
    *,
    by: Viewer,
    precondition: Callable[[UserRecord], None],
    client_address: str | None = None,
) -> UserRecord:
    """Change `username`, `email` and `about_me` if present in `changes`, and return the changed user.

    `precondition` is called with the locked user (RFC 9110 §13.1.1). Raises NotFound, Forbidden, what
    `precondition` raises, and Conflict if the name or the email address is taken. Such an attempt with an
    email address counts as a registration from the IP address, since it reveals whether the address is taken.
    Raises Throttled after too many of them, or after too many changes of the email address, which send mail.
    """
    if 'email' in changes:
        _limit_changes_of_email(session, user_id, changes['email'], by, client_address)
    try:
        return _change_user(session, user_id, changes, by, precondition)
    except ConstraintViolation as error:
        folded = {f'{name}_key': casefolded(changes.get(name, '')) for name in ('username', 'email')}
        if 'email' in changes:
            count_attempt(session, address_subjects((REGISTRATION,), client_address))
        raise _taken(session, error, folded, user_id=user_id) from error


def _limit_changes_of_email(
    session: Session, user_id: int, email: str, by: Viewer, client_address: str | None
) -> None:
    if email == find_user(session, user_id, by).email:
        return
    # Checked whether or not the address is taken, so that the response does not reveal it.
    check_limits(session, address_subjects((REGISTRATION,), client_address))
    if session.settings.mail_url is not None:
        count_attempt(session, verification_subjects(user_id))


@transaction
def _change_user(
    session: Session,
    user_id: int,
    changes: dict[str, Any],
    by: Viewer,
    precondition: Callable[[UserRecord], None],
) -> UserRecord:
    user = lock_user(session, user_id, by)
    require_editable(user, by)
    precondition(user)
    now = session.now()
    use_token(session, by, now)  # `_UPDATE` writes `last_seen`
    changed = user._replace(**changes, last_seen=now)
    if changed.email != user.email:
        changed = changed._replace(email_verified_at=None)
        add_mail(session, VERIFY_EMAIL, changed.email, user_id)
        add_mail(session, EMAIL_CHANGED, user.email, user_id)
    identity = _identity(changed.username, changed.email, changed.about_me)
    verified_at = changed.email_verified_at
    _UPDATE.run(session, user_id=user_id, email_verified_at=verified_at, last_seen=now, **identity)
    return changed._replace(avatar_hash=identity['avatar_hash'])


def _identity(username: str, email: str, about_me: str) -> dict[str, str]:
    """Return the columns that a user can change, including the derived ones."""
    return {
        'username': username,
        'username_key': casefolded(username),
        'email': email,
        'email_key': casefolded(email),
        'avatar_hash': avatar_hash_of(email),
        'about_me': about_me,
    }


def avatar_hash_of(email: str) -> str:
    """Return Gravatar's hash of an email address: the hexadecimal SHA-256 of it in lower case."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def _taken(
    session: Session, error: ConstraintViolation, values: dict[str, Any], *, user_id: int
) -> Exception:
    """Return a Conflict for every value that another user has; the constraint names at least one."""
    keys = {name: values[name] for name in ('username_key', 'email_key')}
    taken = {name for name in keys if error.constraint == f'users_{name}'}
    for holder_id, *holder_keys in _FIND_HOLDERS.all(session, **keys):
        if holder_id != user_id:
            taken |= {name for name, key in zip(keys, holder_keys, strict=True) if keys[name] == key}
    if not taken:
        return error
    return Conflict((name.removesuffix('_key'), 'is taken by another user') for name in keys if name in taken)
