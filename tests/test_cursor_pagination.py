"""The Cursor Pagination profile of JSON:API, which clients request in Accept."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from service.representation.cursor_pagination import PROFILES, profiled_type
from tests.client import JSON_API, ApiResponse, Client
from tests.json_api_client import JsonApiClient, related_url

pytestmark = pytest.mark.above_databases

OTHER_PROFILE = 'https://example.org/profile'
PROFILE = 'https://jsonapi.org/profiles/ethanresnick/cursor-pagination/'
CURSOR_PAGINATION_TYPE = profiled_type(PROFILE)


def get_with_profile(api: JsonApiClient, href: str) -> ApiResponse:
    """Get a document with the profile, and assert that it is applied."""
    response = api.get(href, accept=CURSOR_PAGINATION_TYPE)
    assert response.headers['content-type'] == CURSOR_PAGINATION_TYPE
    assert response.json['jsonapi']['profile'] == [PROFILE]
    return response


@pytest.fixture
def posts(ada_api: JsonApiClient) -> str:
    """The URL of a collection of three posts."""
    for body in ('one', 'two', 'three'):
        ada_api.publish(body)
    return related_url(ada_api.get('/api').json['data'], 'posts')


def test_pages_have_prev_and_next_links_and_the_total(ada_api: JsonApiClient, posts: str) -> None:
    bodies: list[str] = []
    pages: list[dict[str, Any]] = []
    url: str | None = f'{posts}?page[size]=2'
    while url:
        page = get_with_profile(ada_api, url).json
        assert page['meta']['page'] == {'total': 3}
        bodies += [post['attributes']['body'] for post in page['data']]
        pages.append(page['links'])
        url = page['links']['next']
    assert bodies == ['three', 'two', 'one']
    assert [page['prev'] is None for page in pages] == [True, False]
    previous = get_with_profile(ada_api, pages[1]['prev']).json
    assert [post['attributes']['body'] for post in previous['data']] == ['three', 'two']


def test_included_relationships_have_the_same_pagination(ada_api: JsonApiClient, posts: str) -> None:
    document = get_with_profile(ada_api, ada_api.me().json['data']['links']['self'] + '?include=posts').json
    relationship = document['data']['relationships']['posts']
    assert relationship['links']['prev'] is relationship['links']['next'] is None
    assert relationship['meta']['page'] == {'total': 3}


def test_the_profile_is_used_only_on_request(ada_api: JsonApiClient, posts: str) -> None:
    for accept in (JSON_API, f'application/vnd.api+json;profile="{OTHER_PROFILE}"'):
        response = ada_api.get(posts, accept=accept)
        assert response.headers['content-type'] == JSON_API
        assert 'profile' not in response.json['jsonapi']
        assert 'prev' not in response.json['links']


@pytest.mark.parametrize(
    ('accept', 'is_applied'),
    [
        (f'{JSON_API};profile="{OTHER_PROFILE} {PROFILE}"', True),
        (f'{JSON_API}; Profile = "{PROFILE} {OTHER_PROFILE}"', True),
        (f'{JSON_API};profile="{OTHER_PROFILE}";profile="{PROFILE}"', True),
        (f'{JSON_API};profile="  {OTHER_PROFILE}  {PROFILE}"', True),
        (f'{JSON_API};profile="{PROFILE.replace(":", chr(92) + ":")}"', True),
        (f'{JSON_API}, {JSON_API};profile="{PROFILE}"', True),
        (f'{JSON_API};profile="{PROFILE}", {JSON_API}', True),
        (f'{JSON_API};q=0.5, {JSON_API};profile="{PROFILE}";q=0.6', True),
        (f'{JSON_API};q=0.6, {JSON_API};profile="{PROFILE}";q=0.5', False),
        (f'{JSON_API}, {JSON_API};ext="{OTHER_PROFILE}";profile="{PROFILE}"', False),
        (f'{JSON_API}, {JSON_API};profile="{PROFILE}";charset=utf-8', False),
        (f'{JSON_API};profile="{PROFILE}x"', False),
        (f'{JSON_API};profile="{PROFILE},{OTHER_PROFILE}"', False),
        (f'{JSON_API};profile=""', False),
        (f'{JSON_API}, text/html;profile="{PROFILE}";q=0.5', False),
    ],
)
def test_only_the_preferred_media_range_can_request_the_profile(
    client: Client, accept: str, is_applied: bool
) -> None:
    response = client.get('/api', accept=accept)
    assert response.status == 200
    assert response.headers['content-type'] == (CURSOR_PAGINATION_TYPE if is_applied else JSON_API)
    assert response.json['jsonapi'].get('profile') == ([PROFILE] if is_applied else None)


@pytest.mark.parametrize('profile', PROFILES)
def test_the_profile_uri_is_spelt_as_in_the_request(
    ada: Client, ada_api: JsonApiClient, profile: str
) -> None:
    post = ada_api.publish('one')['links']['self']
    response = ada_api.get(post, accept=f'{JSON_API};profile="{profile}"')
    assert response.headers['content-type'] == f'{JSON_API};profile="{profile}"'
    assert response.json['jsonapi']['profile'] == [profile]
    assert ada.patch(post, {'body': 'two'}, headers={'If-Match': response.etag}).status == 200
    error_response = ada_api.get(
        ada.entry().href('hc:posts') + '?sort=body', accept=f'{JSON_API};profile="{profile}"'
    )
    assert error_response.json['errors'][0]['links'] == {'type': f'{PROFILE}unsupported-sort'}


@pytest.mark.parametrize(
    ('query', 'parameter', 'name'),
    [
        ('page[size]=101', 'page[size]', 'max-size-exceeded'),
        ('sort=body', 'sort', 'unsupported-sort'),
        ('page[after]={cursor}&page[before]={cursor}', 'page[before]', 'range-pagination-not-supported'),
    ],
)
def test_errors_have_the_types_of_the_profile(
    ada_api: JsonApiClient, posts: str, query: str, parameter: str, name: str
) -> None:
    (cursor,) = parse_qs(ada_api.get(f'{posts}?page[size]=1').json['links']['next'])['page[after]']
    (error,) = get_with_profile(ada_api, f'{posts}?{query.format(cursor=cursor)}').json['errors']
    assert error['status'] == '400'
    assert error['links'] == {'type': PROFILE + name}
    assert error['source'] == {'parameter': parameter}
    assert name != 'max-size-exceeded' or error['meta'] == {'page': {'maxSize': 100}}


def test_responses_with_the_profile_have_their_own_etags(
    ada: Client, ada_api: JsonApiClient, posts: str
) -> None:
    post = ada_api.get(posts).json['data'][0]['links']['self']
    etag = get_with_profile(ada_api, post).etag
    assert etag != ada_api.get(post).etag
    assert ada_api.get(post, accept=CURSOR_PAGINATION_TYPE, headers={'If-None-Match': etag}).status == 304
    assert ada.patch(post, {'body': 'four'}, headers={'If-Match': etag}).status == 200
    assert ada.patch(post, {'body': 'five'}, headers={'If-Match': etag}).status == 412


def test_a_response_with_the_profile_is_not_replayed_without_it(ada_api: JsonApiClient, posts: str) -> None:
    post = {'type': 'posts', 'attributes': {'body': 'once'}}
    accepts = (CURSOR_PAGINATION_TYPE, CURSOR_PAGINATION_TYPE, JSON_API)
    key = {'Idempotency_Key': '"once"'}
    responses = [ada_api.send('POST', posts, post, accept=accept, **key) for accept in accepts]
    assert [response.status for response in responses] == [201, 201, 422]
    assert responses[1].headers['content-type'] == CURSOR_PAGINATION_TYPE
