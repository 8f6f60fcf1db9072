"""A table on the embedded engine whose open jobs are counted, with faults, a clock and an older version as a writer."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from botocore.session import Session

from jobtrack import times
from jobtrack.domain.estimate import planned_seconds
from jobtrack.domain.events import Event
from jobtrack.domain.job import PRIORITIES, Job, JobStatus, Priority, Stage
from jobtrack.invocation import Invocation
from jobtrack.keys import JobKey, ProjectKey
from jobtrack.retry import Retry
from jobtrack.scheduled.job_expirer import JobExpirer
from jobtrack.scheduled.watchdog import Watchdog
from jobtrack.store import open_job_counters
from jobtrack.store.idempotency import Idempotency
from jobtrack.store.item_kinds import FORMAT
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
