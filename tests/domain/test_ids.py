"""IdGenerator: positive integers below 2^53 that grow with time."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.database.clock import system_clock
from service.database.ids import EPOCH, MAX_ID, IdGenerator, is_id


def test_ids_grow_with_time() -> None:
    now = [EPOCH + 1]
    new_id = IdGenerator(lambda: now[0])
    first = new_id()
    now[0] += 1000
    assert new_id() - first > 999 << 12


def test_ids_grow_within_a_millisecond_and_when_the_clock_steps_back() -> None:
    times = iter([EPOCH + 9, EPOCH + 9, EPOCH + 9, EPOCH + 1])
    new_id = IdGenerator(lambda: next(times))
    ids = [new_id() for _ in range(4)]
    assert ids == sorted(set(ids))


def test_threads_never_get_the_same_id() -> None:
    new_id = IdGenerator(lambda: EPOCH + 5)
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: new_id(), range(2000)))
    assert len(set(ids)) == 2000


def test_a_current_id_is_exact_in_every_json_parser() -> None:
    assert 0 < IdGenerator(system_clock)() <= MAX_ID


@pytest.mark.parametrize('text', ['1', '42', str(2**53 - 1)])
def test_a_positive_integer_below_2_to_the_53rd_is_an_id(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize(
    'text', ['0', '-1', '+1', '01', '1.0', '1e3', 'abc', str(2**53), '9' * 400, '٣', ' 1', '1_0']
)
def test_anything_else_is_not_an_id(text: str) -> None:
    assert not is_id(text)
