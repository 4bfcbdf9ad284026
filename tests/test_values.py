"""Values of fields: numbers, text, email addresses and passwords as people and browsers write them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from service.domain import throttle
from tests.client import FORM, Client, assert_problem


@pytest.fixture
def items(ada: Client) -> str:
    return ada.follow('hc:stores').submit('create', name='Looms').href('hc:items')


@pytest.mark.parametrize(
    ('price', 'stored'),
    [
        ('.99', '0.99'),
        ('1e1', '10.00'),
        ('1E+1', '10.00'),
        ('150e-1', '15.00'),
        ('.5e1', '5.00'),
        ('0e9999', '0.00'),
        ('-0', '0.00'),
        ('007.50', '7.50'),
        (1e1, '10.00'),
    ],
)
def test_a_number_may_have_the_syntax_of_html(ada: Client, items: str, price: Any, stored: str) -> None:
    response = ada.post(items, {'name': 'Shuttle', 'price': price})
    assert response.status == 201, response.text
    assert response.json['price'] == stored


@pytest.mark.parametrize(
    'price',
    ['1.', '.', '', '+1', '1e', 'e1', '1e9999', '1e-9', '1,5', ' 1', '٣', 'NaN', 'Infinity', '1_0'],
)
def test_text_that_is_not_an_html_number_is_rejected(ada: Client, items: str, price: str) -> None:
    response = ada.post(items, {'name': 'Shuttle', 'price': price})
    assert_problem(response, 400, '#/price')
    assert 'must be a number' in response.json['errors'][0]['detail']


@pytest.mark.parametrize('text', ['a\r\nb', 'a\nb', 'a\r\n\r\nb'])
def test_line_ends_are_the_same_in_json_and_forms(ada: Client, text: str) -> None:
    sent = ada.post('/api/posts', {'body': text})
    posted = ada.post('/api/posts', body=urlencode({'body': text}).encode(), headers={'Content-Type': FORM})
    assert sent.json['body'] == posted.json['body'] == text.replace('\r\n', '\n')


@pytest.mark.parametrize(
    'text',
    [
        '\u200b',
        '\u00ad\u2060',
        '\u3164',
        ' \ufeff\u200d ',
        '\u2800',
        '\U000e0001\U000e0041',
        '\ufe0f',
        '\u200e\u202e',
    ],
)
def test_invisible_text_is_blank(ada: Client, text: str) -> None:
    assert_problem(ada.post('/api/posts', {'body': text}), 400, '#/body')
    assert_problem(ada.post('/api/stores', {'name': text}), 400, '#/name')


@pytest.mark.parametrize('text', ['👩\u200d👩\u200d👧', 'x\u200b', '❤\ufe0f', '\u0301'])
def test_text_with_invisible_characters_among_others_is_kept(ada: Client, text: str) -> None:
    assert ada.post('/api/posts', {'body': text}).json['body'] == text


def test_a_lone_surrogate_is_reported_as_such(ada: Client) -> None:
    headers = {'Content-Type': 'application/json'}
    response = ada.post('/api/posts', body=b'{"body": "\\ud800"}', headers=headers)
    assert_problem(response, 400, '#/body')
    assert 'control' not in response.text


@pytest.mark.parametrize(
    'email',
    [
        'user@münchen.de',
        'пользователь@пример.рф',
        'a.b@xn--mnchen-3ya.de',
        "o'neil+tag@example.org",
        'user@localhost',
        'ü' * 32 + '@x.org',
    ],
)
def test_internationalised_email_addresses_are_accepted(client: Client, email: str) -> None:
    assert client.register('eve', email=f'  {email}\t').status == 201
    assert client.sign_in('eve').me().json['email'] == email


@pytest.mark.parametrize(
    'email',
    [
        'a..b@x.org',
        '.a@x.org',
        'a.@x.org',
        'a@x..org',
        'a@.org',
        'a@-x.org',
        'a@x-.org',
        'a b@x.org',
        'a@b@x.org',
        '@x.org',
        'a@',
        'a' * 65 + '@x.org',
        'ü' * 33 + '@x.org',
        'a@' + 'x' * 64 + '.org',
        'a@x_y.org',
        'a@ü\u200b..de',
    ],
)
def test_malformed_email_addresses_are_rejected(client: Client, email: str) -> None:
    body = {'username': 'eve', 'email': email, 'password': 'correct horse'}
    assert_problem(client.post('/api/users', body), 400, '#/email')


@pytest.mark.parametrize('password', ['я' * 42, '🔑' * 64, 'x' * 73, 'x' * 256, 'я' * 256, 'x' * 72])
def test_a_password_of_256_characters_is_not_truncated(client: Client, password: str) -> None:
    assert client.register('eve', password).status == 201
    assert client.sign_in('eve', password).me().status == 200
    wrong = client.post('/api/tokens', {'username': 'eve', 'password': password[:-1] + 'y'})
    assert wrong.status == 401


def test_a_password_of_257_characters_is_rejected(client: Client) -> None:
    body = {'username': 'eve', 'email': 'eve@example.org', 'password': 'я' * 257}
    response = client.post('/api/users', body)
    assert_problem(response, 400, '#/password')
    assert 'at most 256 characters' in response.text


@pytest.mark.parametrize('method', ['PUT', 'PATCH'])
def test_changing_to_a_taken_email_counts_as_a_registration(
    ada: Client, bob: Client, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(throttle, 'REGISTRATION', throttle.REGISTRATION._replace(attempts=5))
    me = ada.me().href('self')
    probe = {'username': 'bob', 'email': 'bob@example.org'}
    statuses = [ada.request(method, me, json=probe).status for _ in range(5)]
    assert statuses == [400, 400, 400, 429, 429]  # two registrations were counted before
    assert ada.patch(me, {'about_me': 'still here'}).status == 200
