"""People: signing up, reading, changing and deleting."""

import pytest

from tests.client import Client, assert_problem


def test_a_new_user_is_at_the_location_of_the_answer(client: Client) -> None:
    answer = client.register('ada', about_me='Countess')
    assert answer.status == 201
    assert answer.headers['location'] == answer.href('self')
    ada = client.sign_in('ada').get(answer.href('self'))
    assert ada.state['username'] == 'ada'
    assert ada.state['about_me'] == 'Countess'


def test_a_taken_username_changes_nothing(client: Client, ada: Client) -> None:
    refused = client.register('ADA', email='new@example.org')
    assert_problem(refused, 400, '#/username')
    assert ada.follow('hc:users').state['_meta']['total_items'] == 1


def test_every_broken_field_is_named_at_once(client: Client) -> None:
    refused = client.register('a da', email='nobody', password='short')
    assert_problem(refused, 400, '#/username', '#/email', '#/password')


@pytest.mark.parametrize('name', ['', 'ä', 'a b', 'x' * 65, 'a/b'])
def test_a_username_that_breaks_the_rules_is_refused(client: Client, name: str) -> None:
    assert_problem(client.register(name, email='x@example.org'), 400, '#/username')
