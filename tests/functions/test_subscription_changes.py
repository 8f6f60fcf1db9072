"""What a subscription's owner may change, and who its owner is."""

import json
import uuid
from typing import Any

import pytest

from functions.api.subscriptions import app
from jobtrack import aws, limits, times
from jobtrack.keys import JobKey
from jobtrack.store.timers import EXPIRY, Timer
from jobtrack.store.ttl import decode_expiry
from jobtrack.times import Micros
from tests.functions.conftest import Invoke
from tests.functions.subscribing import FUNCTION, Sample, about, job_of, jobs, owed, read, report, stored, subscribed

pytestmark = pytest.mark.usefixtures("stack")

HOUR = 3600
CHANGES = ["delete-subscription", "renew-subscription", "rotate-secret", "test-subscription"]
ABOUT = ["get-subscription", *CHANGES, "list-deliveries", "retry-delivery"]


def function(name: str) -> str:
    return "DeliveriesFunction" if "deliver" in name else FUNCTION


@pytest.fixture
def key(sample: Sample) -> JobKey:
    return job_of(sample("subscribe"))


@pytest.fixture
def made(invoke: Invoke, sample: Sample) -> dict[str, Any]:
    return subscribed(invoke, sample)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[Micros]:
    """The settable clock of changes."""
    moment = [times.now()]
    for each in (app.subscriptions, app.ender):
        monkeypatch.setattr(each, "clock", lambda: moment[0])
    return moment


def without_secrets(made: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in made.items() if name != "signingSecret"}


def test_it_is_shown_as_it_was_made_but_for_its_secret(invoke: Invoke, sample: Sample, made: dict[str, Any]) -> None:
    shown = read(invoke(FUNCTION, about(sample, "get-subscription", made["subscriptionId"])))
    assert shown == without_secrets(made)


def test_its_id_may_be_written_in_any_letter_case(invoke: Invoke, sample: Sample, made: dict[str, Any]) -> None:
    for name in (made["subscriptionId"].upper(), made["subscriptionId"].replace("sub-", "Sub-")):
        assert (
            read(invoke(FUNCTION, about(sample, "get-subscription", name)))["subscriptionId"] == made["subscriptionId"]
        )


@pytest.mark.parametrize("name", ABOUT)
def test_what_is_no_id_is_refused(name: str, invoke: Invoke, sample: Sample) -> None:
    answer = invoke(function(name), about(sample, name, "sub-1"))
    assert [each["pointer"] for each in read(answer, 422)["errors"]] == ["/path/subscriptionId"]


@pytest.mark.parametrize("name", ABOUT)
def test_an_unknown_one_is_not_found(name: str, invoke: Invoke, sample: Sample) -> None:
    assert read(invoke(function(name), sample(name)), 404)["code"] == "not_found"


@pytest.mark.parametrize("name", ABOUT)
def test_that_of_another_project_or_tenant_is_as_unknown_as_one_that_never_was(
    name: str, invoke: Invoke, sample: Sample, made: dict[str, Any], key: JobKey
) -> None:
    answers = []
    for other in ({"projectId": str(uuid.uuid4())}, {"tenantId": str(uuid.uuid4())}):
        for subscription in (made["subscriptionId"], f"sub-{uuid.uuid4()}"):
            event = about(sample, name, subscription, **other)
            claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
            claims["tenant_id"] = event["pathParameters"]["tenantId"]
            del claims["project_ids"]
            body = read(invoke(function(name), event), 404)
            answers.append(
                {**body, "detail": body["detail"].replace(subscription, "…"), "requestId": "", "instance": ""}
            )
    assert all(each == answers[0] for each in answers)
    assert stored(made, key).status == "Active"
    assert owed(key) == []


def test_those_of_a_job_are_listed_page_by_page(invoke: Invoke, sample: Sample, key: JobKey) -> None:
    several = [subscribed(invoke, sample) for _ in range(5)]
    listed, event = [], sample("list-subscriptions")
    event["queryStringParameters"], event["rawQueryString"] = {"limit": "2"}, "limit=2"
    for _ in range(3):
        page = read(invoke(FUNCTION, event))
        listed += page["subscriptions"]
        event["rawQueryString"] = f"limit=2&cursor={page['nextCursor']}"
    assert page["nextCursor"] is None
    assert listed == sorted(map(without_secrets, several), key=lambda each: str(each["subscriptionId"]))


