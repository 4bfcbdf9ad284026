"""Accounts: suspension by the operator, and closed registration."""

from __future__ import annotations

import pytest

from service.database.session import Session
from service.domain.credentials import restore_user, suspend_user
from service.domain.users import find_user_by_username
from tests.client import HTML, JSON_API, LOGIN, PASSWORD, Client, assert_problem, new_user
from tests.conftest import Start


def suspend(db: Session, name: str) -> int:
    """Suspend a user, and return the number of their tokens that were revoked."""
    return suspend_user(db, find_user_by_username(db, name).id)


def sign_in(client: Client, **options: str) -> int:
    """Sign in as Ada, and return the status of the response."""
    return client.post('/api/tokens', LOGIN, **options).status


def test_a_suspended_user_has_no_valid_token(ada: Client, bob: Client, db: Session) -> None:
    ada.sign_in('ada')
    assert suspend(db, 'ada') == 2
    response = ada.entry()
    assert_problem(response, 401)
    assert 'suspended' not in response.text
    assert bob.entry().status == 200


def test_a_suspended_user_cannot_sign_in(ada: Client, client: Client, db: Session) -> None:
    suspend(db, 'ada')
    response = client.entry().submit('login', username='ada', password=PASSWORD)
    assert_problem(response, 403)
    assert response.json['type'].endswith('/account-suspended')
    assert sign_in(client, accept=JSON_API) == sign_in(client, accept=HTML) == 403


def test_a_wrong_password_does_not_disclose_the_suspension(ada: Client, client: Client, db: Session) -> None:
    suspend(db, 'ada')
    wrong = client.post('/api/tokens', {'username': 'ada', 'password': 'wrong horse'})
    unknown = client.post('/api/tokens', {'username': 'nobody', 'password': 'wrong horse'})
    assert (wrong.status, wrong.text) == (unknown.status, unknown.text)


def test_a_restored_user_can_sign_in(ada: Client, client: Client, db: Session) -> None:
    suspend(db, 'ada')
    assert suspend(db, 'ada') == 0
    restore_user(db, find_user_by_username(db, 'ada').id)
    assert sign_in(client) == 200
    assert ada.entry().status == 401


def test_posts_of_a_suspended_user_remain_visible(ada: Client, bob: Client, db: Session) -> None:
    post = ada.publish('Hello')
    suspend(db, 'ada')
    assert bob.get(post.href('self')).status == 200


@pytest.mark.parametrize('accept', [HTML, JSON_API, 'application/hal+json'])
def test_registration_is_forbidden_while_it_is_closed(start: Start, accept: str) -> None:
    client = Client(start(REGISTRATION='closed'))
    assert client.post('/api/users', new_user(), accept=accept).status == 403


def test_the_form_to_register_is_absent_while_registration_is_closed(start: Start) -> None:
    client = Client(start(REGISTRATION='closed'))
    assert set(client.entry().json['_templates']) == {'login'}
    assert 'name="email"' not in client.entry(accept=HTML).text
    response = client.post('/api/users', {})
    assert_problem(response, 403)
    assert response.json['type'].endswith('/registration-closed')
