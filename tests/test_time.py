"""Time: zones, seconds that come twice and clocks that step change no promise."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.client import Answer, Client, assert_problem
from tests.clock import MovableClock

AUTUMN = 1_793_512_799_000  # 2026-11-01T05:59:59Z: a second before clocks in New York go back an hour
SPRING = 1_805_007_599_000  # 2027-03-14T06:59:59Z: a second before they skip one


@pytest.fixture(params=['America/New_York', 'Pacific/Apia', 'UTC'])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A time zone that the server runs in."""
    with monkeypatch.context() as patched:
        patched.setenv('TZ', request.param)
        time.tzset()
        yield request.param
    time.tzset()


@pytest.mark.parametrize('moment', [AUTUMN, SPRING])
def test_a_zone_whose_clocks_change_changes_nothing(
    zone: str, client: Client, clock: MovableClock, moment: int
) -> None:
    clock.now = moment
    client.register('ada')
    ada = client.sign_in('ada')
    posts = []
    for _ in range(4):
        posts.append(ada.publish('x').state)
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


def pages(first: Answer) -> Iterator[Answer]:
    """Yield a page and those that follow it."""
    yield first
    while 'next' in first.state['_links']:
        first = first.follow('next')
        yield first


def test_a_second_that_comes_twice_neither_repeats_nor_hides_anything(
    ada: Client, clock: MovableClock
) -> None:
    published = []
    for number in range(9):
        published.append(ada.publish(str(number)).state['id'])
        if number % 2:
            clock.move(seconds=-1)
    assert all(earlier < later for earlier, later in pairwise(published))
    seen = [
        post['id']
        for page in pages(ada.follow('hc:posts').follow('hc:page', per_page=2))
        for post in page.items
    ]
    assert seen == published[::-1]


def test_paging_goes_on_where_it_was_when_the_clock_steps_back(ada: Client, clock: MovableClock) -> None:
    published = [ada.publish(str(number)).state['id'] for number in range(6)]
    first = ada.follow('hc:posts').follow('hc:page', per_page=2)
    clock.move(seconds=-3600)
    fresh = ada.publish('later').state['id']
    seen = [post['id'] for page in pages(first) for post in page.items]
    assert seen == published[::-1]
    assert ada.follow('hc:posts').items[0]['id'] == fresh


def test_a_retry_after_the_clock_stepped_back_has_no_second_effect(ada: Client, clock: MovableClock) -> None:
    def publish() -> Answer:
        return ada.post('/api/posts', {'body': 'once'}, headers={'Idempotency-Key': '"k"'})

    first = publish()
    for seconds in (-1, -3600, 3601, -7200):
        clock.move(seconds=seconds)
        assert publish().state == first.state
    assert ada.me().state['post_count'] == 1


@pytest.mark.parametrize('seconds', [-1, -3600, -86400 * 400])
def test_no_token_lives_past_the_time_that_it_says(ada: Client, clock: MovableClock, seconds: int) -> None:
    born = clock.now
    clock.move(seconds=seconds)
    assert ada.entry().status == 200
    clock.now = born + 3_600_000
    assert_problem(ada.entry(), 401)


@pytest.mark.parametrize('moment', ['23:59:60', '2026-12-31T23:59:60Z', '2026-11-22'])
def test_no_input_is_a_time(ada: Client, moment: str) -> None:
    before = ada.me().state
    changed = ada.put(ada.me().href('self'), {'member_since': moment, 'last_seen': moment}).state
    assert changed['member_since'] == before['member_since']
    assert moment not in str(changed)
