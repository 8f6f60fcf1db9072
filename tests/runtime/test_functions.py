"""Every function starts as in Lambda, and returns the same for each sample of its triggers, cold and warm."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.runtime.conftest import PLAN, Sample
from tests.runtime.process import FunctionError, Process
from tests.stack import ROOT

SAMPLES = {path.stem: json.loads(path.read_text()) for path in sorted(ROOT.glob("events/*.json"))}
CREATED = {"create-job", "subscribe"}
ACCEPTED = {"report-events", "test-subscription"}
REFUSED = {404: {"retry-delivery"}, 409: {"issue-ticket"}}
"""There are no deliveries yet, and a webhook needs no ticket."""
NOTHING = {"put-worker", "delete-subscription"}
LAST = "delete-subscription"
"""Samples that run after all others."""


def samples_of(function: str) -> list[str]:
    """Return the samples for a function's triggers."""
    calls = {f"{route.method} {route.path}" for route in PLAN.routes_of(function)}
    calls |= {route for route, target in PLAN.websocket.routes.items() if target.function == function}
    found = [name for name, event in SAMPLES.items() if _called_by(event) in calls]
    found += ["outbox-record"] * any(name == function for name, _ in PLAN.streams)
    found += ["delivery-message"] * any(name == function for name, _ in PLAN.consumers)
    found += ["schedule"] * any(name == function for name, _ in PLAN.schedules)
    return found


def _called_by(event: Mapping[str, Any]) -> str:
    return str(event.get("routeKey") or event.get("requestContext", {}).get("routeKey"))


def expected(name: str) -> Any:
    """Return the expected result of a sample: a status, or the failed records."""
    if "Records" in SAMPLES[name]:
        return {"batchItemFailures": []}
    if name == "schedule":
        return None
    if name == "websocket-connect":
        return 401  # there is no such ticket
    if name.startswith("websocket"):
        return 200
    statuses = {201: CREATED, 202: ACCEPTED, 204: NOTHING, **REFUSED}
    return next((status for status, names in statuses.items() if name in names), 200)


def outcome(answer: Any) -> Any:
    return answer["statusCode"] if isinstance(answer, dict) and "statusCode" in answer else answer


def shape(value: Any) -> Any:
    """Return names and types of a response without its values, because the time advances."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value[:1]] if isinstance(value, list) else type(value).__name__


def test_each_function_has_a_sample() -> None:
    assert [function for function in PLAN.functions if not samples_of(function)] == []


@pytest.mark.parametrize("function", sorted(PLAN.functions))
def test_it_answers_its_samples_cold_and_warm(
    functions: Mapping[str, Process], sample: Sample, job: Any, function: str
) -> None:
    process, first = functions[function], dict[str, Any]()
    process.kill()
    for name in sorted(samples_of(function) * 2, key=lambda name: name == LAST):
        answer = process.invoke(about(job, sample(name))).json
        assert outcome(answer) == expected(name), answer
        if name in CREATED | ACCEPTED:  # the same Idempotency-Key
            assert told(answer) == told(first.setdefault(name, answer))
        else:
            assert shape(told(answer)) == shape(told(first.setdefault(name, answer)))
    assert process.alive


def about(job: Any, event: Any) -> Any:
    """Return the sample for the job's own subscription."""
    if "subscriptionId" not in event.get("pathParameters", {}):
        return event
    sampled, made = event["pathParameters"]["subscriptionId"], job["subscriptions"][0]["subscriptionId"]
    return json.loads(json.dumps(event).replace(sampled, made))


def told(answer: Any) -> Any:
    """Return the body of a response, parsed if it is JSON, or the whole response if it has no body."""
    if not isinstance(answer, dict) or not answer.get("body"):
        return answer
    read = "json" in answer["headers"]["content-type"] and not answer["isBase64Encoded"]
    return json.loads(answer["body"]) if read else answer["body"]


def test_a_function_that_lacks_a_variable_says_which_when_it_starts(
    functions: Mapping[str, Process], variables: Mapping[str, Mapping[str, str]]
) -> None:
    without = {**variables["LogsFunction"], "RETENTION_DAYS": "ninety"}
    process = Process("LogsFunction", PLAN.functions["LogsFunction"], without)
    try:
        with pytest.raises(FunctionError, match="ninety"):
            process.invoke(SAMPLES["get-logs"])
    finally:
        process.close()
