"""Follows: PUT to follow, DELETE to unfollow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client import ApiResponse, Client, assert_problem


@pytest.fixture
def bob_seen(ada: Client, bob: Client) -> ApiResponse:
    """Bob as Ada sees him."""
    return ada.get(bob.me().href('self'))


def test_following_is_idempotent(ada: Client, bob_seen: ApiResponse) -> None:
    relation = bob_seen.href('hc:follow')
    first, second = ada.put(relation), ada.put(relation)
    assert (first.status, second.status) == (201, 200)
    assert first.headers['location'] == first.href('self') == relation
    assert first.text == second.text
    assert ada.me().state['following_count'] == 1


def test_unfollowing_is_idempotent(ada: Client, bob_seen: ApiResponse) -> None:
    relation = bob_seen.href('hc:follow')
    ada.put(relation)
    assert [ada.delete(relation).status for _ in range(2)] == [204, 204]
    assert_problem(ada.get(relation), 404)
    assert ada.me().state['following_count'] == 0


def test_a_follow_links_to_both_users(ada: Client, bob_seen: ApiResponse) -> None:
    relation = ada.put(bob_seen.href('hc:follow'))
    assert relation.href('hc:follower') == ada.me().href('self')
    assert relation.href('hc:followed') == bob_seen.href('self')
    assert set(relation.state) == {'_links', 'created_at'}


def test_either_the_follow_or_the_unfollow_form_is_offered(ada: Client, bob_seen: ApiResponse) -> None:
    assert set(bob_seen.state['_templates']) == {'follow'}
    assert bob_seen.submit('follow').status == 201
    followed = ada.get(bob_seen.href('self'))
    assert set(followed.state['_templates']) == {'unfollow'}
    assert followed.submit('unfollow').status == 204


def test_users_cannot_follow_themselves(ada: Client) -> None:
    me = ada.me().state['id']
    assert_problem(ada.put(f'/api/users/{me}/following/{me}'), 400)
    assert ada.me().state['following_count'] == 0


def test_following_an_unknown_user_is_404(ada: Client) -> None:
    me = ada.me().state['id']
    assert_problem(ada.put(f'/api/users/{me}/following/4711'), 404)


def test_unfollowing_an_unknown_user_succeeds(ada: Client, bob: Client) -> None:
    me = ada.me().state['id']
    assert ada.delete(f'/api/users/{me}/following/4711').status == 204
    assert_problem(bob.delete(f'/api/users/{me}/following/4711'), 403)
    assert_problem(ada.delete(f'/api/users/4711/following/{me}'), 404)
    relation = bob.me().href('self').rsplit('/', 1)[1]
    bob.delete(bob.me().href('self'))
    assert ada.delete(f'/api/users/{me}/following/{relation}').status == 204
    assert ada.me().state['following_count'] == 0


@pytest.mark.parametrize('method', ['PUT', 'DELETE'])
def test_users_cannot_follow_on_behalf_of_others(
    ada: Client, bob_seen: ApiResponse, bob: Client, method: str
) -> None:
    assert_problem(bob.request(method, bob_seen.href('hc:follow')), 403)


def test_a_follow_is_in_both_lists(ada: Client, bob: Client, bob_seen: ApiResponse) -> None:
    bob_seen.submit('follow')
    assert [user['username'] for user in bob.me().follow('hc:followers').items] == ['ada']
    assert [user['username'] for user in ada.me().follow('hc:following').items] == ['bob']
    assert bob.me().state['follower_count'] == 1


@pytest.mark.parametrize('path', ['followers', 'following', 'posts', 'feed'])
def test_the_lists_of_an_unknown_user_are_404(ada: Client, path: str) -> None:
    assert_problem(ada.get(f'/api/users/4711/{path}'), 404)


def test_the_feed_has_own_and_followed_posts_newest_first(
    ada: Client, bob: Client, bob_seen: ApiResponse
) -> None:
    bob.publish('from bob')
    ada.publish('from ada')
    assert [post['body'] for post in ada.follow('hc:feed').items] == ['from ada']
    bob_seen.submit('follow')
    feed: Any = ada.follow('hc:feed')
    assert [post['body'] for post in feed.items] == ['from ada', 'from bob']
    assert feed.state['_meta']['total_items'] == 2
