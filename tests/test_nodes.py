"""Nodes: changes of tokens and passwords take effect on all nodes immediately."""

from __future__ import annotations

import pytest

from tests.client import Client, assert_problem
from tests.clock import MovableClock
from tests.conftest import Start


@pytest.fixture
def other_node(start: Start, ada: Client) -> Client:
    """Ada with the same token, on another node."""
    return Client(start(), ada.token)


def test_a_token_works_on_every_node(other_node: Client) -> None:
    assert other_node.me().json['username'] == 'ada'


def test_a_revoked_token_is_rejected_on_every_node(ada: Client, other_node: Client) -> None:
    assert other_node.entry().status == 200
    ada.delete(ada.entry().href('hc:tokens'))
    assert_problem(other_node.entry(), 401)


def test_a_renewed_token_is_valid_for_thirty_seconds_on_every_node(
    ada: Client, other_node: Client, clock: MovableClock
) -> None:
    ada.post(ada.entry().href('hc:tokens'))
    assert other_node.post('/api/tokens').status == 200
    clock.move(seconds=30)
    assert_problem(other_node.entry(), 401)


def test_an_expired_token_is_rejected_on_every_node(
    ada: Client, other_node: Client, clock: MovableClock
) -> None:
    clock.move(seconds=3590)
    assert other_node.entry().status == 200
    clock.move(seconds=10)
    assert_problem(other_node.entry(), 401)
    assert_problem(ada.entry(), 401)


def test_changing_the_password_revokes_other_tokens_on_every_node(ada: Client, start: Start) -> None:
    other = Client(start(), ada.sign_in('ada').token)
    assert other.entry().status == 200
    changed = ada.me().submit('change-password', current_password='correct horse', password='another horse')
    assert changed.status == 204
    assert_problem(other.entry(), 401)
    assert ada.entry().status == 200


def test_the_old_password_is_rejected_on_every_node(ada: Client, other_node: Client) -> None:
    ada.me().submit('change-password', current_password='correct horse', password='another horse')
    entry = Client(other_node.app).entry()
    assert_problem(entry.submit('login', username='ada', password='correct horse'), 401)
    assert entry.submit('login', username='ada', password='another horse').status == 200


def test_a_deleted_account_is_signed_out_on_every_node(ada: Client, other_node: Client) -> None:
    assert ada.me().submit('delete').status == 204
    assert_problem(other_node.entry(), 401)
