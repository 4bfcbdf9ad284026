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
    moments = iter([EPOCH + 9, EPOCH + 9, EPOCH + 9, EPOCH + 1])
    new_id = IdGenerator(lambda: next(moments))
    made = [new_id() for _ in range(4)]
    assert made == sorted(set(made))


def test_ids_of_threads_never_meet() -> None:
    new_id = IdGenerator(lambda: EPOCH + 5)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: new_id(), range(2000)))
    assert len(set(made)) == 2000


def test_an_id_of_today_fits_into_every_json_reader() -> None:
    assert 0 < IdGenerator(system_clock)() <= MAX_ID


@pytest.mark.parametrize('text', ['1', '42', str(2**53 - 1)])
def test_a_positive_integer_below_2_to_the_53rd_is_an_id(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize(
    'text', ['0', '-1', '+1', '01', '1.0', '1e3', 'abc', str(2**53), '9' * 400, '٣', ' 1', '1_0']
)
def test_anything_else_is_none(text: str) -> None:
    assert not is_id(text)
