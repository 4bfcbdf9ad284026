"""Follows: PUT to follow, DELETE to unfollow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client import ApiResponse, Client, assert_problem


@pytest.fixture
def bob_profile(ada: Client, bob: Client) -> ApiResponse:
    """Bob's profile as Ada sees it."""
    return ada.get(bob.me().href('self'))


def test_following_is_idempotent(ada: Client, bob_profile: ApiResponse) -> None:
    url = bob_profile.href('hc:follow')
    first, second = ada.put(url), ada.put(url)
    assert (first.status, second.status) == (201, 200)
    assert first.headers['location'] == first.href('self') == url
    assert first.text == second.text
    assert ada.me().json['following_count'] == 1


def test_unfollowing_is_idempotent(ada: Client, bob_profile: ApiResponse) -> None:
    url = bob_profile.href('hc:follow')
    ada.put(url)
    assert [ada.delete(url).status for _ in range(2)] == [204, 204]
    assert_problem(ada.get(url), 404)
    assert ada.me().json['following_count'] == 0


def test_a_follow_links_to_both_users(ada: Client, bob_profile: ApiResponse) -> None:
    follow = ada.put(bob_profile.href('hc:follow'))
    assert follow.href('hc:follower') == ada.me().href('self')
    assert follow.href('hc:followed') == bob_profile.href('self')
    assert set(follow.json) == {'_links', 'created_at'}


def test_either_the_follow_or_the_unfollow_form_is_offered(ada: Client, bob_profile: ApiResponse) -> None:
    assert set(bob_profile.json['_templates']) == {'follow'}
    assert bob_profile.submit('follow').status == 201
    followed = ada.get(bob_profile.href('self'))
    assert set(followed.json['_templates']) == {'unfollow'}
    assert followed.submit('unfollow').status == 204


def test_users_cannot_follow_themselves(ada: Client) -> None:
    me = ada.me().json['id']
    assert_problem(ada.put(f'/api/users/{me}/following/{me}'), 400)
    assert ada.me().json['following_count'] == 0


def test_following_an_unknown_user_is_404(ada: Client) -> None:
    me = ada.me().json['id']
    assert_problem(ada.put(f'/api/users/{me}/following/4711'), 404)


def test_unfollowing_an_unknown_user_succeeds(ada: Client, bob: Client) -> None:
    me = ada.me().json['id']
    assert ada.delete(f'/api/users/{me}/following/4711').status == 204
    assert_problem(bob.delete(f'/api/users/{me}/following/4711'), 403)
    assert_problem(ada.delete(f'/api/users/4711/following/{me}'), 404)
    bob_id = bob.me().json['id']
    bob.delete(bob.me().href('self'))
    assert ada.delete(f'/api/users/{me}/following/{bob_id}').status == 204
    assert ada.me().json['following_count'] == 0


@pytest.mark.parametrize('method', ['PUT', 'DELETE'])
def test_users_cannot_follow_on_behalf_of_others(
    ada: Client, bob_profile: ApiResponse, bob: Client, method: str
) -> None:
    assert_problem(bob.request(method, bob_profile.href('hc:follow')), 403)


def test_a_follow_is_in_the_lists_of_both_users(ada: Client, bob: Client, bob_profile: ApiResponse) -> None:
    bob_profile.submit('follow')
    assert [user['username'] for user in bob.me().follow('hc:followers').items] == ['ada']
    assert [user['username'] for user in ada.me().follow('hc:following').items] == ['bob']
    assert bob.me().json['follower_count'] == 1


@pytest.mark.parametrize('path', ['followers', 'following', 'posts', 'feed'])
def test_the_lists_of_an_unknown_user_are_404(ada: Client, path: str) -> None:
    assert_problem(ada.get(f'/api/users/4711/{path}'), 404)


def test_the_feed_has_own_and_followed_posts_newest_first(
    ada: Client, bob: Client, bob_profile: ApiResponse
) -> None:
    bob.publish('from bob')
    ada.publish('from ada')
    assert [post['body'] for post in ada.follow('hc:feed').items] == ['from ada']
    bob_profile.submit('follow')
    feed: Any = ada.follow('hc:feed')
    assert [post['body'] for post in feed.items] == ['from ada', 'from bob']
    assert feed.json['_meta']['total_items'] == 2
