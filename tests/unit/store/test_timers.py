"""Timers: their keys, their items, and the order in which they are processed."""

from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from jobtrack import times
from jobtrack.keys import JobKey
from jobtrack.store.timers import EXPIRY, EXTENSION, HEARTBEAT, SHARDS, Timer, TimerStore
from jobtrack.store.ttl import encode_expiry
from jobtrack.times import Micros
from tests.unit.memory_table import Table

KEPT_SECONDS = 100
JOB = JobKey("t", "p", "j")

timers = st.builds(
    Timer,
    st.sampled_from([HEARTBEAT, EXTENSION, EXPIRY]),
    st.builds(JobKey, *[st.uuids().map(str)] * 3),
    st.integers(0, times.LATEST - KEPT_SECONDS * times.SECOND).map(Micros),
    st.just("") | st.uuids().map(lambda name: f"sub-{name}"),
    st.sampled_from(["", "L#1"]),
)


def store(table: Table) -> TimerStore:
    return TimerStore(cast("Any", table), "table", EXPIRY, KEPT_SECONDS)


def due_timers(table: Table, now: Micros) -> list[Timer]:
    return [timer for page in store(table).read_due_timers(now) for timer in page]


@given(timers)
def test_an_item_holds_the_whole_timer(timer: Timer) -> None:
    assert Timer.from_item(timer.kind, timer.to_item(KEPT_SECONDS)) == timer


@given(timers)
def test_an_item_expires_some_time_after_the_timer_is_due(timer: Timer) -> None:
    assert timer.to_item(KEPT_SECONDS)["exp"] == encode_expiry(times.add_seconds(timer.due, KEPT_SECONDS))


def test_timers_lie_in_few_partitions_in_the_order_in_which_they_are_due() -> None:
    several = [Timer(HEARTBEAT, JobKey("t", "p", f"{number}"), Micros(number * times.SECOND)) for number in range(200)]
    assert {timer.key["pk"]["S"] for timer in several} == {f"heartbeat#{shard}" for shard in range(SHARDS)}
    places = [timer.key["sk"]["S"] for timer in several]
    assert places == sorted(places)


def test_a_timer_is_read_once_it_is_due() -> None:
    table, timer = Table(), Timer(EXPIRY, JOB, Micros(50), "sub-1")
    store(table).put_timer(timer)
    assert (due_timers(table, Micros(49)), due_timers(table, Micros(50))) == ([], [timer])


def test_each_minute_another_shard_is_served_first() -> None:
    table = Table()
    several = [Timer(EXPIRY, JOB, times.EPOCH, f"sub-{number}") for number in range(100)]
    by_shard = {timer.key["pk"]["S"]: timer for timer in several}
    for timer in by_shard.values():
        store(table).put_timer(timer)
    first = [due_timers(table, Micros(minute * times.MINUTE))[0].key["pk"]["S"] for minute in range(SHARDS)]
    assert sorted(first) == sorted(by_shard)


def test_while_timers_are_replaced_there_is_always_one() -> None:
    table, old, new = Table(), Timer(EXPIRY, JOB, Micros(1), "sub-1"), Timer(EXPIRY, JOB, Micros(2), "sub-1")
    store(table).put_timer(old)
    counts = list[int]()
    table.between = lambda: counts.append(len(table.held))
    store(table).replace_timers({old: new})
    table.between = lambda: None
    assert min(counts) == 1
    assert due_timers(table, Micros(10)) == [new]
