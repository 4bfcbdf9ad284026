"""Content negotiation of documents and errors."""

from __future__ import annotations

from typing import Any

import falcon.testing
import pytest

from tests.client import HAL, HAL_FORMS, HTML, JSON, JSON_API, PROBLEM, Client, assert_problem

pytestmark = pytest.mark.above_databases

BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'
CHOICES = [
    ('*/*', HAL),
    ('', HAL),
    (' , ,', HAL),
    ('*', HAL),
    ('*; q=0.5', HAL),
    ('application/*', HAL),
    ('text/*', HTML),
    ('text/*, application/*;q=0.9', HTML),
    (HAL, HAL),
    (HAL_FORMS, HAL_FORMS),
    (JSON, JSON),
    (HTML, HTML),
    (BROWSER, HTML),
    ('APPLICATION/HAL+JSON', HAL),
    (f'{JSON}, */*;q=0.5', JSON),
    (f'{HAL};q=0.5, {JSON}', JSON),
    (f'{JSON}, {HAL}', HAL),
    (f'{HTML}, {JSON}, {HAL}, {HAL_FORMS}', HAL_FORMS),
    (f'*/*, {JSON}', JSON),
    (f'{JSON};q=0.5, */*', HAL),
    (f'{HAL};q=0, */*', HAL_FORMS),
    (f'{HAL};q=0, {HAL_FORMS};q=0, */*', JSON_API),
    ('application/*;q=0, */*;q=0.1', HTML),
    (f'{JSON};q=0, application/*', HAL),
    (f'{HAL}; charset=utf-8', HAL),
    (f'{JSON};charset="UTF-8"', JSON),
    (f'{HAL}; profile="http://x.test/a,b"', HAL),
    (f'x/y;a="b,{HTML},c", {JSON}', JSON),
    (f'x/y;a="\\",{HTML}", {JSON}', JSON),
    (f'{HTML};level=1, {JSON};q=0.1', JSON),
    (f'{HTML};q=abc, {JSON}', JSON),
    (f'{HTML};q=1.5, {JSON}', JSON),
    (f'broken, {JSON}', JSON),
    (f'{HTML};Q=0.3, {JSON};q=0.4', JSON),
    (f'{JSON}\t;\tq=0.2 , {HTML} ; q=0.1', JSON),
    (f'{HAL};charset=utf-8;q=0.1, {HAL}, {JSON};q=0.5', JSON),
]


@pytest.mark.parametrize(('accept', 'media_type'), CHOICES)
def test_accept_selects_the_format(client: Client, accept: str, media_type: str) -> None:
    response = client.get('/api', headers={'Accept': accept})
    assert (response.status, response.content_type) == (200, media_type)


@pytest.mark.parametrize(
    'accept',
    [
        'image/png',
        f'{HAL};q=0',
        '*/*;q=0',
        'application/xml, image/*',
        f'{HAL};foo=bar',
        'garbage',
        ';',
        f'{JSON};q=0, {HTML};q=0.000',
    ],
)
def test_an_unavailable_type_is_406_and_lists_the_available_ones(client: Client, accept: str) -> None:
    response = client.get('/api', headers={'Accept': accept})
    assert_problem(response, 406)
    for media_type in (HAL, HAL_FORMS, JSON, HTML):
        assert media_type in response.json['detail']


def test_a_write_without_an_acceptable_type_has_no_effect(ada: Client) -> None:
    response = ada.post('/api/posts', {'body': 'x'}, accept='image/png')
    assert response.status == 406
    assert ada.me().json['post_count'] == 0


def test_a_request_without_accept_gets_hal(app: Any) -> None:
    result = falcon.testing.simulate_get(app, '/api', host='halcyon.test')
    assert result.headers['content-type'] == HAL


def test_application_json_is_the_hal_document(ada: Client) -> None:
    me = ada.me().href('self')
    assert ada.get(me, accept=JSON).text == ada.get(me, accept=HAL).text


def test_a_document_without_forms_is_plain_hal(ada: Client) -> None:
    url = ada.me().follow('hc:followers').href('self')
    assert ada.get(url).content_type == HAL
    response = ada.get(url, accept=HAL_FORMS)
    assert response.content_type == HAL_FORMS
    assert response.json['_templates'] == {}


@pytest.mark.parametrize(
    ('accept', 'media_type'),
    [
        ('*/*', PROBLEM),
        (HAL, PROBLEM),
        (HAL_FORMS, PROBLEM),
        ('image/png', PROBLEM),
        ('*/*;q=0', PROBLEM),
        (PROBLEM, PROBLEM),
        (f'{JSON}, {PROBLEM}', PROBLEM),
        (JSON, JSON),
        (f'{JSON}, */*;q=0.5', JSON),
        (f'{JSON};q=0.5, {HAL}', PROBLEM),
        (HTML, HTML),
        (BROWSER, HTML),
    ],
)
@pytest.mark.parametrize(('url', 'status'), [('/nothing', 404), ('/api/users', 401)])
def test_errors_are_in_the_preferred_format(
    client: Client, url: str, status: int, accept: str, media_type: str
) -> None:
    response = client.get(url, headers={'Accept': accept})
    assert (response.status, response.content_type) == (status, media_type)
