"""Every stream record arrives three times, every queue message twice and in any order: no receiver gets a repeat."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from jobtrack.domain.events import EVENT_NAMES, Event
from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.message_factory import event_message_id
from jobtrack.push.subscriptions.subscription import DEFAULT_EVENTS, Filters, Subscription
from jobtrack.store.outbox_records import EventBatch, OutboxEvent, decode
from tests.faults.deployed import Deployed
from tests.pushing import JOB, NOW, subscription

pytestmark = pytest.mark.usefixtures("stack")

OTHER = JOB.job_key("44444444-0000-4000-8000-000000000000")
COPIES, REPEATS = 2, 3


def reported(drawn: random.Random, count: int) -> Iterator[Event]:
    """Events that a worker might report."""
    yield Event("jobStarted", NOW, {})
    yield Event("stageStarted", NOW, {"stageName": "A"})
    for number in range(count):
        line = {"level": drawn.choice(["DEBUG", "INFO", "WARN", "ERROR"]), "message": f"line {number}"}
        kinds: list[tuple[str, dict[str, Any]]] = [
            ("log", line),
            ("progressUpdate", {"progress": 100 * number / count}),
            ("milestone", {"description": "m"}),
            ("warning", {"description": "w"}),
            ("error", {"description": "e"}),
        ]
        kind, data = drawn.choice(kinds)
        yield Event(kind, NOW, data)
    yield Event("stageCompleted", NOW, {"stageName": "A"})
    yield Event("jobCompleted", NOW, {})


def subscribers(drawn: random.Random, job: JobKey) -> list[Subscription]:
    """The contract's six events, all events, and a selection."""
    some = tuple(drawn.sample(EVENT_NAMES, 4))
    asked = [
        (DEFAULT_EVENTS, Filters()),
        (tuple(EVENT_NAMES), Filters(include_debug_events=True)),
        (("progressUpdate", "log"), Filters(min_progress_increment=drawn.choice([10, 25]))),
        (some, Filters(notify_on_errors=drawn.random() < 0.5)),
    ]
    return [
        subscription(
            f"sub-{job.job[:4]}-{number}", job=job, events=events, filters=filters, url=f"https://h{number}.example/"
        )
        for number, (events, filters) in enumerate(asked)
    ]


def wanted_as(one: Subscription, event: OutboxEvent) -> str | None:
    """The contract's rules on filters, implemented a second time."""
    names = {*one.events, *(("error", "stageFailed", "jobFailed") if one.filters.notify_on_errors else ())}
    kind, step = event.type, one.filters.min_progress_increment
    if kind == "log":
        level = event.data["level"]
        pushed = {"WARN": "warning", "ERROR": "error"}.get(level, "log")
        if pushed != "log" and pushed in names:
            return pushed
        return "log" if "log" in names and (level != "DEBUG" or one.filters.include_debug_events) else None
    if kind == "progressUpdate" and step:
        before, now = event.previous_percentage or 0, event.percentage
        return kind if kind in names and any(before < mark <= now for mark in range(step, 101, step)) else None
    return kind if kind in names else None


def outbox(stack: Deployed) -> Iterator[tuple[JobKey, OutboxEvent]]:
    """Return every event that a subscription must receive."""
    for item in stack.dynamodb.scan(TableName="JobsTable")["Items"]:
        if item["sk"]["S"].startswith("O#"):
            batch = decode(bytes(item["d"]["B"]))
            assert isinstance(batch, EventBatch)
            yield from ((batch.job, event) for event in batch.events)


@pytest.mark.parametrize("seed", range(3))
def test_each_receiver_has_what_it_should_under_one_id_each(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stack, drawn = Deployed(monkeypatch, seed), random.Random(seed)
    stack.repeats = REPEATS
    for queue in stack.sqs.queues.values():
        queue.copies = COPIES
    everybody = {job: subscribers(drawn, job) for job in (JOB, OTHER)}
    for job, asked in everybody.items():
        stack.job(job, *asked)
    for job in everybody:
        events = [*reported(drawn, 25)]
        while events:
            size = drawn.randint(1, 9)
            stack.report(job, *events[:size])
            events = events[size:]
        if job == JOB:
            stack.stream.split(stack.shards.pop(), "shard-1", "shard-2")
            stack.shards += ["shard-1", "shard-2"]
    stack.run()

    wanted = {
        (one.subscription_id, event.sequence): (
            event_message_id(job, one.subscription_id, event.sequence),
            pushed_as,
        )
        for job, event in outbox(stack)
        for one in everybody[job]
        if (pushed_as := wanted_as(one, event))
    }
    arrived: dict[tuple[str, int], set[tuple[str, str]]] = {}
    for _, _, headers, posted in stack.receivers.posted:
        body = json.loads(posted)
        place = body["data"]["subscriptionId"], body["data"]["sequence"]
        arrived.setdefault(place, set()).add((headers["webhook-id"], body["type"]))
    assert arrived == {place: {told} for place, told in wanted.items()}
    assert len(wanted) > 100
    assert {*stack.served.values()} == {REPEATS}
    assert stack.taken >= COPIES * REPEATS * len(wanted)
    assert (stack.dead_letters(), stack.pointers(), stack.quarantined()) == ([], [], [])
