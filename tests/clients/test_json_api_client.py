"""The third-party library jsonapi-client against a real server."""

from __future__ import annotations

from typing import Any

import pytest
from jsonapi_client import Filter, Inclusion, Modifier, Session
from jsonapi_client.exceptions import DocumentError

from tests.client import JSON_API, PASSWORD
from tests.server import Server

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


def session(server: Server, token: str | None = None) -> Session:
    headers = {'Accept': JSON_API} | ({'Authorization': f'Bearer {token}'} if token else {})
    return Session(f'{server.origin}/api', request_kwargs={'headers': headers}, schema=MODELS)


def sign_up(server: Server, username: str) -> tuple[str, Session, Any]:
    """Register and sign in; return the token, a session that sends it, and the user."""
    anonymous = session(server)
    user = anonymous.create_and_commit(
        'users', username=username, email=f'{username}@example.org', password=PASSWORD
    )
    token = anonymous.create_and_commit('tokens', username=username, password=PASSWORD).token
    signed_in = session(server, token)
    return token, signed_in, signed_in.get('users', user.id).resource


def linkage(user: Any) -> dict[str, Any]:
    """Return the linkage of a to-many relationship with one user."""
    return {'data': [user.as_resource_identifier_dict()]}


def test_a_generic_json_api_client_uses_every_feature(server: Server) -> None:
    token, ada, me = sign_up(server, 'ada')
    _, bob, other = sign_up(server, 'bob')
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

    relationship = me.relationships.following.links.self.url
    status, body, _ = ada.http_request('post', relationship, linkage(match))
    assert (status, body['data']) == (200, linkage(match)['data'])

    user = ada.get('users', f'{me.id}?include=following').resource
    assert [followee.username for followee in user.relationships.following.resources] == ['bob']

    posts = list(ada.iterate('posts', Inclusion('author') + Modifier('page[size]=5&sort=created_at')))
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
        session(server, token).get('posts', mine.id)  # without the cache of ada

    status, body, _ = ada.http_request('delete', relationship, linkage(match))
    assert (status, body['data']) == (200, [])
