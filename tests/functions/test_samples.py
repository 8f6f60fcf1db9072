"""Each sample of events/ is served by its function, on the AWS calls that its policy allows."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.functions.conftest import NAMES, Invoke

Sample = Callable[[str], dict[str, Any]]


@pytest.fixture
def job(invoke: Invoke, sample: Sample) -> dict[str, Any]:
    """The job of the samples, reported on."""
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


def test_subscribing(invoke: Invoke, sample: Sample, job: dict[str, Any]) -> None:
    made = read(invoke("SubscriptionsFunction", sample("subscribe")), 201)
    assert made["jobId"] == job["jobId"]
    assert made["signingSecret"].startswith("whsec_")
    assert "your-webhook-auth-token" not in json.dumps(made)
    again = invoke("SubscriptionsFunction", sample("subscribe"))
    assert read(again, 201) == made
    assert again["headers"]["idempotency-replayed"] == "true"


@pytest.mark.usefixtures("job")
def test_outbox_records_become_messages_of_live_subscriptions_only(invoke: Invoke, sample: Sample) -> None:
    assert invoke("DispatcherFunction", sample("outbox-record")) == {"batchItemFailures": []}
    queue = boto3.client("sqs")
    # The sample's subscription is not stored here.
    assert "Messages" not in queue.receive_message(QueueUrl=NAMES.refs["DeliveryQueue"])


def test_messages_of_no_live_subscription_are_skipped(invoke: Invoke, sample: Sample) -> None:
    assert invoke("DelivererFunction", sample("delivery-message")) == {"batchItemFailures": []}
    (delivery,) = boto3.client("dynamodb").scan(TableName=NAMES.refs["DeliveriesTable"])["Items"]
    assert delivery["status"] == {"S": "Skipped"}
