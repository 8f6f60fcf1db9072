"""A response of DynamoDB is lost, and botocore repeats the request: what is stored and answered is as without it."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.functions.conftest import FAULTS, Invoke
from tests.functions.scenarios import WRITES, Sample, Scenario, Stack, clear, shown, standing_still, state

OPERATIONS = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}


@pytest.fixture
def functions(invoke: Invoke, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))  # it repeats without a pause
    yield standing_still(invoke, sample, monkeypatch)
    FAULTS.lose = None


def losing(number: int) -> Callable[[str], None]:
    """Loses the response to the write of that number, once it was applied."""
    writes = iter(range(1000))

    def lose(operation: str) -> None:
        if operation in OPERATIONS and next(writes) == number:
            raise ReadTimeoutError(endpoint_url="https://dynamodb.us-east-1.amazonaws.com")

    return lose


def counting(made: list[str]) -> Callable[[str], None]:
    """Notes the writes."""

    def note(operation: str) -> None:
        if operation in OPERATIONS:
            made.append(operation)

    return note


def play(stack: Stack, scenario: Scenario, lose: Callable[[str], None]) -> list[str]:
    """The answer, and the state after it."""
    clear()
    stack.seconds = 0
    scenario.given(stack)
    FAULTS.lose = lose
    answer = scenario.act(stack)
    FAULTS.lose = None
    return [shown(answer), *state()]


@pytest.mark.parametrize("scenario", WRITES, ids=[each.name for each in WRITES])
def test_whichever_response_is_lost_all_ends_as_if_none_were(scenario: Scenario, functions: Stack) -> None:
    stack, writes = functions, list[str]()
    undisturbed = play(stack, scenario, counting(writes))
    assert writes
    for number, operation in enumerate(writes):
        found = play(stack, scenario, losing(number))
        assert [each for each in found if each not in undisturbed] == [], f"{operation}, number {number}"
        assert found == undisturbed
