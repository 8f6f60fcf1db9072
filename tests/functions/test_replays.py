"""`sinceSequence` pushes past events as if the subscription had existed then, and no event under two ids."""

import base64
import json
import random
from collections.abc import Sequence
from typing import Any

import pytest

from jobtrack import aws, times
from jobtrack.domain.events import EVENT_NAMES, Event
from jobtrack.domain.job import Job, Stage
from jobtrack.push.dispatch.dispatcher import Dispatcher
from jobtrack.push.dispatch.quarantine import QuarantineTable
from jobtrack.push.dispatch.replays import Replays
from jobtrack.push.messages.delivery_queue import DeliveryQueue
from jobtrack.push.messages.message import Message
from jobtrack.push.subscriptions.secrets import Vault
from jobtrack.push.subscriptions.subscription import Filters, Subscription
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.settings import Settings
from jobtrack.store.job_subscriptions import ListenerStore, NewListener
from jobtrack.store.jobs import JobStore
from jobtrack.store.outbox import SORT_KEY
from jobtrack.store.outbox_records import Replay, decode
from jobtrack.store.snapshots import Listener, Snapshot
from jobtrack.times import Micros
from tests.pushing import JOB, NOW, Clock, FakeSqs, store, subscription

pytestmark = pytest.mark.usefixtures("stack")

ALL = tuple(EVENT_NAMES)


class Stream:
    """Dispatches the outbox's items, each once as in the table's stream, until there are no new ones."""

    def __init__(self, page: int) -> None:
        self.dynamodb = aws.client("dynamodb")
        self.sqs = FakeSqs(Clock())
        queue = DeliveryQueue(self.sqs, "queue", self.sqs.clock)  # type: ignore[arg-type]  # what it uses of one
        subscriptions = SubscriptionTable(self.dynamodb, "SubscriptionsTable")
        replays = Replays(self.dynamodb, "JobsTable", page)
        quarantine = QuarantineTable(self.dynamodb, "QuarantineTable")
        self.dispatcher = Dispatcher(subscriptions, queue, replays, quarantine, self.sqs.clock)
        self.shown: set[str] = set()
        self.steps = 0

    def run(self, times_each: int = 1) -> list[Message]:
        """The created messages."""
        while fresh := [item for item in self._items() if item["sk"]["S"] not in self.shown]:
            self.shown |= {item["sk"]["S"] for item in fresh}
            self.steps += len(fresh)
            assert self.dispatcher.dispatch([_record(item) for item in fresh] * times_each) == []
        return [Message.decode(body) for body in self.sqs.take()]

    def _items(self) -> list[dict[str, Any]]:
        found = self.dynamodb.scan(TableName="JobsTable")["Items"]
        return sorted(
            (each for each in found if each["sk"]["S"].startswith(SORT_KEY)), key=lambda each: each["sk"]["S"]
        )


def _record(item: dict[str, Any]) -> dict[str, Any]:
    image = {**item, "d": {"B": base64.b64encode(bytes(item["d"]["B"])).decode()}}
    return {"dynamodb": {"SequenceNumber": item["sk"]["S"], "NewImage": image}}


def jobs() -> JobStore:
    return JobStore(aws.client("dynamodb"), "JobsTable", now=lambda: NOW)


def listener(one: Subscription) -> Listener:
    return Listener(one.expires_at, one.interests())


def job_heard_by(*subscriptions: Subscription) -> None:
    """Create a job with these listeners."""
    vault = Vault(aws.client("kms"), Settings.from_env().secrets_key_id)
    store(aws.client("dynamodb"), vault, *subscriptions)
    stages = [Stage("A", {"ja": "あ", "en": "a"}, weight=1.0), Stage("B", weight=3.0)]
    job = Job(JOB.job, "a job", "mining", NOW, stages=stages)
    listeners = {one.subscription_id: listener(one) for one in subscriptions}
    jobs().create(Snapshot(JOB, 0, job, listeners=listeners), "b", {})


def subscribe(one: Subscription, since: int) -> None:
    """Create a subscription now that gets the events after a sequence."""
    vault = Vault(aws.client("kms"), Settings.from_env().secrets_key_id)
    listeners = ListenerStore(aws.client("dynamodb"), "JobsTable", now=lambda: NOW)
    store(aws.client("dynamodb"), vault, one)
    listeners.add_listener(NewListener(JOB, one.subscription_id, listener(one), since=since), {})


