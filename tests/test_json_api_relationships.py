"""The relationship `following` at its own URL (JSON:API 1.1 §8.2, §9.3)."""

from typing import Any

import pytest

from tests.client import HAL, HAL_FORMS, HTML, JSON, JSON_API, Client, new_user
from tests.json_api_client import JsonApiClient, assert_rejected, identifier_of, related_url, relationship_url


def following_url(client: JsonApiClient) -> str:
    """Return the URL of the relationship `following` of the client's user."""
    return relationship_url(client.me().json['data'], 'following')


@pytest.fixture
def other_users(bob_api: JsonApiClient) -> list[dict[str, Any]]:
    """The identifiers of Bob and three other users."""
    identifiers = [identifier_of(bob_api.me().json['data'])]
    for name in ('cleo', 'dora', 'eve'):
        response = bob_api.create('/api/users', 'users', **new_user(name))
        identifiers.append(identifier_of(response.json['data']))
    return identifiers


def test_members_are_added_atomically(ada_api: JsonApiClient, other_users: list[Any]) -> None:
    response = ada_api.send('POST', following_url(ada_api), other_users)
    assert response.status == 200
    assert sorted(member['id'] for member in response.json['data']) == sorted(
        user['id'] for user in other_users
    )
    assert ada_api.get(following_url(ada_api)).json == response.json
    assert ada_api.me().json['data']['attributes']['following_count'] == 4
    followed = ada_api.get(related_url(ada_api.me().json['data'], 'following'))
    assert [identifier_of(user) for user in followed.json['data']] == response.json['data']


def test_adding_an_existing_member_changes_nothing(ada_api: JsonApiClient, other_users: list[Any]) -> None:
    for members in ([other_users[0]], [other_users[0], other_users[0], other_users[1]]):
        response = ada_api.send('POST', following_url(ada_api), members)
        assert response.status == 200
    assert response.json['meta']['total_items'] == 2
    assert ada_api.me().json['data']['attributes']['following_count'] == 2


def test_removing_members_is_idempotent(ada_api: JsonApiClient, other_users: list[Any]) -> None:
    ada_api.send('POST', following_url(ada_api), other_users[:2])
    for _ in range(2):
        response = ada_api.send('DELETE', following_url(ada_api), other_users[1:])
        assert response.status == 200
        assert response.json['data'] == [other_users[0]]
    assert ada_api.me().json['data']['attributes']['following_count'] == 1


def test_other_formats_have_the_same_follows(ada: Client, ada_api: JsonApiClient, bob: Client) -> None:
    ada_api.send('POST', following_url(ada_api), [identifier_of(JsonApiClient(bob).me().json['data'])])
    other = ada.get(bob.me().href('self'))
    assert set(other.json['_templates']) == {'unfollow'}
    other.submit('unfollow')
    assert ada_api.get(following_url(ada_api)).json['data'] == []


def test_an_unknown_member_prevents_all_additions(ada_api: JsonApiClient, other_users: list[Any]) -> None:
    for unknown in ('7', '0', 'x', '9' * 30):
        members = [*other_users, {'type': 'users', 'id': unknown}]
        response = ada_api.send('POST', following_url(ada_api), members)
        assert_rejected(response, 404, f'/data/{len(other_users)}/id')
        assert unknown in response.json['errors'][0]['detail']
    assert ada_api.get(following_url(ada_api)).json['data'] == []
    assert ada_api.me().json['data']['attributes']['following_count'] == 0


def test_unknown_members_do_not_prevent_removals(ada_api: JsonApiClient, other_users: list[Any]) -> None:
    for unknown in ('7', '0', 'x', '9' * 30):
        assert ada_api.send('POST', following_url(ada_api), other_users[:2]).status == 200
        response = ada_api.send(
            'DELETE', following_url(ada_api), [{'type': 'users', 'id': unknown}, other_users[0]]
        )
        assert (response.status, response.json['data']) == (200, other_users[1:2])
    assert ada_api.me().json['data']['attributes']['following_count'] == 1


def test_users_cannot_follow_themselves_in_json_api(ada_api: JsonApiClient, other_users: list[Any]) -> None:
    members = [*other_users, identifier_of(ada_api.me().json['data'])]
    response = ada_api.send('POST', following_url(ada_api), members)
    assert_rejected(response, 400, f'/data/{len(other_users)}/id')
    assert ada_api.get(following_url(ada_api)).json['data'] == []


def test_no_pointer_leads_to_a_member_in_the_url(ada_api: JsonApiClient) -> None:
    ada_id = ada_api.me().json['data']['id']
    url = f'/api/users/{ada_id}/following/{ada_id}'
    follow = {'type': 'follows', 'id': f'{ada_id}-{ada_id}'}
    assert_rejected(ada_api.send('PUT', url, follow), 400)
    assert_rejected(ada_api.client.put(url), 400)


def test_the_relationship_cannot_be_replaced(ada_api: JsonApiClient, other_users: list[Any]) -> None:
    assert_rejected(ada_api.send('PATCH', following_url(ada_api), other_users), 403)
    assert ada_api.get(following_url(ada_api)).json['data'] == []


