"""Fuzzing of every URL: each response is described, is not empty, and is not an internal error."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import falcon.testing
from hypothesis import given
from hypothesis import strategies as st

from service import urls
from service.http.request_body import ACCEPTED_PATCH_TYPES
from tests.client import FORM, HAL, HAL_FORMS, HTML, JSON, JSON_API, ApiResponse, Client
from tests.examples import examples
from tests.routes import World, methods_at

EXAMPLES = examples(24)
MEMBER_NAMES = (
    'username', 'email', 'password', 'about_me', 'current_password', 'format', 'body', 'name', 'price',
    'data', 'id', 'type', 'attributes', '_links', 'user_id', 'item_count', '',
)  # fmt: skip
PARAMETER_NAMES = (
    'q', 'page', 'per_page', 'page[after]', 'page[before]', 'page[number]', 'page[size]', 'sort', 'include',
    'fields[users]', 'fields[posts]', 'filter[username]', 'fields[', 'x', '',
)  # fmt: skip
HEADER_PIECES = (
    '*/*', 'a/b', HAL, HAL_FORMS, JSON_API, HTML, JSON, ';q=0', ';q=1.5',
    ';ext="x"', ';charset=utf-8', ',', ';', '"', '\\', '=',
    '*', 'W/', '"0"', '"', ' ', '\t', 'Bearer ', 'Basic ', 'hc_x', 'OmE=', '====', 'for=', 'host=evil.test',
    'proto=https', 'http://localhost', 'null', '127.0.0.1', '[::1]', ':80', '0', '-1',
    'gzip', 'identity', 'bytes=0-',
)  # fmt: skip
HEADER_NAMES = (
    'Accept', 'If-Match', 'If-None-Match', 'If-Modified-Since', 'Idempotency-Key', 'Forwarded',
    'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'Origin', 'Link', 'Referer',
    'User-Agent', 'Range', 'Cookie', 'Access-Control-Request-Method', 'Access-Control-Request-Headers',
    'X-HTTP-Method-Override',
    'Content-Encoding',
)  # fmt: skip
UNUSUAL_TEXTS = (
    '',
    ' ',
    'ada',
    '\0',
    '\ud800',
    '\r\n',
    '<script>',
    "' OR 1=1 --",
    '%00',
    '\u0301',
    'K',
    'ẞ',
    '\u202e',
    '0',
    '1',
    '-0',
    '1e3',
)

texts = (
    st.sampled_from(UNUSUAL_TEXTS)
    | st.text(max_size=8)
    | st.sampled_from((100, 5000)).map(lambda size: 'x' * size)
)
numbers = st.integers() | st.floats() | st.sampled_from((2**53, 10**400, -0.0, 1e-300, True, None))
values = st.recursive(
    texts | numbers,
    lambda items: (
        st.lists(items, max_size=3)
        | st.dictionaries(st.sampled_from(MEMBER_NAMES) | texts, items, max_size=3)
    ),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from(MEMBER_NAMES), texts | numbers | values, max_size=8)
resources = st.fixed_dictionaries(
    {'type': st.sampled_from(('users', 'posts', 'tokens', 'stores', 'items'))},
    optional={
        'id': st.sampled_from(('1', '0')) | values,
        'attributes': objects | values,
        'relationships': values,
    },
)
documents = st.fixed_dictionaries({'data': resources | st.lists(resources | values, max_size=3) | values})
fields = st.lists(st.tuples(st.sampled_from(MEMBER_NAMES), texts), max_size=6)
header_values = st.lists(
    st.sampled_from(HEADER_PIECES)
    | st.text(st.characters(max_codepoint=255, exclude_characters='\r\n\0'), max_size=6),
    max_size=6,
).map(''.join)
cursors = values.map(lambda value: urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip('='))
queries = st.one_of(
    st.lists(st.tuples(st.sampled_from(PARAMETER_NAMES), texts | cursors), max_size=4).map(
        lambda pairs: urlencode(pairs, errors='surrogatepass')
    ),
    st.text(st.characters(max_codepoint=126, min_codepoint=33), max_size=20),
).map(lambda query: query.replace('#', '')[:800])  # httplint warns about a longer Location


class Body(NamedTuple):
    """The bytes of a body and its Content-Type."""

    content_type: str
    data: bytes


bodies = st.one_of(
    st.builds(
        Body, st.sampled_from((JSON, HAL, 'application/merge-patch+json')), (objects | values).map(json.dumps)
    ),
    st.builds(Body, st.just(JSON_API), (documents | values).map(json.dumps)),
    st.builds(Body, st.just(FORM), fields.map(lambda pairs: urlencode(pairs, errors='surrogatepass'))),
    st.builds(Body, st.sampled_from(ACCEPTED_PATCH_TYPES) | header_values, st.binary(max_size=40)),
).map(lambda body: body._replace(data=body.data.encode() if isinstance(body.data, str) else body.data))


def send(client: Client, method: str, url: str, headers: dict[str, str], body: Body | None) -> ApiResponse:
    """Send a request that deletes nothing, and return its response."""
    all_headers = {**headers, **({'Content-Type': body.content_type} if body else {})}
    if method == 'DELETE':
        all_headers['If-Match'] = '"another"'
    response = client.request(method, url, headers=all_headers, body=body.data if body else None)
    assert all(value.isascii() and value.isprintable() for value in response.headers.values())
    if client.token and 'token' in response.json:
        client.token = response.json['token']  # the token was renewed
    return response


@EXAMPLES
@given(body=bodies, accept=st.sampled_from((HAL_FORMS, JSON_API, HTML, JSON)), key=st.none() | st.just('"k"'))
def test_any_body_gets_a_valid_response(
    app: Any, world: World, body: Body, accept: str, key: str | None
) -> None:
    headers = {'Accept': accept} | ({'Idempotency-Key': key} if key else {})
    for template, methods in sorted(methods_at(app).items()):
        for method in methods:
            if method != 'GET':
                response = send(world.ada, method, world.url(template), headers, body)
                assert response.status < 500, f'{method} {template}: {response.text}'


@EXAMPLES
@given(query=queries, accept=st.sampled_from((HAL_FORMS, JSON_API, HTML, JSON)), is_signed_in=st.booleans())
def test_any_query_gets_a_valid_response(
    app: Any, world: World, query: str, accept: str, is_signed_in: bool
) -> None:
    for template, methods in sorted(methods_at(app).items()):
        for method in methods:
            client = world.ada if is_signed_in else Client(app)
            response = send(client, method, f'{world.url(template)}?{query}', {'Accept': accept}, None)
            assert response.status < 500, f'{method} {template}: {response.text}'


@EXAMPLES
@given(headers=st.dictionaries(st.sampled_from(HEADER_NAMES), header_values, min_size=1, max_size=5))
def test_any_headers_get_a_valid_response(app: Any, world: World, headers: dict[str, str]) -> None:
    for template, methods in sorted(methods_at(app).items()):
        for method in methods:
            response = send(world.ada, method, world.url(template), headers, None)
            assert response.status < 500, f'{method} {template}: {response.text}'


@EXAMPLES
@given(value=header_values, path=st.text(max_size=8))
def test_any_credentials_host_and_path_get_a_valid_response(
    app: Any, world: World, value: str, path: str
) -> None:
    for url in (
        urls.ENTRY,
        urls.USERS,
        urls.TOKENS,
        urls.USERS + '/' + quote(path, errors='surrogatepass'),
    ):
        for name in ('HTTP_AUTHORIZATION', 'HTTP_HOST'):
            result = falcon.testing.simulate_request(app, 'POST', url, extras={name: value})
            assert result.status_code < 500
            assert result.text


@EXAMPLES
@given(method=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12))
def test_any_method_gets_a_valid_response(world: World, method: str) -> None:
    assert world.ada.request(method, '/api/users').status in (400, 405, 501, 200)
