"""Content negotiation of JSON:API: the formats of responses and of bodies (JSON:API 1.1 §6)."""

import pytest

from tests.client import HAL, HTML, JSON, JSON_API, PROBLEM, Client, new_user
from tests.json_api_client import JsonApiClient, assert_rejected

pytestmark = pytest.mark.above_databases

PROFILE = f'{JSON_API}; profile="https://example.org/a https://example.org/b"'
WITH_CHARSET = f'{JSON_API}; charset=utf-8'
WITH_EXTENSION = f'{JSON_API}; ext="https://jsonapi.org/ext/atomic"'
NEW_USER = {'type': 'users', 'attributes': new_user()}


@pytest.mark.parametrize(
    ('accept', 'media_type'),
    [
        (JSON_API, JSON_API),
        (JSON_API.upper(), JSON_API),
        (PROFILE, JSON_API),
        (f'{WITH_CHARSET}, {JSON_API}', JSON_API),
        (f'{WITH_EXTENSION}, {JSON_API}', JSON_API),
        (f'{HAL};q=0.5, {JSON_API}', JSON_API),
        (f'{JSON_API}, {JSON}', JSON_API),
        (f'{JSON_API}, {HAL}', HAL),
        (f'{JSON_API};q=0.5, text/html', HTML),
        ('*/*', HAL),
        (f'{JSON_API};q=0, */*', HAL),
    ],
)
def test_the_accept_header_selects_json_api(client: Client, accept: str, media_type: str) -> None:
    response = client.get('/api', accept=accept)
    assert response.status == 200
    assert response.content_type == media_type


@pytest.mark.parametrize(
    'accept',
    [
        WITH_CHARSET,
        WITH_EXTENSION,
        f'{WITH_CHARSET}, {WITH_EXTENSION}',
        f'{WITH_CHARSET}, {HAL}',
        f'{WITH_EXTENSION}, */*',
        f'{PROFILE}; a=b',
    ],
)
def test_json_api_accepted_only_with_parameters_is_406(client: Client, accept: str) -> None:
    assert client.get('/api', accept=accept).status == 406


def test_a_406_lists_json_api(client: Client) -> None:
    response = client.get('/api', accept='image/png')
    assert JSON_API in response.json['detail']


@pytest.mark.parametrize(
    'content_type', [WITH_CHARSET, WITH_EXTENSION, f'{JSON_API}; version=1', f'{JSON_API}; q=1']
)
def test_a_body_in_json_api_with_parameters_is_415(anonymous_api: JsonApiClient, content_type: str) -> None:
    response = anonymous_api.send('POST', '/api/users', NEW_USER, Content_Type=content_type)
    assert response.status == 415
    assert JSON_API in response.headers['accept'].split(', ')


def test_profiles_of_a_body_are_ignored(anonymous_api: JsonApiClient) -> None:
    assert anonymous_api.send('POST', '/api/users', NEW_USER, Content_Type=PROFILE).status == 201


@pytest.mark.parametrize('accept', ['*/*', 'application/*', ''])
def test_a_json_api_body_gets_a_json_api_response(anonymous_api: JsonApiClient, accept: str) -> None:
    response = anonymous_api.send('POST', '/api/users', NEW_USER, Accept=accept)
    assert response.status == 201
    assert response.content_type == JSON_API


def test_an_invalid_json_api_body_gets_json_api_errors(anonymous_api: JsonApiClient) -> None:
    response = anonymous_api.send('POST', '/api/users', {'type': 'users'}, Accept='*/*')
    assert_rejected(response, 400, '/data', '/data', '/data')


def test_a_json_api_body_can_get_another_format(anonymous_api: JsonApiClient) -> None:
    response = anonymous_api.send('POST', '/api/users', NEW_USER, accept=HAL)
    assert response.status == 201
    assert response.content_type == HAL


@pytest.mark.parametrize(
    ('content_type', 'media_type'),
    [(JSON_API, JSON_API), (PROFILE, JSON_API), (f'{JSON_API}; ext=""', JSON_API), (WITH_CHARSET, HAL)],
)
def test_a_json_api_content_type_without_a_body_selects_json_api(
    client: Client, content_type: str, media_type: str
) -> None:
    response = client.get('/api', accept='*/*', headers={'Content-Type': content_type})
    assert response.content_type == media_type


def test_an_empty_list_of_extensions_is_ignored(anonymous_api: JsonApiClient) -> None:
    without_extensions = f'{JSON_API}; ext=""'
    assert anonymous_api.client.get('/api', accept=without_extensions).content_type == JSON_API
    assert anonymous_api.send('POST', '/api/users', NEW_USER, Content_Type=without_extensions).status == 201


@pytest.mark.parametrize(
    ('accept', 'media_type'),
    [(JSON_API, JSON_API), (f'{JSON_API}, {HAL};q=0.1', JSON_API), ('*/*', PROBLEM), (WITH_CHARSET, PROBLEM)],
)
def test_errors_are_in_json_api_if_that_is_preferred(client: Client, accept: str, media_type: str) -> None:
    response = client.get('/api/users', accept=accept)
    assert response.status in (401, 406)
    assert response.content_type == media_type


def test_patch_accepts_json_api(client: Client) -> None:
    response = client.request('OPTIONS', '/api/users/1')
    assert JSON_API in response.headers['accept-patch'].split(', ')
