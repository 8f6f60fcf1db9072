"""A subscription's secrets rotate without a gap, and appear only where the contract says."""

from typing import Any

import pytest

from functions.api.subscriptions import app
from jobtrack import aws, limits, times
from jobtrack.keys import JobKey
from jobtrack.times import Micros
from tests.functions.conftest import Invoke
from tests.functions.subscribing import FUNCTION, Sample, about, job_of, owed, read, stored, subscribed

pytestmark = pytest.mark.usefixtures("stack")

HOUR = 3600


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


def rotate(invoke: Invoke, sample: Sample, name: str) -> str:
    return str(read(invoke(FUNCTION, about(sample, "rotate-secret", name)))["signingSecret"])


def test_while_its_secret_rotates_the_one_before_signs_for_a_day(
    invoke: Invoke, sample: Sample, made: dict[str, Any], key: JobKey, now: list[Micros]
) -> None:
    newer = rotate(invoke, sample, made["subscriptionId"])
    held = app.vault.open(key, made["subscriptionId"], stored(made, key).sealed)
    assert held.signing_at(now[0]) == [newer, made["signingSecret"]]
    assert held.signing_at(times.add_seconds(now[0], 24 * HOUR)) == [newer]
    assert held.token == "your-webhook-auth-token"


def test_rotated_twice_three_sign_each_for_its_own_day(
    invoke: Invoke, sample: Sample, made: dict[str, Any], key: JobKey, now: list[Micros]
) -> None:
    second = rotate(invoke, sample, made["subscriptionId"])
    now[0] = times.add_seconds(now[0], 6 * HOUR)
    third = rotate(invoke, sample, made["subscriptionId"])
    held = app.vault.open(key, made["subscriptionId"], stored(made, key).sealed)
    signing = [held.signing_at(times.add_seconds(now[0], hours * HOUR)) for hours in (0, 18, 24)]
    assert signing == [[third, second, made["signingSecret"]], [third, second], [third]]


def test_rotated_too_often_it_is_refused_and_what_signs_stays(invoke: Invoke, sample: Sample, key: JobKey) -> None:
    made = subscribed(invoke, sample, authentication={"type": "bearer", "token": '"' * 2048})
    for _ in range(limits.SIGNING_SECRETS - 1):
        last = rotate(invoke, sample, made["subscriptionId"])
    answer = invoke(FUNCTION, about(sample, "rotate-secret", made["subscriptionId"]))
    assert "at most 10" in read(answer, 409)["detail"]
    held = app.vault.open(key, made["subscriptionId"], stored(made, key).sealed)
    assert (held.signing[0].secret, held.token) == (last, '"' * 2048)


def test_the_same_request_to_rotate_is_answered_the_same_secret(
    invoke: Invoke, sample: Sample, made: dict[str, Any], key: JobKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = about(sample, "rotate-secret", made["subscriptionId"])
    event["headers"]["idempotency-key"] = "once"
    first = invoke(FUNCTION, event)
    sealed = stored(made, key).sealed
    monkeypatch.setattr(app.factory.vault, "_opened", {})  # as another process would see it
    again = invoke(FUNCTION, event)
    assert again["body"] == first["body"]
    assert again["headers"]["idempotency-replayed"] == "true"
    assert stored(made, key).sealed == sealed


def test_no_answer_and_no_table_tells_a_secret(
    invoke: Invoke, sample: Sample, made: dict[str, Any], key: JobKey, capfd: pytest.CaptureFixture[str]
) -> None:
    secrets = [made["signingSecret"], rotate(invoke, sample, made["subscriptionId"]), "your-webhook-auth-token"]
    names = ("get-subscription", "renew-subscription", "test-subscription", "delete-subscription")
    answers = [invoke(FUNCTION, about(sample, name, made["subscriptionId"])) for name in names]
    answers += [invoke(FUNCTION, sample("list-subscriptions"))]
    answers += [invoke("DeliveriesFunction", about(sample, "list-deliveries", made["subscriptionId"]))]
    tables = [aws.client("dynamodb").scan(TableName=name)["Items"] for name in ("JobsTable", "SubscriptionsTable")]
    payloads = [each.encode() for each in owed(key)]
    told = str([answers, tables, payloads, capfd.readouterr()])
    for secret in secrets:
        assert secret.removeprefix("whsec_") not in told
