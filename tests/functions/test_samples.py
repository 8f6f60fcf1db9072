"""Each sample of events/ is processed by its function, with the AWS calls that its policy allows."""

import base64
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jobtrack.push.messages.message import Message
from tests.functions.conftest import DYNAMODB, NAMES, SQS, Invoke

Sample = Callable[[str], dict[str, Any]]


@pytest.fixture
def job(invoke: Invoke, sample: Sample) -> dict[str, Any]:
    """Create the job of the samples, and report on it."""
    created = invoke("JobsFunction", sample("create-job"))
    assert created["statusCode"] == 201, created["body"]
    reported = invoke("EventsFunction", sample("report-events"))
    assert (reported["statusCode"], json.loads(reported["body"])["accepted"]) == (202, 6), reported["body"]
    answer = json.loads(created["body"])
    assert isinstance(answer, dict)
    return answer


def read(answer: dict[str, Any], status: int) -> dict[str, Any]:
    assert answer["statusCode"] == status, answer["body"]
    body = json.loads(answer["body"])
    assert isinstance(body, dict)
    return body


def test_health(invoke: Invoke, sample: Sample) -> None:
    read(invoke("DocsFunction", sample("health")), 200)


def test_the_job_runs(invoke: Invoke, sample: Sample, job: dict[str, Any]) -> None:
    shown = read(invoke("JobsFunction", sample("get-job")), 200)
    assert (shown["jobId"], shown["status"], shown["lastSequence"]) == (job["jobId"], "Running", 7)


def test_making_the_job_again(invoke: Invoke, sample: Sample, job: dict[str, Any]) -> None:
    again = invoke("JobsFunction", sample("create-job"))
    assert read(again, 201) == job
    assert job["subscriptions"][0]["signingSecret"].startswith("whsec_")
    assert again["headers"]["idempotency-replayed"] == "true"


def test_a_job_that_waits_for_another(invoke: Invoke, sample: Sample, job: dict[str, Any]) -> None:
    later = sample("create-job")
    body = {**json.loads(later["body"]), "jobId": None, "prerequisites": [{"jobId": job["jobId"]}]}
    later["body"] = json.dumps(body)
    later["headers"]["idempotency-key"] = "another"
    assert read(invoke("JobsFunction", later), 201)["jobId"] != job["jobId"]


def test_logs_from_warn_on(invoke: Invoke, sample: Sample, job: dict[str, Any]) -> None:
    shown = read(invoke("LogsFunction", sample("get-logs")), 200)
    assert [entry["level"] for entry in shown["logs"]] == ["WARN"]
    assert shown["logsSummary"]["totalEntries"] == 2


def test_progress(invoke: Invoke, sample: Sample, job: dict[str, Any]) -> None:
    shown = read(invoke("ProgressFunction", sample("get-progress")), 200)
    assert [stage["progress"] for stage in shown["stages"]] == [44, 0, 0, 0]


def test_a_worker_lives_and_the_job_that_runs_takes_one_of_its_slots(
    invoke: Invoke, sample: Sample, job: dict[str, Any]
) -> None:
    assert invoke("WorkersFunction", sample("put-worker"))["statusCode"] == 204
    capacity = read(invoke("QueueFunction", sample("get-queue")), 200)["processingCapacity"]
    assert capacity == {"activeWorkers": 1, "maxConcurrentJobs": 7, "currentlyRunning": 1, "currentLoad": 14}


def test_the_batch(invoke: Invoke, sample: Sample, job: dict[str, Any]) -> None:
    answer = invoke("BatchFunction", sample("get-batch"))
    shown = read(answer, 200)
    assert ([each["jobId"] for each in shown["jobs"]], len(shown["notFound"])) == ([job["jobId"]], 1)
    assert answer["headers"]["cache-control"] == "private, max-age=30"


def test_the_list(invoke: Invoke, sample: Sample, job: dict[str, Any]) -> None:
    listed = read(invoke("JobsFunction", sample("list-jobs")), 200)
    one = read(invoke("JobsFunction", sample("get-job")), 200)
    clocked = ("progress",)
    assert [each.keys() for each in listed["jobs"]] == [one.keys()]
    assert {k: v for k, v in listed["jobs"][0].items() if k not in clocked} == {
        k: v for k, v in one.items() if k not in clocked
    }


