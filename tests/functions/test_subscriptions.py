"""`subscribe`: valid requests, responses, and that the job's writers see the subscription."""

import base64
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from zstandard import ZstdError

from functions.api.subscriptions import app
from jobtrack import aws, limits, times
from jobtrack.domain.events import EVENT_NAMES, Event
from jobtrack.domain.job import Job
from jobtrack.domain.journal import packing
from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.secrets import Secrets, Vault
from jobtrack.push.subscriptions.subscription import DEFAULT_EVENTS, Filters, Subscription
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.store.jobs import JobStore
from jobtrack.store.snapshots import Listener, Snapshot
from tests.functions.conftest import Invoke

pytestmark = pytest.mark.usefixtures("stack")

Sample = Callable[[str], dict[str, Any]]
FUNCTION = "SubscriptionsFunction"


def job_of(event: dict[str, Any]) -> JobKey:
    ids = event["pathParameters"]
    return JobKey(ids["tenantId"], ids["projectId"], ids["jobId"])


def queue_job(key: JobKey, listeners: dict[str, Listener] | None = None) -> None:
    job = Job(key.job, "a job", "mining", times.now())
    jobs().create(Snapshot(key, 0, job, listeners=listeners or {}), "b", {})


def jobs() -> JobStore:
    return JobStore(aws.client("dynamodb"), "JobsTable")


def request(sample: Sample, idempotent: bool = False, **changes: Any) -> dict[str, Any]:
    event = sample("subscribe")
    body = {**json.loads(event["body"]), **changes}
    event["body"] = json.dumps({name: value for name, value in body.items() if value != "left out"})
    event["headers"]["content-length"] = str(len(event["body"]))
    if not idempotent:
        del event["headers"]["idempotency-key"]
    return event


def stored(key: JobKey, name: str) -> Subscription:
    found = SubscriptionTable(aws.client("dynamodb"), "SubscriptionsTable").read_subscription(key, name)
    assert found is not None
    return found


def opened(key: JobKey, name: str) -> Secrets:
    return app.vault.open(key, name, stored(key, name).sealed)


def test_the_specifications_example_is_answered_as_it_says(invoke: Invoke, sample: Sample) -> None:
    event = request(sample)
    queue_job(job_of(event))
    answer = invoke(FUNCTION, event)
    body = json.loads(answer["body"])
    assert answer["statusCode"] == 201
    assert re.fullmatch(r"sub-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", body["subscriptionId"])
    assert (body["jobId"], body["subscriptionType"], body["status"]) == (job_of(event).job, "webhook", "Active")
    assert (body["webhookUrl"], body["eventsSubscribed"]) == ("https://hooks.example.com/jobs", list(DEFAULT_EVENTS))
    assert times.parse(body["expiresAt"]) - times.parse(body["createdAt"]) == 8 * times.HOUR
    assert body["filters"] == {"minProgressIncrement": 5, "includeDebugEvents": False, "notifyOnErrors": True}
    assert len(base64.b64decode(body["signingSecret"].removeprefix("whsec_"))) >= 24
    assert "your-webhook-auth-token" not in answer["body"]


def test_it_is_stored_sealed_and_found_by_its_id(invoke: Invoke, sample: Sample) -> None:
    event = request(sample)
    key = job_of(event)
    queue_job(key)
    body = json.loads(invoke(FUNCTION, event)["body"])
    name = body["subscriptionId"]
    assert stored(key, name).filters == Filters(5, False, True)
    assert opened(key, name).token == "your-webhook-auth-token"
    assert opened(key, name).signing[0].secret == body["signingSecret"]
    items = aws.client("dynamodb").scan(TableName="SubscriptionsTable")["Items"]
    assert sorted(item["pk"]["S"] for item in items)[:2] == [key.owner.partition, key.partition]
    [timer] = [item for item in items if item["pk"]["S"].startswith("expiry#")]
    assert timer["sk"]["S"] == f"{stored(key, name).expires_at:018d}#{key.partition}#{name}"