def history(events: int, seed: int) -> list[Event]:
    """Events that a worker might report about a job whose clock jumps, including its end and late events."""
    drawn = random.Random(seed)
    told = [
        Event("log", Micros(0), {"level": "WARN", "message": "early"}),
        Event("milestone", Micros(0), {"description": "queued"}),
    ]
    told += [Event("jobStarted", Micros(0), {}), Event("stageStarted", Micros(0), {"stageName": "A"})]
    for number in range(events):
        levels = ["DEBUG", "INFO", "INFO", "WARN", "ERROR"]
        line = {"level": drawn.choice(levels), "message": f"line {number}", "component": "c", "details": {"n": number}}
        kinds: list[tuple[str, dict[str, Any]]] = [
            ("log", line),
            ("log", line),
            ("log", {"level": "INFO", "message": "bare"}),
        ]
        kinds += [("progressUpdate", {"progress": 100 * number / events, "operation": "reading"})]
        kinds += [("milestone", {"description": f"m{number}"}), ("warning", {"description": "w"})]
        kinds += [("error", {"description": "e", "details": {"n": number}}), ("heartbeat", {})]
        kind, data = drawn.choice(kinds)
        told.append(Event(kind, Micros(0), data))
    told += [
        Event("stageCompleted", Micros(0), {"stageName": "A"}),
        Event("stageStarted", Micros(0), {"stageName": "B"}),
    ]
    told += [Event("progressUpdate", Micros(0), {"progress": 50}), Event("stageFailed", Micros(0), {"stageName": "B"})]
    told += [Event("stageSkipped", Micros(0), {"stageName": "C"})]
    moments = [NOW + drawn.randrange(-100, 100) * times.SECOND for _ in told]
    return [Event(each.type, Micros(moment), each.data) for each, moment in zip(told, moments, strict=True)]


def report(events: Sequence[Event], batch: int = 40) -> None:
    writer = jobs()
    for start in range(0, len(events), batch):
        writer.report(JOB, events[start : start + batch])


def told(messages: Sequence[Message], since: int = 0) -> dict[int, Any]:
    """Return each message by its sequence, without the subscription's id."""
    found = {}
    for each in messages:
        body = json.loads(each.payload)
        body["data"]["subscriptionId"] = ""
        if each.sequence is not None and each.sequence > since:
            found[each.sequence] = body
    return found


@pytest.mark.parametrize("page", [1000, 7])
@pytest.mark.parametrize(
    "filters", [Filters(), Filters(20, True, False), Filters(7, False, True)], ids=["all", "debug", "errors"]
)
@pytest.mark.parametrize("since", [0, 30])
def test_it_gets_what_one_got_that_was_there_all_the_time(page: int, filters: Filters, since: int) -> None:
    there = subscription("sub-there", events=ALL, filters=filters)
    later = subscription("sub-later", events=ALL, filters=filters, language=there.language)
    job_heard_by(there)
    stream = Stream(page)
    report(history(120, seed=page + since))
    live = stream.run()
    subscribe(later, since)
    report([Event("milestone", NOW, {"description": "after"}), Event("jobFailed", Micros(0), {})])
    report([Event("log", NOW, {"level": "ERROR", "message": "late"})])
    messages = stream.run(times_each=3)
    new = [each for each in messages if each.subscription_id == "sub-later"]
    old = [each for each in messages if each.subscription_id == "sub-there"]
    wanted = told([*live, *old], since)
    assert told(new) == wanted
    assert len(wanted) > 30
    assert len({each.message_id for each in new}) == len(wanted)
    assert all(each.message_id.startswith(f"msg_{each.sequence:012d}_") for each in new)


def test_of_what_fits_a_step_the_order_is_that_of_the_job() -> None:
    later = subscription("sub-later", events=ALL)
    job_heard_by()
    report(history(100, seed=1))
    subscribe(later, 0)
    sequences = [each.sequence or 0 for each in Stream(1000).run()]
    assert sequences == sorted(sequences)


def test_a_long_history_is_told_step_by_step_and_each_step_once_however_often_it_comes() -> None:
    later = subscription("sub-later", events=ALL)
    job_heard_by()
    report(history(200, seed=2))
    subscribe(later, 0)
    stream = Stream(20)
    messages = stream.run(times_each=2)
    assert stream.steps > 8
    counted = [each.message_id for each in messages]
    assert {counted.count(each) for each in counted} == {2}


def test_who_wants_no_log_lines_has_none_read(monkeypatch: pytest.MonkeyPatch) -> None:
    later = subscription("sub-later", events=("milestone",))
    job_heard_by()
    report(history(50, seed=3))
    subscribe(later, 0)
    monkeypatch.setattr(Replays, "_read_log", None)
    assert {each.type for each in Stream(1000).run()} == {"milestone"}


@pytest.mark.parametrize("since", [1, 2**53])
def test_where_nothing_happened_since_nothing_is_owed(since: int) -> None:
    job_heard_by()
    subscribe(subscription("sub-later", events=ALL), since)
    assert Stream(1000).run() == []
    assert [each for each in aws.client("dynamodb").scan(TableName="JobsTable")["Items"] if _replay(each)] == []


def test_of_a_job_that_is_no_longer_kept_nothing_can_be_told() -> None:
    job_heard_by()
    report(history(10, seed=4))
    subscribe(subscription("sub-later", events=ALL), 0)
    key = {"pk": {"S": JOB.partition}, "sk": {"S": "S"}}
    aws.client("dynamodb").delete_item(TableName="JobsTable", Key=key)
    assert Stream(1000).run() == []


def _replay(item: dict[str, Any]) -> bool:
    return item["sk"]["S"].startswith(SORT_KEY) and isinstance(decode(bytes(item["d"]["B"])), Replay)
