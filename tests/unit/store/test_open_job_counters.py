"""The counters of open jobs equal a recount, whatever writers, faults, clocks and older versions of the service do."""

import itertools
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from jobtrack import times
from jobtrack.domain.events import Event
from jobtrack.domain.job import PRIORITIES, Priority
from jobtrack.errors import Conflict, InvalidTransition, NotFound
from jobtrack.keys import JobKey
from jobtrack.retry import Retry
from jobtrack.store import open_job_counters
from jobtrack.store.idempotency import Idempotency
from jobtrack.store.item_kinds import FORMAT, OPEN_JOB_COUNTER
from jobtrack.store.job_recount import JobRecounter
from jobtrack.store.snapshots import decode_snapshot
from jobtrack.times import Micros
from jobtrack_local.engine.sqlite.engine import SqliteEngine
from tests.retrying import instant_retry
from tests.unit.counted_table import CLOCK, DAYS, ENDS, OWNER, World, key_of, recount

Json = dict[str, Any]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteEngine]:
    made = SqliteEngine(tmp_path_factory.mktemp("engine"), durable=False, clock=CLOCK)
    yield made
    made.close()


WRITTEN_BY_OLDER = [key_of(number) for number in (0, 1, 2, 10)]
"""The jobs to which a service of an older version reports."""

numbers = st.integers(0, 5)
faults = st.sampled_from(["", "", "", "lost", "conflict"])
priorities = st.sampled_from(PRIORITIES)
seconds = st.one_of(st.none(), st.floats(0, 10**9))
cores = st.one_of(st.none(), st.floats(0.001, 64).map(lambda value: round(value, 3)))


class Counting(RuleBasedStateMachine):
    """Two writers, the schedule, the recount, and a service of an older version."""

    world: World
    is_recount_due = False

    @initialize()
    def open_world(self) -> None:
        self.world = World(_ENGINE[0])
        self.stores = [self.world.store() for _ in range(2)]

    @rule(writer=st.integers(0, 1), number=numbers, priority=priorities, seconds=seconds, fault=faults)
    def create(self, writer: int, number: int, priority: Priority, seconds: float | None, fault: str) -> None:
        self.world.faults.next = fault
        with suppress(Conflict):
            self.world.create(self.stores[writer], key_of(number), priority, seconds, f"key {number}")

    @rule(writer=st.integers(0, 1), number=numbers, cores=cores, fault=faults, key=st.booleans())
    def start(self, writer: int, number: int, cores: float | None, fault: str, key: bool) -> None:
        allocated = {} if cores is None else {"resourcesAllocated": {"cpuUnits": cores}}
        self.report(writer, number, fault, [self.world.event("jobStarted", **allocated)], key)

    @rule(writer=st.integers(0, 1), number=numbers, kind=st.sampled_from(ENDS), fault=faults, key=st.booleans())
    def end(self, writer: int, number: int, kind: str, fault: str, key: bool) -> None:
        self.report(writer, number, fault, [self.world.event(kind)], key)

    @rule(writer=st.integers(0, 1), number=numbers, fault=faults)
    def start_and_end(self, writer: int, number: int, fault: str) -> None:
        self.report(writer, number, fault, [self.world.event("jobStarted"), self.world.event("jobCompleted")], False)

    @rule(writer=st.integers(0, 1), number=numbers, fault=faults)
    def log(self, writer: int, number: int, fault: str) -> None:
        line = self.world.event("log", level="INFO", message="text")
        self.report(writer, number, fault, [line], False)

    def report(self, writer: int, number: int, fault: str, events: list[Event], with_key: bool) -> None:
        self.world.faults.next = fault
        key = key_of(number)
        once = Idempotency(key, "events", events[0].type, "body") if with_key else None
        with suppress(NotFound, InvalidTransition):
            self.stores[writer].report(key, events, once)
        self.world.faults.next = ""

    @rule(seconds=st.sampled_from([30, 61, 86_400, 4 * 86_400, 8 * 86_400, 30 * 86_400]), fault=faults)
    def wait(self, seconds: int, fault: str) -> None:
        if self.is_recount_due:
            self.run_recount("")  # an update takes less time than the retention
        self.world.now = Micros(self.world.now + seconds * times.SECOND)
        self.world.faults.next = fault
        self.world.run_watchdog()
        self.world.faults.next = ""

    @rule(number=st.integers(10, 12), priority=priorities, seconds=seconds, started=st.booleans())
    def inherit(self, number: int, priority: Priority, seconds: float | None, started: bool) -> None:
        if key_of(number) not in self.world.snapshots():
            self.world.put_uncounted(key_of(number), priority, seconds, started)

    @rule(writer=st.integers(0, 1), number=st.integers(10, 12), kind=st.sampled_from(["log", "jobStarted", *ENDS]))
    def report_of_inherited(self, writer: int, number: int, kind: str) -> None:
        data = {"level": "INFO", "message": "text"} if kind == "log" else {}
        self.report(writer, number, "", [self.world.event(kind, **data)], False)

    @rule(key=st.sampled_from(WRITTEN_BY_OLDER), kind=st.sampled_from(["jobStarted", *ENDS]))
    def report_to_older_version(self, key: JobKey, kind: str) -> None:
        self.is_recount_due = True
        self.world.write_as_older_version(key, kind)

    @rule(fault=faults)
    def run_recount(self, fault: str) -> None:
        self.world.faults.next = fault
        list(JobRecounter(self.world.client, self.world.table, instant_retry()).run())
        self.world.faults.next = ""
        self.is_recount_due = False
        jobs = (decode_snapshot(key, item).job for key, item in self.world.snapshots().items())
        assert self.world.counted() == recount(jobs)

    @invariant()
    def counters_hold_what_the_jobs_say(self) -> None:
        if not hasattr(self, "world"):
            return
        stored: Counter[str] = Counter()
        for key, item in self.world.snapshots().items():
            counted = item.get(open_job_counters.ATTRIBUTE, {"M": {}})["M"]
            stored.update({name: int(value["N"]) for name, value in counted.items()})
            if key in WRITTEN_BY_OLDER or open_job_counters.ATTRIBUTE not in item:
                continue
            assert Counter({name: int(value["N"]) for name, value in counted.items()}) == recount(
                iter([decode_snapshot(key, item).job])
            )
        assert self.world.counted() == stored

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.run_recount("")


