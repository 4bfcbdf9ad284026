"""Values of fields: numbers and text as people and browsers write them; test_users.py tests the others."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

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
def test_line_endings_are_stored_as_line_feeds(ada: Client, text: str) -> None:
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
def test_invisible_characters_within_text_are_kept(ada: Client, text: str) -> None:
    assert ada.post('/api/posts', {'body': text}).json['body'] == text


def test_a_lone_surrogate_is_not_reported_as_a_control_character(ada: Client) -> None:
    headers = {'Content-Type': 'application/json'}
    response = ada.post('/api/posts', body=b'{"body": "\\ud800"}', headers=headers)
    assert_problem(response, 400, '#/body')
    assert 'control' not in response.text
