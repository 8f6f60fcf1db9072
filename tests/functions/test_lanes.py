"""Dead, slow and ended endpoints: the results of their messages, and that nothing forbidden is sent."""

from collections import Counter
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from functions.api.deliveries import app
from jobtrack.domain.subscription_states import DeliveryStatus
from jobtrack.push.delivery.circuit_breaker import CircuitBreaker, Permit
from jobtrack.push.delivery.delivery import Delivery
from jobtrack.push.delivery.endpoint_health import LEASE_SECONDS, MAX_ATTEMPTS, EndpointHealth, HealthUpdate, Lease
from jobtrack.push.egress.guarded_post import EgressError, Response
from jobtrack.push.messages.message import Message
from jobtrack.push.subscriptions.message_factory import endpoint_group
from jobtrack.times import add_seconds, seconds_between
from tests.functions.conftest import Invoke
from tests.functions.subscribing import Sample, about, owed, read
from tests.pushing import JOB, NOW, Crash, World, after, crashing, elapsed, message, store, subscription

pytestmark = pytest.mark.usefixtures("stack")

OK, BROKEN, HANG = Response(200), Response(500), EgressError("no response within 10 seconds")
DAY = 24 * 3600


def lanes(world: World) -> Counter[str]:
    """Return the number of messages in each queue."""
    return Counter(entry["QueueUrl"] for _, entry in world.sqs.waiting)


def waiting(world: World) -> list[Message]:
    return [Message.decode(entry["MessageBody"]) for _, entry in world.sqs.waiting]


def broken(world: World, failures: int = 10) -> None:
    """Open the endpoint's circuit breaker with messages of another subscription."""
    other = replace(world.subscription, subscription_id="sub-other")
    store(world.dynamodb, world.deliverer.webhooks.vault, other)
    world.receiver.answers.insert(0, BROKEN)
    for sequence in range(1, failures + 1):
        world.receiver.answers.insert(0, BROKEN)
        world.deliver(message(sequence, other))
    world.receiver.answers.pop(0)
    world.receiver.posted.clear()
    world.sqs.waiting.clear()


def known_as(world: World, state: EndpointHealth) -> None:
    held = world.known()
    assert world.health.write_health(endpoint_group(world.subscription), HealthUpdate(held.version, state))


