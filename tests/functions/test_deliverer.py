"""The deliverer: the result of a message, whatever the receiver does."""

import json
import logging
from itertools import pairwise

import pytest
from msgspec.structs import replace

from jobtrack import log_filter, times
from jobtrack.domain.journal import packing
from jobtrack.domain.subscription_states import DeliveryStatus
from jobtrack.push.delivery.attempt import Attempt
from jobtrack.push.delivery.delivery import ATTEMPTS, Delivery
from jobtrack.push.egress.guarded_post import EgressError, Response
from jobtrack.push.subscriptions.secrets import Secrets, SigningSecret, new_signing_secret
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.store.ttl import encode_expiry
from jobtrack.times import Micros
from tests.pushing import (
    JOB,
    NOW,
    SECRET,
    TOKEN,
    World,
    after,
    elapsed,
    message,
    subscription,
)

pytestmark = pytest.mark.usefixtures("stack")

OK, BROKEN, UNREACHABLE = Response(200), Response(500), EgressError("connection refused")
DAY = 24 * 3600


def test_a_message_is_posted_signed_and_recorded() -> None:
    world = World(OK)
    world.deliver(message())
    [(_, target, headers, body)] = world.receiver.posted
    assert (target.host, target.path, body.decode()) == ("hook.example", "/events", message().payload)
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == message().message_id
    assert headers["webhook-timestamp"] == str(NOW // times.SECOND)
    assert world.receiver.verified(SECRET) == [json.loads(message().payload)]
    assert world.delivered(message()) == Delivery(DeliveryStatus.DELIVERED, 1, (Attempt(NOW, 0, 200),))
    assert world.sqs.waiting == []


def test_the_record_lasts_a_week_and_keeps_what_a_retry_by_hand_needs() -> None:
    world = World(OK)
    world.deliver(message(7))
    [item] = world.dynamodb.query(
        TableName="DeliveriesTable",
        KeyConditionExpression="pk = :subscription",
        ExpressionAttributeValues={":subscription": {"S": "sub-1"}},
    )["Items"]
    assert item["sk"] == {"S": message(7).message_id}
    assert (item["type"], item["sequence"]) == ({"S": "stageCompleted"}, {"N": "7"})
    assert item["exp"] == encode_expiry(after(7 * DAY))
    assert packing.unpack(item["d"]["B"])["payload"] == message(7).payload


def test_a_message_that_comes_twice_is_posted_once() -> None:
    world = World(OK)
    world.deliver(message())
    world.deliver(message())
    assert len(world.receiver.posted) == 1


def test_while_secrets_rotate_both_sign() -> None:
    world, newer = World(OK), new_signing_secret()
    both = Secrets((SigningSecret(newer), SigningSecret(SECRET, until=after(10))), None)
    sealed = world.deliverer.webhooks.vault.seal(JOB, "sub-1", both)
    world.dynamodb.put_item(TableName="SubscriptionsTable", Item=replace(world.subscription, sealed=sealed).to_item())
    world.deliver(message(1))
    world.receiver.verified(SECRET)
    world.receiver.verified(newer)
    world.clock.now = after(10)
    world.deliver(message(2))
    assert " " not in world.receiver.posted[1][2]["webhook-signature"]
    assert "authorization" not in world.receiver.posted[0][2]


@pytest.mark.parametrize("answer", [BROKEN, Response(302), Response(404), Response(429), Response(101), UNREACHABLE])
def test_what_is_no_success_is_tried_again_by_the_schedule_and_fails_after_a_day(
    answer: Response | EgressError,
) -> None:
    world = World(answer, subscribed=subscription(expires_at=after(7 * DAY)))
    world.deliver(message())
    assert world.delivered(message()).status == "Pending"
    world.sqs.run(world.deliverer.deliver)
    moments = [at for at, *_ in world.receiver.posted]
    assert [times.seconds_between(*pair) for pair in pairwise(moments)] == [5, 30, 120, 600, 1800, 3600] + [7200] * 11
    assert world.delivered(message()).status == "Failed"
    assert [attempt.time for attempt in world.delivered(message()).attempts] == moments
    assert set(world.receiver.ids) == {message().message_id}
    assert len({headers["webhook-timestamp"] for _, _, headers, _ in world.receiver.posted}) == len(moments)


def test_an_attempt_tells_what_came_of_it() -> None:
    world = World(BROKEN, UNREACHABLE, OK)
    world.deliver(message())
    world.sqs.run(world.deliverer.deliver)
    attempts = world.delivered(message()).attempts
    assert [(each.status_code, each.error) for each in attempts] == [
        (500, None),
        (None, "connection refused"),
        (200, None),
    ]
    assert world.delivered(message()).status == "Delivered"


def test_the_subscriptions_end_ends_the_retries() -> None:
    world = World(BROKEN, subscribed=subscription(expires_at=after(100)))
    world.deliver(message())
    world.sqs.run(world.deliverer.deliver)
    assert [elapsed(at) for at, *_ in world.receiver.posted] == [0, 5, 35]
    assert world.delivered(message()).status == "Failed"


def test_the_receivers_wish_to_wait_is_honoured() -> None:
    world = World(Response(429, "1000"), Response(503, "Mon, 23 Nov 2026 11:45:33 GMT"), OK)
    world.deliver(message())
    world.sqs.run(world.deliverer.deliver)
    assert [elapsed(at) for at, *_ in world.receiver.posted] == [0, 1000, 3600]


def test_long_waits_hop_over_the_longest_delay_of_the_queue_without_an_attempt() -> None:
    world = World(OK)
    world.deliver(message().later(after(2000.5)))
    assert [entry["DelaySeconds"] for _, entry in world.sqs.waiting] == [900]
    world.sqs.run(world.deliverer.deliver)
    assert [elapsed(at) for at, *_ in world.receiver.posted] == [2001]


def test_gone_ends_the_subscription_and_what_else_waits_is_skipped() -> None:
    world = World(Response(410))
    world.deliver(message(1))
    ended = world.stored()
    assert ended is not None
    assert (ended.status, ended.end_reason) == ("Ended", "gone")
    assert world.delivered(message(1)).status == "Failed"
    world.deliver(message(2))
    assert world.delivered(message(2)) == Delivery(DeliveryStatus.SKIPPED, 1, ())
    assert len(world.receiver.posted) == 1
    assert world.sqs.waiting == []


@pytest.mark.parametrize(
    "subscribed",
    [subscription(expires_at=NOW), subscription(status="Ended", end_reason="deleted"), subscription("sub-other")],
    ids=["expired", "deleted", "unknown"],
)
def test_nothing_is_sent_for_a_subscription_that_is_over(subscribed: Subscription) -> None:
    world = World(OK, subscribed=subscribed)
    world.deliver(message(1))
    world.deliver(replace(message(2), attempt=3))
    assert world.receiver.posted == []
    assert (world.delivered(message(1)).status, world.delivered(message(2)).status) == ("Skipped", "Failed")


def test_a_subscription_that_ended_otherwise_keeps_its_reason() -> None:
    world = World(OK)
    world.ender.end(JOB, "sub-1", "deleted")
    world.ender.end(JOB, "sub-1", "gone")
    stored = world.stored()
    assert stored is not None
    assert stored.end_reason == "deleted"


def test_an_url_that_the_stack_no_longer_allows_is_not_posted_to() -> None:
    world = World(OK, subscribed=subscription(url="https://hook.example:8443/"))
    world.deliver(message())
    assert world.receiver.posted == []
    assert [each.error for each in world.delivered(message()).attempts] == ["the URL must have port 443"]


def test_of_two_copies_side_by_side_the_failure_does_not_undo_the_success() -> None:
    world = World(OK)
    world.deliverer.deliveries.put_delivery(message(), Delivery(DeliveryStatus.DELIVERED, 1))
    world.deliverer.deliveries.put_delivery(message(), Delivery(DeliveryStatus.PENDING, 1))
    assert world.delivered(message()).status == "Delivered"


def test_copies_of_a_message_do_not_multiply_its_retries() -> None:
    world = World(BROKEN, BROKEN, OK)
    for _ in range(3):
        world.deliver(message())
    assert len(world.sqs.waiting) == 1
    again = world.sqs.waiting[0]
    world.sqs.waiting += [again, again]
    world.sqs.run(world.deliverer.deliver)
    assert len(world.receiver.posted) == 3


def test_the_log_of_attempts_is_bounded() -> None:
    delivery = Delivery()
    for number in range(ATTEMPTS + 5):
        delivery = delivery.after(message(), DeliveryStatus.PENDING, Attempt(Micros(number), 1))
    assert [each.time for each in delivery.attempts] == list(range(5, ATTEMPTS + 5))


def test_whatever_fails_for_good_is_logged_for_the_alarm(caplog: pytest.LogCaptureFixture) -> None:
    """At the end of its schedule, or while its endpoint's circuit breaker was open."""
    caplog.set_level(logging.INFO)
    world = World(BROKEN, subscribed=subscription(expires_at=after(3 * 3600)))
    many = [message(sequence) for sequence in range(1, 21)]
    for one in many:
        world.deliver(one)
    world.sqs.run(world.deliverer.deliver)
    failed = [one.message_id for one in many if world.delivered(one).status == "Failed"]
    logged = [each for each in caplog.records if "Failed after attempt" in each.getMessage()]
    assert {each.name for each in logged} == {log_filter.counted.name}
    assert sorted(each.getMessage().split()[0] for each in logged) == failed
    assert len(failed) >= 10
