from dataclasses import dataclass, field
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack_demo.miner.pace import Pace

SECONDS = 30.0
costs = st.lists(st.floats(0, 20), min_size=1, max_size=20)


@dataclass
class Time:
    """A clock that only work and waits move."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


def work(costs: list[float], seconds: float = SECONDS) -> tuple[list[float], Time]:
    """Do work in equal shares that take these seconds, and return when each share had its time."""
    time, times = Time(), list[float]()
    pace = Pace(seconds, time.sleep, time.clock)
    for number, cost in enumerate(costs, start=1):
        time.now += cost
        pace.reach(number / len(costs))
        times.append(time.now - 1000)
    return times, time


@pytest.mark.parametrize("shares", [1, 4, 30])
def test_work_that_takes_no_time_is_spread_evenly(shares: int) -> None:
    times, _ = work([0.0] * shares)
    assert times == pytest.approx([SECONDS * number / shares for number in range(1, shares + 1)])


def test_work_that_was_slow_leaves_less_time_for_the_rest() -> None:
    times, _ = work([15.0, 0, 0, 0])
    assert times == pytest.approx([15, 20, 25, 30])


@given(costs)
def test_the_whole_takes_the_seconds_and_no_wait_is_longer_than_what_is_left(costs: list[float]) -> None:
    times, time = work(costs)
    assert times[-1] >= SECONDS - 1e-6
    assert min(time.waits) >= 0
    assert sum(time.waits) <= SECONDS + 1e-6
    assert times[-1] <= SECONDS + sum(costs) + 1e-6


@given(costs)
def test_after_the_seconds_nothing_waits(costs: list[float]) -> None:
    times, time = work(costs)
    begins = [0.0, *times]
    late = [wait for begin, wait in zip(begins, time.waits, strict=False) if begin >= SECONDS]
    assert not any(late)


@given(costs)
def test_without_seconds_nothing_waits(costs: list[float]) -> None:
    times, time = work(costs, seconds=0)
    assert not any(time.waits)
    assert times == pytest.approx(list(accumulate(costs)))


def test_a_share_that_was_reached_before_is_not_waited_for() -> None:
    time = Time()
    pace = Pace(SECONDS, time.sleep, time.clock)
    for share in (0.0, 0.5, 0.5, 0.2):
        pace.reach(share)
    assert time.waits == [15]
