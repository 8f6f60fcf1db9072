"""The watchdog as the schedule calls it: within its policy, on the template's table."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from functions.api.events import app as events_app
from functions.schedule.watchdog import app
from jobtrack import times
from tests.functions.conftest import DYNAMODB, NAMES, SQS, Invoke
from tests.functions.test_samples import outbox

Sample = Callable[[str], dict[str, Any]]


@pytest.fixture
def job(invoke: Invoke, sample: Sample) -> dict[str, Any]:
    """Create the samples' running job with a heartbeat of a minute, and a subscription to jobStalled."""
    assert invoke("JobsFunction", sample("create-job"))["statusCode"] == 201
    wanted = sample("subscribe")
    wanted["body"] = json.dumps({**json.loads(wanted["body"]), "events": ["jobStalled"]})
    assert invoke("SubscriptionsFunction", wanted)["statusCode"] == 201
    assert invoke("EventsFunction", sample("report-events"))["statusCode"] == 202
    answer = invoke("JobsFunction", sample("get-job"))
    found = json.loads(answer["body"])
    assert isinstance(found, dict)
    return found


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Moves the watchdog's clock ahead by a number of seconds."""

    def move(seconds: int) -> None:
        def now() -> int:
            return times.now() + seconds * times.SECOND

        monkeypatch.setattr(app._watchdog, "now", now)
        monkeypatch.setattr(app._watchdog.jobs, "now", now)

    return move


def stalled(invoke: Invoke, sample: Sample) -> tuple[bool, int]:
    body = json.loads(invoke("JobsFunction", sample("get-job"))["body"])
    return body["stalled"], body["lastSequence"]


def test_a_silent_job_is_called_stalled_once_and_those_who_listen_are_owed_it(
    invoke: Invoke, sample: Sample, job: dict[str, Any], later: Callable[[int], None]
) -> None:
    before = len(list(outbox(sample)))
    for _ in range(2):
        later(62)
        assert invoke("WatchdogFunction", sample("schedule")) == {}
        assert stalled(invoke, sample) == (True, job["lastSequence"] + 1)
    owed = list(outbox(sample))
    assert len(owed) == before + 1
    assert invoke("DispatcherFunction", {"Records": owed[-1:]}) == {"batchItemFailures": []}
    messages = SQS.receive_message(QueueUrl=NAMES.refs["DeliveryQueue"], MaxNumberOfMessages=10)
    assert [json.loads(each["Body"])["type"] for each in messages["Messages"]] == ["jobStalled"]
    shown = json.loads(invoke("TimelineFunction", sample("get-timeline"))["body"])
    assert [each["eventType"] for each in shown["timeline"]].count("JobStalled") == 1


def test_a_job_that_reports_is_not(
    invoke: Invoke, sample: Sample, job: dict[str, Any], later: Callable[[int], None]
) -> None:
    later(59)
    assert invoke("WatchdogFunction", sample("schedule")) == {}
    assert stalled(invoke, sample) == (False, job["lastSequence"])


def test_the_timer_of_a_job_that_reported_is_moved(
    invoke: Invoke, sample: Sample, job: dict[str, Any], later: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = timers()
    monkeypatch.setattr(events_app.jobs, "now", lambda: times.now() + 30 * times.SECOND)
    heartbeat = sample("report-events")
    heartbeat["body"] = json.dumps({"events": [{"type": "heartbeat"}]})
    heartbeat["headers"]["idempotency-key"] = "another"
    assert invoke("EventsFunction", heartbeat)["statusCode"] == 202
    later(62)
    assert invoke("WatchdogFunction", sample("schedule")) == {}
    assert stalled(invoke, sample)[0] is False
    (moved,) = timers()
    assert moved > first[0]


def timers() -> list[str]:
    items = DYNAMODB.scan(TableName=NAMES.refs["JobsTable"])["Items"]
    return [item["sk"]["S"] for item in items if item["pk"]["S"].startswith("heartbeat#")]
