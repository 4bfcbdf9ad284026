"""Time: time zones, clock steps, and the lifetime of tokens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.client import Client, assert_problem
from tests.clock import MovableClock
from tests.test_pagination import walk

AUTUMN = 1_793_512_799_000  # 2026-11-01T05:59:59Z: a second before clocks in New York go back an hour
SPRING = 1_805_007_599_000  # 2027-03-14T06:59:59Z: a second before they go forward an hour


@pytest.fixture(params=['America/New_York', 'Pacific/Apia', 'UTC'])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The time zone of the server."""
    with monkeypatch.context() as patched:
        patched.setenv('TZ', request.param)
        time.tzset()
        yield request.param
    time.tzset()


@pytest.mark.parametrize('moment', [AUTUMN, SPRING])
def test_daylight_saving_time_has_no_effect(
    zone: str, client: Client, clock: MovableClock, moment: int
) -> None:
    clock.now = moment
    client.register('ada')
    ada = client.sign_in('ada')
    posts = []
    for _ in range(4):
        posts.append(ada.publish('x').json)
        clock.move(seconds=0.5)
    created = [post['created_at'] for post in posts]
    assert created == sorted(created)
    assert all(at.endswith('+00:00') for at in created)
    expected = {AUTUMN: '2026-11-01T05:59:59', SPRING: '2027-03-14T06:59:59'}[moment]
    assert created[0].startswith(expected)
    assert [post['id'] for post in ada.follow('hc:posts').items] == [post['id'] for post in reversed(posts)]
    clock.now = moment + 3_590_000
    assert ada.entry().status == 200
    clock.now = moment + 3_610_000
    assert_problem(ada.entry(), 401)


def test_posts_keep_their_order_when_the_clock_steps_back(ada: Client, clock: MovableClock) -> None:
    published = []
    for number in range(9):
        published.append(ada.publish(str(number)).json['id'])
        if number % 2:
            clock.move(seconds=-1)
    assert all(earlier < later for earlier, later in pairwise(published))
    listed = [
        post['id']
        for page in walk(ada.follow('hc:posts').follow('hc:page', per_page=2))
        for post in page.items
    ]
    assert listed == published[::-1]


def test_a_clock_step_back_does_not_affect_pagination(ada: Client, clock: MovableClock) -> None:
    published = [ada.publish(str(number)).json['id'] for number in range(6)]
    first = ada.follow('hc:posts').follow('hc:page', per_page=2)
    clock.move(seconds=-3600)
    new = ada.publish('later').json['id']
    listed = [post['id'] for page in walk(first) for post in page.items]
    assert listed == published[::-1]
    assert ada.follow('hc:posts').items[0]['id'] == new


@pytest.mark.parametrize('seconds', [-1, -3600, -86400 * 400])
def test_a_clock_step_back_does_not_extend_a_token(ada: Client, clock: MovableClock, seconds: int) -> None:
    issued = clock.now
    clock.move(seconds=seconds)
    assert ada.entry().status == 200
    clock.now = issued + 3_600_000
    assert_problem(ada.entry(), 401)


@pytest.mark.parametrize('moment', ['23:59:60', '2026-12-31T23:59:60Z', '2026-11-22'])
def test_clients_cannot_set_times(ada: Client, moment: str) -> None:
    before = ada.me().json
    changed = ada.put(ada.me().href('self'), {'member_since': moment, 'last_seen': moment}).json
    assert changed['member_since'] == before['member_since']
    assert moment not in str(changed)


def test_using_a_token_does_not_extend_it(ada: Client, clock: MovableClock) -> None:
    for _ in range(5):
        clock.move(seconds=700)
        assert ada.publish('still here').status == 201
    clock.move(seconds=101)
    assert_problem(ada.entry(), 401)


def test_a_revoked_token_stays_revoked_when_the_clock_steps_back(ada: Client, clock: MovableClock) -> None:
    ada.delete(ada.entry().href('hc:tokens'))
    clock.move(seconds=-3600)
    assert_problem(ada.entry(), 401)


def test_a_token_issued_after_a_clock_step_back_has_its_full_lifetime(
    client: Client, ada: Client, clock: MovableClock
) -> None:
    clock.move(seconds=-3600)
    new = client.sign_in('ada')
    clock.move(seconds=3590)
    assert new.entry().status == 200
    clock.move(seconds=10)
    assert_problem(new.entry(), 401)
