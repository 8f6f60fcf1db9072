"""The retry policy: how long it waits between attempts, and when it gives up."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack import limits
from jobtrack.retry import Retry
from tests.retrying import instant_retry


def longest(low: float, high: float) -> float:
    return high


def policy(slept: list[float], seconds: float, draw: Callable[[float, float], float] = longest) -> Retry:
    return Retry(seconds, sleep=slept.append, monotonic=lambda: sum(slept), uniform=draw)


def test_the_limit_of_a_delay_doubles_up_to_the_cap() -> None:
    slept = list[float]()
    for _ in policy(slept, seconds=1).attempts():
        pass
    assert slept[:7] == pytest.approx([0.01, 0.02, 0.04, 0.08, 0.16, 0.2, 0.2])


@given(st.floats(0, 1))
def test_each_delay_is_drawn_between_zero_and_its_limit(share: float) -> None:
    drawn = list[tuple[float, float]]()

    def draw(low: float, high: float) -> float:
        drawn.append((low, high))
        return low + share * (high - low)

    slept = list[float]()
    for attempt in policy(slept, 10**9, draw).attempts():
        if attempt == 3:
            break
    assert [low for low, _ in drawn] == [0, 0, 0]
    assert slept == [share * high for _, high in drawn]


def test_the_first_attempt_does_not_wait_and_a_success_ends_it() -> None:
    slept = list[float]()
    for _ in policy(slept, 1).attempts():
        break
    assert slept == []


def test_a_failure_after_the_time_limit_is_the_last() -> None:
    slept = list[float]()
    attempts = list(policy(slept, 0.1).attempts())
    assert attempts == [0, 1, 2, 3, 4]
    assert sum(slept[:-1]) < 0.1 <= sum(slept)


def test_a_limit_of_zero_allows_one_attempt() -> None:
    assert list(Retry(0, sleep=lambda _: None).attempts()) == [0]


def test_many_attempts_do_not_overflow() -> None:
    assert Retry().max_delay(10**6) == Retry().cap_seconds


def test_the_service_gives_up_within_its_limit() -> None:
    slept = list[float]()
    for _ in instant_retry(slept.append).attempts():
        pass
    assert limits.BUSY_SECONDS <= sum(slept) <= limits.BUSY_SECONDS + Retry().cap_seconds
