"""RateLimit and RateLimit-Policy: the remaining quota of sign-ins and registrations."""

from __future__ import annotations

from typing import Any

import pytest

from service.database.session import Session
from service.domain.errors import Overloaded
from service.domain.models import IdempotencyKey
from tests.client import FORM, HTML, JSON_API, LOGIN, ApiResponse, Client, assert_problem, new_user
from tests.clock import MovableClock

WRONG_LOGIN = {'username': 'ada', 'password': 'wrong horse'}
SIGN_IN_POLICY = '"account";q=10;w=900, "address";q=100;w=900'
REGISTRATION_POLICY = '"registration";q=1000;w=3600'
NEW_USER = new_user('eva')


def limits(response: ApiResponse) -> tuple[str | None, str | None]:
    return response.headers.get('ratelimit-policy'), response.headers.get('ratelimit')


def test_a_sign_in_reports_its_remaining_quota(client: Client, ada: Client) -> None:
    response = client.post('/api/tokens', LOGIN)
    assert response.status == 200
    assert limits(response) == (SIGN_IN_POLICY, '"account";r=10, "address";r=100')


def test_a_failed_sign_in_counts_immediately(client: Client, ada: Client, clock: MovableClock) -> None:
    response = client.post('/api/tokens', WRONG_LOGIN)
    assert response.status == 401
    assert limits(response) == (SIGN_IN_POLICY, '"account";r=9;t=900, "address";r=99;t=900')
    clock.move(seconds=300)
    response = client.post('/api/tokens', {**WRONG_LOGIN, 'username': 'unknown'})
    assert limits(response)[1] == '"account";r=9;t=900, "address";r=98;t=600'
    assert limits(client.post('/api/tokens', LOGIN))[1] == '"account";r=9;t=600, "address";r=98;t=600'


def test_ratelimit_and_retry_after_have_the_same_time(client: Client, ada: Client) -> None:
    for _ in range(10):
        client.post('/api/tokens', WRONG_LOGIN)
    response = client.post('/api/tokens', LOGIN)
    assert response.status == 429
    assert response.headers['retry-after'] == '900'
    assert limits(response) == (SIGN_IN_POLICY, '"account";r=0;t=900, "address";r=90;t=900')


@pytest.mark.parametrize(
    ('options', 'status'),
    [
        ({'json': {'username': 'ada'}}, 400),
        ({'json': {}}, 401),
        ({'body': b'{', 'headers': {'Content-Type': 'application/json'}}, 400),
        ({'body': b'x', 'headers': {'Content-Type': 'text/plain'}}, 415),
        ({'json': LOGIN, 'accept': 'image/png'}, 406),
        ({'json': LOGIN, 'headers': {'If-Match': '"x"'}}, 412),
        ({'headers': {'Authorization': 'Bearer hc_wrong'}}, 401),
    ],
)
def test_a_sign_in_without_an_account_reports_the_ip_address_quota(
    client: Client, options: dict[str, Any], status: int
) -> None:
    response = client.post('/api/tokens', **options)
    assert response.status == status
    assert limits(response) == ('"address";q=100;w=900', '"address";r=100')


def test_a_renewal_reports_the_ip_address_quota(ada: Client) -> None:
    assert limits(ada.post('/api/tokens')) == ('"address";q=100;w=900', '"address";r=100')


@pytest.mark.parametrize('accept', ['*/*', JSON_API, HTML])
def test_registrations_report_their_remaining_quota(client: Client, accept: str) -> None:
    expected = ['"registration";r=999;t=3600', '"registration";r=998;t=3600', '"registration";r=998;t=3600']
    responses = [client.post('/api/users', values, accept=accept) for values in (NEW_USER, NEW_USER, {})]
    assert [response.status for response in responses] == [201, 400, 400]
    assert [limits(response) for response in responses] == [
        (REGISTRATION_POLICY, limit) for limit in expected
    ]


def test_a_form_without_scripts_gets_the_remaining_quota(client: Client) -> None:
    response = client.request(
        'POST',
        '/api/users',
        accept=HTML,
        headers={'Content-Type': FORM},
        body='username=eva&email=eva@example.org&password=correct+horse',
    )
    assert response.status == 303
    assert limits(response) == (REGISTRATION_POLICY, '"registration";r=999;t=3600')


def test_a_retry_is_not_counted_and_reports_the_current_quota(client: Client, clock: MovableClock) -> None:
    key = {'Idempotency-Key': '"one"'}
    assert limits(client.post('/api/users', NEW_USER, headers=key))[1] == '"registration";r=999;t=3600'
    clock.move(seconds=60)
    again = client.post('/api/users', NEW_USER, headers=key)
    assert again.headers['idempotency-replayed'] == 'true'
    assert limits(again)[1] == '"registration";r=999;t=3540'


def test_a_retry_while_the_first_request_is_processed_is_not_counted(client: Client, db: Session) -> None:
    key = {'Idempotency-Key': '"one"'}
    client.post('/api/users', NEW_USER, headers=key)
    processed: dict[Any, Any] = {IdempotencyKey.status: None, IdempotencyKey.expires_at: db.now() + 1000}
    db.engine.execute(IdempotencyKey.update(processed))
    retry = client.post('/api/users', NEW_USER, headers=key)
    assert_problem(retry, 409)
    assert limits(retry)[1] == '"registration";r=999;t=3600'


@pytest.mark.parametrize('name', ['idempotency.bcrypt_digest', 'users.hash_password'])
def test_a_request_with_a_key_that_an_overload_rejects_is_not_counted(
    client: Client, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def reject(*_: object) -> None:
        raise Overloaded('Try again later.')

    key = {'Idempotency-Key': '"one"'}
    with monkeypatch.context() as overload:
        overload.setattr(f'service.domain.{name}', reject)
        assert_problem(client.post('/api/users', NEW_USER, headers=key), 503)
    retry = client.post('/api/users', NEW_USER, headers=key)
    assert (retry.status, limits(retry)[1]) == (201, '"registration";r=999;t=3600')


def test_a_password_change_reports_the_remaining_quota(ada: Client) -> None:
    url = ada.me().href('hc:password')
    response = ada.put(url, {'current_password': 'wrong horse', 'password': 'correct horse 2'})
    assert response.status == 400
    assert limits(response) == (SIGN_IN_POLICY, '"account";r=9;t=900, "address";r=99;t=900')


def test_other_responses_have_no_rate_limit(ada: Client) -> None:
    responses = [
        ada.entry(),
        ada.get('/api/tokens'),
        ada.get('/api/users'),
        ada.request('OPTIONS', '/api/tokens'),
        ada.publish('Hello'),
        ada.put('/api/tokens'),
        ada.me().submit('edit', about_me='x'),
    ]
    assert {limits(response) for response in responses} == {(None, None)}
