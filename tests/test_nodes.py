"""Nodes: what one of them does to a token holds on all of them at once, and clocks may step."""

from __future__ import annotations

import pytest

from tests.client import Client, assert_problem
from tests.clock import MovableClock
from tests.conftest import Start


@pytest.fixture
def elsewhere(start: Start, ada: Client) -> Client:
    """The same user with the same token, at another node."""
    return Client(start(), ada.token)


def test_a_token_works_on_every_node(elsewhere: Client) -> None:
    assert elsewhere.me().state['username'] == 'ada'


def test_a_revoked_token_is_refused_on_every_node(ada: Client, elsewhere: Client) -> None:
    assert elsewhere.entry().status == 200
    ada.delete(ada.entry().href('hc:tokens'))
    assert_problem(elsewhere.entry(), 401)


def test_a_renewed_token_is_refused_on_every_node(ada: Client, elsewhere: Client) -> None:
    assert elsewhere.entry().status == 200
    ada.post(ada.entry().href('hc:tokens'))
    assert_problem(elsewhere.entry(), 401)


def test_an_expired_token_is_refused_on_every_node(
    ada: Client, elsewhere: Client, clock: MovableClock
) -> None:
    clock.move(seconds=3590)
    assert elsewhere.entry().status == 200
    clock.move(seconds=10)
    assert_problem(elsewhere.entry(), 401)
    assert_problem(ada.entry(), 401)


def test_changing_the_password_revokes_other_tokens_on_every_node(ada: Client, start: Start) -> None:
    other = Client(start(), ada.sign_in('ada').token)
    assert other.entry().status == 200
    changed = ada.me().submit('change-password', current_password='correct horse', password='another horse')
    assert changed.status == 204
    assert_problem(other.entry(), 401)
    assert ada.entry().status == 200


def test_the_old_password_is_refused_on_every_node(ada: Client, elsewhere: Client) -> None:
    ada.me().submit('change-password', current_password='correct horse', password='another horse')
    login = Client(elsewhere.app).entry()
    assert_problem(login.submit('login', username='ada', password='correct horse'), 401)
    assert login.submit('login', username='ada', password='another horse').status == 200


def test_a_deleted_account_is_gone_on_every_node(ada: Client, elsewhere: Client) -> None:
    assert ada.me().submit('delete').status == 204
    assert_problem(elsewhere.entry(), 401)


def test_a_token_that_is_used_all_the_time_expires_all_the_same(ada: Client, clock: MovableClock) -> None:
    for _ in range(5):
        clock.move(seconds=700)
        assert ada.publish('still here').status == 201
    clock.move(seconds=101)
    assert_problem(ada.entry(), 401)


def test_renewals_end_with_the_longest_age_of_a_sign_in(start: Start, clock: MovableClock) -> None:
    client = Client(start(TOKEN_LIFETIME='600', TOKEN_MAX_AGE='1500'))
    client.register('ada')
    ada, lifetimes = client.sign_in('ada'), []
    for _ in range(2):
        clock.move(seconds=590)
        renewed = ada.post(ada.entry().href('hc:tokens'))
        lifetimes.append(renewed.state['expires_in'])
        ada = Client(client.app, renewed.state['token'])
    assert lifetimes[0] == 600
    assert 300 < lifetimes[1] <= 320
    clock.move(seconds=320)
    assert_problem(ada.entry(), 401)


def test_a_token_works_on_when_the_clock_steps_back(ada: Client, clock: MovableClock) -> None:
    clock.move(seconds=-600)
    assert ada.publish('hello').status == 201


def test_a_revoked_token_stays_revoked_when_the_clock_steps_back(ada: Client, clock: MovableClock) -> None:
    ada.delete(ada.entry().href('hc:tokens'))
    clock.move(seconds=-3600)
    assert_problem(ada.entry(), 401)


def test_what_is_published_later_stands_first_when_the_clock_stepped_back(
    ada: Client, clock: MovableClock
) -> None:
    ada.publish('earlier')
    clock.move(seconds=-3600)
    ada.publish('later')
    assert [post['body'] for post in ada.follow('hc:posts').items] == ['later', 'earlier']


def test_a_sign_in_after_the_clock_stepped_back_lives_as_long_as_it_says(
    client: Client, ada: Client, clock: MovableClock
) -> None:
    clock.move(seconds=-3600)
    fresh = client.sign_in('ada')
    clock.move(seconds=3590)
    assert fresh.entry().status == 200
    clock.move(seconds=10)
    assert_problem(fresh.entry(), 401)
