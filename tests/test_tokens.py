"""Tokens: signing in, renewing, listing, revoking and expiring."""

from __future__ import annotations

from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import bcrypt
import pytest

from tests.client import HTML, PASSWORD, Client, assert_problem
from tests.clock import MovableClock
from tests.conftest import Start

SECRETS = {'token', 'token_type', 'expires_in'}


def basic(name: str, password: str = PASSWORD) -> dict[str, str]:
    return {'Authorization': 'Basic ' + b64encode(f'{name}:{password}'.encode()).decode()}


def request_token(client: Client, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return client.post(client.entry().href('hc:tokens'), body or None, headers=headers)


def test_a_name_and_its_password_get_a_token(client: Client, ada: Client) -> None:
    response = request_token(client, username='ada', password=PASSWORD)
    assert response.status == 200
    assert 'location' not in response.headers
    assert response.json['token'].startswith('hc_')
    assert len(response.json['token']) == 46
    assert (response.json['token_type'], response.json['expires_in']) == ('Bearer', 3600)
    assert Client(client.app, response.json['token']).me().json['username'] == 'ada'


def test_basic_credentials_get_a_token(client: Client, ada: Client) -> None:
    assert request_token(client, basic('ADA')).status == 200


def test_basic_credentials_may_contain_colons_and_any_characters(client: Client) -> None:
    client.register('eve', password='a:b:cö∂å😀')
    assert request_token(client, basic('eve', 'a:b:cö∂å😀')).status == 200


def test_passwords_are_normalized(client: Client) -> None:
    client.register('eve', password='caf\u00e9 noir')
    assert request_token(client, basic('eve', 'cafe\u0301 noir')).status == 200
    assert request_token(client, username='eve', password='cafe\u0301 noir').status == 200


@pytest.mark.parametrize(
    'header', ['Bearer bad', 'Basic bad', 'Basic', 'Digest x', basic('ada', 'wrong')['Authorization']]
)
def test_credentials_in_the_body_take_precedence(client: Client, ada: Client, header: str) -> None:
    response = request_token(client, {'Authorization': header}, username='ada', password=PASSWORD)
    assert response.status == 200


def test_a_body_without_credentials_uses_the_header(client: Client, ada: Client) -> None:
    assert request_token(client, basic('ada'), other='x').status == 200


CHALLENGES = 'Bearer realm="Halcyon", Basic realm="Halcyon", charset="UTF-8"'
INVALID_TOKEN_CHALLENGES = (
    'Bearer realm="Halcyon", error="invalid_token", Basic realm="Halcyon", charset="UTF-8"'
)


@pytest.mark.parametrize(
    ('headers', 'challenge'),
    [
        ({}, CHALLENGES),
        ({'Authorization': 'Digest x'}, CHALLENGES),
        (basic('ada', 'wrong'), CHALLENGES),
        (basic('unknown'), CHALLENGES),
        (basic('a b'), CHALLENGES),
        (basic('ada', 'x' * 100), CHALLENGES),
        (basic('ada', '\0'), CHALLENGES),
        (basic('', ''), CHALLENGES),
        ({'Authorization': 'Basic'}, CHALLENGES),
        ({'Authorization': 'Basic !!!'}, CHALLENGES),
        ({'Authorization': 'Basic YWRh'}, CHALLENGES),
        ({'Authorization': 'Basic ' + b64encode(b'ada:\xff').decode()}, CHALLENGES),
        ({'Authorization': 'Bearer unknown'}, INVALID_TOKEN_CHALLENGES),
        ({'Authorization': 'Bearer'}, INVALID_TOKEN_CHALLENGES),
    ],
)
def test_bad_credentials_get_a_challenge_for_both_schemes(
    client: Client, ada: Client, headers: dict[str, str], challenge: str
) -> None:
    response = request_token(client, headers)
    assert_problem(response, 401)
    assert response.headers['www-authenticate'] == challenge


def test_a_wrong_password_and_an_unknown_name_get_equal_responses(client: Client, ada: Client) -> None:
    wrong, unknown = (
        request_token(client, username=name, password='wrong horse') for name in ('ada', 'unknown')
    )
    assert (wrong.status, wrong.text) == (unknown.status, unknown.text)


@pytest.mark.parametrize('name', ['ada', 'unknown', 'a b'])
def test_every_rejected_sign_in_computes_one_hash(
    client: Client, ada: Client, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    hashed: list[bytes] = []
    check = bcrypt.checkpw
    monkeypatch.setattr(
        bcrypt, 'checkpw', lambda password, salted: hashed.append(salted) or check(password, salted)
    )
    assert request_token(client, username=name, password='wrong horse').status == 401
    assert [salted[:7] for salted in hashed] == [b'$2b$04$']


@pytest.mark.parametrize(
    ('body', 'pointers'),
    [
        ({'username': 'ada'}, ['#/password']),
        ({'password': 'x'}, ['#/username']),
        ({'username': None, 'password': 5}, ['#/username', '#/password']),
    ],
)
def test_an_incomplete_sign_in_reports_the_missing_field(
    client: Client, body: dict[str, Any], pointers: list[str]
) -> None:
    assert_problem(request_token(client, **body), 400, *pointers)


def test_a_renewed_token_stays_valid_for_thirty_seconds(ada: Client, clock: MovableClock) -> None:
    renewed = request_token(ada)
    assert renewed.status == 200
    clock.move(seconds=29)
    assert ada.entry().status == 200
    clock.move(seconds=1)
    assert ada.entry().status == 401
    assert Client(ada.app, renewed.json['token']).entry().status == 200


def test_a_renewal_can_be_repeated_after_a_lost_response(ada: Client, clock: MovableClock) -> None:
    first = request_token(ada)
    clock.move(seconds=20)
    second = request_token(ada)
    assert {first.status, second.status} == {200}
    assert first.json['token'] != second.json['token']
    clock.move(seconds=10)
    assert request_token(ada).status == 401


def test_concurrent_renewals_all_succeed(ada: Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        responses = [*pool.map(lambda _: request_token(Client(ada.app, ada.token)), range(8))]
    assert {response.status for response in responses} == {200}
    assert {Client(ada.app, response.json['token']).entry().status for response in responses} == {200}


def test_the_grace_period_does_not_prolong_a_token(ada: Client, clock: MovableClock) -> None:
    clock.move(seconds=3590)
    assert request_token(ada).status == 200
    clock.move(seconds=10)
    assert ada.entry().status == 401


def test_revoking_a_token_revokes_its_predecessors(ada: Client) -> None:
    second = Client(ada.app, request_token(ada).json['token'])
    third = Client(ada.app, request_token(second).json['token'])
    other = ada.sign_in('ada')
    renewed_elsewhere = Client(ada.app, request_token(other).json['token'])
    third.delete('/api/tokens')
    assert [client.entry().status for client in (ada, second, third)] == [401] * 3
    assert [client.entry().status for client in (other, renewed_elsewhere)] == [200] * 2


def test_exactly_one_token_is_the_current_one(ada: Client) -> None:
    other = ada.sign_in('ada')
    for client in (ada, other):
        current = [item for item in client.follow('hc:tokens').items if item['current']]
        assert len(current) == 1
        assert set(current[0]['_templates']) == {'revoke', 'renew'}
    assert not request_token(ada).json['current']


def test_all_other_tokens_are_revoked_by_a_form(ada: Client, bob: Client) -> None:
    others = [ada.sign_in('ada'), Client(ada.app, request_token(ada).json['token'])]
    response = ada.follow('hc:tokens').submit('revoke-others')
    assert response.status == 204
    assert 'rel="invalidates"' in response.headers['link']
    assert [client.entry().status for client in others] == [401, 401]
    assert {ada.entry().status, bob.entry().status} == {200}
    assert ada.follow('hc:tokens').submit('revoke-others').status == 204


def test_the_other_tokens_have_no_representation(ada: Client) -> None:
    response = ada.get('/api/tokens/others')
    assert response.status == 405
    assert response.headers['allow'] == 'DELETE, OPTIONS'


def test_if_match_never_matches_the_other_tokens(ada: Client) -> None:
    other = ada.sign_in('ada')
    assert ada.delete('/api/tokens/others', headers={'If-Match': '"nope"'}).status == 412
    assert other.entry().status == 200


def test_a_sign_in_can_name_its_token(client: Client, ada: Client) -> None:
    response = client.entry().submit('login', username='ada', password=PASSWORD, name=' Laptop ')
    assert response.json['name'] == 'Laptop'
    assert request_token(client, basic('ada'), name='Phone').json['name'] == 'Phone'
    assert request_token(Client(client.app, response.json['token'])).json['name'] == 'Laptop'
    assert request_token(client, basic('ada'), name='').json['name'] is None
    assert_problem(request_token(client, basic('ada'), name='x' * 81), 400, '#/name')


def test_a_sign_in_can_request_a_shorter_lifetime(client: Client, ada: Client, clock: MovableClock) -> None:
    response = client.entry().submit('login', username='ada', password=PASSWORD, expires_in=60)
    assert response.json['expires_in'] == 60
    short = Client(client.app, response.json['token'])
    assert request_token(short).json['expires_in'] == 60
    clock.move(seconds=60)
    assert short.entry().status == 401


def test_no_token_has_a_longer_lifetime_than_the_setting(client: Client, ada: Client) -> None:
    assert request_token(client, basic('ada'), expires_in=10**9).json['expires_in'] == 3600


@pytest.mark.parametrize('seconds', [0, -1, 1.5, '', 'soon', True, None, 10**10])
def test_an_invalid_lifetime_is_rejected(client: Client, ada: Client, seconds: Any) -> None:
    assert_problem(
        request_token(client, username='ada', password=PASSWORD, expires_in=seconds), 400, '#/expires_in'
    )


def test_expires_in_is_never_zero(start: Start, clock: MovableClock) -> None:
    client = Client(start(TOKEN_LIFETIME='100', TOKEN_MAX_AGE='100'))
    client.register('ada')
    ada = client.sign_in('ada')
    clock.move(seconds=99.5)
    response = request_token(ada)
    assert response.json['expires_in'] == 1
    assert Client(ada.app, response.json['token']).entry().status == 200


def test_a_token_older_than_a_shortened_maximum_age_is_not_renewed(start: Start, clock: MovableClock) -> None:
    client = Client(start())
    client.register('ada')
    ada = client.sign_in('ada')
    clock.move(seconds=100)
    assert request_token(Client(start(TOKEN_MAX_AGE='100'), ada.token)).status == 401


def test_a_user_has_at_most_100_live_tokens(ada: Client) -> None:
    first, second = ada, ada.sign_in('ada')
    signed_in = [ada.sign_in('ada') for _ in range(99)]
    assert first.entry().status == 401
    assert second.follow('hc:tokens').json['_meta']['total_items'] == 100
    assert {client.entry().status for client in (second, signed_in[0], signed_in[-1])} == {200}


def test_a_renewal_at_the_limit_can_be_repeated_after_a_lost_response(ada: Client) -> None:
    signed_in = [ada.sign_in('ada') for _ in range(99)]
    responses = [request_token(signed_in[-1]), request_token(signed_in[-1])]
    assert [response.status for response in responses] == [200, 200]
    renewed = Client(ada.app, responses[-1].json['token'])
    assert renewed.follow('hc:tokens').json['_meta']['total_items'] == 100
    assert ada.entry().status == 401


def test_the_presented_token_can_be_renewed_by_its_form(ada: Client) -> None:
    token = next(item for item in ada.follow('hc:tokens').items)
    assert token['current']
    assert 'token' in ada.submit(token, 'renew').json


def test_renewals_end_at_the_maximum_session_age(start: Start, clock: MovableClock) -> None:
    app = start(TOKEN_LIFETIME='100', TOKEN_MAX_AGE='250')
    client = Client(app)
    client.register('ada')
    ada = client.sign_in('ada')
    lifetimes = []
    for _ in range(3):
        clock.move(seconds=90)
        response = ada.post('/api/tokens')
        lifetimes.append(response.json.get('expires_in'))
        ada.token = response.json.get('token', ada.token)
    assert lifetimes[0] == 100
    assert 60 < lifetimes[1] < 75
    assert lifetimes[2] is None
    assert ada.entry().status == 401


def test_a_token_expires(ada: Client, clock: MovableClock) -> None:
    clock.move(seconds=3590)
    assert ada.entry().status == 200
    clock.move(seconds=10)
    response = ada.entry()
    assert response.status == 401
    assert 'error="invalid_token"' in response.headers['www-authenticate']


def test_valid_tokens_are_listed_without_their_secrets(ada: Client, bob: Client, clock: MovableClock) -> None:
    clock.move(seconds=3000)
    second = ada.sign_in('ada')
    clock.move(seconds=700)
    tokens = second.follow('hc:tokens')
    assert len(tokens.items) == tokens.json['_meta']['total_items'] == 1
    assert not SECRETS & set(tokens.items[0])


def test_deleting_tokens_revokes_only_the_presented_one(ada: Client) -> None:
    other = ada.sign_in('ada')
    response = ada.delete(ada.entry().href('hc:tokens'))
    assert response.status == 204
    assert ada.entry().status == 401
    assert other.entry().status == 200


def test_a_token_is_revoked_by_its_form(ada: Client) -> None:
    other = ada.sign_in('ada')
    token = next(item for item in ada.follow('hc:tokens').items if 'renew' not in item['_templates'])
    assert ada.submit(token, 'revoke').status == 204
    assert other.entry().status == 401
    assert_problem(ada.get(token['_links']['self']['href']), 404)


def test_only_writes_update_last_used_at(ada: Client, clock: MovableClock) -> None:
    def last_used() -> Any:
        return ada.follow('hc:tokens').items[0]['last_used_at']

    last_seen = ada.me().json['last_seen']
    assert last_used() is None
    assert ada.me().json['last_seen'] == last_seen
    clock.move(seconds=60)
    ada.publish('Hello')
    assert last_used() is not None
    assert ada.me().json['last_seen'] > last_seen


def test_signing_in_and_renewing_update_last_seen(ada: Client, clock: MovableClock) -> None:
    times = [ada.me().json['last_seen']]
    clock.move(seconds=60)
    other = ada.sign_in('ada')
    times.append(ada.me().json['last_seen'])
    clock.move(seconds=60)
    request_token(other)
    times.append(ada.me().json['last_seen'])
    assert times == sorted(set(times))


def test_a_token_has_the_user_agent_of_its_request(client: Client, ada: Client) -> None:
    response = request_token(client, basic('ada') | {'User-Agent': 'x' * 300})
    assert response.json['user_agent'] == 'x' * 255


def test_only_the_first_document_of_a_token_has_its_secret(ada: Client) -> None:
    response = request_token(ada.sign_in('ada'))
    again = ada.get(response.href('self'))
    assert again.status == 200
    assert not SECRETS & set(again.json)


def test_a_page_shows_the_name_or_the_browser_of_each_token(client: Client, ada: Client) -> None:
    firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
    request_token(client, basic('ada') | {'User-Agent': firefox})
    request_token(client, basic('ada'), name='Backup script')
    page = ada.get(ada.entry().href('hc:tokens'), accept=HTML).text
    assert 'Firefox on Linux' in page
    assert 'Backup script' in page
    assert page.count('this one') == 1
    assert page.count('data-form="revoke"') == 3
    assert page.count('data-form="revoke-others"') == 1
