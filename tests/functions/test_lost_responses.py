"""A response of DynamoDB is lost, and botocore repeats the request: state and response are as without the loss."""

import json
from collections.abc import Callable, Collection, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.model import OperationModel

from tests.functions.conftest import FAULTS, Invoke
from tests.functions.scenarios import WRITES, Sample, Scenario, Stack, clear, shown, standing_still, state

OPERATIONS = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}
CONDITIONAL = {"UpdateItem", "TransactWriteItems"}
"""The writes of the API that a repetition would apply twice."""


@pytest.fixture
def functions(invoke: Invoke, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    yield standing_still(invoke, sample, monkeypatch)
    FAULTS.lose = FAULTS.answer = None


LOST = ReadTimeoutError(endpoint_url="https://dynamodb.us-east-1.amazonaws.com")
_FAILED_INSIDE: Any = {
    "Error": {"Code": "InternalServerError", "Message": "injected"},
    "ResponseMetadata": {"HTTPStatusCode": 500, "RetryAttempts": 0},
}
FAILED = ClientError(_FAILED_INSIDE, "TransactWriteItems")
"""botocore does not repeat it: in a long outage, its quota of retries is used up."""


def losing(number: int, error: Exception = LOST, operations: Collection[str] = OPERATIONS) -> Callable[[str], None]:
    """Loses the response to the write of that number after it was applied, or replaces it with an error."""
    writes = iter(range(1000))

    def lose(operation: str) -> None:
        if operation in operations and next(writes) == number:
            raise error

    return lose


def counting(made: list[str], operations: Collection[str] = OPERATIONS) -> Callable[[str], None]:
    """Records the writes."""

    def note(operation: str) -> None:
        if operation in operations:
            made.append(operation)

    return note


def play(stack: Stack, scenario: Scenario, lose: Callable[[str], None]) -> list[str]:
    """The response, and the state after it."""
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


OF_THE_API = [each for each in WRITES if each.of_the_api]


@pytest.mark.parametrize("scenario", OF_THE_API, ids=[each.name for each in OF_THE_API])
def test_so_it_does_where_dynamodb_fails_after_a_conditional_write(scenario: Scenario, functions: Stack) -> None:
    stack, writes = functions, list[str]()
    undisturbed = play(stack, scenario, counting(writes, CONDITIONAL))
    for number, operation in enumerate(writes):
        found = play(stack, scenario, losing(number, FAILED, CONDITIONAL))
        assert found == undisturbed, f"{operation}, number {number}"


def test_where_nobody_can_look_it_is_not_written_again(functions: Stack) -> None:
    scenario = next(each for each in WRITES if each.name == "five lines, no key")
    undisturbed = play(functions, scenario, counting([]))[1:]
    written: list[str] = []

    def fail_the_write(operation: str) -> None:
        if operation == "UpdateItem" and not written:
            written.append(operation)
            raise FAILED

    def fail_the_look(model: OperationModel) -> Any:
        if model.name == "GetItem" and len(written) == 1:
            written.append(model.name)
            return SimpleNamespace(status_code=500), _FAILED_INSIDE
        return None

    FAULTS.answer = fail_the_look
    answer, *found = play(functions, scenario, fail_the_write)
    assert written == ["UpdateItem", "GetItem"]
    assert (json.loads(answer)["statusCode"], found) == (503, undisturbed)
