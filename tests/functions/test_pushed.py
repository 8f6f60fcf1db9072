"""Pushed messages follow the webhooks of the API's description."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from jobtrack import aws
from jobtrack.domain.events import EVENT_NAMES
from jobtrack.keys import JobKey
from jobtrack.push.delivery import signatures
from jobtrack.push.messages.message import ENDED, PING, Message
from jobtrack.push.subscriptions.message_factory import event_message, service_message
from jobtrack.push.subscriptions.secrets import new_signing_secret
from jobtrack.store.outbox import SORT_KEY
from jobtrack.store.outbox_records import EventBatch, OutboxEvent, decode
from scripts.openapi import __main__ as description
from tests.e2e.reporting import SAMPLES
from tests.functions.conftest import Invoke
from tests.functions.subscribing import job_of, stored, subscribed
from tests.pushing import NOW, subscription

pytestmark = pytest.mark.usefixtures("stack")

Sample = Callable[[str], dict[str, Any]]
DOCUMENT: dict[str, Any] = json.loads(description.PATH.read_text())
RUN = [
    "jobStarted", "stageStarted", "progressUpdate", "stageCompleted", "stageFailed", "stageSkipped", "log", "milestone",
    "warning", "error", "jobFailed",
]  # fmt: skip
WARNING = {"level": "WARN", "message": "a line", "component": "Loader", "details": {"records": 125}}


def pushed(invoke: Invoke, sample: Sample, *reported: tuple[str, dict[str, Any]]) -> list[Message]:
    """Return the messages to a subscription to all events, for a job that reports this."""
    made = subscribed(invoke, sample, events=EVENT_NAMES, filters=None)
    event = sample("report-events")
    key = job_of(sample("subscribe"))
    event["pathParameters"] |= {"tenantId": key.tenant, "projectId": key.project, "jobId": key.job}
    event["body"] = json.dumps({"events": [{"type": kind, "data": data} for kind, data in reported]})
    event["headers"] |= {"content-length": str(len(event["body"]))}
    del event["headers"]["idempotency-key"]
    answer = invoke("EventsFunction", event)
    assert answer["statusCode"] == 202, answer["body"]
    one = stored(made, key)
    messages = (event_message(key, "a job", one, told, NOW) for told in owed(key))
    return [message for message in messages if message]


def owed(key: JobKey) -> list[OutboxEvent]:
    """Return the events of the job's outbox."""
    items = aws.client("dynamodb").scan(TableName="JobsTable")["Items"]
    records = [decode(bytes(item["d"]["B"])) for item in items if item["sk"]["S"].startswith(SORT_KEY)]
    batches = [record for record in records if isinstance(record, EventBatch) and record.job == key]
    return [event for batch in batches for event in batch.events]


def schema(kind: str) -> OAS31Validator:
    content = DOCUMENT["webhooks"][kind]["post"]["requestBody"]["content"]["application/json"]
    return OAS31Validator({**content["schema"], "components": DOCUMENT["components"]})


def without(told: dict[str, Any], name: str) -> dict[str, Any]:
    return {each: value for each, value in told.items() if each != name}


def described(message: Message) -> None:
    """A message matches the description of its type, and of no other type."""
    body, told = json.loads(message.payload), schema(message.type)
    told.validate(body)
    assert not told.is_valid({**body, "type": "another"})
    assert not told.is_valid({**body, "data": {**body["data"], "sequence": "1"}})
    assert not any(told.is_valid({**body, "data": without(body["data"], name)}) for name in body["data"])


def test_every_event_is_pushed_as_described(invoke: Invoke, sample: Sample) -> None:
    messages = pushed(invoke, sample, *((kind, SAMPLES.get(kind, {})) for kind in RUN), ("log", WARNING))
    assert [message.type for message in messages] == [*RUN, "warning"]
    for message in messages:
        described(message)


@pytest.mark.parametrize("end", ["jobCompleted", "jobCancelled"])
def test_the_other_ends_are_too(end: str, invoke: Invoke, sample: Sample) -> None:
    [message] = pushed(invoke, sample, ("jobStarted", {}), (end, {"metrics": {"cases": 3}}))[1:]
    assert message.type == end
    described(message)


@pytest.mark.parametrize("kind", ["jobQueued", "jobStalled"])
def test_what_the_service_tells_of_a_job_is_too(kind: str) -> None:
    event = OutboxEvent(kind, 1, NOW, "Queued", 0, {})
    one = subscription(events=EVENT_NAMES)
    message = event_message(one.job, "a job", one, event, NOW)
    assert message is not None
    described(message)


def test_what_it_tells_of_a_subscription_is_too() -> None:
    described(service_message(PING, subscription(), None, NOW, "0123456789abcdef"))
    described(service_message(ENDED, subscription(), None, NOW, "0123456789abcdef", "gone"))


def test_every_type_and_its_headers_are_described() -> None:
    assert set(DOCUMENT["webhooks"]) == {*EVENT_NAMES, PING, ENDED}
    message = service_message(PING, subscription(), None, NOW, "0123456789abcdef")
    both = signatures.headers(message.message_id, NOW, b"{}", [new_signing_secret(), new_signing_secret()])
    for item in DOCUMENT["webhooks"].values():
        told = {each["name"]: each["schema"]["pattern"] for each in item["post"]["parameters"]}
        assert told.keys() == both.keys()
        assert all(re.fullmatch(told[name], value) for name, value in both.items())
