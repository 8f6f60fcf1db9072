"""DynamoDB, KMS or SQS is throttled, fails or is unavailable: clients get a 503 with Retry-After."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.model import OperationModel

from jobtrack.errors import Unavailable
from tests.functions.conftest import FAULTS, Invoke
from tests.functions.scenarios import READS, WRITES, Sample, Scenario, Stack, clear, standing_still, state
from tests.retrying import shared_retry_at_once

URL = "https://dynamodb.us-east-1.amazonaws.com"
Failure = Callable[[OperationModel], Any]


class Raw:
    """The part of an HTTP response that botocore reads."""

    def __init__(self, status: int) -> None:
        self.status_code = status


def answering(code: str, status: int = 400, reasons: tuple[str, ...] = ()) -> Failure:
    """Return an AWS error, after botocore's own retries."""
    parsed: dict[str, Any] = {
        "Error": {"Code": code, "Message": "injected"},
        "ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": 2},
    }
    if reasons:
        parsed["CancellationReasons"] = [{"Code": each} for each in reasons]
    return lambda _: (Raw(status), parsed)


def raising(error: Exception) -> Failure:
    def fail(_: OperationModel) -> Any:
        raise error

    return fail


FAILURES: dict[str, Failure] = {
    **{
        code: answering(code)
        for code in (
            "ProvisionedThroughputExceededException",
            "ThrottlingException",
            "Throttling",
            "RequestLimitExceeded",
            "LimitExceededException",
            "TransactionInProgressException",
            "RequestThrottled",
            "KmsThrottled",
            "OverLimit",
        )
    },
    **{
        code: answering(code, 500)
        for code in ("InternalServerError", "KMSInternalException", "InternalFailure", "UnknownToUs")
    },
    **{
        code: answering(code, 503)
        for code in ("ServiceUnavailable", "ServiceUnavailableException", "DependencyTimeoutException", "503")
    },
    "cannot connect": raising(EndpointConnectionError(endpoint_url=URL)),
    "connects too slowly": raising(ConnectTimeoutError(endpoint_url=URL)),
    "answers too slowly": raising(ReadTimeoutError(endpoint_url=URL)),
    "hangs up": raising(ConnectionClosedError(endpoint_url=URL)),
}
REASONS = ("ThrottlingError", "ProvisionedThroughputExceeded")
SAME = {"create, no key", "two heartbeats", "many lines, no key", "failure, with key", "subscribe, no key, since 0"}
"""Scenarios without a call that no other scenario makes."""
ROUTES = [each for each in (*READS, *WRITES) if each.of_the_api and each.name not in SAME]


