"""Throttling of sign-ins and registrations; domain/test_throttle.py tests concurrency and clock steps."""

from __future__ import annotations

import threading
from base64 import b64encode
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from service.database.session import Session
from service.domain import users
from service.domain.passwords import MAX_HASHING
from service.domain.throttle import REGISTRATION, address_subjects, count_attempt
from tests.client import FORM, PASSWORD, ApiResponse, Client, assert_problem
from tests.clock import MovableClock
from tests.conftest import Start

WRONG_PASSWORD = 'wrong horse'


def sign_in(app: Any, username: str, password: str, **options: Any) -> ApiResponse:
    client = Client(app)
    return client.post(
        client.entry().href('hc:tokens'), {'username': username, 'password': password}, **options
    )


def fail_to_sign_in(app: Any, username: str, times: int, **options: Any) -> list[int]:
    """Sign in with a wrong password several times, and return the statuses."""
    return [sign_in(app, username, WRONG_PASSWORD, **options).status for _ in range(times)]


def test_the_eleventh_failed_sign_in_is_throttled(app: Any, ada: Client) -> None:
    assert fail_to_sign_in(app, 'ada', 11) == [401] * 10 + [429]


def test_a_correct_password_is_throttled_too(app: Any, ada: Client) -> None:
    fail_to_sign_in(app, 'ada', 10)
    assert_problem(sign_in(app, 'ada', PASSWORD), 429)


def test_tokens_work_while_sign_ins_are_throttled(app: Any, ada: Client) -> None:
    fail_to_sign_in(app, 'ada', 10)
    assert ada.publish('still here').status == 201


def test_tokens_are_renewed_while_sign_ins_are_throttled(app: Any, ada: Client) -> None:
    fail_to_sign_in(app, 'ada', 10)
    assert ada.post(ada.entry().href('hc:tokens')).status == 200


def test_a_correct_password_works_after_retry_after(app: Any, ada: Client, clock: MovableClock) -> None:
    fail_to_sign_in(app, 'ada', 10)
    clock.move(seconds=int(sign_in(app, 'ada', PASSWORD).headers['retry-after']))
    assert sign_in(app, 'ada', PASSWORD).status == 200


def test_retry_after_is_at_most_fifteen_minutes(app: Any, ada: Client) -> None:
    fail_to_sign_in(app, 'ada', 10)
    assert 0 < int(sign_in(app, 'ada', PASSWORD).headers['retry-after']) <= 900


def test_further_attempts_do_not_prolong_the_lockout(app: Any, ada: Client, clock: MovableClock) -> None:
    fail_to_sign_in(app, 'ada', 10)
    for _ in range(14):
        clock.move(seconds=60)
        fail_to_sign_in(app, 'ada', 3)
    clock.move(seconds=60)
    assert sign_in(app, 'ada', PASSWORD).status == 200


def test_each_failure_counts_for_fifteen_minutes(app: Any, ada: Client, clock: MovableClock) -> None:
    fail_to_sign_in(app, 'ada', 5)
    clock.move(seconds=600)
    fail_to_sign_in(app, 'ada', 5)
    clock.move(seconds=301)
    assert fail_to_sign_in(app, 'ada', 6) == [401] * 5 + [429]


def test_a_success_does_not_reset_the_count_of_an_account(app: Any, ada: Client) -> None:
    fail_to_sign_in(app, 'ada', 9)
    assert sign_in(app, 'ada', PASSWORD).status == 200
    assert fail_to_sign_in(app, 'ada', 2) == [401, 429]


def test_unknown_names_are_throttled_like_existing_ones(app: Any, ada: Client) -> None:
    existing, unknown = fail_to_sign_in(app, 'ada', 12), fail_to_sign_in(app, 'unknown', 12)
    assert existing == unknown


def test_throttling_does_not_reveal_whether_a_name_exists(app: Any, ada: Client) -> None:
    fail_to_sign_in(app, 'ada', 10)
    fail_to_sign_in(app, 'unknown', 10)
    existing, unknown = sign_in(app, 'ada', WRONG_PASSWORD), sign_in(app, 'unknown', WRONG_PASSWORD)
    assert existing.stable_headers == unknown.stable_headers
    assert existing.json == unknown.json


