"""The cost of reads about a whole project: a batch of 100 ids, a page of jobs, the queue."""

import uuid

from bench import workload
from bench.metered_store import Bench
from bench.report import Report
from jobtrack import times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job, Stage
from jobtrack.keys import ProjectKey
from jobtrack.store.job_lists import JobFilter, JobLister
from jobtrack.store.job_queue import QueueReader
from jobtrack.store.snapshots import Snapshot
from jobtrack.store.workers import Heartbeat, WorkerStore
from jobtrack.times import Micros

JOBS, ASKED, PAGE = 300, 100, 50
"""One third each is queued, running and completed."""

_JOB_UNITS = 1.0
"""A snapshot with few stages takes at most 4 KB."""
_INDEX_UNITS = 4.0
"""Read units of an eventually consistent query of 100 index entries of 200 bytes."""
_LOAD_UNITS = 1.0
"""Read units of the counters and a worker: items of 100 to 200 bytes."""


def measure(bench: Bench, report: Report) -> None:
    """Measure each read, and check the result."""
    owner = ProjectKey(str(uuid.uuid4()), str(uuid.uuid4()))
    ids = [_job(bench, owner, number) for number in range(JOBS)]
    table, now = bench.jobs.table, workload.START + times.HOUR
    worker = Heartbeat(cpu_units=4, memory_gb=16, max_concurrent_jobs=40)
    WorkerStore(bench.jobs.dynamodb, table).put_worker(owner, "worker-node-02", worker, Micros(now))
    lister, queue = JobLister(bench.jobs.dynamodb, table), QueueReader(bench.jobs.dynamodb, table)
    _batch(bench, report, owner, ids[:ASKED], lister, queue, now)
    _queue(bench, report, owner, lister, queue, now)
    for name, job_filter, requests in (
        ("", JobFilter(), 9),
        (" of one status", JobFilter(JobFilter().statuses[1:2]), 2),
    ):
        with bench.meter.measured() as used:
            page, _ = lister.read_page(owner, job_filter, PAGE)
        _require(len(page) == PAGE)
        report.add(f"jobs, a page of {PAGE}{name}", "requests", used.requests, requests)
        report.add(f"jobs, a page of {PAGE}{name}", "read units", used.read_units, PAGE * _JOB_UNITS + 2 * _INDEX_UNITS)


def _batch(
    bench: Bench, report: Report, owner: ProjectKey, ids: list[str], lister: JobLister, queue: QueueReader, now: int
) -> None:
    with bench.meter.measured() as used:
        jobs = [snapshot.job for snapshot in lister.read_snapshots(owner, ids).values()]
        job_queue = queue.correct_queue(owner, queue.read_queue(owner, Micros(now)), jobs)
    _require((len(jobs), len(job_queue.queued), len(job_queue.running)) == (ASKED, JOBS // 3, JOBS // 3))
    name = f"batch of {ASKED} ids, {JOBS // 3} jobs queued"
    report.add(name, "requests", used.requests, 4)
    report.add(name, "read units", used.read_units, ASKED * _JOB_UNITS + 2 * _INDEX_UNITS + _LOAD_UNITS)


def _queue(bench: Bench, report: Report, owner: ProjectKey, lister: JobLister, queue: QueueReader, now: int) -> None:
    with bench.meter.measured() as used:
        job_queue = queue.read_queue(owner, Micros(now))
        page = lister.read_snapshots(owner, [job.job for job in job_queue.queued[:PAGE]])
    _require((len(page), job_queue.slots) == (PAGE, 40))
    name = f"queue, a page of {PAGE} of {JOBS // 3}"
    report.add(name, "requests", used.requests, 4)
    report.add(name, "read units", used.read_units, PAGE * _JOB_UNITS + 2 * _INDEX_UNITS + _LOAD_UNITS)


def _job(bench: Bench, owner: ProjectKey, number: int) -> str:
    key = owner.job_key(str(uuid.uuid4()))
    stages = [Stage(name, expected_seconds=300) for name in workload.STAGES]
    created = workload.START + number
    job = Job(
        key.job, "Customer Journey Analysis", "ProcessMining", Micros(created), submitted_by="user123", stages=stages
    )
    bench.jobs.create(Snapshot(key, 0, job), "body", {})
    if number % 3:
        bench.jobs.report(key, workload.opening())
    if number % 3 == 2:
        bench.jobs.report(key, [Event("jobCompleted", Micros(workload.START + times.MINUTE), {})])
    return key.job


def _require(condition: bool) -> None:
    if not condition:
        raise AssertionError("the bench read something other than it wrote")
