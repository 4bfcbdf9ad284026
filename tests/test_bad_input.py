"""Invalid input is rejected with a clear error and changes nothing."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.client import FORM, HAL, HAL_FORMS, JSON, JSON_API, Client, assert_problem, new_user

JSON_HEADERS = {'Content-Type': JSON}
FORM_HEADERS = {'Content-Type': FORM}
MALFORMED = [
    b'{',
    b'{"body": "x"',
    b'{"body": "x"}}',
    b'{"body": "x"} x',
    b'[]',
    b'[{"body": "x"}]',
    b'"x"',
    b'null',
    b'1',
    b' ',
    b'{"body": x}',
    b"{'body': 'x'}",
    b'{"body": "x",}',
    b'{"body": NaN}',
    b'{"a": Infinity, "body": "x"}',
    b'{"a": -Infinity, "body": "x"}',
    b'{"body": "x", "body": "y"}',
    b'{"a": {"b": 1, "b": 2}, "body": "x"}',
    b'{"body": "a\nb"}',
    b'{"body": "\x00"}',
    b'{"body": "\xff"}',
    b'{"body": "\xed\xa0\x80"}',
    b'\xef\xbb\xbf{"body": "x"}',
    '{"body": "x"}'.encode('utf-16'),
    b'{"a": ' + b'[' * 32 + b']' * 32 + b', "body": "x"}',
    b'[' * 20000,
    b'{"a":' * 10000,
    b'{"a": ' + b'9' * 5000 + b', "body": "x"}',
    b'{"a": 1e99999999999999999999, "body": "x"}',
    b'{"a": 01, "body": "x"}',
]


@pytest.mark.parametrize('body', MALFORMED, ids=range(len(MALFORMED)))
def test_a_body_that_is_not_a_json_object_is_rejected(ada: Client, body: bytes) -> None:
    response = ada.request('POST', '/api/posts', headers=JSON_HEADERS, body=body)
    assert_problem(response, 400)
    assert response.json['type'].endswith('/malformed-body')
    assert ada.me().json['post_count'] == 0


def test_the_error_for_malformed_json_has_its_position(ada: Client) -> None:
    response = ada.request('POST', '/api/posts', headers=JSON_HEADERS, body=b'{"a": 1,\n "b" 2}')
    assert 'line 2, column 6' in response.json['detail']


@pytest.mark.parametrize(
    'body',
    [
        b'{"a": ' + b'[' * 31 + b']' * 31 + b', "body": "x"}',
        b'{"a": ' + b'9' * 400 + b', "body": "x"}',
        b'{"a": 1e400, "body": "x"}',
        b'{"a": "\\ud800", "body": "x"}',
        b' \t\r\n{"body": "x"}\n',
        b'{"_links": null, "_embedded": [], "id": -1, "": "", "body": "x"}',
        json.dumps({'a': 'x' * (65536 - 24), 'body': 'x'}).encode(),
    ],
)
def test_unusual_but_valid_json_is_accepted(ada: Client, body: bytes) -> None:
    assert len(body) <= 65536
    assert ada.request('POST', '/api/posts', headers=JSON_HEADERS, body=body).status == 201


@pytest.mark.parametrize('chunked', [False, True])
def test_a_body_over_64_kib_is_too_large(ada: Client, chunked: bool) -> None:
    body = b'{"body": "x"}' + b' ' * 65536
    assert_problem(send(ada, '/api/posts', body, chunked=chunked), 413)


def test_a_body_of_64_kib_is_accepted(ada: Client) -> None:
    body = b'{"body": "x"}'.ljust(65536)
    assert send(ada, '/api/posts', body, chunked=True).status == 201


def send(client: Client, url: str, body: bytes, *, chunked: bool, **headers: str) -> Any:
    """Post a body with a length or in chunks, as a server passes it to the application."""
    if not chunked:
        return client.request('POST', url, headers=JSON_HEADERS | headers, body=body)
    extras = {'wsgi.input': io.BytesIO(body)}
    chunked_headers = JSON_HEADERS | {'Transfer-Encoding': 'chunked'} | headers
    return client.request('POST', url, headers=chunked_headers, extras=extras)


def test_a_chunked_body_is_accepted(ada: Client) -> None:
    assert send(ada, '/api/posts', b'{"body": "x"}', chunked=True).status == 201


def test_a_chunked_body_may_be_empty(ada: Client) -> None:
    assert_problem(send(ada, '/api/posts', b'', chunked=True), 400, '#/body')


class BrokenStream(io.BytesIO):
    """A stream that raises an error, like the stream of a server at a malformed chunk."""

    def read(self, size: int | None = -1) -> bytes:
        raise ValueError('invalid chunk size')


@pytest.mark.parametrize('extra_headers', [{}, {'Idempotency-Key': '"k"'}])
def test_an_incomplete_chunked_body_is_malformed(ada: Client, extra_headers: dict[str, str]) -> None:
    headers = JSON_HEADERS | {'Transfer-Encoding': 'chunked'} | extra_headers
    response = ada.request('POST', '/api/posts', headers=headers, extras={'wsgi.input': BrokenStream()})
    assert_problem(response, 400)


def test_a_body_shorter_than_its_content_length_is_malformed(ada: Client) -> None:
    extras = {'wsgi.input': io.BytesIO(b'{"body": "x"}'), 'CONTENT_LENGTH': '20'}
    assert_problem(ada.request('POST', '/api/posts', headers=JSON_HEADERS, extras=extras), 400)


@pytest.mark.parametrize('value', [None, 5, 1.5, True, [], ['x'], {}, {'x': 'y'}])
@pytest.mark.parametrize('name', ['username', 'email', 'password', 'about_me'])
def test_a_value_that_is_not_a_string_is_rejected(client: Client, name: str, value: Any) -> None:
    if (name, value) == ('about_me', None):
        pytest.skip('null empties about_me')
    assert_problem(client.post('/api/users', new_user() | {name: value}), 400, f'#/{name}')


FORBIDDEN_CHARACTERS = ['\0', 'a\0b', '\x07', '\x1b[31m', '\x7f', '\x85', '\r', '\t', '\ud800', '\udfff']


@pytest.mark.parametrize('text', FORBIDDEN_CHARACTERS)
@pytest.mark.parametrize('name', ['username', 'email', 'password', 'about_me'])
def test_control_characters_and_lone_surrogates_are_rejected(client: Client, name: str, text: str) -> None:
    value = new_user().get(name, '')
    value = value[:-1] + text + value[-1:]  # before the last character, because an email is trimmed
    body = json.dumps(new_user() | {name: value}).encode()
    assert_problem(client.request('POST', '/api/users', headers=JSON_HEADERS, body=body), 400, f'#/{name}')


def test_a_name_with_a_lone_surrogate_is_rejected(client: Client) -> None:
    """Formerly the error for an unknown relationship of this name could not be encoded and became a 500."""
    headers = {'Content-Type': JSON_API}
    data = {'type': 'users', 'attributes': new_user(), 'relationships': {'\ud800': {'data': None}}}
    body = json.dumps({'data': data}).encode()
    response = client.request('POST', '/api/users', headers=headers, body=body)
    assert_problem(response, 400)
    assert response.json['detail'] == 'The name "\\ud800" must not contain a lone surrogate.'


@pytest.mark.parametrize(
    'content_type',
    ['', 'image/png', 'text/plain', 'json', 'application/jsonx', 'application/json, application/json', '*/*',
     'application/json; charset=latin-1', 'application/json; charset', 'application/merge-patch+json',
     'a/b/c', 'application/vnd.api+xml', 'multipart/form-data; boundary=x'],
)  # fmt: skip
def test_an_unsupported_media_type_is_415_and_lists_the_supported_types(
    ada: Client, content_type: str
) -> None:
    headers = {'Content-Type': content_type} if content_type else {}
    response = ada.request('POST', '/api/posts', headers=headers, body=b'{"body": "x"}')
    assert_problem(response, 415)
    assert {'application/json', HAL, HAL_FORMS} <= set(response.headers['accept'].split(', '))
    assert 'accept-patch' not in response.headers


def test_a_415_response_to_patch_has_accept_patch(ada: Client) -> None:
    response = ada.request(
        'PATCH', ada.me().href('self'), headers={'Content-Type': 'application/json-patch+json'}, body=b'[]'
    )
    assert_problem(response, 415)
    assert 'application/merge-patch+json' in response.headers['accept-patch']


@pytest.mark.parametrize(
    'content_type',
    ['application/json', 'APPLICATION/JSON', 'application/json; charset=utf-8', HAL,
     'application/json;charset="UTF-8"', HAL_FORMS, 'application/json; x=y'],
)  # fmt: skip
def test_supported_media_types_are_accepted(ada: Client, content_type: str) -> None:
    headers = {'Content-Type': content_type}
    assert ada.request('POST', '/api/posts', headers=headers, body=b'{"body": "x"}').status == 201


@pytest.mark.parametrize('coding', ['gzip', 'br', 'x'])
def test_a_body_with_a_content_coding_is_415(ada: Client, coding: str) -> None:
    response = send(ada, '/api/posts', b'{"body": "x"}', chunked=False, **{'Content-Encoding': coding})
    assert_problem(response, 415)
    assert response.headers['accept-encoding'] == 'identity'


@pytest.mark.parametrize('text', [b'tr%C3%BCe', 'trüe'.encode()])
def test_a_urlencoded_form_is_read_like_json(ada: Client, text: bytes) -> None:
    body = b'body=on+5%0D%0A' + text + b'&other='
    response = ada.request('POST', '/api/posts', headers=FORM_HEADERS, body=body)
    assert response.json['body'] == 'on 5\ntrüe'


@pytest.mark.parametrize(
    'body', [b'body=%ff', b'body=\xff', b'body=a&body=b', b'&'.join(b'a%d=' % n for n in range(101))]
)
def test_a_malformed_form_is_rejected(ada: Client, body: bytes) -> None:
    response = ada.request('POST', '/api/posts', headers=FORM_HEADERS, body=body)
    assert_problem(response, 400)
    assert ada.me().json['post_count'] == 0


@pytest.mark.parametrize('body', [b'body=%00', b'body=', b'body=+', b'', b'x'])
def test_an_invalid_form_reports_its_fields(ada: Client, body: bytes) -> None:
    assert_problem(ada.request('POST', '/api/posts', headers=FORM_HEADERS, body=body), 400, '#/body')


def test_a_query_parameter_that_is_too_long_is_rejected(ada: Client) -> None:
    assert ada.get('/api/users?q=' + 'a' * 64).items == []
    assert_problem(ada.get('/api/users?q=' + 'a' * 100_000), 400)
    assert_problem(ada.get('/api/users?page=' + 'a' * 100_000), 400)


@pytest.mark.parametrize('q', ['%00', 'a%0d', '%1b'])
def test_a_search_for_control_characters_is_rejected(ada: Client, q: str) -> None:
    assert_problem(ada.get(f'/api/users?q={q}'), 400)


@pytest.mark.parametrize(
    'path', ['/api/%00', '/api/%0d%0aX:y', '/api/%ff', '/api/"<b>', '/api/users/%E2%80%A8']
)
def test_an_error_escapes_the_url_of_the_request(client: Client, path: str) -> None:
    response = client.get(path)
    assert_problem(response, 404)
    instance = response.json['instance']
    assert instance.isascii()
    assert instance.isprintable()
    assert not set('<>" ') & set(instance)