def test_a_cursor_of_another_list_is_refused_and_an_unknown_job_is_not_found(
    invoke: Invoke, sample: Sample, made: dict[str, Any]
) -> None:
    event = sample("list-subscriptions")
    event["rawQueryString"] = "cursor=bm8"
    assert read(invoke(FUNCTION, event), 422)["errors"][0]["pointer"] == "/query/cursor"
    read(invoke(FUNCTION, about(sample, "list-subscriptions", "", jobId=str(uuid.uuid4()))), 404)


def test_deleted_it_ends_and_listens_no_more_and_its_receiver_is_owed_the_word(
    invoke: Invoke, sample: Sample, made: dict[str, Any], key: JobKey
) -> None:
    event = about(sample, "delete-subscription", made["subscriptionId"])
    assert invoke(FUNCTION, event)["statusCode"] == 204
    ended = stored(made, key)
    assert (ended.status, ended.end_reason) == ("Ended", "deleted")
    assert jobs().read_snapshot(key).listeners == {}
    [message] = owed(key)
    assert (message.type, message.sequence, message.attempt) == ("subscriptionEnded", None, 0)
    body = json.loads(message.payload)
    assert body["data"]["reason"] == "deleted"
    assert (body["data"]["jobName"], body["data"]["status"], body["data"]["event"]) == ("a job", "Queued", {})
    shown = read(invoke(FUNCTION, about(sample, "get-subscription", made["subscriptionId"])))
    assert (shown["status"], shown["endReason"]) == ("Ended", "deleted")


def test_deleted_again_it_is_as_it_was(invoke: Invoke, sample: Sample, made: dict[str, Any], key: JobKey) -> None:
    for _ in range(3):
        assert invoke(FUNCTION, about(sample, "delete-subscription", made["subscriptionId"]))["statusCode"] == 204
    assert len(owed(key)) == 1


def test_the_others_go_on_listening(invoke: Invoke, sample: Sample, made: dict[str, Any], key: JobKey) -> None:
    other = subscribed(invoke, sample)
    invoke(FUNCTION, about(sample, "delete-subscription", made["subscriptionId"]))
    assert set(jobs().read_snapshot(key).listeners) == {other["subscriptionId"]}
    report(key, "jobStarted")


@pytest.mark.parametrize(("body", "hours"), [({"expiresInSeconds": 86_400}, 24), ({}, 8), (None, 8)])
def test_renewed_it_lives_for_so_long_from_then_on(
    body: Any, hours: int, invoke: Invoke, sample: Sample, made: dict[str, Any], key: JobKey, now: list[Micros]
) -> None:
    now[0] = times.add_seconds(now[0], HOUR)
    event = about(sample, "renew-subscription", made["subscriptionId"], body)
    if body is None:
        del event["body"], event["headers"]["content-type"]
    shown = read(invoke(FUNCTION, event))
    expires = times.add_seconds(times.whole(now[0]), hours * HOUR)
    assert shown == {**without_secrets(made), "expiresAt": times.render(expires)}
    assert stored(made, key).expires_at == expires
    assert jobs().read_snapshot(key).listeners[made["subscriptionId"]].expires_at == expires
    timer = Timer(EXPIRY, key, expires, made["subscriptionId"]).key
    assert "Item" in aws.client("dynamodb").get_item(TableName="SubscriptionsTable", Key=timer)


def test_renewed_it_can_be_found_as_long_as_it_is_kept(
    invoke: Invoke, sample: Sample, made: dict[str, Any], key: JobKey
) -> None:
    read(invoke(FUNCTION, about(sample, "renew-subscription", made["subscriptionId"], {"expiresInSeconds": 604_800})))
    items = aws.client("dynamodb").scan(TableName="SubscriptionsTable")["Items"]
    kept = {decode_expiry(item) for item in items if item["sk"]["S"] == made["subscriptionId"]}
    assert kept == {times.add_seconds(stored(made, key).expires_at, 7 * 24 * HOUR)}


