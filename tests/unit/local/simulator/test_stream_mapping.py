"""Batches of a stream's shards reach a function."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack import times
from jobtrack_local.pollers.shard_batches import Discarded
from jobtrack_local.pollers.stream_mapping import DISCOVERY_STEPS, StreamMapping
from jobtrack_local.runtime.events import Record, sequence_number
from jobtrack_local.runtime.function import HandlerFailed
from jobtrack_local.template.cloudformation import StreamProperties
from tests.simulators.memory_stream import KEPT_SECONDS, MemoryStream

NOW = times.parse("2026-11-23T10:45:33Z")


class Killed(BaseException):
    """The process ends."""


class World:
    """A stream, a function that fails as scripted, and a clock that jumps to the next due time."""

    def __init__(self, fails: Callable[[str], bool] = lambda number: False, raises: bool = False, **trigger: Any):
        self.now = NOW
        self.stream = MemoryStream(lambda: self.now, page=3)
        self.fails, self.raises = fails, raises
        self.tried: list[list[str]] = []
        self.done: list[str] = []
        self.lost: list[tuple[str, Discarded]] = []
        self.saved: list[tuple[str, str]] = []
        self.killed = False
        asked = {"Stream": "arn", "FunctionResponseTypes": ["ReportBatchItemFailures"], **trigger}
        self.properties = StreamProperties.model_validate(asked)
        self.start()

    def start(self) -> None:
        """Start the service, for the first time or again: it knows only what the stream holds."""
        self.killed = False
        self.mapping = StreamMapping(
            self.stream, self.serve, self.properties, self.discard, self.save, lambda: self.now
        )

    def serve(self, records: Sequence[Record]) -> object:
        named = [sequence_number(each) for each in records]
        self.tried.append(named)
        failed = [number for number in named if self.fails(number)]
        if failed and self.raises:
            raise HandlerFailed("on purpose")
        self.done += [number for number in named if number not in failed]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}

    def discard(self, lost: Discarded, shard: str) -> None:
        self.lost.append((shard, lost))

    def save(self, shard: str, position: str) -> None:
        if self.killed:
            raise Killed
        self.saved.append((shard, position))
        self.stream.trim(shard, position)

    def run(self) -> None:
        idle = 0
        while idle <= DISCOVERY_STEPS:
            idle = 0 if self.mapping.step() else idle + 1
            if idle and self.mapping.next_due is not None:
                self.now, idle = max(self.now, self.mapping.next_due), 0

    @property
    def given_up(self) -> list[str]:
        return [sequence_number(each) for _, lost in self.lost for each in lost.records]


def test_a_shard_is_read_from_its_oldest_record_in_order() -> None:
    world = World(BatchSize=2)
    world.stream.open("a")
    numbers = [world.stream.put("a", {}) for _ in range(7)]
    world.run()
    assert world.done == numbers
    assert all(len(batch) <= 2 for batch in world.tried)


def test_children_wait_until_their_parent_is_handled() -> None:
    stuck = [3]

    def fails(number: str) -> bool:
        stuck[0] -= 1
        return stuck[0] >= 0

    world = World(fails)
    world.stream.open("a")
    wanted = [world.stream.put("a", {}) for _ in range(2)]
    world.stream.split("a", "b", "c")
    wanted += [world.stream.put("b", {}), world.stream.put("c", {})]
    world.stream.split("b", "d")
    wanted += [world.stream.put("d", {})]
    world.run()
    assert {*world.done[:2]} == {*wanted[:2]}
    assert world.done.index(wanted[4]) > world.done.index(wanted[2])
    assert sorted({*world.done}) == wanted


def test_a_child_whose_parent_is_gone_is_read() -> None:
    world = World()
    world.stream.open("b", "a")
    number = world.stream.put("b", {})
    world.run()
    assert world.done == [number]


def test_a_shard_that_waits_holds_up_no_other() -> None:
    stuck: list[str] = []
    world = World(lambda number: number in stuck, MaximumRetryAttempts=3)
    world.stream.open("a")
    world.stream.open("b")
    stuck.append(world.stream.put("a", {}))
    others = [world.stream.put("b", {}) for _ in range(5)]
    for _ in range(3):
        world.mapping.step()
    assert world.done == others
    assert world.lost == []
    assert world.now == NOW


def test_only_what_the_filter_lets_through_reaches_the_function() -> None:
    world = World(FilterCriteria={"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]})
    world.stream.open("a")
    world.stream.put("a", {"eventName": "MODIFY"})
    number = world.stream.put("a", {"eventName": "INSERT"})
    world.run()
    assert world.tried == [[number]]


def test_what_is_given_up_is_told_with_its_shard_and_the_rest_goes_on() -> None:
    world = World(
        lambda number: number == f"{1:021d}", raises=True, MaximumRetryAttempts=2, BisectBatchOnFunctionError=True
    )
    world.stream.open("a")
    for _ in range(3):
        world.stream.put("a", {})
    world.run()
    assert world.done == [f"{number:021d}" for number in (0, 2)]
    [(shard, lost)] = world.lost
    assert (shard, lost.condition, lost.attempts) == ("a", "RetryAttemptsExhausted", 3)


def test_what_could_not_be_told_is_not_forgotten() -> None:
    world = World(lambda number: True, MaximumRetryAttempts=0)
    world.stream.open("a")
    number = world.stream.put("a", {})
    telling, outage = world.mapping._discard, [True]

    def unavailable(lost: Discarded, shard: str) -> None:
        if outage.pop():
            raise OSError("on purpose")
        telling(lost, shard)

    world.mapping._discard = unavailable
    outage.insert(0, False)
    with pytest.raises(OSError, match="on purpose"):
        world.mapping.step()
    world.run()
    assert world.given_up == [number]


def test_records_that_no_shard_holds_are_carried_too() -> None:
    world = World()
    world.mapping.add_backlog([{"dynamodb": {"SequenceNumber": "before", "ApproximateCreationDateTime": 1}}])
    world.run()
    assert world.done == ["before"]


def test_a_stream_forgets_after_a_day() -> None:
    world = World()
    world.stream.open("a")
    world.stream.put("a", {})
    world.now = times.add_seconds(world.now, KEPT_SECONDS + 1)
    number = world.stream.put("a", {})
    world.run()
    assert world.done == [number]


def test_the_position_is_saved_after_each_batch_and_behind_records_that_are_filtered_out() -> None:
    world = World(BatchSize=2, FilterCriteria={"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]})
    world.stream.open("a")
    numbers = [
        world.stream.put("a", {"eventName": name}) for name in ("INSERT", "INSERT", "MODIFY", "INSERT", "MODIFY")
    ]
    world.stream.page = 5
    world.run()
    assert world.saved == [("a", numbers[1]), ("a", numbers[4])]


def test_the_position_stays_before_a_record_that_fails() -> None:
    stuck: list[str] = []
    world = World(lambda number: number in stuck)
    world.stream.open("a")
    numbers = [world.stream.put("a", {}) for _ in range(3)]
    stuck.append(numbers[1])
    for _ in range(3):
        world.mapping.step()
    assert world.saved == [("a", numbers[0])]


def test_a_process_killed_before_the_position_is_saved_handles_the_batch_again() -> None:
    world = World(BatchSize=2)
    world.stream.open("a")
    numbers = [world.stream.put("a", {}) for _ in range(3)]
    world.killed = True
    with pytest.raises(Killed):
        world.mapping.step()
    world.start()
    world.run()
    assert world.tried == [numbers[:2], numbers[:2], numbers[2:]]


def test_a_clock_that_was_set_back_delays_no_retry() -> None:
    fails = [True]
    world = World(lambda number: bool(fails and fails.pop()))
    world.stream.open("a")
    number = world.stream.put("a", {})
    world.mapping.step()
    world.now = times.add_seconds(world.now, -3600)
    world.mapping.step()
    assert world.done == [number]


def test_a_position_that_could_not_be_saved_is_saved_later() -> None:
    world = World()
    world.stream.open("a")
    number = world.stream.put("a", {})
    world.killed = True
    with pytest.raises(Killed):
        world.mapping.step()
    world.killed = False  # the disk was full for a moment, and the process goes on
    world.run()
    assert world.saved == [("a", number)]
    assert world.tried == [[number]]


STEPS = st.lists(st.sampled_from(["put", "put", "step", "split", "wait"]), max_size=60)
KILLS = st.lists(st.sampled_from(["put", "put", "skipped", "step", "kill", "kill while saving", "wait"]), max_size=60)


@given(steps=KILLS, stubborn=st.dictionaries(st.integers(0, 40), st.integers(1, 5)), size=st.integers(1, 10))
def test_whenever_the_process_is_killed_each_record_is_handled_in_order(
    steps: list[str], stubborn: dict[int, int], size: int
) -> None:
    left = dict(stubborn)

    def fails(number: str) -> bool:
        left[int(number)] = left.get(int(number), 0) - 1
        return left[int(number)] >= 0

    world = World(fails, BatchSize=size, FilterCriteria={"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]})
    world.stream.open("a")
    written: list[str] = []
    for step in steps:
        match step:
            case "put":
                written.append(world.stream.put("a", {"eventName": "INSERT"}))
            case "skipped":
                world.stream.put("a", {"eventName": "MODIFY"})
            case "step":
                world.mapping.step()
            case "wait":
                world.now = times.add_seconds(world.now, 10)
            case _:
                world.killed = step == "kill while saving"
                with suppress(Killed):
                    world.mapping.step()
                world.start()
    world.run()
    assert {*world.done} == {*written}
    assert list(dict.fromkeys(number for batch in world.tried for number in batch)) == written
    positions = [position for _, position in world.saved]
    assert positions == sorted(set(positions))


@given(
    steps=STEPS,
    stubborn=st.dictionaries(st.integers(0, 40), st.integers(1, 5)),
    retries=st.integers(0, 3),
    age=st.sampled_from([-1, 60]),
    bisect=st.booleans(),
    raises=st.booleans(),
    size=st.integers(1, 10),
)
def test_each_record_is_handled_or_pointed_to_in_its_order_and_never_too_often(
    steps: list[str], stubborn: dict[int, int], retries: int, age: int, bisect: bool, raises: bool, size: int
) -> None:
    left = dict(stubborn)

    def fails(number: str) -> bool:
        left[int(number)] = left.get(int(number), 0) - 1
        return left[int(number)] >= 0

    world = World(
        fails,
        raises,
        BatchSize=size,
        MaximumRetryAttempts=retries,
        MaximumRecordAgeInSeconds=age,
        BisectBatchOnFunctionError=bisect,
    )
    world.stream.open("s0")
    shards, where = ["s0"], dict[str, str]()
    for step in steps:
        if step == "put":
            where[world.stream.put(shards[-1], {})] = shards[-1]
        elif step == "split":
            shards.append(f"s{len(shards)}")
            world.stream.split(shards[-2], shards[-1])
        elif step == "wait":
            world.now = times.add_seconds(world.now, 10)
        else:
            world.mapping.step()
    world.run()
    assert {*world.done} | {*world.given_up} == {*where}
    first = list(dict.fromkeys(number for batch in world.tried for number in batch))
    assert first == sorted(first)  # all shards here are one line of parents and children
    begun = [batch[0] for batch in world.tried]
    in_a_row = max((begun.count(number) for number in begun), default=0)
    assert in_a_row <= 1 + retries + (size.bit_length() + 1 if raises and bisect else 0)
    for shard, lost in world.lost:
        assert {where[sequence_number(each)] for each in lost.records} == {shard}
        assert lost.attempts <= 1 + retries
