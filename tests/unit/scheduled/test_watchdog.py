"""Silent jobs, with any interleaving of the requests of reports and of one or two runs of the watchdog."""

import itertools
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobtrack import times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job
from jobtrack.domain.stalled import report_deadline
from jobtrack.errors import InvalidTransition, JobBusy
from jobtrack.invocation import Invocation
from jobtrack.keys import JobKey
from jobtrack.retry import Retry
from jobtrack.scheduled.job_timers import RETRY_SECONDS
from jobtrack.scheduled.watchdog import Watchdog
from jobtrack.store.jobs import JobStore
from jobtrack.store.outbox_records import EventBatch, decode
from jobtrack.store.snapshots import Listener, Snapshot, decode_snapshot, snapshot_key
from jobtrack.store.timers import HEARTBEAT, Timer, TimerStore
from jobtrack.times import Micros
from tests.unit.job_builders import START
from tests.unit.memory_table import Table

HEARTBEATS = (10, 30, None)
KEYS = [JobKey("t", "p", f"j{number}") for number in range(len(HEARTBEATS))]
DEEPEST = 3


@dataclass
class Action:
    """A step that runs alone, or inside a running step after a number of its requests."""

    kind: str
    job: int
    writer: int
    seconds: float
    after: int | None


@dataclass
class Report:
    """An accepted batch."""

    key: JobKey
    sequence: int
    arrival: int


@dataclass
class World:
    """A table, its writers, its watchdog, and a clock that tests move."""

    plan: list[Action] = field(default_factory=list)
    now: int = START
    reports: list[Report] = field(default_factory=list)
    depth: int = 0

    def __post_init__(self) -> None:
        self.table = Table(self.between)
        self.writers = [self.store() for _ in range(2)]
        for key, heartbeat in zip(KEYS, HEARTBEATS, strict=True):
            job = Job(key.job, "Example", "Test", START, heartbeat_seconds=heartbeat, updated_at=START)
            listeners = {"sub": Listener(times.LATEST, frozenset({"jobStalled"}))}
            self.store().create(Snapshot(key, 0, job, listeners=listeners), "body", {})

    def store(self) -> JobStore:
        ticks = itertools.count(0.0, 0.05)
        patient = Retry(sleep=lambda _: None, monotonic=lambda: next(ticks))
        return JobStore(cast("Any", self.table), "jobs", now=lambda: Micros(self.now), retry=patient)

    def between(self) -> None:
        while self.plan and self.plan[0].after is not None and self.depth < DEEPEST:
            if self.plan[0].after > 0:
                self.plan[0].after -= 1
                return
            self.act(self.plan.pop(0))

    def play(self) -> None:
        while self.plan:
            self.act(self.plan.pop(0))

    def act(self, action: Action) -> None:
        self.depth += 1
        if action.kind == "wait":
            self.now += int(action.seconds * times.SECOND)
        elif action.kind == "watch":
            self.watch()
        else:
            self.report(KEYS[action.job], action.kind, self.writers[action.writer])
        self.depth -= 1

    def report(self, key: JobKey, kind: str, store: JobStore | None = None) -> None:
        try:
            answer, _ = (store or self.store()).report(key, [Event(kind, Micros(self.now), {})])
        except (InvalidTransition, JobBusy):
            return
        self.reports.append(Report(key, answer["lastSequence"], self.job(key).updated_at))

    def watch(self) -> None:
        Watchdog(timer_store(self.table), self.store(), lambda: Micros(self.now)).run(Invocation())

    def job(self, key: JobKey) -> Job:
        place = snapshot_key(key)
        return decode_snapshot(key, self.table.held[place["pk"]["S"], place["sk"]["S"]]).job

    def timers(self) -> list[tuple[str, int]]:
        places = [sk.split("#") for pk, sk in self.table.held if pk.startswith("heartbeat#")]
        return [(job, int(due)) for due, _, _, job in places]

    def alarms(self, key: JobKey) -> list[tuple[int, int]]:
        """Return sequences and times of the `jobStalled` events for listeners."""
        batches = [
            decode(self.table.held[place]["d"]["B"])
            for place in sorted(self.table.held)
            if place[0] == key.partition and place[1].startswith("O#")
        ]
        events = [event for batch in batches if isinstance(batch, EventBatch) for event in batch.events]
        assert {event.type for event in events} <= {"jobStalled"}
        return [(event.sequence, event.time) for event in events]

    def last_report(self, key: JobKey, sequence: int) -> Report:
        """Return the last batch that was accepted before a sequence."""
        return max(
            (each for each in self.reports if each.key == key and each.sequence < sequence),
            key=lambda each: each.sequence,
        )


def timer_store(table: Table) -> TimerStore:
    return TimerStore(cast("Any", table), "jobs", HEARTBEAT, 90 * 24 * 3600)


actions = st.builds(
    Action,
    kind=st.sampled_from(["jobStarted", "heartbeat", "heartbeat", "jobCompleted", "wait", "wait", "watch", "watch"]),
    job=st.sampled_from([0, 0, 0, 1, 2]),
    writer=st.integers(0, 1),
    seconds=st.sampled_from([0.5, 9, 10, 10.5, 11, 31]),
    after=st.none() | st.integers(0, 8),
)


def started() -> list[Action]:
    return [Action("jobStarted", job, 0, 0, None) for job in range(len(KEYS))]


