"""Several watchdogs and reporters at once on a real engine: each silence is reported once, and no report is lost."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from jobtrack import aws, times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job
from jobtrack.domain.journal.packing import unpack
from jobtrack.invocation import Invocation
from jobtrack.keys import JobKey
from jobtrack.scheduled.watchdog import Watchdog
from jobtrack.store.jobs import JobStore
from jobtrack.store.snapshots import Listener, Snapshot
from jobtrack.store.timers import HEARTBEAT, TimerStore
from jobtrack.times import Micros
from tests.e2e.engine import provisioned

pytestmark = pytest.mark.not_deployed("asks the store on the engine, without a service")
START = times.parse("2024-01-20T10:30:00Z")
JOBS, HEARTBEAT_SECONDS = 24, 10
IN_TIME, LATE = START + 9 * times.SECOND, START + 11 * times.SECOND


@pytest.fixture(scope="module")
def table(engine: str) -> Iterator[str]:
    with provisioned(engine) as names:
        yield names.refs["JobsTable"]


def store(table: str, now: int) -> JobStore:
    return JobStore(aws.client("dynamodb"), table, now=lambda: Micros(now))


def timer_store(table: str) -> TimerStore:
    return TimerStore(aws.client("dynamodb"), table, HEARTBEAT, 90 * 24 * 3600)


def watch(table: str, now: int) -> None:
    timers = timer_store(table)
    with ThreadPoolExecutor(4) as pool:
        Watchdog(timers, store(table, now), lambda: Micros(now)).run(Invocation(map=pool.map))


def running(table: str) -> list[JobKey]:
    """Create jobs that started at `START`."""
    jobs = store(table, START)
    keys = [JobKey(*(str(uuid.uuid4()) for _ in range(3))) for _ in range(JOBS)]
    for key in keys:
        job = Job(key.job, "Example", "Test", START, heartbeat_seconds=HEARTBEAT_SECONDS)
        listeners = {"sub": Listener(times.LATEST, frozenset({"jobStalled"}))}
        jobs.create(Snapshot(key, 0, job, listeners=listeners), "body", {})
        jobs.report(key, [Event("jobStarted", START, {})])
    return keys


def alarms(table: str, key: JobKey) -> list[int]:
    """Return the sequences of events for listeners."""
    items = aws.client("dynamodb").query(
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": {"S": key.partition}, ":sk": {"S": "O#"}},
    )["Items"]
    return [event["sequence"] for item in items for event in unpack(bytes(item["d"]["B"]))["events"]]


def timers(table: str) -> int:
    return sum(len(page) for page in timer_store(table).read_due_timers(times.LATEST))


def test_each_silent_job_is_told_once_by_four_watchdogs_at_once(table: str) -> None:
    keys = running(table)
    with ThreadPoolExecutor(4) as dogs:
        list(dogs.map(lambda _: watch(table, LATE), range(4)))
    assert [alarms(table, key) for key in keys] == [[3]] * JOBS
    assert all(store(table, LATE).read_snapshot(key).job.stalled for key in keys)
    watch(table, LATE)
    assert timers(table) == 0


def test_a_report_that_is_accepted_first_wins_and_one_after_the_alarm_ends_it(table: str) -> None:
    keys = running(table)
    with ThreadPoolExecutor(6) as all_at_once:
        dogs = [all_at_once.submit(watch, table, LATE) for _ in range(2)]
        reports = [
            all_at_once.submit(store(table, IN_TIME).report, key, [Event("heartbeat", START, {})]) for key in keys
        ]
        accepted = [each.result()[0]["lastSequence"] for each in reports]
        for each in dogs:
            each.result()
    for key, sequence in zip(keys, accepted, strict=True):
        assert alarms(table, key) == ([] if sequence == 3 else [3])
        assert store(table, LATE).read_snapshot(key).job.stalled is False
    watch(table, IN_TIME + HEARTBEAT_SECONDS * times.SECOND + times.SECOND)
    assert all(store(table, LATE).read_snapshot(key).job.stalled for key in keys), "the timers were kept"
