"""The list of deliveries, and manual retries."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from functions.api.deliveries import app
from jobtrack import aws, times
from jobtrack.push.delivery.delivery import KEPT_SECONDS
from jobtrack.push.egress.guarded_post import Response
from jobtrack.push.messages.message import Message
from jobtrack.push.subscriptions.message_factory import event_message, service_message
from jobtrack.push.subscriptions.subscription import Subscription
from tests.functions.conftest import Invoke
from tests.functions.subscribing import Sample, about, job_of, owed, read, subscribed, table
from tests.pushing import NOW, World, after, elapsed, event

pytestmark = pytest.mark.usefixtures("stack")

FUNCTION = "DeliveriesFunction"
OK, BROKEN = Response(200), Response(500)
DAY = 24 * 3600

Open = Callable[..., World]


@pytest.fixture
def world(invoke: Invoke, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Creates a deliverer for a subscription of the API, with one clock for both."""

    def make(*answers: Response) -> World:
        made = subscribed(invoke, sample, events=["stageCompleted"], expiresInSeconds=604_800)
        found = table().read_subscription(job_of(sample("subscribe")), made["subscriptionId"])
        assert found is not None
        held = replace(found, created_at=NOW, expires_at=after(7 * DAY))
        made_world = World(*answers, subscribed=replace(held, subscription_id="sub-of-the-helper"))
        made_world.subscription = held
        aws.client("dynamodb").put_item(TableName="SubscriptionsTable", Item=held.to_item())
        for each in (app.subscriptions, app.deliveries):
            monkeypatch.setattr(each, "clock", made_world.clock)
        return made_world

    return make


def message(subscription: Subscription, sequence: int) -> Message:
    made = event_message(subscription.job, "a job", subscription, event(sequence), NOW)
    assert made is not None
    return made


def listed(invoke: Invoke, sample: Sample, one: Subscription, query: str = "") -> dict[str, Any]:
    request = about(sample, "list-deliveries", one.subscription_id)
    request["rawQueryString"] = query
    body = read(invoke(FUNCTION, request))
    assert isinstance(body, dict)
    return body


def retry(invoke: Invoke, sample: Sample, one: Subscription, message_id: str, key: str | None = None) -> dict[str, Any]:
    request = about(sample, "retry-delivery", one.subscription_id, messageId=message_id)
    if key:
        request["headers"]["idempotency-key"] = key
    return invoke(FUNCTION, request)


def retried(invoke: Invoke, sample: Sample, world: World, sequence: int) -> Message:
    """Put the message of a retry into the queue, as the dispatcher would."""
    one = world.subscription
    before = owed(one.job)
    assert retry(invoke, sample, one, message(one, sequence).message_id)["statusCode"] == 202
    [made] = [each for each in owed(one.job) if each not in before]
    world.deliverer.queue.enqueue([made])
    return made


def test_an_attempt_is_told_as_the_contract_says(invoke: Invoke, sample: Sample, world: Open) -> None:
    there = world(BROKEN, OK)
    there.deliver(message(there.subscription, 7))
    there.sqs.run(there.deliverer.deliver)
    [delivery] = listed(invoke, sample, there.subscription)["deliveries"]
    assert delivery == {
        "messageId": message(there.subscription, 7).message_id,
        "type": "stageCompleted",
        "sequence": 7,
        "status": "Delivered",
        "attempts": [
            {"time": times.render(at), "statusCode": status, "milliseconds": 0, "error": None}
            for at, status in ((NOW, 500), (after(5), 200))
        ],
    }


def test_the_newest_is_first_whatever_came_first(invoke: Invoke, sample: Sample, world: Open) -> None:
    there = world(OK)
    one = there.subscription
    for sequence in (3, 12, 1, 100_000, 7):
        there.deliver(message(one, sequence))
    pings = [replace(service_message("ping", one, None, after(number), "0"), job=one.job) for number in range(2)]
    for ping in pings:
        there.deliver(ping)
    pages, query = [], "limit=3"
    while query:
        page = listed(invoke, sample, one, query)
        pages.append([each["sequence"] for each in page["deliveries"]])
        query = f"limit=3&cursor={page['nextCursor']}" if page["nextCursor"] else ""
    assert pages == [[100_000, 12, 7], [3, 1, None], [None]]
    ids = [each["messageId"] for each in listed(invoke, sample, one)["deliveries"]]
    assert ids[-2:] == [ping.message_id for ping in reversed(pings)]


def test_what_is_older_than_a_week_is_not_told_though_it_still_lies_there(
    invoke: Invoke, sample: Sample, world: Open
) -> None:
    there = world(OK)
    there.deliver(message(there.subscription, 1))
    there.clock.now = after(KEPT_SECONDS)
    assert listed(invoke, sample, there.subscription) == {"deliveries": [], "nextCursor": None}
    assert retry(invoke, sample, there.subscription, message(there.subscription, 1).message_id)["statusCode"] == 409


