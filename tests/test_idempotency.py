"""Idempotency-Key: a POST that is sent again takes effect once, and gets the first answer."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.client import HAL, Answer, Client, assert_problem
from tests.clock import MovableClock
from tests.conftest import Start

KEY = '"8e03978e-40d5-43dd-bc93-6894a57f9324"'
PASSWORD = 'correct horse'


def publish(client: Client, body: str = 'hello', key: str = KEY, **options: Any) -> Answer:
    posts = client.entry().href('hc:posts')
    return client.post(posts, {'body': body}, headers={'Idempotency-Key': key}, **options)


def register(app: Any, username: str = 'ada', password: str = PASSWORD, key: str = KEY) -> Answer:
    client = Client(app)
    users = client.entry().state['_templates']['register']['target']
    body = {'username': username, 'email': f'{username}@example.org', 'password': password}
    return client.post(users, body, headers={'Idempotency-Key': key})


def count_posts(client: Client) -> int:
    return client.follow('hc:posts').state['_meta']['total_items']


def test_a_post_that_is_sent_again_is_published_once(ada: Client) -> None:
    publish(ada)
    publish(ada)
    assert count_posts(ada) == 1


def test_the_answer_to_a_retry_is_the_first_one(ada: Client) -> None:
    first, again = publish(ada), publish(ada)
    assert first.status == again.status == 201
    assert first.lasting_headers == again.lasting_headers
    assert first.text == again.text


def test_the_answer_to_a_retry_has_the_id_of_the_retry(ada: Client) -> None:
    assert publish(ada).request_id != publish(ada).request_id


def test_the_answer_with_a_key_is_like_one_without(ada: Client) -> None:
    with_key, without = publish(ada), ada.publish('hello')
    assert with_key.headers.keys() == without.headers.keys()
    assert with_key.state.keys() == without.state.keys()


def test_the_tag_of_an_answer_with_a_key_is_the_one_that_get_gives(ada: Client) -> None:
    answer = publish(ada)
    assert ada.get(answer.headers['location']).tag == answer.tag


def test_the_first_answer_is_repeated_after_the_thing_has_changed(ada: Client) -> None:
    first = publish(ada)
    assert first.submit('edit', body='changed').status == 200
    assert publish(ada).text == first.text


def test_another_node_repeats_the_first_answer(ada: Client, start: Start) -> None:
    first = publish(ada)
    assert publish(Client(start(), ada.token)).text == first.text
    assert count_posts(ada) == 1


def test_a_key_belongs_to_the_user_and_not_to_the_token(ada: Client) -> None:
    first = publish(ada)
    assert publish(ada.sign_in('ada')).text == first.text


def test_a_key_is_another_one_for_another_caller(ada: Client, bob: Client) -> None:
    assert publish(ada).headers['location'] != publish(bob).headers['location']


def test_the_key_can_be_used_for_something_new_after_a_day(ada: Client, clock: MovableClock) -> None:
    first = publish(ada)
    clock.move(seconds=24 * 3600 + 60)
    ada = ada.sign_in('ada')
    assert publish(ada).headers['location'] != first.headers['location']


def test_a_key_with_another_body_is_refused(ada: Client) -> None:
    publish(ada)
    assert_problem(publish(ada, 'something else'), 422)
    assert count_posts(ada) == 1


def test_a_key_with_another_media_type_in_return_is_refused(ada: Client) -> None:
    publish(ada)
    assert_problem(publish(ada, accept=HAL), 422)


def test_a_refused_request_can_be_corrected_under_its_key(ada: Client) -> None:
    assert_problem(publish(ada, ''), 400, '#/body')
    assert publish(ada, 'hello').status == 201


@pytest.mark.parametrize('key', ['', '""', '"', 'a b', '"a", "b"', 'a,b', '"\\x"', 'x' * 256, '"ä"'])
def test_a_malformed_key_is_refused(ada: Client, key: str) -> None:
    assert_problem(publish(ada, key=key), 400)
    assert count_posts(ada) == 0


@pytest.mark.parametrize('key', ['x', 'x' * 255, '"a b, c"', r'"\"\\"', '"a";version=1'])
def test_a_key_is_a_string_of_up_to_255_characters(ada: Client, key: str) -> None:
    assert publish(ada, key=key).status == publish(ada, key=key).status == 201
    assert count_posts(ada) == 1


def test_a_key_with_and_without_quotes_is_the_same(ada: Client) -> None:
    assert publish(ada, key='abc').text == publish(ada, key='"abc"').text


def test_a_revoked_token_repeats_nothing(ada: Client) -> None:
    publish(ada)
    assert ada.delete(ada.entry().href('hc:tokens')).status == 204
    posts = {'body': 'hello'}
    assert ada.post('/api/posts', posts, headers={'Idempotency-Key': KEY}).status == 401


def test_a_registration_that_is_sent_again_is_answered_as_at_first(app: Any) -> None:
    first, again = register(app), register(app)
    assert first.status == again.status == 201
    assert first.lasting_headers == again.lasting_headers
    assert first.text == again.text


def test_the_same_key_of_another_stranger_is_another_key(app: Any) -> None:
    assert register(app, 'ada').status == 201
    assert register(app, 'bob').status == 201


def test_a_stranger_who_knows_the_key_but_not_the_password_gets_no_answer(app: Any) -> None:
    register(app)
    assert_problem(register(app, password='another horse'), 400, '#/username', '#/email')


def test_somebody_signed_in_who_registers_another_is_answered_once(ada: Client) -> None:
    body = {'username': 'bob', 'email': 'bob@example.org', 'password': PASSWORD}
    users = ada.entry().href('hc:users')
    first, again = (ada.post(users, body, headers={'Idempotency-Key': KEY}) for _ in range(2))
    assert first.status == again.status == 201
    assert first.text == again.text


def test_a_key_means_nothing_where_tokens_are_handed_out(app: Any, ada: Client) -> None:
    tokens = ada.entry().href('hc:tokens')
    body = {'username': 'ada', 'password': PASSWORD}
    first, again = (Client(app).post(tokens, body, headers={'Idempotency-Key': KEY}) for _ in range(2))
    assert first.status == again.status == 200
    assert first.state['token'] != again.state['token']


def test_a_key_means_nothing_for_other_methods(ada: Client) -> None:
    post = publish(ada)
    edited = [ada.put(post.href('self'), {'body': body}, headers={'Idempotency-Key': KEY}) for body in 'ab']
    assert [answer.state['body'] for answer in edited] == ['a', 'b']


def test_a_body_that_is_too_large_is_refused_as_without_a_key(ada: Client) -> None:
    assert_problem(publish(ada, 'x' * 70_000), 413)


def test_a_missing_token_is_told_before_a_bad_key(client: Client) -> None:
    answer = client.post('/api/posts', {'body': 'hello'}, headers={'Idempotency-Key': '"'})
    assert_problem(answer, 401)


def test_a_repeated_answer_is_shared_with_the_origin_that_asks_now(ada: Client) -> None:
    posts, origin = ada.entry().href('hc:posts'), 'http://localhost:3000'
    publish(ada)
    again = ada.post(posts, {'body': 'hello'}, headers={'Idempotency-Key': KEY, 'Origin': origin})
    assert again.headers['access-control-allow-origin'] == origin


def test_simultaneous_requests_with_one_key_take_effect_once(ada: Client, start: Start) -> None:
    nodes = [Client(start(), ada.token) for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda turn: publish(nodes[turn % 2]), range(16)))
    assert {answer.status for answer in answers} <= {201, 409}
    assert len({answer.text for answer in answers if answer.status == 201}) == 1
    assert all(answer.headers['retry-after'] for answer in answers if answer.status == 409)
    assert count_posts(ada) == 1


def test_no_secret_is_stored(start: Start, tmp_path: Path) -> None:
    app = start(DATABASE_URL=f'sqlite:///{tmp_path}/stolen.db')
    register(app, password='canary in a coal mine')
    ada = Client(app).sign_in('ada', 'canary in a coal mine')
    publish(ada, 'a post that is stored')
    stored = b''.join(path.read_bytes() for path in tmp_path.glob('stolen.db*'))
    assert b'a post that is stored' in stored
    for secret in ('canary', str(ada.token), KEY.strip('"')):
        assert secret.encode() not in stored


# What a process does that is killed: it serves one request on the database in its first argument, and is
# killed when the answer starts to leave. The request is in the second.
SERVER = """
import json, os, signal, sys
from falcon.testing import create_environ
from service.app import create_app
from service.config import Settings