def test_a_throttled_sign_in_computes_no_hash(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[bytes] = []
    check = bcrypt.checkpw
    monkeypatch.setattr(
        bcrypt, 'checkpw', lambda password, salted: hashed.append(salted) or check(password, salted)
    )
    assert fail_to_sign_in(app, 'unknown', 11) == [401] * 10 + [429]
    assert len(hashed) == 10


def test_sign_ins_that_wait_for_bcrypt_leave_threads_to_other_requests(
    app: Any, ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    proceed = threading.Event()
    monkeypatch.setattr(bcrypt, 'checkpw', lambda *_: proceed.wait(30))
    with ThreadPoolExecutor(MAX_HASHING + 1) as threads:
        sign_ins = [threads.submit(sign_in, app, 'ada', PASSWORD) for _ in range(MAX_HASHING + 1)]
        first, others = wait(sign_ins, timeout=30, return_when=FIRST_COMPLETED)
        proceed.set()
    [rejected] = first
    assert_problem(rejected.result(), 503)
    assert rejected.result().json['detail'].startswith('The server is verifying too many passwords')
    assert int(rejected.result().headers['Retry-After']) >= 1
    assert [accepted.result().status for accepted in others] == [200] * MAX_HASHING


def test_an_account_is_throttled_ignoring_the_case_of_its_name(app: Any, ada: Client) -> None:
    assert fail_to_sign_in(app, 'ada', 5) + fail_to_sign_in(app, 'ADA', 6) == [401] * 10 + [429]


def test_other_accounts_are_not_throttled(app: Any, ada: Client, bob: Client) -> None:
    fail_to_sign_in(app, 'ada', 10)
    assert sign_in(app, 'bob', PASSWORD).status == 200


def test_basic_form_and_json_sign_ins_are_counted_together(app: Any, ada: Client) -> None:
    tokens = ada.entry().href('hc:tokens')
    basic = {'Authorization': 'Basic ' + b64encode(f'ada:{WRONG_PASSWORD}'.encode()).decode()}
    form = {'headers': {'Content-Type': FORM}, 'body': 'username=ada&password=wrong'}
    for _ in range(3):
        assert Client(app).post(tokens, headers=basic).status == 401
        assert Client(app).request('POST', tokens, **form).status == 401
    assert fail_to_sign_in(app, 'ada', 4) == [401] * 4
    assert Client(app).post(tokens, headers=basic).status == 429
    assert Client(app).request('POST', tokens, **form).status == 429


def test_a_wrong_password_counts_even_if_the_body_is_rejected(app: Any, ada: Client) -> None:
    def send(password: str) -> int:
        credentials = b64encode(f'ada:{password}'.encode()).decode()
        headers = {'Authorization': f'Basic {credentials}', 'Content-Type': 'image/png'}
        return Client(app).request('POST', '/api/tokens', headers=headers, body=b'x').status

    assert send(PASSWORD) == 415
    assert [send(WRONG_PASSWORD) for _ in range(11)] == [401] * 10 + [429]
    assert send(PASSWORD) == 429


def test_an_incomplete_sign_in_is_not_counted(app: Any, ada: Client) -> None:
    tokens = ada.entry().href('hc:tokens')
    assert {Client(app).post(tokens, {'username': 'ada'}).status for _ in range(12)} == {400}
    assert sign_in(app, 'ada', PASSWORD).status == 200


def test_failures_are_counted_across_nodes(start: Start, ada: Client) -> None:
    nodes = [start(), start()]
    assert [fail_to_sign_in(nodes[turn % 2], 'ada', 1) for turn in range(11)] == [[401]] * 10 + [[429]]


def test_a_hundred_failures_throttle_an_ip_address(app: Any, ada: Client) -> None:
    assert {status for name in range(10) for status in fail_to_sign_in(app, f'name{name}', 10)} == {401}
    assert_problem(sign_in(app, 'ada', PASSWORD), 429)


def test_other_ip_addresses_are_not_throttled(app: Any, ada: Client) -> None:
    for name in range(10):
        fail_to_sign_in(app, f'name{name}', 10, remote_addr='203.0.113.7')
    assert sign_in(app, 'ada', PASSWORD, remote_addr='203.0.113.7').status == 429
    assert sign_in(app, 'ada', PASSWORD, remote_addr='203.0.113.8').status == 200


def test_a_success_does_not_reset_the_count_of_an_ip_address(app: Any, ada: Client) -> None:
    for name in range(10):
        fail_to_sign_in(app, f'name{name}', 9)
        assert sign_in(app, 'ada', PASSWORD).status == 200
    assert fail_to_sign_in(app, 'another', 10) == [401] * 10
    assert sign_in(app, 'ada', PASSWORD).status == 429


def test_a_forged_forwarding_header_is_ignored(app: Any, ada: Client) -> None:
    statuses = [
        sign_in(app, f'name{turn}', WRONG_PASSWORD, headers={'X-Forwarded-For': f'198.51.100.{turn}'}).status
        for turn in range(101)
    ]
    assert statuses == [401] * 100 + [429]


def test_a_trusted_proxy_reports_the_ip_address_of_the_client(start: Start, ada: Client) -> None:
    app = start(FORWARDED_ALLOW_IPS='10.0.0.1')
    first, second = (
        {'remote_addr': '10.0.0.1', 'headers': {'X-Forwarded-For': client}}
        for client in ('198.51.100.1', '198.51.100.2')
    )
    for name in range(10):
        fail_to_sign_in(app, f'name{name}', 10, **first)
    assert sign_in(app, 'ada', PASSWORD, **first).status == 429
    assert sign_in(app, 'ada', PASSWORD, **second).status == 200


def test_ipv6_clients_are_counted_by_network(app: Any, ada: Client) -> None:
    statuses = [
        sign_in(app, f'name{turn}', WRONG_PASSWORD, remote_addr=f'2001:db8::{turn + 1:x}').status
        for turn in range(101)
    ]
    assert statuses == [401] * 100 + [429]
    assert sign_in(app, 'ada', PASSWORD, remote_addr='2001:db8:0:1::1').status == 200


def change_password(client: Client, current: str) -> ApiResponse:
    return client.me().submit('change-password', current_password=current, password='another horse')


def test_a_wrong_current_password_counts_as_a_failed_sign_in(app: Any, ada: Client) -> None:
    assert [change_password(ada, WRONG_PASSWORD).status for _ in range(10)] == [400] * 10
    assert_problem(change_password(ada, PASSWORD), 429)
    assert_problem(sign_in(app, 'ada', PASSWORD), 429)


def test_failed_sign_ins_throttle_changing_the_password(app: Any, ada: Client) -> None:
    fail_to_sign_in(app, 'ada', 10)
    assert_problem(change_password(ada, PASSWORD), 429)


def test_renaming_an_account_does_not_reset_its_count(app: Any, ada: Client) -> None:
    fail_to_sign_in(app, 'ada', 10)
    assert ada.me().submit('edit', username='countess').status == 200
    assert fail_to_sign_in(app, 'countess', 1) == [429]


def test_failed_credentials_are_not_stored(start: Start, tmp_path: Path) -> None:
    app = start(DATABASE_URL=f'sqlite:///{tmp_path}/failed.db')
    Client(app).register('ada')
    for username in ('ada', 'hunter-2-as-a-name', 'x' * 60_000):
        assert fail_to_sign_in(app, username, 1) == [401]
    stored = b''.join(path.read_bytes() for path in tmp_path.glob('failed.db*'))
    assert b'ada@example.org' in stored
    for submitted in (WRONG_PASSWORD, 'hunter-2-as-a-name', 'x' * 100):
        assert submitted.encode() not in stored


def test_the_limit_of_registrations_hides_whether_an_email_is_taken(
    ada: Client, bob: Client, db: Session
) -> None:
    """Formerly, above the limit, a change to a taken email got 429, but one to an unused email 200."""
    ip_address = '192.0.2.1'
    for _ in range(REGISTRATION.attempts):
        count_attempt(db, address_subjects((REGISTRATION,), ip_address))
    me = ada.me().href('self')
    for email in ('bob@example.org', 'unused@example.org'):
        assert ada.request('PATCH', me, json={'email': email}, remote_addr=ip_address).status == 429
    unchanged = ada.request('PATCH', me, json={'email': 'ada@example.org'}, remote_addr=ip_address)
    assert unchanged.status == 200


@pytest.mark.parametrize('method', ['PUT', 'PATCH'])
def test_changing_to_a_taken_email_counts_as_a_registration(
    ada: Client, bob: Client, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(users, 'REGISTRATION', REGISTRATION._replace(attempts=5))
    me = ada.me().href('self')
    probe = {'username': 'bob', 'email': 'bob@example.org'}
    statuses = [ada.request(method, me, json=probe).status for _ in range(5)]
    assert statuses == [400, 400, 400, 429, 429]  # two registrations were counted before
    assert ada.patch(me, {'about_me': 'still here'}).status == 200
