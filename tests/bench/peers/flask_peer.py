"""A peer in Flask, SQLAlchemy and pydantic: the measured requests, on the database of the service."""

import hashlib
import os
import secrets
import time
from datetime import UTC, datetime
from typing import Annotated, Any

from flask import Flask, Response, abort, g, jsonify, make_response, request
from pydantic import BaseModel, Field, StringConstraints, ValidationError
from sqlalchemy import BigInteger, ForeignKey, create_engine, event, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, scoped_session, sessionmaker
from werkzeug.exceptions import HTTPException

URL = os.environ['DATABASE_URL']
IS_SQLITE = URL.startswith('sqlite')
POOL_SIZE = 12  # a connection for each thread

engine = create_engine(
    URL.replace('postgresql://', 'postgresql+psycopg://'),
    pool_size=POOL_SIZE,
    # Python begins a transaction at the first statement that writes; DEFERRED, the default, could fail there.
    connect_args={'timeout': 10, 'isolation_level': 'IMMEDIATE'} if IS_SQLITE else {},
)
sessions = scoped_session(sessionmaker(engine, expire_on_commit=False))
app = Flask(__name__)


if IS_SQLITE:

    @event.listens_for(engine, 'connect')
    def configure(connection: Any, _: Any) -> None:
        connection.execute('PRAGMA journal_mode = WAL')
        connection.execute('PRAGMA synchronous = NORMAL')
        connection.execute('PRAGMA foreign_keys = ON')


class Base(DeclarativeBase):
    """The base of the models."""

    type_annotation_map = {int: BigInteger}  # noqa: RUF012 (as SQLAlchemy documents it)


class User(Base):
    """An account; the columns that the requests need."""

    __tablename__ = 'users'
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    username_key: Mapped[str]
    email: Mapped[str]
    email_key: Mapped[str]
    avatar_hash: Mapped[str]
    about_me: Mapped[str]
    member_since: Mapped[int]
    last_seen: Mapped[int]
    post_count: Mapped[int]
    follower_count: Mapped[int]
    following_count: Mapped[int]


class Token(Base):
    """A bearer token; only its digest is stored."""

    __tablename__ = 'tokens'
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey('users.id'))
    digest: Mapped[str]
    expires_at: Mapped[int]
    last_used_at: Mapped[int | None]
    user: Mapped[User] = relationship(lazy='joined', innerjoin=True)


class Post(Base):
    """A post."""

    __tablename__ = 'posts'
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    author_id: Mapped[int] = mapped_column(ForeignKey('users.id'))
    body: Mapped[str]
    created_at: Mapped[int]
    updated_at: Mapped[int | None]


class UserForm(BaseModel):
    """The changes of a user."""

    username: str | None = Field(None, pattern=r'^[A-Za-z0-9_.\-]+$', max_length=64)
    email: str | None = Field(None, pattern=r'^[^@\s]+@[^@\s]+$', max_length=120)
    about_me: str | None = Field(None, max_length=140)


class PostForm(BaseModel):
    """A new post."""

    body: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=140)]


def now() -> int:
    return time.time_ns() // 1_000_000


def new_id() -> int:
    return (now() - 1_577_836_800_000) << 12 | secrets.randbits(12)


def as_time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec='milliseconds')


@app.before_request
def authenticate() -> None:
    """Find the user of the bearer token."""
    scheme, _, secret = request.headers.get('Authorization', '').partition(' ')
    digest = hashlib.sha256(secret.encode()).hexdigest()
    query = select(Token).where(Token.digest == digest, Token.expires_at > now())
    g.token = sessions.scalar(query) if scheme == 'Bearer' else None
    if g.token is None:
        abort(401)
    g.viewer = g.token.user


@app.teardown_request
def end_session(_: Any) -> None:
    sessions.remove()


@app.errorhandler(HTTPException)
def report(error: HTTPException) -> Response:
    """Respond with a problem document."""
    response = jsonify(title=error.name, status=error.code, detail=error.description)
    response.status_code = error.code or 500
    response.content_type = 'application/problem+json'
    if error.code == 401:
        response.headers['WWW-Authenticate'] = 'Bearer realm="peer"'
    return response


@app.errorhandler(ValidationError)
def report_fields(error: ValidationError) -> Response:
    """Respond with a problem document that names the invalid fields."""
    errors = [{'pointer': f'#/{one["loc"][0]}', 'detail': one['msg']} for one in error.errors()]
    response = jsonify(title='Invalid', status=400, errors=errors)
    response.status_code = 400
    response.content_type = 'application/problem+json'
    return response


