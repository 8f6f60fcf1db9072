"""Records that fail: order, retries, bisecting, and giving up."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack import times
from jobtrack.times import Micros
from jobtrack_local.pollers.shard_batches import (
    LONGEST_DELAY_SECONDS,
    Batch,
    Outcome,
    discard_expired,
    plan_retry,
    split_into_batches,
)
from jobtrack_local.runtime.events import Record, sequence_number
from jobtrack_local.template.cloudformation import StreamProperties

NOW = times.parse("2026-11-23T10:45:33Z")


def record(number: int, created: Micros = NOW) -> Record:
    return {"dynamodb": {"SequenceNumber": f"{number:03d}", "ApproximateCreationDateTime": created / times.SECOND}}


def bounds(size: int = 100, retries: int = -1, age: int = -1, bisect: bool = False) -> StreamProperties:
    return StreamProperties.model_validate(
        {
            "Stream": "arn",
            "BatchSize": size,
            "MaximumRetryAttempts": retries,
            "MaximumRecordAgeInSeconds": age,
            "BisectBatchOnFunctionError": bisect,
        }
    )


def numbers(records: Sequence[Record]) -> list[int]:
    return [int(sequence_number(each)) for each in records]


def left(outcome: Outcome) -> list[tuple[list[int], int]]:
    return [(numbers(part.records), part.attempts) for part in outcome.remaining]


FOUR = Batch([record(number) for number in range(4)])


def test_records_are_tried_in_order_a_batch_at_a_time() -> None:
    parts = split_into_batches([record(number) for number in range(5)], bounds(size=2))
    assert [numbers(part.records) for part in parts] == [[0, 1], [2, 3], [4]]


def test_nothing_is_left_of_what_was_handled() -> None:
    assert plan_retry(FOUR, set(), bounds(), NOW) == Outcome()


def test_after_a_partial_failure_it_goes_on_from_the_lowest_failed() -> None:
    assert left(plan_retry(FOUR, {"002", "001"}, bounds(), NOW)) == [([1, 2, 3], 1)]


def test_a_part_that_got_further_has_all_its_retries_again() -> None:
    stuck = Batch(FOUR.records, attempts=3)
    assert left(plan_retry(stuck, {"001"}, bounds(retries=3), NOW)) == [([1, 2, 3], 1)]
    assert left(plan_retry(stuck, {"000"}, bounds(retries=4), NOW)) == [([0, 1, 2, 3], 4)]


def test_when_its_retries_are_used_up_all_that_was_to_come_again_is_given_up() -> None:
    outcome = plan_retry(Batch(FOUR.records[1:], attempts=2), {"001"}, bounds(retries=2), NOW)
    assert outcome.discarded is not None
    assert (numbers(outcome.discarded.records), outcome.discarded.condition, outcome.discarded.attempts) == (
        [1, 2, 3],
        "RetryAttemptsExhausted",
        3,
    )
    assert left(outcome) == []


def test_an_invocation_that_fails_is_repeated_whole() -> None:
    assert left(plan_retry(FOUR, None, bounds(), NOW)) == [([0, 1, 2, 3], 1)]


def test_with_bisect_it_is_halved_which_takes_nothing_from_the_retries() -> None:
    outcome = plan_retry(Batch(FOUR.records, attempts=1), None, bounds(retries=1, bisect=True), NOW)
    assert left(outcome) == [([0, 1], 1), ([2, 3], 1)]
    assert [part.due for part in outcome.remaining] == [NOW, NOW]


def test_a_single_record_cannot_be_halved() -> None:
    single = Batch(FOUR.records[:1], attempts=1)
    assert left(plan_retry(single, None, bounds(retries=2, bisect=True), NOW)) == [([0], 2)]
    assert plan_retry(single, None, bounds(retries=1, bisect=True), NOW).discarded is not None


def test_pauses_grow_up_to_a_bound() -> None:
    outcomes = [plan_retry(Batch(FOUR.records, tries), {"000"}, bounds(), NOW) for tries in range(3000)]
    pauses = [times.seconds_between(NOW, outcome.remaining[0].due) for outcome in outcomes]
    assert pauses == sorted(pauses)
    assert 0 < pauses[0] < pauses[1] < pauses[-1] == LONGEST_DELAY_SECONDS


def test_what_is_too_old_is_given_up_before_it_is_tried() -> None:
    part = Batch([record(number, times.add_seconds(NOW, -age)) for number, age in enumerate((61, 60, 0))], attempts=5)
    outcome = discard_expired(part, bounds(age=60), NOW)
    assert outcome.discarded is not None
    assert (numbers(outcome.discarded.records), outcome.discarded.condition) == ([0], "RecordAgeExceeded")
    assert left(outcome) == [([1, 2], 0)]
    assert discard_expired(part, bounds(), NOW) == Outcome(remaining=[part])


def test_nothing_may_be_left_that_is_young_enough() -> None:
    outcome = discard_expired(FOUR, bounds(age=60), times.add_seconds(NOW, 61))
    assert outcome.discarded is not None
    assert (len(outcome.discarded.records), left(outcome)) == (4, [])


def _ends(
    size: int, limits: StreamProperties, stubborn: dict[int, int], raises: bool
) -> Iterator[tuple[Batch, set[str] | None, Outcome]]:
    """Yield each try until nothing is left, for a function that fails a record as often as `stubborn` says."""
    waiting = [Batch([record(number) for number in range(size)])]
    while waiting:
        part = waiting.pop(0)
        failed = {f"{number:03d}" for number in numbers(part.records) if stubborn.get(number, 0) > 0}
        for name in failed:
            stubborn[int(name)] -= 1
        told = None if failed and raises else failed
        outcome = plan_retry(part, told, limits, NOW)
        yield part, told, outcome
        waiting[:0] = outcome.remaining


@given(
    stubborn=st.dictionaries(st.integers(0, 19), st.integers(1, 6)),
    retries=st.integers(0, 4),
    bisect=st.booleans(),
    raises=st.booleans(),
)
def test_every_record_is_handled_or_given_up_and_none_tried_too_often(
    stubborn: dict[int, int], retries: int, bisect: bool, raises: bool
) -> None:
    done: list[int] = []
    for part, failed, outcome in _ends(20, bounds(retries=retries, bisect=bisect), stubborn, raises):
        again = [number for each in outcome.remaining for number in numbers(each.records)]
        lost = numbers(outcome.discarded.records) if outcome.discarded else []
        tries = [each.attempts for each in outcome.remaining]
        assert part.attempts <= retries
        assert all(number <= retries for number in tries)
        settled = [number for number in numbers(part.records) if number not in again]
        assert settled == sorted(settled)
        assert {*lost} <= {*settled}
        assert failed is None or not {f"{number:03d}" for number in settled if number not in lost} & failed
        done += settled
    assert done == list(range(20))


@pytest.mark.parametrize("place", [0, 5, 7])
def test_bisect_isolates_the_record_that_makes_the_handler_raise(place: int) -> None:
    lost = [
        number
        for _, _, outcome in _ends(8, bounds(retries=2, bisect=True), {place: 99}, raises=True)
        if outcome.discarded
        for number in numbers(outcome.discarded.records)
    ]
    assert lost == [place]
