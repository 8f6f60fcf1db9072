"""How a function's response is read."""

from typing import Any

import pytest

from jobtrack_local.pollers.batch_responses import PARTIAL, invoke_batch
from jobtrack_local.runtime.events import Record
from jobtrack_local.runtime.function import HandlerFailed

BATCH: list[Record] = [{"id": "a"}, {"id": "b"}]


def said(answer: Any, response_types: tuple[str, ...] = (PARTIAL,)) -> set[str]:
    return invoke_batch(lambda records: answer, BATCH, lambda record: str(record["id"]), response_types)


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}, "fine"])
def test_an_answer_without_failures_means_that_all_went_well(answer: object) -> None:
    assert said(answer) == set()


def test_failures_are_those_named() -> None:
    assert said({"batchItemFailures": [{"itemIdentifier": "b"}]}) == {"b"}


@pytest.mark.parametrize(
    "listed",
    [
        [{"itemIdentifier": ""}],
        [{"itemIdentifier": None}],
        [{"identifier": "a"}],
        [{"itemIdentifier": "a"}, {"itemIdentifier": "stranger"}],
        "a",
        {"itemIdentifier": "a"},
    ],
)
def test_an_answer_that_cannot_be_understood_fails_the_batch(listed: object) -> None:
    with pytest.raises(HandlerFailed):
        said({"batchItemFailures": listed})


def test_failures_count_only_where_the_mapping_asks_for_them() -> None:
    assert said({"batchItemFailures": [{"itemIdentifier": "b"}]}, ()) == set()


def test_what_the_function_raises_fails_the_batch_whatever_the_mapping_asks_for() -> None:
    def raising(records: object) -> object:
        raise HandlerFailed("on purpose")

    with pytest.raises(HandlerFailed):
        invoke_batch(raising, BATCH, str, ())