def test_permanent_500s_are_attempted_at_exactly_the_schedules_times_then_failed_and_a_retry_by_hand_delivers(
    invoke: Invoke, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = about(sample, "retry-delivery", "")
    ids = request["pathParameters"]
    job = replace(JOB, tenant=ids["tenantId"], project=ids["projectId"])
    subscribed = subscription("sub-223e8400-e29b-41d4-a716-446655440000", job=job, expires_at=after(7 * DAY))
    world = World(BROKEN, subscribed=subscribed)
    world.dynamodb.put_item(TableName="SubscriptionsTable", Item=subscribed.pointer_item())
    one = replace(message(7, subscribed), job=job)
    world.deliver(one)
    world.sqs.run(world.deliverer.deliver)

    times = [elapsed(at) for at, *_ in world.receiver.posted]
    delays = [5, 30, 120, 600, 1800, 3600] + [7200] * 11
    assert times == [sum(delays[:number]) for number in range(len(delays) + 1)]
    assert world.delivered(one).status == "Failed"
    assert len(world.delivered(one).attempts) == len(times)

    world.receiver.answers = [OK]
    world.clock.pass_by(3600)
    for each in (app.subscriptions, app.deliveries):
        monkeypatch.setattr(each, "clock", world.clock)
    request = about(sample, "retry-delivery", subscribed.subscription_id, messageId=one.message_id)
    read(invoke("DeliveriesFunction", request), 202)
    [again] = owed(job)
    world.deliver(again)
    assert world.delivered(one).status == "Delivered"
    assert set(world.receiver.ids) == {one.message_id}
    assert len(world.receiver.ids) == len(times) + 1


@pytest.mark.parametrize("jitter", [0.0, 0.25, 1.0])
def test_jitter_moves_a_lone_messages_attempts_and_nothing_else_does(jitter: float) -> None:
    world = World(BROKEN, subscribed=subscription(expires_at=after(7 * DAY)))
    world.deliverer.random = world.deliverer.breaker.random = lambda: jitter
    world.deliver(message())
    world.sqs.run(world.deliverer.deliver)
    times = [at for at, *_ in world.receiver.posted]
    found = [seconds_between(earlier, later) for earlier, later in pairwise(times)]
    wanted = ([5, 30, 120, 600, 1800, 3600] + [7200] * 20)[: len(found)]
    assert found == pytest.approx([delay * (0.8 + 0.4 * jitter) for delay in wanted], abs=1.001)
    assert times[-1] < after(DAY) <= add_seconds(times[-1], 7200 * 1.2)


def test_while_the_breaker_is_open_a_message_is_skipped_and_delivered_when_the_endpoint_is_back() -> None:
    world = World(OK)
    broken(world)
    world.deliver(message(20))
    assert world.receiver.posted == []
    assert world.delivered(message(20)) == Delivery(DeliveryStatus.SKIPPED, 0, ())
    [put_off] = waiting(world)
    assert (put_off.attempt, put_off.waits, put_off.lane) == (0, 1, "normal")
    assert after(10) <= put_off.not_before <= after(12)
    world.sqs.run(world.deliverer.deliver)
    assert [at for at, *_ in world.receiver.posted] == [after(11)]
    assert world.delivered(message(20)).status == "Delivered"
    assert world.known().failures == 0


def test_of_many_that_wait_for_a_breaker_one_probes_and_the_rest_follow_its_success() -> None:
    world = World(OK)
    broken(world)
    for sequence in range(20, 50):
        world.deliver(message(sequence))
    world.sqs.run(world.deliverer.deliver)
    assert sorted(world.receiver.ids) == [message(sequence).message_id for sequence in range(20, 50)]
    assert all(world.delivered(message(sequence)).status == "Delivered" for sequence in range(20, 50))


def test_of_many_to_a_dead_endpoint_few_are_attempted_each_is_skipped_or_failed_in_the_end() -> None:
    world = World(BROKEN, subscribed=subscription(expires_at=after(3 * 3600)))
    many = [message(sequence) for sequence in range(1, 41)]
    for one in many:
        world.deliver(one)
        world.clock.pass_by(1)
    world.sqs.run(world.deliverer.deliver)
    found = [world.delivered(one) for one in many]
    assert {each.status for each in found} <= {"Skipped", "Failed"}
    assert all(each.status == ("Failed" if each.attempts else "Skipped") for each in found)
    assert len(world.receiver.posted) <= 10 + 7 + 3 * 3600 / 600
    assert sum(len(each.attempts) for each in found) == len(world.receiver.posted)
    assert all(each.concluded > 0 for each in found)


def test_what_was_attempted_before_and_then_skipped_has_failed_if_its_day_ends_first() -> None:
    world = World(BROKEN, subscribed=subscription(expires_at=after(7 * DAY)))
    world.deliver(message(1))
    known_as(world, EndpointHealth(20, 600.0, after(2 * DAY)))
    world.sqs.run(world.deliverer.deliver)
    assert len(world.receiver.posted) == 1
    assert world.delivered(message(1)).status == "Failed"
    assert world.clock.now >= after(DAY)


def test_what_was_never_attempted_stays_skipped_if_its_day_ends_first_and_can_be_retried_by_hand() -> None:
    world = World(OK, subscribed=subscription(expires_at=after(7 * DAY)))
    known_as(world, EndpointHealth(20, 600.0, after(DAY + 1)))
    world.deliver(message(1))
    world.sqs.run(world.deliverer.deliver)
    assert world.receiver.posted == []
    assert world.delivered(message(1)) == Delivery(DeliveryStatus.SKIPPED, 1, ())
    kept = world.deliverer.deliveries.find_delivery("sub-1", message(1).message_id)
    assert kept is not None
    world.clock.pass_by(600)
    world.deliver(kept.redelivery(world.subscription, world.clock.now))
    assert world.receiver.ids == [message(1).message_id]
    assert world.delivered(message(1)).status == "Delivered"


def test_the_word_of_the_end_is_skipped_if_the_breaker_stays_open_seconds_its_five_minutes() -> None:
    world = World(OK)
    known_as(world, EndpointHealth(20, 600.0, after(400)))
    world.ender.end(JOB, "sub-1", "deleted")
    [ended] = owed(JOB)
    world.deliver(ended)
    world.sqs.run(world.deliverer.deliver)
    assert world.receiver.posted == []
    assert world.delivered(ended).status == "Skipped"
    assert world.clock.now < after(600)


@pytest.mark.parametrize("answer", [Response(429, "3600"), Response(503, "3600")])
def test_a_wish_to_wait_is_honoured_by_its_message_while_others_wait_for_the_breaker_only(answer: Response) -> None:
    world = World(answer, OK)
    world.deliver(message(1))
    world.deliver(message(2))
    assert world.delivered(message(2)).status == "Delivered"
    world.sqs.run(world.deliverer.deliver)
    assert [elapsed(at) for at, *_ in world.receiver.posted] == [0, 0, 3600]


def test_429s_in_a_row_open_the_breaker_and_410_closes_it() -> None:
    world = World(Response(429))
    for sequence in range(1, 12):
        world.deliver(message(sequence))
    assert len(world.receiver.posted) == 10
    world.receiver.answers = [Response(410)]
    world.clock.pass_by(11)
    world.deliver(message(12))
    assert len(world.receiver.posted) == 11
    assert world.known().open_seconds == 0
    stored = world.stored()
    assert stored is not None
    assert stored.end_reason == "gone"


def test_an_answer_over_two_seconds_sends_what_follows_into_the_slow_lane() -> None:
    world = World(OK)
    world.receiver.answering = 2.5
    world.deliver(message(1))
    assert world.delivered(message(1)).status == "Delivered"
    world.deliver(message(2))
    assert len(world.receiver.posted) == 1
    assert lanes(world) == {"slow": 1}
    [moved] = waiting(world)
    assert (moved.lane, moved.attempt, moved.waits) == ("slow", 0, 0)
    world.sqs.run(world.deliverer.deliver)
    assert world.delivered(message(2)).status == "Delivered"


def test_slowness_is_noted_while_the_answer_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    world, noted = World(OK), []
    world.receiver.answering = 10.0
    original = CircuitBreaker.mark_slow

    def note(breaker: CircuitBreaker, permit: Permit) -> None:
        original(breaker, permit)
        noted.append((elapsed(world.clock()), world.known().is_slow(world.clock())))

    monkeypatch.setattr(CircuitBreaker, "mark_slow", note)
    world.deliver(message(1))
    assert noted == [(2.0, True)]
    assert world.clock.alarms == []


def test_an_alarm_is_off_once_the_answer_is_there() -> None:
    world = World(OK, EgressError("connection refused"), OK)
    world.receiver.answering = 1.0
    for sequence in (1, 2, 3):
        world.deliver(message(sequence))
    assert world.clock.alarms == []
    assert not world.known().is_slow(world.clock())


def test_retries_of_a_slow_endpoint_wait_in_the_slow_lane_and_later_ones_do_not() -> None:
    world = World(HANG)
    world.receiver.answering = 10.0
    one = message(1)
    world.deliver(one)
    assert lanes(world) == {"slow": 1}
    world.deliver(replace(one, attempt=4).moved("slow"))
    assert lanes(world) == {"slow": 1, "queue": 1}


def test_a_quick_answer_in_the_slow_lane_leads_back() -> None:
    world = World(OK)
    known_as(world, EndpointHealth(slow_until=after(300)))
    world.deliver(message(1).moved("slow"))
    world.deliver(message(2))
    assert [world.delivered(message(sequence)).status for sequence in (1, 2)] == ["Delivered"] * 2
    assert lanes(world) == {}


@pytest.mark.parametrize("lane", ["normal", "slow"])
def test_what_finds_no_lease_is_put_off_a_little_longer_each_time_and_sent_when_one_is_free(lane: str) -> None:
    world = World(OK)
    slots = range(MAX_ATTEMPTS["normal"] if lane == "normal" else MAX_ATTEMPTS["slow"])
    for slot in slots:
        lease = Lease(slot, after(LEASE_SECONDS), f"held-{slot}")
        assert world.health.write_health(endpoint_group(world.subscription), HealthUpdate(take=lease))
    one = message(1) if lane == "normal" else message(1).moved("slow")
    world.deliver(one)
    assert world.receiver.posted == []
    assert world.delivered(one) == Delivery()
    [put_off] = waiting(world)
    assert (put_off.attempt, put_off.waits, put_off.lane) == (0, 1, lane)
    world.sqs.run(world.deliverer.deliver)
    assert world.delivered(one).status == "Delivered"
    assert after(LEASE_SECONDS) < world.receiver.posted[0][0] < after(2 * LEASE_SECONDS)


def test_a_message_is_moved_or_put_off_without_counting_an_attempt() -> None:
    world = World(BROKEN, OK)
    world.deliver(message(1))
    known_as(world, replace(world.known(), slow_until=after(300)))
    world.sqs.run(world.deliverer.deliver)
    assert [each.status_code for each in world.delivered(message(1)).attempts] == [500, 200]
    assert world.receiver.posted[1][0] == after(5)


@pytest.mark.parametrize("seconds", [0.2, 9.0])
@pytest.mark.parametrize("change", ["expired", "deleted"])
def test_what_ends_while_the_connection_is_made_is_not_sent(seconds: float, change: str) -> None:
    """DNS, connecting or a handshake takes long, and meanwhile the time is over."""
    world = World(OK, subscribed=subscription(expires_at=after(1 if change == "expired" else 100)))
    world.clock.now = after(1 - seconds / 2) if change == "expired" else NOW
    world.receiver.connecting = max(seconds, 0.3)
    if change == "deleted":
        world.clock.alarm(0.1, lambda: world.ender.end(JOB, "sub-1", "deleted"))
    world.deliver(message(1))
    assert world.receiver.posted == []
    assert world.delivered(message(1)) == Delivery(DeliveryStatus.SKIPPED, 1, ())
    assert world.known().leases == {}
    assert world.sqs.waiting == []


def test_a_retry_that_ends_while_the_connection_is_made_has_failed() -> None:
    world = World(BROKEN, OK, subscribed=subscription(expires_at=after(7)))
    world.deliver(message(1))
    world.receiver.connecting = 3.0
    world.sqs.run(world.deliverer.deliver)
    assert len(world.receiver.posted) == 1
    assert world.delivered(message(1)).status == "Failed"


def test_what_is_renewed_while_the_connection_is_made_is_sent() -> None:
    world = World(OK, subscribed=subscription(expires_at=after(2)))
    world.receiver.connecting = 5.0
    stored = world.stored()
    assert stored is not None
    renewed = replace(stored, expires_at=after(1000)).to_item()

    def renew() -> None:
        world.dynamodb.put_item(TableName="SubscriptionsTable", Item=renewed)

    world.clock.alarm(1, renew)
    world.deliver(message(1))
    assert len(world.receiver.posted) == 1


@pytest.mark.parametrize("where", ["queue", "slow", "breaker", "lease"])
@pytest.mark.parametrize("how", ["deleted", "expired"])
def test_what_ends_while_it_waits_is_not_sent(where: str, how: str) -> None:
    world = World(OK, subscribed=subscription(expires_at=after(5 if how == "expired" else 8 * 3600)))
    one = message(1).moved("slow") if where == "slow" else message(1)
    if where == "breaker":
        known_as(world, EndpointHealth(10, 10.0, after(10)))
        world.deliver(one)
        assert world.delivered(one).status == "Skipped"
    elif where == "lease":
        for slot in range(MAX_ATTEMPTS["normal"]):
            world.health.write_health(
                endpoint_group(world.subscription), HealthUpdate(take=Lease(slot, after(LEASE_SECONDS), "held"))
            )
        world.deliver(one)
    else:
        world.deliverer.queue.enqueue([replace(one, not_before=after(30))])
    assert len(world.sqs.waiting) == 1
    if how == "deleted":
        world.ender.end(JOB, "sub-1", "deleted")
    else:
        world.clock.now = after(6)
    world.sqs.run(world.deliverer.deliver)
    assert world.receiver.posted == []
    assert world.delivered(one) == Delivery(DeliveryStatus.SKIPPED, 1, ())


def test_a_failure_that_is_an_attempt_behind_does_not_undo_what_is_known() -> None:
    world = World(OK)
    table = world.deliverer.deliveries
    table.put_delivery(message(), Delivery(DeliveryStatus.PENDING, 3))
    table.put_delivery(message(), Delivery(DeliveryStatus.SKIPPED, 1))
    assert world.delivered(message()) == Delivery(DeliveryStatus.PENDING, 3)
    table.put_delivery(message(), Delivery(DeliveryStatus.DELIVERED, 1))
    assert world.delivered(message()).status == "Delivered"


runs = count()
acts = st.sampled_from([OK, OK, BROKEN, HANG, Response(429, "60"), "crash before", "crash after"])


@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking examples that take seconds would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    script=st.lists(st.tuples(acts, st.floats(0, 11)), max_size=30),
    copies=st.lists(st.integers(1, 3), min_size=4, max_size=14),
)
def test_whatever_happens_no_message_is_lost_and_each_ends_delivered_failed_or_skipped(
    script: list[tuple[Any, float]], copies: list[int]
) -> None:
    """Messages arrive several times, attempts overlap, processes end during them; then the endpoint responds again."""
    run = next(runs)  # the tables outlive an example
    subscribed = subscription(f"sub-{run}", url=f"https://hook.example/{run}", expires_at=after(2 * DAY))
    world = World(OK, subscribed=subscribed)
    endpoint = Busy(world, script)
    for sequence, times in enumerate(copies, start=1):
        for _ in range(times):
            world.deliverer.queue.enqueue([message(sequence, subscribed)])
    world.sqs.run(endpoint.deliver)
    found = [world.delivered(message(sequence, subscribed)) for sequence in range(1, len(copies) + 1)]
    assert {each.status for each in found} <= {"Delivered", "Failed", "Skipped"}
    assert all(each.concluded > 0 for each in found)
    assert {message(n, subscribed).message_id for n in range(1, len(copies) + 1)} == endpoint.taken | {
        message(n, subscribed).message_id for n, each in enumerate(found, start=1) if each.status != "Delivered"
    }
    assert endpoint.most <= MAX_ATTEMPTS["normal"]