def test_a_cursor_is_good_for_its_own_list_only(invoke: Invoke, sample: Sample, world: Open) -> None:
    there = world(OK)
    for sequence in (1, 2):
        there.deliver(message(there.subscription, sequence))
    cursor = listed(invoke, sample, there.subscription, "limit=1")["nextCursor"]
    other = subscribed(invoke, sample)["subscriptionId"]
    request = about(sample, "list-deliveries", other)
    request["rawQueryString"] = f"cursor={cursor}"
    assert read(invoke(FUNCTION, request), 422)["errors"][0]["pointer"] == "/query/cursor"


def test_what_failed_is_delivered_by_hand_under_the_same_id(invoke: Invoke, sample: Sample, world: Open) -> None:
    there = world(*[BROKEN] * 18, OK)
    one = there.subscription
    there.deliver(message(one, 7))
    there.sqs.run(there.deliverer.deliver)
    assert listed(invoke, sample, one)["deliveries"][0]["status"] == "Failed"
    retried(invoke, sample, there, 7)
    assert listed(invoke, sample, one)["deliveries"][0]["status"] == "Pending"
    there.sqs.run(there.deliverer.deliver)
    [delivery] = listed(invoke, sample, one)["deliveries"]
    assert (delivery["status"], len(delivery["attempts"])) == ("Delivered", 19)
    assert set(there.receiver.ids) == {message(one, 7).message_id}
    assert len({body for *_, body in there.receiver.posted}) == 1


def test_what_was_delivered_can_be_had_again(invoke: Invoke, sample: Sample, world: Open) -> None:
    there = world(OK)
    there.deliver(message(there.subscription, 7))
    again = retried(invoke, sample, there, 7)
    there.sqs.run(there.deliverer.deliver)
    there.deliver(again)  # a second copy, as queues create them
    assert len(there.receiver.posted) == 2
    assert [each["status"] for each in listed(invoke, sample, there.subscription)["deliveries"]] == ["Delivered"]


def test_a_retry_by_hand_begins_the_schedule_anew(invoke: Invoke, sample: Sample, world: Open) -> None:
    there = world(BROKEN)
    there.deliver(message(there.subscription, 7))
    there.sqs.run(there.deliverer.deliver)
    there.receiver.answers = [OK, BROKEN]
    there.clock.pass_by(3600)
    there.deliver(message(there.subscription, 8))  # it responds once, which closes its breaker
    tried, start = len(there.receiver.posted), there.clock.now
    retried(invoke, sample, there, 7)
    there.sqs.run(there.deliverer.deliver)
    since = [times.seconds_between(start, at) for at, *_ in there.receiver.posted[tried:]]
    assert since[:4] == [0, 5, 35, 155]
    assert len(since) == tried - 1
    assert [each["status"] for each in listed(invoke, sample, there.subscription)["deliveries"]] == [
        "Delivered",
        "Failed",
    ]


def test_by_hand_while_a_retry_waits_there_is_one_chain_of_attempts(
    invoke: Invoke, sample: Sample, world: Open
) -> None:
    there = world(BROKEN, OK)
    there.deliver(message(there.subscription, 7))
    retried(invoke, sample, there, 7)
    there.sqs.run(there.deliverer.deliver)
    assert [elapsed(at) for at, *_ in there.receiver.posted] == [0, 0]


def test_after_the_end_there_is_no_retry(invoke: Invoke, sample: Sample, world: Open) -> None:
    there = world(OK)
    there.deliver(message(there.subscription, 7))
    there.clock.now = after(60)
    there.ender.end(there.subscription.job, there.subscription.subscription_id, "deleted")
    answer = retry(invoke, sample, there.subscription, message(there.subscription, 7).message_id)
    assert read(answer, 409)["code"] == "conflict"
    assert listed(invoke, sample, there.subscription)["deliveries"][0]["status"] == "Delivered"


def test_the_same_request_is_owed_once(invoke: Invoke, sample: Sample, world: Open) -> None:
    there = world(OK)
    there.deliver(message(there.subscription, 7))
    answers = [retry(invoke, sample, there.subscription, message(there.subscription, 7).message_id, "k") for _ in "ab"]
    assert answers[1]["body"] == answers[0]["body"]
    assert answers[1]["headers"]["idempotency-replayed"] == "true"
    assert len(owed(there.subscription.job)) == 1


@pytest.mark.parametrize(
    ("message_id", "status"), [("msg_000000000001_00", 404), ("msg_1", 422), ("x" * 3000, 422), ("a#b", 422)]
)
def test_what_was_never_pushed_cannot_be_pushed_again(
    message_id: str, status: int, invoke: Invoke, sample: Sample, world: Open
) -> None:
    assert retry(invoke, sample, world(OK).subscription, message_id)["statusCode"] == status


def test_deliveries_of_another_subscription_are_not_found(invoke: Invoke, sample: Sample, world: Open) -> None:
    there = world(OK)
    there.deliver(message(there.subscription, 7))
    other = subscribed(invoke, sample)["subscriptionId"]
    request = about(sample, "retry-delivery", other, messageId=message(there.subscription, 7).message_id)
    there.clock.now = times.now()
    assert read(invoke(FUNCTION, request), 404)["code"] == "not_found"