url, request = sys.argv[1], json.loads(sys.argv[2])
settings = Settings.from_environment({'DATABASE_URL': url, 'BCRYPT_COST': '4'})
app = create_app(settings, clock=lambda: request['now'])
environ = create_environ(**request['environ'])

def start_response(status, headers):
    print(status, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

app(environ, start_response)
"""


def serve_and_be_killed(url: str, now: int, token: str) -> str:
    """Publish in a process that is killed when its answer starts to leave; return the status of that."""
    environ = {
        'method': 'POST',
        'path': '/api/posts',
        'host': 'halcyon.test',
        'body': json.dumps({'body': 'hello'}),
        'headers': {
            'Idempotency-Key': KEY,
            'Authorization': f'Bearer {token}',
            'Accept': 'application/prs.hal-forms+json, application/hal+json',
            'Content-Type': 'application/json',
        },
    }
    process = subprocess.run(
        [sys.executable, '-c', SERVER, url, json.dumps({'now': now, 'environ': environ})],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[1],
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    return process.stdout.strip()


def test_a_node_killed_between_effect_and_answer_loses_neither(
    start: Start, tmp_path: Path, clock: MovableClock
) -> None:
    url = f'sqlite:///{tmp_path}/killed.db'
    client = Client(start(DATABASE_URL=url))
    client.register('ada')
    ada = client.sign_in('ada')
    assert serve_and_be_killed(url, clock.now, str(ada.token)) == '201 Created'
    assert count_posts(ada) == 1
    again = publish(ada)
    assert again.status == 201
    assert ada.get(again.headers['location']).state['body'] == 'hello'
    assert count_posts(ada) == 1