def test_the_jobs_writers_hear_of_it(invoke: Invoke, sample: Sample) -> None:
    event = request(sample)
    key = job_of(event)
    queue_job(key)
    name = json.loads(invoke(FUNCTION, event)["body"])["subscriptionId"]
    snapshot = jobs().read_snapshot(key)
    assert snapshot.listeners == {name: Listener(stored(key, name).expires_at, stored(key, name).interests())}


def test_the_least_that_can_be_asked_for(invoke: Invoke, sample: Sample) -> None:
    event = request(sample, events="left out", filters="left out", authentication="left out")
    queue_job(job_of(event))
    body = json.loads(invoke(FUNCTION, event)["body"])
    assert body["eventsSubscribed"] == list(DEFAULT_EVENTS)
    assert body["filters"] == {"minProgressIncrement": 0, "includeDebugEvents": False, "notifyOnErrors": False}
    assert body["language"] == "ja"
    assert opened(job_of(event), body["subscriptionId"]).token is None


def test_the_most_that_can_be_asked_for(invoke: Invoke, sample: Sample) -> None:
    events = [*EVENT_NAMES, "log"]
    token = "!~" + "x" * 2046
    authentication = {"type": "bearer", "token": token}
    event = request(sample, events=events, authentication=authentication, language="en", expiresInSeconds=604_800)
    queue_job(job_of(event))
    body = json.loads(invoke(FUNCTION, event)["body"])
    assert body["eventsSubscribed"] == list(EVENT_NAMES)
    assert times.parse(body["expiresAt"]) - times.parse(body["createdAt"]) == 7 * times.DAY
    assert opened(job_of(event), body["subscriptionId"]).token == token


@pytest.mark.parametrize(
    ("pointer", "changes"),
    [("/webhookUrl", {"webhookUrl": "https://169.254.169.254/"}), ("/events/1", {"events": ["log", "everything"]})],
)
def test_what_is_out_of_contract_is_refused_and_nothing_is_stored(
    pointer: str, changes: dict[str, Any], invoke: Invoke, sample: Sample
) -> None:
    event = request(sample, **changes)
    queue_job(job_of(event))
    answer = invoke(FUNCTION, event)
    assert answer["statusCode"] == 422
    assert [error["pointer"] for error in json.loads(answer["body"])["errors"]] == [pointer]
    assert aws.client("dynamodb").scan(TableName="SubscriptionsTable")["Count"] == 0