@settings(max_examples=400, deadline=None)
@given(st.lists(actions, max_size=40))
def test_no_job_that_reports_is_called_stalled_and_each_that_does_not_is_once(plan: list[Action]) -> None:
    world = World(started() + plan)
    world.play()
    world.now += 31 * times.SECOND
    world.watch()
    for key, heartbeat in zip(KEYS, HEARTBEATS, strict=True):
        job, alarms = world.job(key), world.alarms(key)
        assert not alarms or heartbeat is not None
        causes = [world.last_report(key, sequence) for sequence, _ in alarms]
        for cause, (_, moment) in zip(causes, alarms, strict=True):
            assert moment > cause.arrival + (heartbeat or 0) * times.SECOND
        assert len({cause.sequence for cause in causes}) == len(causes), "one alarm a silence"
        assert job.stalled == (not job.status.ended and heartbeat is not None)
        if job.stalled:
            assert causes[-1] is world.last_report(key, job.sequence)
    before = [world.alarms(key) for key in KEYS]
    world.now += 100 * times.SECOND
    world.watch()
    assert [world.alarms(key) for key in KEYS] == before
    assert world.timers() == []


@settings(max_examples=200, deadline=None)
@given(st.lists(actions, max_size=40))
def test_whoever_may_fall_silent_has_a_timer_that_is_due_by_then(plan: list[Action]) -> None:
    world = World(started() + plan)
    world.play()
    for key in KEYS:
        deadline = report_deadline(world.job(key))
        if deadline is not None:
            due = [due for job, due in world.timers() if job == key.job]
            assert min(due) <= deadline + 1


def running() -> World:
    world = World(started())
    world.play()
    return world


def test_an_alarm_is_an_event_of_the_job_and_the_next_report_ends_it() -> None:
    world = running()
    world.now += 10 * times.SECOND
    world.watch()
    assert world.alarms(KEYS[0]) == [], "the heartbeat's last moment is not over yet"
    world.now += times.SECOND
    world.watch()
    assert world.alarms(KEYS[0]) == [(3, world.now)]
    assert (world.job(KEYS[0]).stalled, world.job(KEYS[0]).sequence) == (True, 3)
    assert world.timers() == [("j1", START + 30 * times.SECOND + 1)]
    world.report(KEYS[0], "heartbeat")
    assert world.job(KEYS[0]).stalled is False
    assert sorted(world.timers()) == [("j0", world.now + 10 * times.SECOND + 1), ("j1", START + 30 * times.SECOND + 1)]


def test_reports_cost_nothing_more_for_being_watched() -> None:
    world = running()
    before = set(world.table.held)
    for _ in range(5):
        world.now += times.SECOND
        world.report(KEYS[0], "heartbeat")
    assert set(world.table.held) == before


def test_a_timer_that_came_too_early_moves_to_the_deadline_and_of_an_ended_job_goes() -> None:
    world = running()
    world.now += 9 * times.SECOND
    world.report(KEYS[0], "heartbeat")
    world.report(KEYS[1], "jobCompleted")
    world.now += 30 * times.SECOND - 9 * times.SECOND
    world.report(KEYS[0], "heartbeat")
    world.now += times.SECOND
    world.watch()
    assert world.timers() == [("j0", START + 40 * times.SECOND + 1)]


def test_a_job_that_cannot_be_read_holds_up_no_other_and_is_tried_later(caplog: pytest.LogCaptureFixture) -> None:
    world = running()
    place = snapshot_key(KEYS[0])
    world.table.held[place["pk"]["S"], place["sk"]["S"]]["d"] = {"B": b"broken"}
    world.now += 31 * times.SECOND
    world.watch()
    assert world.alarms(KEYS[1]) == [(3, world.now)]
    assert world.timers() == [("j0", world.now + RETRY_SECONDS * times.SECOND)]
    assert "t#p#j0 cannot be read" in caplog.text


def test_a_job_that_cannot_be_written_holds_up_no_other_and_is_tried_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = running()
    world.now += 31 * times.SECOND
    write = world.table.transact_write_items

    def fail(TransactItems: list[dict[str, Any]]) -> None:
        if any("j0" in str(action) for action in TransactItems):
            raise ValueError("too large")
        write(TransactItems)

    monkeypatch.setattr(world.table, "transact_write_items", fail)
    world.watch()
    assert world.alarms(KEYS[1]) == [(3, world.now)]
    assert world.timers() == [("j0", world.now + RETRY_SECONDS * times.SECOND)]
    assert "The heartbeat timer of job t#p#j0 cannot be served" in caplog.text


def test_what_there_is_no_time_for_is_left_to_the_next_run() -> None:
    world = running()
    world.now += 31 * times.SECOND
    Watchdog(timer_store(world.table), world.store(), lambda: Micros(world.now)).run(Invocation(lambda: False))
    assert (world.alarms(KEYS[0]), len(world.timers())) == ([], 2)
    world.watch()
    assert len(world.alarms(KEYS[0])) == 1


def test_the_timer_of_a_job_that_is_gone_goes() -> None:
    world = World()
    timer_store(world.table).put_timer(Timer(HEARTBEAT, JobKey("t", "p", "gone"), Micros(1)))
    assert world.timers() == [("gone", 1)]
    world.watch()
    assert world.timers() == []
