"""The order of checks: a request that breaks two rules is rejected for the first."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from service.representation.media_types import JSON_API
from tests.client import Client
from tests.routes import World

BAD_TYPE = {'headers': {'Content-Type': 'image/png'}, 'body': b'x'}
MALFORMED = {'headers': {'Content-Type': 'application/json'}, 'body': b'{'}
STALE = {'headers': {'If-Match': '"stale"'}}
BAD_KEY = {'headers': {'Idempotency-Key': 'two words'}, 'json': {'name': 'Bobbin', 'price': '1'}}
WRONG_PASSWORD = {'Authorization': f'Basic {b64encode(b"ada:wrong horse").decode()}'}
UNKNOWN_ID = 4711
CASES: dict[str, tuple[str, str, str, dict[str, Any], int]] = {
    'an unknown URL before an invalid token': ('invalid token', 'GET', '/api/nothing', {}, 404),
    'an unsupported method before an invalid token': ('invalid token', 'POST', '/api', {}, 405),
    'an unknown method before an invalid token': ('invalid token', 'FROB', '/api', {}, 501),
    'a missing token before Accept': ('anonymous', 'GET', '/api/users', {'accept': 'image/png'}, 401),
    'an invalid token before Accept': ('invalid token', 'GET', '/api', {'accept': 'image/png'}, 401),
    'Accept before the resource': ('owner', 'GET', f'/api/users/{UNKNOWN_ID}', {'accept': 'image/png'}, 406),
    'the resource before permission': ('other', 'PUT', f'/api/users/{UNKNOWN_ID}', {}, 404),
    'the existence of the followed user before permission': (
        'other', 'PUT', f'/api/users/{{user_id}}/following/{UNKNOWN_ID}', {}, 404,
    ),
    'permission before the existence of the follow': (
        'other', 'DELETE', f'/api/users/{{user_id}}/following/{UNKNOWN_ID}', {}, 403,
    ),
    'permission before Content-Type': ('other', 'PUT', '/api/users/{user_id}', BAD_TYPE, 403),
    'permission before syntax': ('other', 'PUT', '/api/posts/{post_id}', MALFORMED, 403),
    'permission before a precondition': ('other', 'DELETE', '/api/posts/{post_id}', STALE, 403),
    'Content-Type before a precondition': (
        'owner', 'PUT', '/api/users/{user_id}',
        {'headers': BAD_TYPE['headers'] | STALE['headers'], 'body': b'x'}, 415,
    ),
    'syntax before a precondition': (
        'owner', 'PUT', '/api/users/{user_id}',
        {'headers': MALFORMED['headers'] | STALE['headers'], 'body': b'{'}, 400,
    ),
    'a precondition before values': (
        'owner', 'PUT', '/api/users/{user_id}', STALE | {'json': {'username': 'a b'}}, 412,
    ),
    'a precondition before values of a post': (
        'owner', 'PATCH', '/api/posts/{post_id}', STALE | {'json': {'body': ''}}, 412,
    ),
    'a precondition before values of a password': (
        'owner', 'PUT', '/api/users/{user_id}/password', STALE | {'json': {}}, 412,
    ),
    'a precondition before following oneself': (
        'owner', 'PUT', '/api/users/{user_id}/following/{user_id}', STALE, 412,
    ),
    'size before syntax': (
        'owner', 'POST', '/api/posts', {'headers': MALFORMED['headers'], 'body': b'{' * 65537}, 413,
    ),
    'Content-Type before size': (
        'owner', 'POST', '/api/posts', {'headers': BAD_TYPE['headers'], 'body': b'{' * 65537}, 415,
    ),
    'an invalid token to renew before syntax': ('invalid token', 'POST', '/api/tokens', MALFORMED, 401),
    'an invalid token to renew before values': (
        'invalid token', 'POST', '/api/tokens', {'json': {'format': 'unknown'}}, 401,
    ),
    'a precondition before values of a renewal': (
        'owner', 'POST', '/api/tokens', STALE | {'json': {'format': 'unknown'}}, 412,
    ),
    'the resource before the query': ('owner', 'GET', f'/api/users/{UNKNOWN_ID}/posts?page=0', {}, 404),
    'the resource before a query that JSON:API rejects': (
        'owner', 'GET', f'/api/posts/{UNKNOWN_ID}?unknown=1', {'accept': JSON_API}, 404,
    ),
    'permission before the query': ('other', 'GET', '/api/users/{user_id}/feed?page=0', {}, 403),
    'the resource before the Content-Type of a QUERY': (
        'owner', 'QUERY', f'/api/users/{UNKNOWN_ID}/posts', BAD_TYPE, 404,
    ),
    'the resource before an Idempotency-Key': (
        'owner', 'POST', f'/api/stores/{UNKNOWN_ID}/items', BAD_KEY, 404,
    ),
    'permission before an Idempotency-Key': ('other', 'POST', '/api/stores/{store_id}/items', BAD_KEY, 403),
    'Content-Type before an Idempotency-Key': (
        'owner', 'POST', '/api/stores/{store_id}/items',
        {'headers': BAD_KEY['headers'] | BAD_TYPE['headers'], 'body': b'x'}, 415,
    ),
    'an Idempotency-Key before a precondition': (
        'owner', 'POST', '/api/stores/{store_id}/items',
        BAD_KEY | {'headers': BAD_KEY['headers'] | STALE['headers']}, 400,
    ),
    'a wrong password before Content-Type': (
        'anonymous', 'POST', '/api/tokens',
        {'headers': BAD_TYPE['headers'] | WRONG_PASSWORD, 'body': b'x'}, 401,
    ),
    'a wrong password before syntax': (
        'anonymous', 'POST', '/api/tokens',
        {'headers': MALFORMED['headers'] | WRONG_PASSWORD, 'body': b'{'}, 401,
    ),
    'a wrong password before a precondition': (
        'anonymous', 'POST', '/api/tokens', {'headers': STALE['headers'] | WRONG_PASSWORD}, 401,
    ),
    'a wrong password before values': (
        'anonymous', 'POST', '/api/tokens',
        {'headers': WRONG_PASSWORD, 'json': {'scope': 'everything'}}, 401,
    ),
    'the resource before the query of a write': (
        'owner', 'PUT', f'/api/posts/{UNKNOWN_ID}?include=nothing', {'json': {'body': 'x'}}, 404,
    ),
    'permission before the query of a write': (
        'other', 'PUT', '/api/posts/{post_id}?include=nothing', {'json': {'body': 'x'}}, 403,
    ),
    'the query of a write before a precondition': (
        'owner', 'DELETE', '/api/posts/{post_id}?include=nothing', STALE, 400,
    ),
    'the query before a precondition': ('owner', 'GET', '/api/posts?page=0', STALE, 400),
    'the query before a post is created': (
        'owner', 'POST', '/api/posts?include=nothing', {'json': {'body': 'x'}}, 400,
    ),
    'Accept before a user is created': (
        'anonymous', 'POST', '/api/users',
        {'accept': 'image/png', 'json': {'username': 'eve', 'email': 'e@x.org', 'password': 'x' * 9}}, 406,
    ),
}  # fmt: skip


@pytest.mark.parametrize('case', CASES)
def test_checks_run_in_the_documented_order(
    app: Any, world: World, ada: Client, bob: Client, case: str
) -> None:
    name, method, template, request, status = CASES[case]
    clients = {
        'anonymous': Client(app),
        'invalid token': Client(app, token='no token'),
        'owner': ada,
        'other': bob,
    }
    response = clients[name].request(method, world.url(template), **request)
    assert response.status == status, response.text