class Busy:
    """An endpoint whose attempts overlap: during one, other processes deliver what is due."""

    def __init__(self, world: World, script: list[tuple[Any, float]]) -> None:
        self.world = world
        self.script = iter(script)
        self.taken: set[str] = set()
        self.under_way = self.most = 0
        world.receiver.respond = self.respond  # type: ignore[method-assign]

    def deliver(self, one: Message) -> None:
        """Deliver as the queue does: after a crash the message returns when its visibility timeout ends."""
        try:
            self.world.deliverer.deliver(one)
        except Crash:
            self.world.sqs.waiting.append(
                (add_seconds(self.world.clock(), 180), {"MessageBody": one.encode(), "QueueUrl": "queue"})
            )

    def respond(self, url: Any, headers: Any, body: bytes) -> Response:
        act, seconds = next(self.script, (OK, 0.0))
        if act == "crash before":
            raise Crash
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if self.under_way < 8:
                for other in self.world.sqs.take():
                    self.deliver(Message.decode(other))
            self.world.clock.pass_by(seconds)
        finally:
            self.under_way -= 1
        if act == "crash after":
            raise Crash
        if isinstance(act, EgressError):
            raise act
        assert isinstance(act, Response)
        if act == OK:
            self.taken.add(headers["webhook-id"])
        return act