@pytest.fixture
def functions(invoke: Invoke, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Functions without a network."""

    clear()
    logging.disable()  # writing hundreds of tracebacks would take most of the time
    with shared_retry_at_once(seconds=0.05):  # otherwise each failure would take two seconds
        yield standing_still(invoke, sample, monkeypatch)
    logging.disable(logging.NOTSET)
    FAULTS.answer = None


def failing(failure: Failure, operation: str = "", first: int = 0) -> Failure:
    """Fails every call, or the calls of one operation from a number on."""
    calls = iter(range(10**6))

    def answer(model: OperationModel) -> Any:
        return failure(model) if operation in ("", model.name) and next(calls) >= first else None

    return answer


def asked(stack: Stack, scenario: Scenario, answer: Failure) -> tuple[int, Any, Any]:
    """Return status, code and Retry-After."""
    FAULTS.answer = answer
    found = scenario.act(stack)
    FAULTS.answer = None
    code = json.loads(found["body"]).get("code") if found.get("body") else None
    return found["statusCode"], code, found["headers"].get("retry-after")


UNAVAILABLE = (503, "unavailable", "2")


@pytest.mark.parametrize("scenario", ROUTES, ids=[each.name for each in ROUTES])
def test_an_outage_is_answered_503_and_stores_nothing(scenario: Scenario, functions: Stack) -> None:
    scenario.given(functions)
    before = state()
    for name, failure in FAILURES.items():
        assert asked(functions, scenario, failing(failure)) == UNAVAILABLE, name
    assert state() == before


@pytest.mark.parametrize("scenario", ROUTES, ids=[each.name for each in ROUTES])
def test_so_is_one_of_any_single_call(scenario: Scenario, functions: Stack) -> None:
    calls: list[str] = []

    def note(model: OperationModel) -> None:
        calls.append(model.name)

    scenario.given(functions)
    undisturbed = asked(functions, scenario, note)
    before = again(functions, scenario)
    for number, operation in enumerate(calls):
        nth = calls[:number].count(operation)
        found = asked(functions, scenario, failing(FAILURES["ThrottlingException"], operation, nth))
        if found == undisturbed:  # it succeeds without the call
            before = again(functions, scenario)
            continue
        assert found == UNAVAILABLE, f"{operation}, number {nth}"
        assert unmade(state()) == unmade(before), f"{operation}, number {nth}"


def again(stack: Stack, scenario: Scenario) -> list[str]:
    """Restore the state at the start of a scenario."""
    clear()
    scenario.given(stack)
    return state()


def unmade(found: list[str]) -> list[str]:
    """Return the state without hints to jobs that do not exist: they are written before the job, and never shown."""
    return [each for each in found if '"sk": "D#' not in each]


WRITING = [each for each in ROUTES if each not in READS]


@pytest.mark.parametrize("reason", REASONS)
def test_a_transaction_that_is_throttled_is_503_and_one_in_conflict_429(reason: str, functions: Stack) -> None:
    for scenario in (each for each in WRITING if each.name in ("five lines, with key", "create", "subscribe")):
        clear()
        scenario.given(functions)
        before = state()
        throttled = answering("TransactionCanceledException", 400, (reason, "None"))
        assert asked(functions, scenario, failing(throttled, "TransactWriteItems")) == UNAVAILABLE
        conflict = answering("TransactionCanceledException", 400, ("None", "TransactionConflict"))
        assert asked(functions, scenario, failing(conflict, "TransactWriteItems")) == (429, "job_busy", "1")
        assert state() == before


def test_what_dynamodb_puts_off_without_end_is_503(functions: Stack) -> None:
    def put_off(model: OperationModel) -> Any:
        asked_for = {"BatchGetItem": "UnprocessedKeys", "BatchWriteItem": "UnprocessedItems"}
        if model.name not in asked_for:
            return None
        key = {"pk": {"S": "p"}, "sk": {"S": "s"}}
        left = [{"DeleteRequest": {"Key": key}}] if model.name == "BatchWriteItem" else {"Keys": [key]}
        return Raw(200), {"Responses": {}, asked_for[model.name]: {"JobsTable": left}}

    put_off_by = [each for each in ROUTES if each.name in ("get-batch", "list-jobs", "create", "create a dependent")]
    for scenario in put_off_by:
        clear()
        scenario.given(functions)
        assert asked(functions, scenario, put_off) == UNAVAILABLE


ELSEWHERE = ("connect", "disconnect", "resume", "deliver")
"""A client reconnects with a new ticket; for the deliverer see tests/faults/test_outages.py."""
STARTED_BY_THE_CLOCK = [each for each in WRITES if not each.of_the_api and each.name not in ELSEWHERE]


@pytest.mark.parametrize("scenario", STARTED_BY_THE_CLOCK, ids=[each.name for each in STARTED_BY_THE_CLOCK])
def test_what_an_outage_stops_is_done_in_the_next_minute(scenario: Scenario, functions: Stack) -> None:
    calls: list[str] = []

    def note(model: OperationModel) -> None:
        calls.append(model.name)

    scenario.given(functions)
    FAULTS.answer = note
    answer = scenario.act(functions)
    done = state()
    for number in range(len(calls)):
        functions.seconds = 0
        again(functions, scenario)
        FAULTS.answer = failing(FAILURES["ThrottlingException"], first=number)
        with suppress(ClientError, BotoCoreError, Unavailable):
            scenario.act(functions)
        FAULTS.answer = None
        assert scenario.act(functions) == answer
        assert state() == done, f"{calls[number]}, number {number}"


def test_what_is_no_outage_is_still_our_fault(functions: Stack) -> None:
    functions.running()
    for code in ("AccessDeniedException", "ValidationException", "ResourceNotFoundException"):
        found = asked(functions, READS[0], failing(answering(code)))
        assert found == (500, "internal_error", None)
