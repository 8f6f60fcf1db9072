"""The cost of keeping the items of a job that reports for longer than the retention period."""

import random
import uuid

from bench import workload
from bench.meter import Usage
from bench.metered_store import Bench
from bench.report import Report
from jobtrack import times
from jobtrack.domain.job import Job, Stage
from jobtrack.invocation import Invocation
from jobtrack.keys import JobKey
from jobtrack.scheduled.ttl_extender import TtlExtender
from jobtrack.store.jobs import JobStore
from jobtrack.store.snapshots import Snapshot
from jobtrack.store.timers import EXTENSION, TimerStore
from jobtrack.store.ttl_extension import TtlStore
from jobtrack.times import Micros

RETENTION_DAYS, DAYS, HOURS, SIZE = 7, 10, 2, 500
EXTENSIONS = 3
"""In ten days an item is extended at most once per 3.5 days."""


def measure(bench: Bench, report: Report) -> None:
    """Measure a job of ten days at seven days of retention: write units of its batches, and of the extensions."""
    moment, client, table = [workload.START], bench.jobs.dynamodb, bench.jobs.table
    jobs = JobStore(client, table, RETENTION_DAYS, now=lambda: moment[0])
    timers = TimerStore(client, table, EXTENSION, jobs.retention.seconds)
    extender = TtlExtender(timers, TtlStore(client, table, jobs.retention), lambda: moment[0])
    key, rng = _job(jobs), random.Random(1)
    writing, extending = 0.0, Usage()
    for _ in range(DAYS * 24 // HOURS):
        with bench.meter.measured() as used:
            jobs.report(key, workload.mixed(rng, SIZE, moment[0]))
        writing += used.write_units
        moment[0] = Micros(moment[0] + HOURS * times.HOUR)
        with bench.meter.measured() as used:
            extender.run(Invocation())
        extending.write_units += used.write_units
        extending.read_units += used.read_units
    name = f"keeping a job of {DAYS} days, at {RETENTION_DAYS} days of retention"
    report.add(name, "write units, for each of writing", round(extending.write_units / writing, 2), EXTENSIONS / 2)
    report.add(name, "read units, for each of writing", round(extending.read_units / writing, 2), 1)


def _job(jobs: JobStore) -> JobKey:
    key = JobKey(*(str(uuid.uuid4()) for _ in range(3)))
    job = Job(key.job, "Customer Journey Analysis", "ProcessMining", workload.START)
    job.stages = [Stage(name) for name in workload.STAGES]
    jobs.create(Snapshot(key, 0, job), "body", {})
    jobs.report(key, workload.opening())
    return key