def test_only_the_owner_can_change_the_relationship(
    ada_api: JsonApiClient, bob_api: JsonApiClient, other_users: list[Any]
) -> None:
    for method in ('POST', 'DELETE', 'PATCH'):
        assert_rejected(bob_api.send(method, following_url(ada_api), other_users[1:]), 403)
    assert bob_api.get(following_url(ada_api)).json['data'] == []


def test_the_relationship_of_an_unknown_user_is_404(
    anonymous_api: JsonApiClient, ada_api: JsonApiClient
) -> None:
    assert_rejected(anonymous_api.get(following_url(ada_api)), 401, 'Authorization')
    for method in ('POST', 'DELETE', 'PATCH'):
        assert_rejected(ada_api.send(method, '/api/users/7/relationships/following', []), 404)
    assert_rejected(ada_api.get('/api/users/7/relationships/following'), 404)


@pytest.mark.parametrize('accept', [HAL, HAL_FORMS, JSON, HTML, f'{HTML}, {HAL};q=0.5'])
def test_other_formats_are_not_acceptable(ada: Client, ada_api: JsonApiClient, accept: str) -> None:
    response = ada.get(following_url(ada_api), accept=accept)
    assert response.status == 406
    assert JSON_API in response.text


@pytest.mark.parametrize('accept', ['*/*', f'{HAL}, */*;q=0.1', f'{HAL}, {JSON_API};q=0.1'])
def test_json_api_is_chosen_if_it_is_acceptable(ada: Client, ada_api: JsonApiClient, accept: str) -> None:
    assert ada.get(following_url(ada_api), accept=accept).content_type == JSON_API


def test_members_are_accepted_only_in_json_api(ada_api: JsonApiClient) -> None:
    response = ada_api.client.post(following_url(ada_api), {'data': []})
    assert response.status == 415
    assert response.headers['accept'] == JSON_API


@pytest.mark.parametrize(
    ('data', 'status', 'pointer'),
    [
        (None, 400, '/data'),
        ({'type': 'users', 'id': '1'}, 400, '/data'),
        (['1'], 400, '/data/0'),
        ([{'id': '1'}], 400, '/data/0'),
        ([{'type': 'users'}], 400, '/data/0'),
        ([{'type': 'users', 'id': 1}], 400, '/data/0/id'),
        ([{'type': 'posts', 'id': '1'}], 409, '/data/0/type'),
    ],
)
def test_members_must_be_identifiers_of_users(
    ada_api: JsonApiClient, data: Any, status: int, pointer: str
) -> None:
    for method in ('POST', 'DELETE'):
        assert_rejected(ada_api.send(method, following_url(ada_api), data), status, pointer)


def test_a_change_without_members_changes_nothing(ada_api: JsonApiClient) -> None:
    assert ada_api.send('POST', following_url(ada_api), []).status == 200
    assert_rejected(ada_api.client.post(following_url(ada_api)), 400, '')


def test_the_relationship_is_paginated_like_the_collection(
    ada_api: JsonApiClient, other_users: list[Any]
) -> None:
    ada_api.send('POST', following_url(ada_api), other_users)
    page = ada_api.get(following_url(ada_api) + '?page[size]=3').json
    assert page['meta'] == {'page': 1, 'per_page': 3, 'total_pages': 2, 'total_items': 4}
    second = ada_api.get(page['links']['next']).json
    assert len(page['data']) == 3
    assert len(second['data']) == 1
    assert 'next' not in second['links']


@pytest.mark.parametrize('query', ['page[after]=WzI1MCwxXQ', 'page[before]=WzI1MCwxXQ', 'page[size]=1'])
def test_a_change_of_members_with_a_page_is_rejected_before_it_takes_effect(
    ada_api: JsonApiClient, other_users: list[Any], query: str
) -> None:
    ada_api.send('POST', following_url(ada_api), other_users[:1])
    before = ada_api.get(following_url(ada_api)).json
    for method, members in (('POST', other_users[1:]), ('DELETE', other_users[:1])):
        response = ada_api.send(method, f'{following_url(ada_api)}?{query}', members)
        assert_rejected(response, 400, query.partition('=')[0])
    assert ada_api.get(following_url(ada_api)).json == before


def test_preconditions_apply_to_relationships(ada_api: JsonApiClient, other_users: list[Any]) -> None:
    etag = ada_api.get(following_url(ada_api)).etag
    assert ada_api.send('POST', following_url(ada_api), other_users[:1], If_Match=etag).status == 200
    assert_rejected(
        ada_api.send('POST', following_url(ada_api), other_users[1:], If_Match=etag), 412, 'If-Match'
    )
    assert len(ada_api.get(following_url(ada_api)).json['data']) == 1


def test_a_change_links_to_the_resources_that_it_changed(
    ada_api: JsonApiClient, other_users: list[Any]
) -> None:
    response = ada_api.send('POST', following_url(ada_api), other_users[:1])
    me = ada_api.me().json['data']['links']['self']
    assert f'<{me}>; rel="invalidates"' in response.headers['link']