_ENGINE: list[SqliteEngine] = []


def test_counters_equal_a_recount_after_any_sequence_of_writes_and_faults(engine: SqliteEngine) -> None:
    _ENGINE[:] = [engine]
    run_state_machine_as_test(Counting, settings=settings(max_examples=15, stateful_step_count=30, deadline=None))


def test_counters_are_exact_under_concurrency_while_jobs_are_recounted(engine: SqliteEngine) -> None:
    world = World(engine)
    for number in range(60, 90):
        world.put_uncounted(key_of(number), PRIORITIES[number % 4], number, number % 3 == 0)

    def live(number: int) -> None:
        """Create a job of its own, and report to it and to one that others report to, all from this thread."""
        store = world.store(Retry(seconds=30))
        key, shared = key_of(number), key_of(60 + number % 30)
        world.create(store, key, PRIORITIES[number % 4], number or None)
        for job, kind in itertools.product((shared, key), ("jobStarted", "log", ENDS[number % 3])):
            if job != key or number % 4 >= ("jobStarted", "log").count(kind):
                data = {"level": "INFO", "message": "text"} if kind == "log" else {}
                with suppress(InvalidTransition):
                    store.report(job, [world.event(kind, **data)])

    with ThreadPoolExecutor(8) as pool:
        recounts = [pool.submit(lambda: list(JobRecounter(world.client, world.table).run())) for _ in range(2)]
        for result in [*pool.map(live, range(60)), *(each.result() for each in recounts)]:
            assert result is None or isinstance(result, list)
    assert world.counted() == recount(decode_snapshot(key, item).job for key, item in world.snapshots().items())
    assert world.counted()["running"] == 0
    assert list(JobRecounter(world.client, world.table).run()) == []