def represent_user(user: User) -> dict[str, Any]:
    api = request.host_url + 'api'
    here = f'{api}/users/{user.id}'
    links = {
        'self': {'href': here},
        'collection': {'href': f'{api}/users'},
        'hc:followers': {'href': f'{here}/followers'},
        'hc:following': {'href': f'{here}/following'},
        'hc:posts': {'href': f'{here}/posts'},
        'hc:avatar': {'href': f'https://www.gravatar.com/avatar/{user.avatar_hash}?d=identicon&s=128'},
    }
    document: dict[str, Any] = {
        '_links': links,
        'id': user.id,
        'username': user.username,
        'about_me': user.about_me,
        'last_seen': as_time(user.last_seen),
        'member_since': as_time(user.member_since),
        'post_count': user.post_count,
        'follower_count': user.follower_count,
        'following_count': user.following_count,
    }
    if user.id == g.viewer.id:
        document['email'] = user.email
        links |= {'hc:feed': {'href': f'{here}/feed'}, 'hc:tokens': {'href': f'{api}/tokens'}}
    else:
        links['hc:follow'] = {'href': f'{api}/users/{g.viewer.id}/following/{user.id}'}
    return document


def with_curies(document: dict[str, Any]) -> dict[str, Any]:
    curie = {'name': 'hc', 'href': request.host_url + 'api/rels/{rel}', 'templated': True}
    document['_links']['curies'] = [curie]
    return document


def respond(document: dict[str, Any]) -> Response:
    """Respond with a HAL document, its ETag, and 304 if the client has it."""
    response = make_response(jsonify(with_curies(document)))
    response.content_type = 'application/hal+json'
    response.headers['Cache-Control'] = 'private, no-cache'
    response.headers['Vary'] = 'Accept, Authorization'
    response.add_etag()
    return response.make_conditional(request)


def confirm_token() -> int:
    """Begin the transaction by updating the token; it may have been revoked since authentication."""
    time = now()
    query = update(Token).where(Token.id == g.token.id, Token.expires_at > time).values(last_used_at=time)
    if not sessions.execute(query.execution_options(synchronize_session=False)).rowcount:
        abort(401)
    return time


@app.get('/api/users/<int:user_id>')
def get_user(user_id: int) -> Response:
    return respond(represent_user(sessions.get(User, user_id) or abort(404)))


@app.get('/api/users')
def list_users() -> Response:
    page = max(1, request.args.get('page', 1, int))
    per_page = min(100, request.args.get('per_page', 10, int))
    total = sessions.scalar(select(func.count()).select_from(User)) or 0
    pages = -(-total // per_page)
    users = sessions.scalars(select(User).order_by(User.id).limit(per_page).offset((page - 1) * per_page))
    here = request.base_url
    numbers = {'self': page, 'first': 1, 'last': pages}
    numbers |= ({'prev': page - 1} if page > 1 else {}) | ({'next': page + 1} if page < pages else {})
    items = [represent_user(user) for user in users]
    links: dict[str, Any] = {
        name: {'href': f'{here}?page={number}&per_page={per_page}'} for name, number in numbers.items()
    }
    links['hc:page'] = {'href': f'{here}{{?page,per_page}}', 'templated': True}
    links['item'] = [item['_links']['self'] for item in items]
    meta = {'page': page, 'per_page': per_page, 'total_pages': pages, 'total_items': total}
    return respond({'_links': links, '_embedded': {'item': items}, '_meta': meta})


@app.put('/api/users/<int:user_id>')
def change_user(user_id: int) -> Response:
    if user_id != g.viewer.id:
        abort(403)
    form = UserForm.model_validate(request.get_json())
    time = confirm_token()
    user = sessions.get(User, user_id, with_for_update=True, populate_existing=True) or abort(404)
    if request.if_match and respond(represent_user(user)).get_etag()[0] not in request.if_match:
        abort(412)
    for name, value in form.model_dump(exclude_none=True).items():
        setattr(user, name, value)
    user.username_key, user.email_key = user.username.casefold(), user.email.casefold()
    user.avatar_hash = hashlib.sha256(user.email.lower().encode()).hexdigest()
    user.last_seen = time
    try:
        sessions.commit()
    except IntegrityError:
        abort(400, 'The name or the email address is taken.')
    return respond(represent_user(user))


@app.post('/api/posts')
def publish_post() -> tuple[Response, int, dict[str, str]]:
    form = PostForm.model_validate(request.get_json())
    time = confirm_token()
    post = Post(id=new_id(), author_id=g.viewer.id, body=form.body, created_at=time, updated_at=None)
    sessions.add(post)
    g.viewer.post_count = User.post_count + 1
    g.viewer.last_seen = time
    sessions.commit()
    sessions.refresh(g.viewer)
    api = request.host_url + 'api'
    here = f'{api}/posts/{post.id}'
    document = {
        '_links': {
            'self': {'href': here},
            'collection': {'href': f'{api}/posts'},
            'author': {'href': f'{api}/users/{post.author_id}'},
        },
        '_embedded': {'author': represent_user(g.viewer)},
        'id': post.id,
        'body': post.body,
        'created_at': as_time(post.created_at),
        'updated_at': None,
    }
    return respond(document), 201, {'Location': here}
