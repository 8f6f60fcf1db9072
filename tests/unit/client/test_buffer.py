"""The buffer: nothing is sent twice, state changes keep their order, and every event is accounted for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jobtrack_client._reporting.batches import MAX_BYTES, Batch
from jobtrack_client._reporting.buffer import Buffer
from jobtrack_client._reporting.event_queue import EventQueue
from jobtrack_client._reporting.queued_events import Event, Rank, make_event
from jobtrack_client._reporting.stats import Reason, Stats

LATE = ("log", "metricSample", "quality")
STATE = ("stageStarted", "progressUpdate", "stageCompleted", "milestone", "heartbeat", "jobFailed")


def note(text: str) -> Event:
    return make_event("log", {"level": "WARN", "message": text}, 0)


@dataclass
class Sent:
    """The service, and the events that it accepted."""

    buffer: Buffer
    accepted: list[Event] = field(default_factory=list)
    refused: list[Event] = field(default_factory=list)
    keys: dict[str | None, bytes] = field(default_factory=dict)

    def send(self, outcome: str) -> None:
        """Take a batch, with this result."""
        batch = self.buffer.take()
        if batch is None:
            return
        assert self.keys.setdefault(batch.key, batch.body) == batch.body
        assert len(batch.body) <= MAX_BYTES
        assert len(batch.events) <= 500
        self.settle(batch, outcome)

    def settle(self, batch: Batch, outcome: str) -> None:
        if outcome == "accepted":
            self.accepted += batch.events
            self.buffer.acknowledged(batch)
        elif outcome == "halved" and len(batch.events) > 1:
            self.buffer.halve(batch)
        elif outcome == "partly refused":
            self.refused.append(batch.events[0])
            self.buffer.without(batch, frozenset({0}))
        elif outcome == "refused":
            self.refused += batch.events
            self.buffer.refused(batch)

    def own(self, events: Sequence[Event]) -> list[Event]:
        return [event for event in events if event.number]


outcomes = st.sampled_from(["accepted", "accepted", "halved", "partly refused", "refused", "failed"])
steps = st.lists(
    st.tuples(st.just("put"), st.sampled_from([*LATE, *STATE, "log", "log"]), st.integers(1, 200))
    | st.tuples(st.just("send"), outcomes, st.just(1))
    | st.tuples(st.just("note"), st.just(""), st.just(1))
    | st.tuples(st.just("state first"), st.sampled_from(["", "always"]), st.just(1)),
    max_size=25,
)


def put(buffer: Buffer, type_: str, times: int) -> int:
    for number in range(times):
        buffer.put(make_event(type_, {"level": "INFO", "message": f"{number}", "stage_name": "Load"}, 0))
    return times


@settings(max_examples=60)
@given(steps=steps, room=st.integers(50, 1000), concludes=st.booleans())
def test_every_event_is_accounted_for_and_arrives_at_most_once(steps: Any, room: int, concludes: bool) -> None:
    keys = count()
    buffer = Buffer(EventQueue(room, 10**8), key=lambda: str(next(keys)))
    service = Sent(buffer)
    reported = 0
    for step, what, times in steps:
        if step == "put":
            reported += put(buffer, what, times)
        elif step == "send":
            service.send(what)
        elif step == "note":
            buffer.note(note("so far"))
        else:
            buffer.put_state_first(always=bool(what))
        stats = buffer.stats
        assert sum(stats.reported.values()) == reported
        assert stats.acknowledged == dict(Counter(event.type for event in service.own(service.accepted)))
        assert stats.reasons.get(Reason.REFUSED, 0) == len(service.own(service.refused))
        assert sum(stats.reasons.values()) == sum(stats.dropped.values())
    told: list[Stats] = []

    def in_all(stats: Stats) -> Event:
        told.append(stats)
        return note("in all")

    if concludes:
        buffer.conclude(in_all)
        assert told[0].dropped == buffer.stats.dropped
    while buffer.stats.waiting:
        service.send("accepted")
    numbers = [event.number for event in service.own(service.accepted)]
    assert len(numbers) == len(set(numbers))
    state = [event.number for event in service.accepted if event.type not in LATE]
    assert state == sorted(state)
    final = buffer.stats
    assert sum(final.reported.values()) == len(numbers) + sum(final.dropped.values())
    lost = {event for event in STATE if final.dropped.get(event)} - {"progressUpdate", "heartbeat", "milestone"}
    assert not lost or service.refused


@settings(max_examples=25)
@given(lines=st.integers(499, 1500), samples=st.integers(0, 3), updates=st.integers(0, 1200), size=st.integers(1, 4000))
def test_a_job_s_end_is_in_the_first_batch_however_many_lines_wait(
    lines: int, samples: int, updates: int, size: int
) -> None:
    buffer = Buffer(EventQueue(10_000, 10**9))
    buffer.put(make_event("jobStarted", {}, 0))
    for number in range(lines):
        buffer.put(make_event("log", {"level": "INFO", "message": "x" * (size if number % 10 == 0 else 1)}, 0))
    for number in range(updates):
        buffer.put(make_event("progressUpdate", {"stage_name": f"Stage {number % 3}", "progress": number / 12}, 0))
    for number in range(samples):
        buffer.put(make_event("metricSample", {"cpu_usage": number}, 0))
    buffer.put(make_event("jobFailed", {"error": {"message": "exit code 3"}}, 0))
    buffer.put_state_first()
    batch = buffer.take()
    assert batch is not None
    assert (batch.types[0], batch.types[-1]) == ("jobStarted", "jobFailed")
    assert batch.changes_state
    assert "log" not in batch.types
    sent = [event for event in batch.events if event.type == "progressUpdate"]
    assert {event.number for event in sent} >= {2 + lines + number for number in range(max(0, updates - 3), updates)}
    assert buffer.stats.reasons.get(Reason.SUPERSEDED, 0) == updates - len(sent)


def test_what_fits_into_one_batch_keeps_its_order_unless_tries_fail() -> None:
    for failing in (False, True):
        buffer = Buffer(EventQueue(10_000, 10**9))
        put(buffer, "log", 10)
        buffer.put(make_event("jobCompleted", {}, 0))
        buffer.put_state_first(always=failing)
        batch = buffer.take()
        assert batch is not None
        assert batch.types == (["jobCompleted"] if failing else [*["log"] * 10, "jobCompleted"])


def test_a_batch_under_way_is_not_changed_but_waits_for_the_end_if_it_can() -> None:
    buffer = Buffer(EventQueue(10_000, 10**9))
    put(buffer, "log", 1200)
    under_way = buffer.take()
    buffer.put(make_event("jobCompleted", {}, 0))
    buffer.put_state_first()
    first = buffer.take()
    assert first is not None
    assert first.types == ["jobCompleted"]
    buffer.acknowledged(first)
    assert buffer.take() is under_way


def test_a_batch_under_way_that_holds_the_job_s_start_stays_first() -> None:
    buffer = Buffer(EventQueue(10_000, 10**9))
    buffer.put(make_event("jobStarted", {}, 0))
    put(buffer, "log", 1200)
    under_way = buffer.take()
    buffer.put(make_event("jobCompleted", {}, 0))
    buffer.put_state_first()
    assert buffer.take() is under_way


def test_the_last_batch_is_the_note_and_the_newest_lines() -> None:
    buffer = Buffer(EventQueue(10_000, 10**9))
    put(buffer, "log", 2000)
    buffer.conclude(lambda stats: note(f"{stats.dropped['log']} lost"))
    batch = buffer.take()
    assert batch is not None
    assert b"1501 lost" in batch.events[0].body
    assert [event.number for event in batch.events[1:]] == list(range(1502, 2001))
    buffer.acknowledged(batch)
    assert buffer.take() is None
    assert buffer.stats.waiting == 0


def test_a_flush_waits_for_lines_that_the_state_was_put_before() -> None:
    buffer = Buffer(EventQueue(10_000, 10**9))
    put(buffer, "log", 1200)
    buffer.put(make_event("milestone", {"description": "half"}, 0))
    buffer.put_state_first()
    assert not buffer.flush(0)
    sent = 0
    while batch := buffer.take():
        assert not buffer.flush(0)
        sent += len(batch.events)
        buffer.acknowledged(batch)
    assert sent == 1201
    assert buffer.flush(0)


def test_an_earlier_deadline_replaces_a_later_one() -> None:
    buffer = Buffer(EventQueue(10, 10**6), clock=lambda: 100.0)
    buffer.close(160.0)
    buffer.close(110.0)
    assert buffer.remaining == 10
    buffer.close(150.0)
    assert (buffer.remaining, buffer.closing_seconds) == (10, 10)


def test_a_note_is_counted_neither_as_reported_nor_as_lost() -> None:
    buffer = Buffer(EventQueue(10, 10**6))
    buffer.note(Event("log", Rank.LIFECYCLE, b"{}"))
    buffer.shut(Reason.UNDELIVERED, Reason.CLOSED)
    assert buffer.stats == Stats({}, {}, {}, {})
