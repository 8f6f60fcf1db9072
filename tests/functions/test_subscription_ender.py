"""The end of a subscription: when it happens, what follows, and that nothing follows after that."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace

from functions.schedule.expirer import app
from jobtrack import times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job
from jobtrack.domain.subscription_states import DeliveryStatus, EndReason
from jobtrack.errors import JobBusy
from jobtrack.invocation import Invocation
from jobtrack.push.delivery.delivery import Delivery
from jobtrack.push.egress.guarded_post import EgressError, Response
from jobtrack.push.messages.message import PING, Message
from jobtrack.push.subscriptions.expirer import Expirer
from jobtrack.push.subscriptions.message_factory import service_message
from jobtrack.push.subscriptions.subscription import KEPT_SECONDS
from jobtrack.store.item_kinds import SUBSCRIPTION
from jobtrack.store.job_subscriptions import add_listener_action
from jobtrack.store.jobs import JobStore
from jobtrack.store.snapshots import Listener, Snapshot
from jobtrack.store.timers import EXPIRY, Timer, TimerStore
from jobtrack.store.transactions import Cancelled, commit
from tests.functions.conftest import POLICIES, Context
from tests.functions.subscribing import Sample, owed
from tests.pushing import JOB, NOW, Crash, World, after, crashing, elapsed, message, store, subscription

pytestmark = pytest.mark.usefixtures("stack")

OK, BROKEN = Response(200), Response(500)
EIGHT_HOURS = 28_800


def jobs(world: World) -> JobStore:
    return JobStore(world.dynamodb, "JobsTable", now=world.clock)


def heard(*answers: Response | EgressError, **changes: Any) -> World:
    """A world whose subscription listens to a job."""
    world = World(*answers, subscribed=subscription(**changes))
    one = world.subscription
    listener = Listener(one.expires_at, one.interests())
    job = Job(JOB.job, "a job", "mining", NOW)
    jobs(world).create(Snapshot(JOB, 0, job, listeners={one.subscription_id: listener}), "b", {})
    return world


def expirer(world: World) -> Expirer:
    return Expirer(TimerStore(world.dynamodb, "SubscriptionsTable", EXPIRY, KEPT_SECONDS), world.ender, world.clock)


def expire(world: World) -> None:
    expirer(world).run(Invocation())


def timers(world: World) -> list[str]:
    items = world.dynamodb.scan(TableName="SubscriptionsTable")["Items"]
    return sorted(item["sk"]["S"] for item in items if item["pk"]["S"].startswith("expiry#"))


def end(world: World, reason: EndReason = "deleted") -> Message:
    """Return the message about the end."""
    world.ender.end(JOB, "sub-1", reason)
    [made] = owed(JOB)
    return made


def test_expired_it_is_ended_and_told_once() -> None:
    world = heard()
    world.clock.now = after(EIGHT_HOURS)
    for _ in range(3):
        expire(world)
    stored = world.stored()
    assert stored is not None
    assert (stored.status, stored.end_reason) == ("Expired", "expired")
    assert jobs(world).read_snapshot(JOB).listeners == {}
    [made] = owed(JOB)
    assert json.loads(made.payload)["data"]["reason"] == "expired"
    assert timers(world) == []


def test_until_then_it_lives() -> None:
    world = heard()
    world.clock.now = after(EIGHT_HOURS - 1)
    expire(world)
    assert len(timers(world)) == 1
    assert world.stored() == world.deliverer.subscriptions.read_subscription(JOB, "sub-1")
    assert owed(JOB) == []


def test_one_that_was_renewed_lives_on_and_keeps_its_later_timer() -> None:
    world = heard()
    renewed = replace(world.subscription, expires_at=after(2 * EIGHT_HOURS))
    stored = world.stored()
    assert stored is not None
    commit(world.dynamodb, world.deliverer.subscriptions.renew_actions(stored, renewed))
    world.clock.now = after(EIGHT_HOURS)
    expire(world)
    later = world.stored()
    assert later is not None
    assert (later.status, later.expires_at) == ("Active", renewed.expires_at)
    assert timers(world) == [Timer(EXPIRY, JOB, renewed.expires_at, "sub-1").key["sk"]["S"]]
    world.clock.now = renewed.expires_at
    expire(world)
    assert len(owed(JOB)) == 1


def test_one_that_was_deleted_before_stays_deleted() -> None:
    world = heard()
    end(world)
    world.clock.now = after(EIGHT_HOURS)
    expire(world)
    stored = world.stored()
    assert stored is not None
    assert (stored.end_reason, len(owed(JOB)), timers(world)) == ("deleted", 1, [])


def test_many_expire_in_one_run_page_by_page_and_one_that_cannot_holds_up_no_other() -> None:
    world = heard()
    names = [f"sub-{number}" for number in range(2, 30)]
    store(world.dynamodb, world.deliverer.webhooks.vault, *(subscription(name) for name in names))
    poison = Timer(EXPIRY, JOB, NOW, "sub-poison")
    world.dynamodb.put_item(TableName="SubscriptionsTable", Item=poison.to_item(KEPT_SECONDS))
    broken = {"pk": {"S": JOB.partition}, "sk": {"S": "sub-poison"}, **SUBSCRIPTION.stamp}
    world.dynamodb.put_item(TableName="SubscriptionsTable", Item=broken)
    world.clock.now = after(EIGHT_HOURS)
    expire(world)
    assert len(owed(JOB)) == len(names) + 1
    assert timers(world) == [poison.key["sk"]["S"]]


def test_without_time_left_it_leaves_the_rest_to_the_next_run() -> None:
    world = heard()
    world.clock.now = after(EIGHT_HOURS)
    expirer(world).run(Invocation(lambda: False))
    assert owed(JOB) == []
    expire(world)
    assert len(owed(JOB)) == 1


def test_a_busy_job_is_left_to_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    world = heard()

    def busy(*_: object) -> None:
        raise JobBusy("too many")

    monkeypatch.setattr(type(world.ender), "end", busy)
    world.clock.now = after(EIGHT_HOURS)
    expire(world)
    assert len(timers(world)) == 1


def test_a_crash_at_any_step_ends_it_once() -> None:
    world = heard()
    for step in count():
        name = f"sub-{step + 100}"
        store(world.dynamodb, world.deliverer.webhooks.vault, subscription(name))
        world.clock.now = after(EIGHT_HOURS)
        crashed = False
        with crashing(step, world.dynamodb):
            try:
                expire(world)
            except Crash:
                crashed = True
        expire(world)
        told = [each.subscription_id for each in owed(JOB)]
        assert told.count(name) == 1
        assert len(told) == len(set(told))
        world.clock.now = NOW
        if not crashed:
            break
    assert step > 8


def test_the_function_runs_on_what_its_policy_allows(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    world = heard(created_at=0, expires_at=1000 * times.SECOND)
    monkeypatch.setattr(POLICIES, "denied", [])
    monkeypatch.setattr(POLICIES, "running", "ExpirerFunction")
    app.handler(sample("schedule"), Context())
    assert POLICIES.denied == []
    assert len(owed(JOB)) == 1
    assert timers(world) == []


def test_the_job_of_a_subscription_may_be_forgotten_before_it() -> None:
    world = World()
    made = end(world)
    assert json.loads(made.payload)["data"]["jobName"] is None
    world.deliver(made)
    assert len(world.receiver.posted) == 1


@pytest.mark.parametrize("reason", ["expired", "deleted", "gone"])
def test_the_word_of_the_end_is_sent_after_the_end_and_nothing_else_is(reason: EndReason) -> None:
    world = heard()
    stored = world.stored()
    assert stored is not None
    ping = service_message(PING, stored, None, NOW, "0")
    world.clock.now = after(EIGHT_HOURS) if reason == "expired" else after(1)
    made = end(world, reason)
    for each in (message(1), ping, made, message(2)):
        world.deliver(each)
    assert world.receiver.ids == [made.message_id]
    [(_, _, _, body)] = world.receiver.posted
    assert json.loads(body)["data"] | {"description": ""} == {
        "tenantId": JOB.tenant,
        "projectId": JOB.project,
        "jobId": JOB.job,
        "jobName": "a job",
        "subscriptionId": "sub-1",
        "sequence": None,
        "status": "Queued",
        "percentage": 0,
        "description": "",
        "event": {},
        "reason": reason,
    }
    assert world.delivered(message(1)) == Delivery(DeliveryStatus.SKIPPED, 1, ())


@pytest.mark.parametrize("answer", [BROKEN, Response(503, "100000"), Response(429, "200"), EgressError("no response")])
def test_it_is_tried_three_times_within_five_minutes(answer: Response | EgressError) -> None:
    world = heard(answer)
    world.deliver(end(world))
    world.sqs.run(world.deliverer.deliver)
    tried = [elapsed(at) for at, *_ in world.receiver.posted]
    patient = isinstance(answer, Response) and answer.retry_after
    assert tried == ({"100000": [0], "200": [0, 200]}[patient] if patient else [0, 5, 35])
    assert world.delivered(owed(JOB)[0]).status == "Failed"


def test_what_comes_too_late_to_be_tried_again_is_not() -> None:
    world = heard(BROKEN)
    made = end(world)
    world.deliver(made)
    world.clock.now = after(300)
    world.sqs.run(world.deliverer.deliver)
    assert len(world.receiver.posted) == 1


def test_a_receiver_that_is_gone_is_told_and_its_subscription_listens_no_more() -> None:
    world = heard(Response(410))
    world.deliver(message(1))
    stored = world.stored()
    assert stored is not None
    assert (stored.status, stored.end_reason) == ("Ended", "gone")
    assert jobs(world).read_snapshot(JOB).listeners == {}
    [made] = owed(JOB)
    world.deliver(made)
    assert len(world.receiver.posted) == 2
    assert world.delivered(made).status == "Failed"
    assert len(owed(JOB)) == 1
    assert world.sqs.waiting == []


def test_what_expires_while_its_secrets_are_fetched_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    world = heard()
    opened = world.deliverer.webhooks.vault.open

    def slowly(*arguments: Any) -> Any:
        world.clock.now = after(EIGHT_HOURS)
        return opened(*arguments)

    monkeypatch.setattr(world.deliverer.webhooks.vault, "open", slowly)
    world.deliver(message(1))
    assert world.receiver.posted == []


def test_a_batch_that_read_the_listener_before_its_end_is_written_anew() -> None:
    world = heard()
    writer = jobs(world)
    report: Iterator[Event] = (Event("milestone", NOW, {"description": str(each)}) for each in count())
    writer.report(JOB, [next(report)])
    end(world)
    before = world.dynamodb.scan(TableName="JobsTable")["Count"]
    writer.report(JOB, [next(report)])
    assert writer.read_snapshot(JOB).listeners == {}
    assert world.dynamodb.scan(TableName="JobsTable")["Count"] <= before + 1


def test_two_who_add_a_listener_at_once_do_not_undo_each_other() -> None:
    world = heard()
    snapshot, listener = jobs(world).read_snapshot(JOB), Listener(times.LATEST, frozenset({"milestone"}))
    commit(world.dynamodb, [add_listener_action("JobsTable", snapshot, "sub-2", listener, NOW)])
    with pytest.raises(Cancelled):
        commit(world.dynamodb, [add_listener_action("JobsTable", snapshot, "sub-3", listener, NOW)])
    assert set(jobs(world).read_snapshot(JOB).listeners) == {"sub-1", "sub-2"}
