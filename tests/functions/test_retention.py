"""A job that reports for longer than the retention, through the functions: everything stays readable."""

import json
import secrets
from types import SimpleNamespace
from typing import Any

import pytest

from functions.api.events import app as events_app
from functions.api.jobs import app as jobs_app
from functions.schedule.watchdog import app as watchdog_app
from jobtrack import times
from jobtrack.store.ttl import DAY_SECONDS, Retention
from tests.functions.conftest import DYNAMODB, Invoke
from tests.functions.scenarios import DEPENDENT, Sample, Stack, clear

DAYS, HOURS, LINES = 7, 12, 100
START = times.epoch_seconds(times.now())


@pytest.fixture
def functions(invoke: Invoke, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Provide functions with a test clock and a retention of seven days."""
    clear()
    found = Stack(invoke, sample)
    clock = SimpleNamespace(time_ns=lambda: (START + int(found.seconds)) * 10**9)
    monkeypatch.setattr("jobtrack.times.time", clock)
    set_retention(monkeypatch, DAYS)
    return found


def set_retention(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    for jobs in (events_app.jobs, jobs_app.jobs, watchdog_app._jobs):
        monkeypatch.setattr(jobs, "retention_days", days)
    monkeypatch.setattr(watchdog_app._ttl_extender.ttls, "retention", Retention.days(days))


def wait(stack: Stack, seconds: int) -> None:
    """Advance the time: DynamoDB deletes expired items, and the watchdog runs."""
    stack.seconds += seconds
    for item in DYNAMODB.scan(TableName="JobsTable")["Items"]:
        if "exp" in item and int(item["exp"]["N"]) <= START + stack.seconds:
            DYNAMODB.delete_item(TableName="JobsTable", Key={"pk": item["pk"], "sk": item["sk"]})
    assert stack.invoke("WatchdogFunction", stack.sample("schedule")) == {}


def get(stack: Stack, function: str, name: str, query: str = "") -> Any:
    event = stack.sample(name)
    event["rawQueryString"] = query
    answer = stack.invoke(function, event)
    assert answer["statusCode"] == 200, answer["body"]
    return json.loads(answer["body"])


def lines(stack: Stack) -> list[str]:
    """Return every line, read by cursor."""
    found: list[str] = []
    query = "level=DEBUG&limit=1000"
    while query:
        page = get(stack, "LogsFunction", "get-logs", query)
        found = [each["message"] for each in page["logs"]] + found
        query = f"level=DEBUG&limit=1000&cursor={page['nextCursor']}" if page["nextCursor"] else ""
    return found


def test_ten_days_of_reports_at_seven_of_retention(functions: Stack) -> None:
    job = json.loads(functions.sample("create-job")["body"])["jobId"]
    first = functions.ask("JobsFunction", "create-job", key=False, jobId=DEPENDENT, subscriptions=[])
    assert first["statusCode"] == 201
    functions.job(prerequisites=[{"jobId": DEPENDENT}], metadata={"text": "x" * 4000})
    assert functions.events("jobStarted", {"type": "blocked", "data": {"condition": "disk"}})["statusCode"] == 202
    sent = []
    for round_ in range(10 * 24 // HOURS):
        texts = [f"{round_}/{number}" for number in range(LINES)]
        told: list[str | dict[str, Any]] = [
            {"type": "log", "data": {"level": "DEBUG", "message": each}} for each in texts
        ]
        told.append({"type": "milestone", "data": {"description": f"round {round_}"}})
        assert functions.events(*told)["statusCode"] == 202
        keep_the_first_alive(functions)
        sent += texts
        wait(functions, HOURS * 3600)
    everything_is_there(functions, job, sent)
    assert functions.events("jobCompleted")["statusCode"] == 202
    wait(functions, DAYS * DAY_SECONDS - 60)
    assert lines(functions) == sent


def test_what_was_written_before_the_retention_was_raised_is_kept(
    functions: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.job()
    assert functions.events("jobStarted")["statusCode"] == 202
    texts = [secrets.token_hex(100) for _ in range(5 * LINES)]  # too much for the snapshot
    told = [{"type": "log", "data": {"level": "INFO", "message": each}} for each in texts]
    assert functions.events(*told)["statusCode"] == 202
    wait(functions, HOURS * 3600)
    set_retention(monkeypatch, 90)
    for _ in range(DAYS + 3):
        assert functions.events({"type": "heartbeat"})["statusCode"] == 202
        wait(functions, DAY_SECONDS)
    assert lines(functions) == texts


def about_the_first(stack: Stack, name: str) -> dict[str, Any]:
    """Return the sample for the prerequisite of the other job."""
    event = stack.sample(name)
    path = event["rawPath"].replace(event["pathParameters"]["jobId"], DEPENDENT)
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["pathParameters"]["jobId"] = DEPENDENT
    event["headers"].pop("idempotency-key", None)
    return event


def keep_the_first_alive(stack: Stack) -> None:
    """The prerequisite reports too; otherwise it would correctly be deleted after a week."""
    event = about_the_first(stack, "report-events")
    event["body"] = json.dumps({"events": [{"type": "heartbeat"}]})
    assert stack.invoke("EventsFunction", event)["statusCode"] == 202


def everything_is_there(stack: Stack, job: str, sent: list[str]) -> None:
    assert lines(stack) == sent
    followed = get(stack, "LogsFunction", "get-logs", "level=DEBUG&limit=10000&sinceSequence=0")
    assert [each["message"] for each in followed["logs"]] == sent
    shown = get(stack, "TimelineFunction", "get-timeline", "granularity=seconds&includeSubEvents=true&limit=10000")
    kinds = [each["eventType"] for each in shown["timeline"]]
    assert kinds[0] == "JobQueued"
    assert kinds.count("Milestone") == 10 * 24 // HOURS
    around = get(stack, "DependenciesFunction", "get-dependencies")
    assert [each["jobId"] for each in around["dependencies"]["prerequisiteJobs"]] == [DEPENDENT]
    assert [each["condition"] for each in around["blockingConditions"]] == ["disk"]
    assert get(stack, "JobsFunction", "get-job")["metadata"] == {"text": "x" * 4000}
    body = json.loads(stack.invoke("DependenciesFunction", about_the_first(stack, "get-dependencies"))["body"])
    assert [each["jobId"] for each in body["dependencies"]["dependentJobs"]] == [job]
    again = stack.ask(
        "JobsFunction",
        "create-job",
        key=False,
        subscriptions=[],
        prerequisites=[{"jobId": DEPENDENT}],
        metadata={"text": "x" * 4000},
    )
    assert again["statusCode"] == 201, "the same request is known again"