@pytest.mark.parametrize("state", ["open", "half-open", "slow", "full"])
def test_a_crash_at_any_step_of_waiting_loses_nothing(state: str) -> None:
    crashed, step = True, -1
    while crashed:
        step += 1
        world = World(OK, subscribed=subscription(f"sub-{step}", url=f"https://hook.example/{state}/{step}"))
        match state:
            case "open":
                known_as(world, EndpointHealth(10, 10.0, after(10)))
            case "half-open":
                known_as(world, EndpointHealth(10, 10.0, after(-1)))
            case "slow":
                known_as(world, EndpointHealth(slow_until=after(300)))
            case "full":
                for slot in range(MAX_ATTEMPTS["normal"]):
                    world.health.write_health(
                        endpoint_group(world.subscription), HealthUpdate(take=Lease(slot, after(35), "held"))
                    )
        one = message(1, world.subscription)
        crashed = False
        with crashing(step, world.dynamodb, world.kms, fakes=(world.receiver, world.sqs)):
            try:
                world.deliver(one)
            except Crash:
                crashed = True
        world.clock.pass_by(180 if crashed else 0)
        world.deliver(one)
        world.sqs.run(world.deliverer.deliver)
        assert world.delivered(one).status == "Delivered"
        assert set(world.receiver.ids) == {one.message_id}
    assert step >= 4
