"""A response of DynamoDB is lost, and botocore repeats the request: what is stored and answered is as without it."""

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from botocore.exceptions import ReadTimeoutError

from functions.schedule.expirer import app as expirer
from tests.functions.conftest import FAULTS, Invoke
from tests.functions.scenarios import WRITES, Sample, Scenario, Stack, clear, shown, state

MOMENT = time.time_ns()
OPERATIONS = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}


@pytest.fixture
def stack_of_functions(invoke: Invoke, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Functions without a network, whose clock stands unless a scenario moves it; botocore repeats without a pause."""
    stack = Stack(invoke, sample)

    def moment() -> int:
        return MOMENT + int(stack.seconds * 10**9)

    def unknown(*_: object, **__: object) -> None:
        raise OSError("no network here")

    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr("jobtrack.times.time", SimpleNamespace(time_ns=moment))
    for each in (expirer._expirer, expirer._expirer.endings):
        monkeypatch.setattr(each, "clock", lambda: moment() / 10**9)
    monkeypatch.setattr("socket.getaddrinfo", unknown)
    yield stack
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
def test_whichever_response_is_lost_all_ends_as_if_none_were(scenario: Scenario, stack_of_functions: Stack) -> None:
    stack, writes = stack_of_functions, list[str]()
    undisturbed = play(stack, scenario, counting(writes))
    assert writes
    for number, operation in enumerate(writes):
        found = play(stack, scenario, losing(number))
        assert [each for each in found if each not in undisturbed] == [], f"{operation}, number {number}"
        assert found == undisturbed
