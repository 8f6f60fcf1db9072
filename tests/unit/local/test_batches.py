"""A stream's batches: order, retries, halving, and the end of patience."""

import logging
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.batches import LONGEST_PAUSE_SECONDS, Batches
from local.cloudformation import StreamProperties
from local.invocation import HandlerFailed, Record, sequence_number

Failures = Callable[[Sequence[Record]], set[str]]


def record(number: int, created: int = 1000) -> Record:
    return {"dynamodb": {"SequenceNumber": f"{number:03d}", "ApproximateCreationDateTime": created}}


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


class Function:
    """Fails each record as often as `stubborn` says: by naming it, or by raising."""

    def __init__(self, stubborn: dict[str, int] | None = None, raises: bool = False) -> None:
        self.stubborn = dict(stubborn or {})
        self.raises = raises
        self.batches: list[list[str]] = []
        self.done: list[str] = []

    def failures(self, records: Sequence[Record]) -> set[str]:
        numbers = [sequence_number(each) for each in records]
        self.batches.append(numbers)
        failed = {number for number in numbers if self.stubborn.get(number, 0) > 0}
        for number in failed:
            self.stubborn[number] -= 1
        if failed and self.raises:
            raise HandlerFailed("on purpose")
        self.done += [number for number in numbers if number not in failed]
        return failed


def drive(function: Function, records: Sequence[Record], limits: StreamProperties, now: float = 1000) -> list[float]:
    pauses: list[float] = []
    Batches(function.failures, limits, pauses.append, lambda: now).handle(records)
    return pauses


def test_records_go_in_order_a_batch_at_a_time() -> None:
    function = Function()
    assert drive(function, [record(number) for number in range(5)], bounds(size=2)) == []
    assert function.batches == [["000", "001"], ["002", "003"], ["004"]]


def test_after_a_partial_failure_it_goes_on_from_the_lowest_failed() -> None:
    function = Function({"001": 1, "002": 1})
    pauses = drive(function, [record(number) for number in range(4)], bounds())
    assert function.batches == [["000", "001", "002", "003"], ["001", "002", "003"]]
    assert len(pauses) == 1


def test_pauses_grow_up_to_a_bound() -> None:
    pauses = drive(Function({"000": 10}), [record(0)], bounds())
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[1]
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


def test_the_lowest_failed_record_is_given_up_and_its_neighbours_go_on(caplog: pytest.LogCaptureFixture) -> None:
    function = Function({"001": 99})
    drive(function, [record(number) for number in range(4)], bounds(retries=2))
    assert [batch[0] for batch in function.batches] == ["000", "001", "001", "002"]
    assert set(function.done) == {"000", "002", "003"}
    assert [line.getMessage() for line in caplog.records] == ["gave up the record 001, tried too often"]


def test_a_batch_whose_handler_raises_is_given_up_whole_without_bisect() -> None:
    function = Function({"001": 99}, raises=True)
    drive(function, [record(number) for number in range(4)], bounds(retries=2))
    assert function.batches == [["000", "001", "002", "003"]] * 3
    assert function.done == []


def test_bisect_isolates_the_record_that_makes_the_handler_raise() -> None:
    function = Function({"005": 99}, raises=True)
    drive(function, [record(number) for number in range(8)], bounds(retries=2, bisect=True))
    assert sorted(function.done) == [f"{number:03d}" for number in range(8) if number != 5]


def test_records_that_are_too_old_are_given_up(caplog: pytest.LogCaptureFixture) -> None:
    function = Function()
    drive(function, [record(0, created=100), record(1, created=950)], bounds(age=60))
    assert function.batches == [["001"]]
    assert [line.getMessage() for line in caplog.records] == ["gave up the record 000, too old"]


@given(
    stubborn=st.dictionaries(st.integers(0, 19).map("{:03d}".format), st.integers(1, 6)),
    size=st.integers(1, 20),
    retries=st.integers(0, 4),
    bisect=st.booleans(),
    raises=st.booleans(),
)
def test_every_record_is_handled_or_given_up(
    stubborn: dict[str, int], size: int, retries: int, bisect: bool, raises: bool
) -> None:
    function, lost = Function(stubborn, raises), _Lost()
    log = logging.getLogger("local.batches")
    log.addHandler(lost)
    try:
        drive(function, [record(number) for number in range(20)], bounds(size, retries, bisect=bisect))
    finally:
        log.removeHandler(lost)
    assert set(function.done) | lost.numbers == {f"{number:03d}" for number in range(20)}


class _Lost(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.numbers: set[str] = set()

    def emit(self, line: logging.LogRecord) -> None:
        assert isinstance(line.args, tuple)
        self.numbers.add(str(line.args[0]))
