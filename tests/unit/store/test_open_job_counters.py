"""The counters of open jobs equal a recount, whatever writers, faults, clocks and older versions of the service do."""

import itertools
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from botocore.session import Session
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from jobtrack import times
from jobtrack.domain.estimate import planned_seconds
from jobtrack.domain.events import Event
from jobtrack.domain.job import PRIORITIES, Job, JobStatus, Priority, Stage
from jobtrack.errors import Conflict, InvalidTransition, NotFound
from jobtrack.invocation import Invocation
from jobtrack.keys import JobKey, ProjectKey
from jobtrack.retry import Retry
from jobtrack.scheduled.job_expirer import JobExpirer
from jobtrack.scheduled.watchdog import Watchdog
from jobtrack.store import open_job_counters
from jobtrack.store.idempotency import Idempotency
from jobtrack.store.item_kinds import FORMAT, OPEN_JOB_COUNTER
from jobtrack.store.job_recount import JobRecounter
from jobtrack.store.job_versions import NextVersion
from jobtrack.store.jobs import JobStore
from jobtrack.store.key_conditions import with_prefix
from jobtrack.store.snapshots import Snapshot, decode_snapshot, snapshot_key
from jobtrack.store.timers import HEARTBEAT, RETENTION, TimerStore
from jobtrack.times import Micros
from jobtrack_local.engine.sqlite.engine import SqliteEngine
from jobtrack_local.engine.sqlite.refusals import Refused
from jobtrack_local.template import template
from tests.engine.clock import Clock
from tests.retrying import instant_retry
from tests.unit.job_builders import START

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

DEFINITION = template.load().tables["JobsTable"].arguments()
DAYS = 7
OWNER = ProjectKey("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
ENDS = ("jobCompleted", "jobFailed", "jobCancelled")
Json = dict[str, Any]
CLOCK = Clock()


class Faults:
    """The engine's DynamoDB, whose next write can be refused before it is applied, or can lose its response."""

    def __init__(self, engine: SqliteEngine) -> None:
        self._dynamodb = engine.dynamodb
        self.next = ""

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._dynamodb, name)
        return self._failing(operation) if name in ("transact_write_items", "update_item") else operation

    def _failing(self, operation: Callable[[Json], Json]) -> Callable[[Json], Json]:
        def call(params: Json) -> Json:
            fault, self.next = self.next, ""
            if fault == "conflict" and "TransactItems" in params:
                reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
                raise Refused("TransactionCanceledException", "injected", CancellationReasons=reasons)
            response = operation(params)
            if fault == "lost":
                raise Refused("InternalServerError", "injected", 500)
            return response

        return call


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteEngine]:
    made = SqliteEngine(tmp_path_factory.mktemp("engine"), durable=False, clock=CLOCK)
    yield made
    made.close()