def test_the_same_request_is_answered_the_same_secret_included_and_made_once(
    invoke: Invoke, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = request(sample, idempotent=True)
    queue_job(job_of(event))
    first = invoke(FUNCTION, event)
    another_process = replace(app.factory, vault=Vault(aws.client("kms"), "alias/SecretsKey"))
    monkeypatch.setattr(app, "creator", replace(app.creator, factory=another_process))
    again = invoke(FUNCTION, event)
    assert again["body"] == first["body"]
    assert "idempotency-replayed" not in first["headers"]
    assert again["headers"]["idempotency-replayed"] == "true"
    assert aws.client("dynamodb").scan(TableName="SubscriptionsTable")["Count"] == 3


def test_the_same_key_for_another_request_is_a_conflict(invoke: Invoke, sample: Sample) -> None:
    event = request(sample, idempotent=True)
    queue_job(job_of(event))
    invoke(FUNCTION, event)
    assert invoke(FUNCTION, request(sample, idempotent=True, language="en"))["statusCode"] == 409


def test_no_table_holds_a_secret_in_the_open(invoke: Invoke, sample: Sample) -> None:
    event = request(sample, idempotent=True)
    queue_job(job_of(event))
    secret = json.loads(invoke(FUNCTION, event)["body"])["signingSecret"].removeprefix("whsec_")
    for table in ("JobsTable", "SubscriptionsTable"):
        for item in aws.client("dynamodb").scan(TableName=table)["Items"]:
            told = str(_readable(item))
            assert secret not in told
            assert "your-webhook-auth-token" not in told


def _readable(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _unpacked(value) for name, value in item.items()}


def _unpacked(value: dict[str, Any]) -> Any:
    try:
        return packing.unpack(value["B"])
    except (KeyError, ZstdError):
        return value


def test_an_ended_job_has_nothing_to_subscribe_to(invoke: Invoke, sample: Sample) -> None:
    event = request(sample)
    queue_job(job_of(event))
    jobs().report(job_of(event), [Event("jobCancelled", times.now(), {})])
    assert invoke(FUNCTION, event)["statusCode"] == 409


def test_an_unknown_job_is_not_found(invoke: Invoke, sample: Sample) -> None:
    assert invoke(FUNCTION, request(sample))["statusCode"] == 404


def listeners(count: int) -> dict[str, Listener]:
    return {f"sub-{uuid.uuid4()}": Listener(times.LATEST, frozenset({"log.INFO"})) for _ in range(count)}


def test_a_hundred_live_subscriptions_are_the_most(invoke: Invoke, sample: Sample) -> None:
    event = request(sample)
    live = {
        f"sub-{uuid.uuid4()}": Listener(times.LATEST, frozenset({"log.INFO"})) for _ in range(limits.LIVE_SUBSCRIPTIONS)
    }
    queue_job(job_of(event), live)
    answer = invoke(FUNCTION, event)
    assert answer["statusCode"] == 422
    assert "100" in json.loads(answer["body"])["detail"]


@pytest.mark.parametrize(("live", "most", "status"), [(19, "20", 201), (20, "20", 422), (20, "21", 201), (0, "1", 201)])
def test_a_client_may_leave_subscriptions_to_others(
    invoke: Invoke, sample: Sample, live: int, most: str, status: int
) -> None:
    event = request(sample)
    queue_job(
        job_of(event), {f"sub-{uuid.uuid4()}": Listener(times.LATEST, frozenset({"log.INFO"})) for _ in range(live)}
    )
    event["headers"]["jobtrack-most-subscriptions"] = most
    assert invoke(FUNCTION, event)["statusCode"] == status
    assert len(jobs().read_snapshot(job_of(event)).listeners) == live + (status == 201)


@pytest.mark.parametrize("most", ["0", "101", "-1", "", "x", "1.0", "１", "1e1", "0x10", "9" * 5000])
def test_a_limit_of_their_own_that_is_none_is_named(invoke: Invoke, sample: Sample, most: str) -> None:
    event = request(sample)
    queue_job(job_of(event))
    event["headers"]["jobtrack-most-subscriptions"] = most
    answer = invoke(FUNCTION, event)
    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["errors"][0]["pointer"] == "/header/Jobtrack-Most-Subscriptions"


def test_a_job_that_is_made_twice_or_not_at_all_leaves_no_subscriptions_of_no_job(
    invoke: Invoke, sample: Sample
) -> None:
    def ids() -> set[str]:
        items = aws.client("dynamodb").scan(TableName="SubscriptionsTable")["Items"]
        return {item["pk"]["S"] + item["sk"]["S"] for item in items}

    event = sample("create-job")
    made = json.loads(invoke("JobsFunction", event)["body"])["subscriptions"]
    first = ids()
    assert len(first) == 3 * len(made) > 0
    assert json.loads(invoke("JobsFunction", event)["body"])["subscriptions"] == made
    other = {**json.loads(event["body"]), "jobName": "another job of the same id"}
    event["body"], event["headers"]["idempotency-key"] = json.dumps(other), "another"
    event["headers"]["content-length"] = str(len(event["body"]))
    assert invoke("JobsFunction", event)["statusCode"] == 409
    assert ids() == first