def test_of_a_hundred_live_ones_each_may_be_renewed(invoke: Invoke, sample: Sample, key: JobKey) -> None:
    several = [subscribed(invoke, sample) for _ in range(limits.LIVE_SUBSCRIPTIONS)]
    read(invoke(FUNCTION, about(sample, "renew-subscription", several[50]["subscriptionId"])))
    assert len(jobs().read_snapshot(key).listeners) == limits.LIVE_SUBSCRIPTIONS


def test_it_may_be_renewed_after_its_jobs_end(
    invoke: Invoke, sample: Sample, made: dict[str, Any], key: JobKey
) -> None:
    report(key, "jobCancelled")
    read(invoke(FUNCTION, about(sample, "renew-subscription", made["subscriptionId"])))


@pytest.mark.parametrize("seconds", [0, 604_801, "60"])
def test_it_cannot_be_renewed_for_just_any_time(
    seconds: Any, invoke: Invoke, sample: Sample, made: dict[str, Any]
) -> None:
    event = about(sample, "renew-subscription", made["subscriptionId"], {"expiresInSeconds": seconds})
    assert read(invoke(FUNCTION, event), 422)["errors"][0]["pointer"] == "/expiresInSeconds"


@pytest.mark.parametrize("name", CHANGES[1:])
def test_nothing_can_be_done_with_one_that_has_ended(
    name: str, invoke: Invoke, sample: Sample, made: dict[str, Any], key: JobKey
) -> None:
    invoke(FUNCTION, about(sample, "delete-subscription", made["subscriptionId"]))
    before, snapshot = stored(made, key), jobs().read_snapshot(key)
    assert read(invoke(FUNCTION, about(sample, name, made["subscriptionId"])), 409)["code"] == "conflict"
    assert (stored(made, key), jobs().read_snapshot(key)) == (before, snapshot)
    assert len(owed(key)) == 1


@pytest.mark.parametrize("name", CHANGES)
def test_nor_with_one_that_has_expired_though_nobody_noted_it_yet(
    name: str, invoke: Invoke, sample: Sample, made: dict[str, Any], key: JobKey, now: list[Micros]
) -> None:
    now[0] = stored(made, key).expires_at
    status = invoke(FUNCTION, about(sample, name, made["subscriptionId"]))["statusCode"]
    assert status == (204 if name == "delete-subscription" else 409)
    assert stored(made, key).status == "Active"
    assert owed(key) == []
    shown = read(invoke(FUNCTION, about(sample, "get-subscription", made["subscriptionId"])))
    assert (shown["status"], shown["endReason"]) == ("Expired", "expired")


def test_a_ping_is_owed_that_tells_of_no_event(
    invoke: Invoke, sample: Sample, made: dict[str, Any], key: JobKey
) -> None:
    report(key, "jobStarted")
    answers = [
        read(invoke(FUNCTION, about(sample, "test-subscription", made["subscriptionId"])), 202) for _ in range(2)
    ]
    pings = owed(key)
    assert {each.message_id for each in pings} == {each["messageId"] for each in answers}
    assert len(pings) == 2
    body = json.loads(pings[0].payload)
    assert (body["type"], body["data"]["sequence"], body["data"]["status"]) == ("ping", None, "Running")
    assert "reason" not in body["data"]


@pytest.mark.parametrize("name", CHANGES[1:])
def test_the_same_request_is_done_once_and_with_another_body_refused(
    name: str, invoke: Invoke, sample: Sample, made: dict[str, Any], key: JobKey
) -> None:
    event = about(sample, name, made["subscriptionId"])
    event["headers"]["idempotency-key"] = "once"
    first = invoke(FUNCTION, event)
    before, messages = stored(made, key), owed(key)
    again = invoke(FUNCTION, event)
    assert (again["statusCode"], again["body"]) == (first["statusCode"], first["body"])
    assert again["headers"]["idempotency-replayed"] == "true"
    assert (stored(made, key), owed(key)) == (before, messages)
    other = about(sample, name, made["subscriptionId"], {"expiresInSeconds": 5})
    other["headers"]["idempotency-key"] = "once"
    assert read(invoke(FUNCTION, other), 409)["code"] == "idempotency_mismatch"