class World:
    """A table with its writers, each with a cache of its own, and a clock that tests move."""

    def __init__(self, engine: SqliteEngine) -> None:
        session: Any = Session()
        session.set_credentials("local", "local")
        session.set_config_variable("region", "us-east-1")
        self.engine, self.table, self.now = engine, f"jobs-{uuid.uuid4()}", START
        dynamodb, engine.dynamodb = engine.dynamodb, Faults(engine)  # type: ignore[assignment]
        self.faults: Any = engine.dynamodb
        engine.attach(session)
        engine.dynamodb = dynamodb
        self.client: DynamoDBClient = session.create_client("dynamodb")
        self.client.create_table(TableName=self.table, BillingMode="PAY_PER_REQUEST", **DEFINITION)
        self.client.update_time_to_live(
            TableName=self.table, TimeToLiveSpecification={"AttributeName": "exp", "Enabled": True}
        )

    def store(self, retry: Retry | None = None) -> JobStore:
        return JobStore(self.client, self.table, DAYS, now=lambda: Micros(self.now), retry=retry or instant_retry())

    def create(
        self, store: JobStore, key: JobKey, priority: Priority, seconds: float | None, idempotency: str | None = None
    ) -> None:
        stages = [] if seconds is None else [Stage("Work", expected_seconds=seconds)]
        job = Job(key.job, "Example", "Test", Micros(self.now), priority=priority, stages=stages, heartbeat_seconds=60)
        once = Idempotency(key.owner, "create", idempotency, "body") if idempotency else None
        store.create(Snapshot(key, 0, job), "body", {"jobId": key.job}, once)

    def put_uncounted(self, key: JobKey, priority: Priority, seconds: float | None, started: bool) -> None:
        """Store a job as versions without counters did."""
        stages = [] if seconds is None else [Stage("Work", expected_seconds=seconds)]
        job = Job(key.job, "Old", "Test", Micros(self.now), priority=priority, stages=stages)
        if started:
            job.status, job.started_at, job.allocated = JobStatus.RUNNING, Micros(self.now), {"cpuUnits": 1.5}
        expires = times.add_seconds(Micros(self.now), DAYS * 86_400)
        attributes = NextVersion(self.table, Snapshot(key, 0, job), expires, expires).attributes()
        del attributes[open_job_counters.ATTRIBUTE], attributes["until"]
        item = {**snapshot_key(key), **attributes, "subs": {"M": {}}, "exp": {"N": str(times.epoch_seconds(expires))}}
        self.client.put_item(TableName=self.table, Item=item)

    def write_as_older_version(self, key: JobKey, kind: str) -> None:
        """Report an event as versions without counters did: what was counted stays as it was stored."""
        item = self.snapshots().get(key)
        if item is not None and kind in _possible(decode_snapshot(key, item).job):
            JobStore(self.client, self.table, DAYS, now=lambda: Micros(self.now)).report(key, [self.event(kind)])
            stored = self.snapshots()[key]
            expires = times.epoch_seconds(times.add_seconds(Micros(self.now), DAYS * 86_400))
            kept = {name: item[name] for name in (open_job_counters.ATTRIBUTE, "until") if name in item}
            kept["exp"] = {"N": str(expires)}
            dropped = {
                name: value for name, value in stored.items() if name not in (open_job_counters.ATTRIBUTE, "until")
            }
            self.client.put_item(TableName=self.table, Item={**dropped, **kept})
            self._undo_counting(key, item, stored)

    def _undo_counting(self, key: JobKey, before: Json, after: Json) -> None:
        for action in open_job_counters.change_actions(self.table, key, after, before):
            self.client.update_item(**action["Update"])

    def event(self, kind: str, **data: Any) -> Event:
        return Event(kind, Micros(self.now), data)

    def purge(self) -> None:
        """Let the engine delete expired items."""
        CLOCK.now = self.now / times.SECOND
        self.engine.purge()

    def run_watchdog(self) -> None:
        """Let the database purge what has expired, and run what the schedule runs."""
        self.purge()
        for server, kind in ((Watchdog, HEARTBEAT), (JobExpirer, RETENTION)):
            timers = TimerStore(self.client, self.table, kind, DAYS * 86_400)
            server(timers, self.store(), lambda: Micros(self.now)).run(Invocation())

    def snapshots(self) -> dict[JobKey, Json]:
        pages = self.client.get_paginator("scan").paginate(TableName=self.table)
        items: list[Json] = [dict(item) for page in pages for item in page["Items"] if item["sk"]["S"] == "S"]
        return {JobKey.from_partition(item["pk"]["S"]): item for item in items}

    def counted(self) -> Counter[str]:
        """The counters as they are stored, without zeros."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table, **with_prefix(OWNER.load_partition, open_job_counters.SORT_KEY)
        )
        sums: Counter[str] = Counter()
        for page in pages:
            for item in page["Items"]:
                sums.update({name: int(value["N"]) for name, value in item.items() if "N" in value and name != FORMAT})
        return Counter({name: count for name, count in sums.items() if count})


def recount(jobs: Iterator[Job]) -> Counter[str]:
    """Count jobs one by one, by the meaning of the counters."""
    sums: Counter[str] = Counter()
    for job in jobs:
        if job.status is JobStatus.QUEUED:
            rank, seconds = PRIORITIES.index(job.priority), planned_seconds(job)
            sums[f"queued{rank}"] += 1
            sums[f"unknown{rank}" if seconds is None else f"seconds{rank}"] += 1 if seconds is None else seconds
        elif job.status is JobStatus.RUNNING:
            sums["running"] += 1
            sums["millicores"] += round(1000 * (job.allocated or {}).get("cpuUnits", 0))
    return Counter({name: count for name, count in sums.items() if count})


def _possible(job: Job) -> tuple[str, ...]:
    return {JobStatus.QUEUED: ("jobStarted", "jobFailed", "jobCancelled"), JobStatus.RUNNING: ENDS}.get(job.status, ())


def key_of(number: int) -> JobKey:
    return OWNER.job_key(str(uuid.UUID(int=number)))


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

    @rule(number=st.sampled_from([0, 1, 2, 10]), kind=st.sampled_from(["jobStarted", *ENDS]))
    def report_to_older_version(self, number: int, kind: str) -> None:
        self.is_recount_due = True
        self.world.write_as_older_version(key_of(number), kind)

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
            if key.job < key_of(3).job or open_job_counters.ATTRIBUTE not in item:
                continue  # an older version may have written it
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
