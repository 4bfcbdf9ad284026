"""The third-party library jsonapi-client against a real server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonapi_client import Filter, Inclusion, Modifier, Session
from jsonapi_client.exceptions import DocumentError

JSON_API = 'application/vnd.api+json'
TEXT = {'type': ['string', 'null']}  # the client sends null for members that the server omitted
USER, POSTS = {'relation': 'to-one', 'resource': ['users']}, {'relation': 'to-many', 'resource': ['posts']}
USERS = USER | {'relation': 'to-many'}
MODELS = {
    'users': {
        'properties': dict.fromkeys(('username', 'email', 'password'), TEXT)
        | {'followers': USERS, 'following': USERS, 'posts': POSTS}
    },
    'posts': {'properties': {'body': TEXT, 'author': USER}},
    'tokens': {'properties': dict.fromkeys(('username', 'password', 'token'), TEXT)},
}


@pytest.fixture(scope='module')
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the API, served by gunicorn on an empty database."""
    database = tmp_path_factory.mktemp('json_api') / 'halcyon.db'
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        host = f'127.0.0.1:{free.getsockname()[1]}'
    environment = {'DATABASE_URL': f'sqlite:///{database}', 'BCRYPT_COST': '4', 'DRAIN_SECONDS': '0'}
    process = subprocess.Popen(
        [sys.executable, '-m', 'gunicorn', '--workers', '1', '--bind', host],
        cwd=Path(__file__).parents[2],
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if 'Halcyon is ready' in line:
            break
    yield f'http://{host}/api'
    process.terminate()
    process.communicate()


def session(server: str, token: str | None = None) -> Session:
    headers = {'Accept': JSON_API} | ({'Authorization': f'Bearer {token}'} if token else {})
    return Session(server, request_kwargs={'headers': headers}, schema=MODELS)


def sign_up(server: str, username: str) -> tuple[Session, Any]:
    """Register and sign in; return a session that sends the token, and the user."""
    anonymous = session(server)
    user = anonymous.create_and_commit(
        'users', username=username, email=f'{username}@example.org', password='correct horse'
    )
    token = anonymous.create_and_commit('tokens', username=username, password='correct horse')
    mine = session(server, token.token)
    return mine, mine.get('users', user.id).resource


def members(user: Any) -> dict[str, Any]:
    """Return a body that identifies a user as a member of a relationship."""
    return {'data': [user.as_resource_identifier_dict()]}


def test_a_generic_json_api_client_uses_every_feature(server: str) -> None:
    ada, me = sign_up(server, 'ada')
    bob, other = sign_up(server, 'bob')
    assert me.email == 'ada@example.org'
    assert me.relationships.posts.resources == []

    with pytest.raises(DocumentError) as raised:
        session(server).create_and_commit('users', username='ada', email='x', password='short')
    pointers = [error['source']['pointer'] for error in raised.value.response.json()['errors']]
    assert pointers == ['/data/attributes/email', '/data/attributes/password']

    for number in range(12):
        bob.create_and_commit('posts', body=f'post {number}')
    match = ada.get('users', Filter(username='BOB')).resource
    assert match.id == other.id

    relation = me.relationships.following.links.self.url
    status, body, _ = ada.http_request('post', relation, members(match))
    assert (status, body['data']) == (200, members(match)['data'])

    user = ada.get('users', f'{me.id}?include=following').resource
    assert [followee.username for followee in user.relationships.following.resources] == ['bob']

    pages = ada.iterate('posts', Inclusion('author') + Modifier('page[size]=5&sort=created_at'))
    posts = list(pages)
    assert [post.body for post in posts] == [f'post {number}' for number in range(12)]
    assert {post.relationships.author.resource.username for post in posts} == {'bob'}

    mine = ada.create_and_commit('posts', body='hello')
    mine.body = 'hello again'
    mine.commit()
    mine.refresh()
    assert mine.body == 'hello again'
    mine.delete()
    mine.commit()
    with pytest.raises(DocumentError, match='404'):
        session_of(ada).get('posts', mine.id)

    status, body, _ = ada.http_request('delete', relation, members(match))
    assert (status, body['data']) == (200, [])


def session_of(other: Session) -> Session:
    """Return a session of the same user with an empty cache."""
    return Session(other.url_prefix, request_kwargs=other._request_kwargs, schema=MODELS)
