"""Shared by the tests of subscriptions: a job with a subscription, and requests about it."""

import json
from collections.abc import Callable
from typing import Any

from jobtrack import aws, times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job
from jobtrack.keys import JobKey
from jobtrack.push.messages.message import Message
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.store.jobs import JobStore
from jobtrack.store.outbox import SORT_KEY
from jobtrack.store.outbox_records import ReadyMessage, decode
from jobtrack.store.snapshots import Snapshot
from tests.functions.conftest import Invoke

Sample = Callable[[str], dict[str, Any]]
FUNCTION = "SubscriptionsFunction"


def job_of(event: dict[str, Any]) -> JobKey:
    """Return the job of a sample."""
    ids = event["pathParameters"]
    return JobKey(ids["tenantId"], ids["projectId"], ids["jobId"])


def jobs() -> JobStore:
    """Return the jobs table, without the functions' policies."""
    return JobStore(aws.client("dynamodb"), "JobsTable")


def table() -> SubscriptionTable:
    """Return the subscriptions table, without the functions' policies."""
    return SubscriptionTable(aws.client("dynamodb"), "SubscriptionsTable")


def subscribed(invoke: Invoke, sample: Sample, **changes: Any) -> dict[str, Any]:
    """Subscribe as the sample does, with changes of its body, and return the response; the job is created if needed."""
    event = sample("subscribe")
    event["body"] = json.dumps({**json.loads(event["body"]), **changes})
    event["headers"]["content-length"] = str(len(event["body"]))
    del event["headers"]["idempotency-key"]
    key = job_of(event)
    if key not in jobs().read_snapshot_items([key]):
        jobs().create(Snapshot(key, 0, Job(key.job, "a job", "mining", times.now())), "b", {})
    answer = invoke(FUNCTION, event)
    assert answer["statusCode"] == 201, answer["body"]
    made = json.loads(answer["body"])
    assert isinstance(made, dict)
    return made


def report(key: JobKey, kind: str, **data: Any) -> None:
    """Report one event of the job."""
    jobs().report(key, [Event(kind, times.now(), data)])


def about(sample: Sample, name: str, subscription_id: str, body: Any = None, **ids: str) -> dict[str, Any]:
    """Return the sample's request for another subscription without an Idempotency-Key; `ids` replace parameters."""
    event = sample(name)
    event["headers"].pop("idempotency-key", None)
    event["pathParameters"] |= {"subscriptionId": subscription_id, **ids}
    _, template = event["routeKey"].split(" ")
    event["rawPath"] = event["requestContext"]["http"]["path"] = template.format_map(event["pathParameters"])
    if body is not None:
        event["body"] = json.dumps(body)
        event["headers"] |= {"content-type": "application/json", "content-length": str(len(event["body"]))}
    return event


def read(answer: dict[str, Any], status: int = 200) -> Any:
    """Return the body of a response that must have the status."""
    assert answer["statusCode"] == status, answer.get("body")
    return json.loads(answer["body"]) if answer.get("body") else None


def stored(made: dict[str, Any], key: JobKey) -> Subscription:
    """Return the stored subscription of a response."""
    found = table().read_subscription(key, made["subscriptionId"])
    assert found is not None
    return found


def owed(key: JobKey) -> list[Message]:
    """Return the messages of the job's outbox, without its events."""
    items = aws.client("dynamodb").scan(TableName="JobsTable")["Items"]
    records = [decode(bytes(item["d"]["B"])) for item in items if item["sk"]["S"].startswith(SORT_KEY)]
    return [Message.decode(record.body) for record in records if isinstance(record, ReadyMessage)]