def test_timeline_with_sub_events(invoke: Invoke, sample: Sample, job: dict[str, Any]) -> None:
    shown = read(invoke("TimelineFunction", sample("get-timeline")), 200)
    # The service's clock decides when it was queued.
    told = {each["eventType"]: each["description"] for each in shown["timeline"] if each["eventType"] != "JobQueued"}
    assert list(told) == ["JobStarted", "StageStarted", "Warning", "Progress"]
    assert told["Progress"] == "Data loading 44% complete"


def test_metrics_with_history(invoke: Invoke, sample: Sample, job: dict[str, Any]) -> None:
    shown = read(invoke("MetricsFunction", sample("get-metrics")), 200)
    assert [(each["timestamp"], each["cpu"]) for each in shown["historicalMetrics"]] == [("2026-11-23T10:35:00Z", 67)]


def test_subscribing(invoke: Invoke, sample: Sample, job: dict[str, Any]) -> None:
    made = read(invoke("SubscriptionsFunction", sample("subscribe")), 201)
    assert made["jobId"] == job["jobId"]
    assert made["signingSecret"].startswith("whsec_")
    assert "your-webhook-auth-token" not in json.dumps(made)
    again = invoke("SubscriptionsFunction", sample("subscribe"))
    assert read(again, 201) == made
    assert again["headers"]["idempotency-replayed"] == "true"


def test_what_is_reported_is_dispatched_and_tried_again_while_the_receiver_is_away(
    invoke: Invoke, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert invoke("JobsFunction", sample("create-job"))["statusCode"] == 201
    made = read(invoke("SubscriptionsFunction", sample("subscribe")), 201)
    assert invoke("EventsFunction", sample("report-events"))["statusCode"] == 202
    assert invoke("DispatcherFunction", {"Records": list(outbox(sample))}) == {"batchItemFailures": []}
    sent = received(sample)
    messages = [Message.decode(record["body"]) for record in sent]
    assert {message.subscription_id for message in messages} == {made["subscriptionId"]}
    # The progressUpdate is not: 4 % is below the first multiple of minProgressIncrement.
    assert sorted(message.type for message in messages) == ["stageStarted", "warning"]

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert invoke("DelivererFunction", {"Records": sent}) == {"batchItemFailures": []}
    stored = DYNAMODB.scan(TableName=NAMES.refs["DeliveriesTable"])["Items"]
    assert [kept["status"] for kept in stored if "status" in kept] == [{"S": "Pending"}] * 2
    state = SQS.get_queue_attributes(QueueUrl=NAMES.refs["DeliveryQueue"], AttributeNames=["All"])
    assert state["Attributes"]["ApproximateNumberOfMessagesDelayed"] == "2"


def test_messages_of_no_live_subscription_are_skipped(invoke: Invoke, sample: Sample) -> None:
    assert invoke("DelivererFunction", sample("delivery-message")) == {"batchItemFailures": []}
    (delivery,) = DYNAMODB.scan(TableName=NAMES.refs["DeliveriesTable"])["Items"]
    assert delivery["status"] == {"S": "Skipped"}


def outbox(sample: Sample) -> Iterator[dict[str, Any]]:
    """Return the stream records of the jobs table's outbox, in the sample's shape."""
    for item in DYNAMODB.scan(TableName=NAMES.refs["JobsTable"])["Items"]:
        if item["sk"]["S"].startswith("O#"):
            (record,) = sample("outbox-record")["Records"]
            packed = base64.b64encode(bytes(item["d"]["B"])).decode()
            record["dynamodb"] |= {"NewImage": {**item, "d": {"B": packed}}, "SequenceNumber": item["sk"]["S"]}
            yield record


def received(sample: Sample) -> list[dict[str, Any]]:
    """Return the delivery queue's messages, in the sample's shape."""
    (record,) = sample("delivery-message")["Records"]
    messages = SQS.receive_message(QueueUrl=NAMES.refs["DeliveryQueue"], MaxNumberOfMessages=10)
    return [{**record, "messageId": each["MessageId"], "body": each["Body"]} for each in messages["Messages"]]
