"""Subscriptions in a running service: what a receiver gets before, during and after their life."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from jobtrack_demo.receiver import Receiver
from tests.e2e.receiving import TOKEN, Recorder, answered, deliveries, milestone, subscribed, until
from tests.e2e.reporting import create, line, problem, reported, started
from tests.e2e.running import Service


@pytest.fixture
def api(hurried: Service) -> Iterator[httpx.Client]:
    with hurried.client() as client:
        yield client


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def url(recorder: Recorder) -> Iterator[str]:
    with Receiver(recorder) as receiver:
        yield receiver.url


def test_it_is_shown_and_listed_without_its_secrets(api: httpx.Client, url: str) -> None:
    job = create(api)
    several = [subscribed(api, job, url, "milestone") for _ in range(3)]
    secrets = [each.pop("signingSecret") for each in several]
    listed = api.get(f"/job/{job}/subscriptions")
    assert sorted(answered(listed)["subscriptions"], key=str) == sorted(several, key=str)
    shown = api.get(f"/subscription/{several[0]['subscriptionId'].upper()}")
    assert answered(shown) == several[0]
    assert not [each for each in (*secrets, TOKEN) if each in listed.text + shown.text]


def test_another_tenant_cannot_tell_it_from_none(hurried: Service, api: httpx.Client, url: str) -> None:
    name = subscribed(api, create(api), url)["subscriptionId"]
    with hurried.client() as other:
        for method, path in [
            ("GET", ""), ("DELETE", ""), ("POST", "/renew"), ("POST", "/rotate-secret"), ("POST", "/test"),
            ("GET", "/deliveries"), ("POST", "/deliveries/msg_000000000001_0/retry"),
        ]:  # fmt: skip
            problem(other.request(method, f"/subscription/{name}{path}"), 404, "not_found")
    assert answered(api.get(f"/subscription/{name}"))["status"] == "Active"


def test_what_happened_since_a_sequence_is_pushed_first(api: httpx.Client, url: str, recorder: Recorder) -> None:
    job = started(api)
    reported(api, job, *(milestone(number) for number in range(10)), line("a warning", level="WARN"))
    subscribed(api, job, url, "milestone", "warning", sinceSequence=4)
    reported(api, job, milestone(10))
    until(lambda: len(recorder.requests) >= 10)
    assert sorted(recorder.sequences(), key=lambda each: each or 0) == list(range(5, 15))
    assert len({headers["webhook-id"] for headers, _ in recorder.requests}) == 10


def test_a_ping_arrives_and_is_listed(api: httpx.Client, url: str, recorder: Recorder) -> None:
    name = subscribed(api, started(api), url, "milestone")["subscriptionId"]
    owed = [answered(api.post(f"/subscription/{name}/test"), 202)["messageId"] for _ in range(2)]
    until(lambda: len(recorder.requests) == 2)
    assert {headers["webhook-id"] for headers, _ in recorder.requests} == set(owed)
    assert {(each["type"], each["data"]["sequence"]) for each in recorder.bodies()} == {("ping", None)}
    until(lambda: [each["status"] for each in deliveries(api, name)] == ["Delivered"] * 2)
    assert [each["messageId"] for each in deliveries(api, name)] == owed[::-1]


def test_what_failed_is_delivered_by_hand_under_the_same_id(api: httpx.Client, url: str, recorder: Recorder) -> None:
    recorder.statuses = [500, 204]
    job = started(api)
    name = subscribed(api, job, url, "milestone")["subscriptionId"]
    sequence = reported(api, job, milestone(1))
    until(lambda: deliveries(api, name))
    [pending] = deliveries(api, name)
    assert (pending["sequence"], [each["statusCode"] for each in pending["attempts"]][:1]) == (sequence, [500])
    again = f"/subscription/{name}/deliveries/{pending['messageId']}/retry"
    assert answered(api.post(again), 202) == {"messageId": pending["messageId"]}
    until(lambda: deliveries(api, name)[0]["status"] == "Delivered")
    answered(api.post(again), 202)
    until(lambda: len(deliveries(api, name)[0]["attempts"]) == 3)
    assert {headers["webhook-id"] for headers, _ in recorder.requests} == {pending["messageId"]}
    problem(api.post(f"/subscription/{name}/deliveries/msg_000000000099_0/retry"), 404, "not_found")


def test_deliveries_are_listed_newest_first_page_by_page(api: httpx.Client, url: str, recorder: Recorder) -> None:
    job = started(api)
    name = subscribed(api, job, url, "milestone")["subscriptionId"]
    reported(api, job, *(milestone(number) for number in range(25)))
    until(lambda: len(deliveries(api, name)) == 25)
    walked: list[int] = []
    query: dict[str, Any] = {"limit": 10}
    while query:
        page = answered(api.get(f"/subscription/{name}/deliveries", params=query))
        walked += [each["sequence"] for each in page["deliveries"]]
        query = {"limit": 10, "cursor": page["nextCursor"]} if page["nextCursor"] else {}
    assert walked == list(range(27, 2, -1))


def test_deleted_it_says_so_once_and_then_nothing(api: httpx.Client, url: str, recorder: Recorder) -> None:
    job = started(api)
    made = subscribed(api, job, url, "milestone")
    name = made["subscriptionId"]
    reported(api, job, milestone(1))
    until(lambda: recorder.bodies("milestone"))
    for _ in range(2):
        assert api.delete(f"/subscription/{name}").status_code == 204
    reported(api, job, milestone(2))
    until(lambda: recorder.bodies("subscriptionEnded"))
    [ended] = recorder.bodies("subscriptionEnded")
    assert (ended["data"]["reason"], ended["data"]["sequence"]) == ("deleted", None)
    Webhook(made["signingSecret"]).verify(recorder.requests[-1][1], dict(recorder.requests[-1][0]))
    assert len(recorder.bodies("milestone")) == 1
    shown = answered(api.get(f"/subscription/{name}"))
    assert (shown["status"], shown["endReason"]) == ("Ended", "deleted")
    for change in ("renew", "rotate-secret", "test", f"deliveries/{deliveries(api, name)[-1]['messageId']}/retry"):
        problem(api.post(f"/subscription/{name}/{change}"), 409, "conflict")


def test_expired_it_says_so_and_a_renewed_one_lives_on(api: httpx.Client, url: str, recorder: Recorder) -> None:
    job = started(api)
    short, renewed = (subscribed(api, job, url, "milestone", expiresInSeconds=5)["subscriptionId"] for _ in range(2))
    body = {"expiresInSeconds": 3600}
    assert answered(api.post(f"/subscription/{renewed}/renew", json=body))["status"] == "Active"
    until(lambda: recorder.bodies("subscriptionEnded"))
    [ended] = recorder.bodies("subscriptionEnded")
    assert (ended["data"]["subscriptionId"], ended["data"]["reason"]) == (short, "expired")
    assert answered(api.get(f"/subscription/{short}"))["status"] == "Expired"
    problem(api.post(f"/subscription/{short}/renew"), 409, "conflict")
    reported(api, job, milestone(1))
    until(lambda: recorder.bodies("milestone"))
    assert [each["data"]["subscriptionId"] for each in recorder.bodies("milestone")] == [renewed]


def test_a_receiver_that_is_gone_ends_it(api: httpx.Client, url: str, recorder: Recorder) -> None:
    recorder.statuses = [410]
    job = started(api)
    name = subscribed(api, job, url, "milestone")["subscriptionId"]
    reported(api, job, milestone(1))
    until(lambda: answered(api.get(f"/subscription/{name}"))["status"] == "Ended")
    assert answered(api.get(f"/subscription/{name}"))["endReason"] == "gone"
    until(lambda: recorder.bodies("subscriptionEnded"))
    reported(api, job, milestone(2))
    assert len(recorder.bodies("milestone")) == 1
