"""The Idempotency-Key header: its syntax, its scope, and the replayed response.

domain/test_idempotency.py covers storage, expiry, clocks and killed processes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.client import HAL, LOGIN, PASSWORD, ApiResponse, Client, assert_problem, new_user
from tests.conftest import Start

KEY = '"8e03978e-40d5-43dd-bc93-6894a57f9324"'


def publish(client: Client, body: str = 'hello', key: str = KEY, **options: Any) -> ApiResponse:
    posts = client.entry().href('hc:posts')
    return client.post(posts, {'body': body}, headers={'Idempotency-Key': key}, **options)


def register(app: Any, username: str = 'ada', password: str = PASSWORD, key: str = KEY) -> ApiResponse:
    client = Client(app)
    users = client.entry().json['_templates']['register']['target']
    return client.post(users, new_user(username) | {'password': password}, headers={'Idempotency-Key': key})


def count_posts(client: Client) -> int:
    return client.follow('hc:posts').json['_meta']['total_items']


def test_a_retried_post_is_published_once(ada: Client) -> None:
    publish(ada)
    publish(ada)
    assert count_posts(ada) == 1


def test_a_retry_gets_the_first_response(ada: Client) -> None:
    first, retry = publish(ada), publish(ada)
    assert first.status == retry.status == 201
    assert retry.stable_headers == first.stable_headers | {'idempotency-replayed': 'true'}
    assert first.text == retry.text


def test_a_replayed_response_has_the_request_id_of_the_retry(ada: Client) -> None:
    assert publish(ada).request_id != publish(ada).request_id


def test_a_response_with_a_key_is_like_one_without(ada: Client) -> None:
    with_key, without_key = publish(ada), ada.publish('hello')
    assert with_key.headers.keys() == without_key.headers.keys()
    assert with_key.json.keys() == without_key.json.keys()


def test_a_response_with_a_key_has_the_etag_of_a_get(ada: Client) -> None:
    response = publish(ada)
    assert ada.get(response.headers['location']).etag == response.etag


def test_a_response_is_replayed_after_the_resource_has_changed(ada: Client) -> None:
    first = publish(ada)
    assert first.submit('edit', body='changed').status == 200
    assert publish(ada).text == first.text


def test_a_key_is_scoped_to_the_user_not_to_the_token(ada: Client) -> None:
    first = publish(ada)
    assert publish(ada.sign_in('ada')).text == first.text


def test_users_have_separate_keys(ada: Client, bob: Client) -> None:
    assert publish(ada).headers['location'] != publish(bob).headers['location']


def test_a_key_reused_with_another_body_is_rejected(ada: Client) -> None:
    publish(ada)
    assert_problem(publish(ada, 'something else'), 422)
    assert count_posts(ada) == 1


def test_a_key_reused_with_another_accept_header_is_rejected(ada: Client) -> None:
    publish(ada)
    assert_problem(publish(ada, accept=HAL), 422)


@pytest.mark.parametrize('key', ['', '""', '"', 'a b', '"a", "b"', 'a,b', '"\\x"', 'x' * 256, '"ä"'])
def test_a_malformed_key_is_rejected(ada: Client, key: str) -> None:
    assert_problem(publish(ada, key=key), 400)
    assert count_posts(ada) == 0


@pytest.mark.parametrize('key', ['x', 'x' * 255, '"a b, c"', r'"\"\\"', '"a";version=1'])
def test_a_key_is_a_string_of_up_to_255_characters(ada: Client, key: str) -> None:
    assert publish(ada, key=key).status == publish(ada, key=key).status == 201
    assert count_posts(ada) == 1


def test_a_key_is_the_same_with_and_without_quotes(ada: Client) -> None:
    assert publish(ada, key='abc').text == publish(ada, key='"abc"').text


def test_a_revoked_token_gets_no_replay(ada: Client) -> None:
    publish(ada)
    assert ada.delete(ada.entry().href('hc:tokens')).status == 204
    body = {'body': 'hello'}
    assert ada.post('/api/posts', body, headers={'Idempotency-Key': KEY}).status == 401


def test_a_read_token_gets_no_replay(ada: Client) -> None:
    publish(ada)
    reader = Client(ada.app, ada.post('/api/tokens', LOGIN | {'scope': 'read'}).json['token'])
    response = reader.post('/api/posts', {'body': 'hello'}, headers={'Idempotency-Key': KEY})
    assert_problem(response, 403)


def test_a_retried_registration_gets_the_first_response(app: Any) -> None:
    first, retry = register(app), register(app)
    assert first.status == retry.status == 201
    current_limit = retry.headers['ratelimit']  # a replayed response has the current limit
    assert retry.stable_headers == first.stable_headers | {
        'idempotency-replayed': 'true',
        'ratelimit': current_limit,
    }
    assert first.text == retry.text


def test_anonymous_clients_have_separate_keys(app: Any) -> None:
    assert register(app, 'ada').status == 201
    assert register(app, 'bob').status == 201


def test_a_registration_with_another_password_is_not_replayed(app: Any) -> None:
    register(app)
    assert_problem(register(app, password='another horse'), 400, '#/username', '#/email')


def test_a_registration_by_a_signed_in_user_is_replayed(ada: Client) -> None:
    users = ada.entry().href('hc:users')
    first, retry = (ada.post(users, new_user('bob'), headers={'Idempotency-Key': KEY}) for _ in range(2))
    assert first.status == retry.status == 201
    assert first.text == retry.text


def test_a_key_has_no_effect_on_sign_ins(app: Any, ada: Client) -> None:
    tokens = ada.entry().href('hc:tokens')
    first, retry = (Client(app).post(tokens, LOGIN, headers={'Idempotency-Key': KEY}) for _ in range(2))
    assert first.status == retry.status == 200
    assert first.json['token'] != retry.json['token']


def test_a_key_has_no_effect_on_other_methods(ada: Client) -> None:
    post = publish(ada)
    responses = [
        ada.put(post.href('self'), {'body': body}, headers={'Idempotency-Key': KEY}) for body in 'ab'
    ]
    assert [response.json['body'] for response in responses] == ['a', 'b']


def test_a_body_that_is_too_large_is_rejected_with_a_key_too(ada: Client) -> None:
    assert_problem(publish(ada, 'x' * 70_000), 413)


def test_a_response_too_long_to_be_stored_is_rejected(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('service.http.idempotency.MAX_STORED_BYTES', 6000)
    for _ in range(3):
        ada.publish('hello')
    url = ada.entry().href('hc:posts') + '?include=author.posts'
    assert_problem(ada.post(url, {'body': 'with more'}, headers={'Idempotency-Key': KEY}), 400)
    assert count_posts(ada) == 3
    assert publish(ada).status == 201  # the key is free again


def test_a_missing_token_is_reported_before_a_malformed_key(client: Client) -> None:
    response = client.post('/api/posts', {'body': 'hello'}, headers={'Idempotency-Key': '"'})
    assert_problem(response, 401)


def test_a_replayed_response_has_the_cors_headers_of_the_retry(ada: Client) -> None:
    posts, origin = ada.entry().href('hc:posts'), 'http://localhost:3000'
    publish(ada)
    retry = ada.post(posts, {'body': 'hello'}, headers={'Idempotency-Key': KEY, 'Origin': origin})
    assert retry.headers['access-control-allow-origin'] == origin


def test_concurrent_requests_with_one_key_take_effect_once(ada: Client, start: Start) -> None:
    nodes = [Client(start(), ada.token) for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda number: publish(nodes[number % 2]), range(16)))
    assert {response.status for response in responses} <= {201, 409}
    assert len({response.text for response in responses if response.status == 201}) == 1
    assert all(response.headers['retry-after'] for response in responses if response.status == 409)
    assert count_posts(ada) == 1


def test_no_secret_is_stored(start: Start, tmp_path: Path) -> None:
    app = start(DATABASE_URL=f'sqlite:///{tmp_path}/stolen.db')
    register(app, password='stolen password')
    ada = Client(app).sign_in('ada', 'stolen password')
    publish(ada, 'a post that is stored')
    stored = b''.join(path.read_bytes() for path in tmp_path.glob('stolen.db*'))
    assert b'a post that is stored' in stored
    for secret in ('stolen password', str(ada.token), KEY.strip('"')):
        assert secret.encode() not in stored
