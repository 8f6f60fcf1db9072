"""The cost of a heartbeat. A job that is silent for a day sends 864."""

import random
import uuid
from collections.abc import Iterator

from bench import workload
from bench.meter import Usage
from bench.metered_store import Bench
from bench.report import Report
from jobtrack import times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job, Stage
from jobtrack.keys import JobKey
from jobtrack.store.snapshots import Snapshot
from jobtrack.times import Micros

SECONDS = 300
STAGES = (0, 4, 20)
SIZES = (1, 10, 100, 500)
ROUNDS = 20


def measure(bench: Bench, report: Report) -> None:
    """Measure the most expensive of many heartbeats without a key, after batches of several sizes."""
    for count in STAGES:
        units, requests = [0.0], [0]
        for size in SIZES:
            for used in _heartbeats(bench, count, size):
                units.append(used.write_units)
                requests.append(used.requests)
        name = f"heartbeat of a job of {count} stages" if count else "heartbeat of a job without stages"
        report.add(name, "write units", max(units), 2)
        report.add(name, "requests, version cached", max(requests), 1)


def _heartbeats(bench: Bench, stages: int, size: int) -> Iterator[Usage]:
    rng, key, moment = random.Random(size), _job(bench, stages), workload.START + times.HOUR
    for _ in range(ROUNDS):
        events = workload.mixed(rng, size, moment) if stages else [workload.log(rng, moment) for _ in range(size)]
        bench.jobs.report(key, events)
        moment += size * 20_000 + times.MINUTE
        for _ in range(2):
            with bench.meter.measured() as used:
                bench.jobs.report(key, [Event("heartbeat", Micros(moment), {})])
            yield used


def _job(bench: Bench, stages: int) -> JobKey:
    """Create a running job whose stages have ended, except the third."""
    key = JobKey(*(str(uuid.uuid4()) for _ in range(3)))
    names = [*workload.STAGES, *(f"Further work, part {number}" for number in range(5, stages + 1))][:stages]
    job = Job(key.job, "Customer Journey Analysis", "ProcessMining", workload.START, heartbeat_seconds=SECONDS)
    job.stages = [Stage(name) for name in names]
    bench.jobs.create(Snapshot(key, 0, job), "body", {})
    bench.jobs.report(key, workload.opening() if stages else [Event("jobStarted", workload.START, {})])
    for number, name in enumerate(names[4:]):
        moment = workload.START + number * times.MINUTE
        ended = {"stageName": name, "recordsProcessed": 190_000 + number, "metrics": {"variantsFound": number}}
        bench.jobs.report(key, [Event("stageStarted", Micros(moment), {"stageName": name})])
        bench.jobs.report(key, [Event("stageCompleted", Micros(moment + 50 * times.SECOND), ended)])
    return key