def test_a_job_that_cannot_be_read_keeps_no_other_from_being_counted(engine: SqliteEngine) -> None:
    world = World(engine)
    for number in range(3):
        world.put_uncounted(key_of(number), "High", 60, False)
    item = world.snapshots()[key_of(1)]
    world.client.put_item(TableName=world.table, Item={**item, FORMAT: {"N": "99"}})
    recounter = JobRecounter(world.client, world.table)
    assert sorted(key.job for key in recounter.run()) == [key_of(0).job, key_of(2).job]
    assert world.counted() == {"queued1": 2, "seconds1": 120}


def test_a_queued_job_that_expires_is_counted_out_and_deleted(engine: SqliteEngine) -> None:
    world = World(engine)
    store = world.store()
    world.create(store, key_of(1), "High", 60)
    world.create(store, key_of(2), "Low", None)
    world.now = Micros(world.now + (DAYS - 1) * times.DAY)
    store.report(key_of(2), [world.event("heartbeat")])
    world.now = Micros(world.now + times.DAY + times.SECOND)
    world.run_watchdog()
    assert list(world.snapshots()) == [key_of(2)]
    assert world.counted() == {"queued3": 1, "unknown3": 1}
    world.now = Micros(world.now + 30 * times.DAY)
    world.run_watchdog()
    assert (world.snapshots(), world.counted()) == ({}, {})


def test_an_open_job_is_still_counted_after_a_long_pause_of_the_service(engine: SqliteEngine) -> None:
    world = World(engine)
    world.create(world.store(), key_of(1), "Normal", 60)
    world.now = Micros(world.now + 400 * times.DAY)
    world.purge()
    assert world.counted() == {"queued2": 1, "seconds2": 60}
    world.run_watchdog()
    assert (world.snapshots(), world.counted()) == ({}, {})


def test_a_report_that_comes_first_keeps_an_expiring_job(engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(engine)
    store = world.store()
    world.create(store, key_of(1), "Normal", 60)
    world.now = Micros(world.now + DAYS * times.DAY + times.SECOND)
    transact = engine.dynamodb.transact_write_items

    def report_first(params: Any) -> Any:
        monkeypatch.undo()
        store.report(key_of(1), [world.event("jobStarted")])
        return transact(params)

    monkeypatch.setattr(engine.dynamodb, "transact_write_items", report_first)
    world.run_watchdog()
    assert world.counted() == {"running": 1}


def test_reports_that_change_no_status_write_no_counter(engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(engine)
    store = world.store()
    world.create(store, key_of(1), "Normal", 60)
    store.report(key_of(1), [world.event("jobStarted")])

    def refuse(params: Any) -> Any:
        raise AssertionError("more than the snapshot is written")

    monkeypatch.setattr(engine.dynamodb, "transact_write_items", refuse)
    store.report(key_of(1), [world.event("heartbeat")])


def test_jobs_are_spread_over_the_shards() -> None:
    keys: list[Any] = [
        action["Update"]["Key"]
        for number in range(500)
        for action in open_job_counters.change_actions(
            "t", OWNER.job_key(str(uuid.uuid4())), {}, {"c": {"M": {"running": {"N": "1"}}}}
        )
    ]
    shards = Counter(key["sk"]["S"] for key in keys)
    assert len(shards) == open_job_counters.SHARDS
    assert max(shards.values()) < 4 * 500 / open_job_counters.SHARDS


def test_sums_are_of_all_shards_that_exist() -> None:
    items: list[Json] = [
        {"sk": {"S": "C#000"}, **OPEN_JOB_COUNTER.stamp, "queued0": {"N": "3"}, "seconds0": {"N": "90"}},
        {
            "pk": {"S": "p"},
            "sk": {"S": "C#777"},
            **OPEN_JOB_COUNTER.stamp,
            "queued0": {"N": "-1"},
            "running": {"N": "2"},
            "millicores": {"N": "1500"},
        },
    ]
    sums = open_job_counters.sum_counters(items)
    assert (sums.queued[0].jobs, sums.queued[0].seconds, sums.running, sums.cores) == (2, 90, 2, 1.5)
