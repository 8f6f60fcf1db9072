"""The cost of requests about the job queue, in queues of several lengths, through the functions' handlers.

A forecast reads at most the first thousand queued jobs one by one, so from there on the cost does not grow.
"""

import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any, get_args

from bench import workload
from bench.meter import Meter, Usage
from bench.metered_store import Bench
from bench.report import Report
from jobtrack import aws, times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job, Priority, Stage
from jobtrack.keys import JobKey, ProjectKey
from jobtrack.store.jobs import JobStore
from jobtrack.store.snapshots import Snapshot
from jobtrack_local.stack import load_function
from jobtrack_local.template import template

PRIORITIES = get_args(Priority)
ROOT = template.PATH.parent
LENGTHS = (10, 400, 10_000)
PAGE, ASKED = 50, 100
FIRST_UNITS = 33.0
"""Read units of the first thousand queued jobs: index entries of 200 bytes, eventually consistent."""
LIMITS: Mapping[str, tuple[int, float]] = {
    "POST /jobs": (3, 1),
    "GET /queue": (4, PAGE + FIRST_UNITS + 1),
    "GET /tracking/batch": (20, PAGE + FIRST_UNITS + 13),
    "GET /tracking/batch of 100 ids": (9, ASKED + FIRST_UNITS + 3),
}
"""Requests and read units in a queue of any length. Of each priority behind the first thousand, two ends are read."""
MOVES = {"POST /jobs": 10, "jobStarted": 6, "jobCompleted": 10}
"""Write units of a job of four stages, each with an Idempotency-Key."""
THREADS = 8


def measure(bench: Bench, report: Report) -> None:
    """Measure each request at each queue length, and the write units of each change of a counter."""
    os.environ |= {"JOBS_TABLE": bench.jobs.table, "SUBSCRIPTIONS_TABLE": "unused", "SECRETS_KEY_ID": "unused"}
    owner, ids = ProjectKey(str(uuid.uuid4()), str(uuid.uuid4())), list[str]()
    for shorter, longer in pairwise((0, *LENGTHS)):
        ids += _fill(bench, owner, range(shorter, longer))
        for name, used in _read(owner, ids):
            requests, units = LIMITS[name]
            report.add(f"{name}, {longer} jobs queued", "requests", used.requests, requests)
            report.add(f"{name}, {longer} jobs queued", "read units", used.read_units, units)
    for name, used in _move(bench, owner):
        report.add(f"{name} of a job of four stages", "write units", used.write_units, MOVES[name])


def _read(owner: ProjectKey, ids: Sequence[str]) -> Iterator[tuple[str, Usage]]:
    """Send each request to its function, and yield what the function used."""
    step = max(1, len(ids) // ASKED)
    asked = ",".join(ids[::step][:ASKED])
    yield "GET /queue", _call(owner, "queue", "GET", "queue", f"limit={PAGE}")
    yield "GET /tracking/batch", _call(owner, "batch", "GET", "tracking/batch", f"limit={PAGE}")
    yield "GET /tracking/batch of 100 ids", _call(owner, "batch", "GET", "tracking/batch", f"jobIds={asked}")
    yield "POST /jobs", _create(owner)


def _move(bench: Bench, owner: ProjectKey) -> Iterator[tuple[str, Usage]]:
    """Create, start and complete a job."""
    yield "POST /jobs", _create(owner)
    key = _new_job(bench, owner)
    for kind in ("jobStarted", "jobCompleted"):
        yield kind, bench.report(key, [Event(kind, times.now(), {})])


def _create(owner: ProjectKey) -> Usage:
    stages = [{"stageName": name, "expectedSeconds": 300} for name in workload.STAGES]
    body = {"jobName": "Job", "jobType": "Mining", "stages": stages}
    return _call(owner, "jobs", "POST", "jobs", body=json.dumps(body))


def _call(owner: ProjectKey, function: str, method: str, route: str, query: str = "", body: str = "") -> Usage:
    """Send a request to the handler of a function."""
    event: Any = json.loads((ROOT / "events/create-job.json").read_text())
    path = f"/api/{owner.tenant}/{owner.project}/execution/{route}"
    event |= {"rawPath": path, "rawQueryString": query, "body": body or None}
    event["requestContext"]["http"] |= {"method": method, "path": path}
    claims = {"tenant_id": owner.tenant, "project_ids": f"[{owner.project}]"}
    event["requestContext"]["authorizer"]["jwt"]["claims"] |= claims
    event["headers"]["idempotency-key"] = str(uuid.uuid4())
    module: Any = load_function(f"functions/api/{function}")
    with _meter(module).measured() as used:
        answer = module.handler(event, None)
    if answer["statusCode"] not in (200, 201):
        raise AssertionError(answer["body"])
    return used


@cache
def _meter(module: Any) -> Meter:
    return Meter(module.dynamodb, aws.client("dynamodb"))


def _new_job(bench: Bench, owner: ProjectKey, number: int = 0) -> JobKey:
    """Create a job with a client that is not measured."""
    key = owner.job_key(str(uuid.uuid4()))
    job = Job(key.job, "Job", "Mining", times.now(), priority=PRIORITIES[number % len(PRIORITIES)])
    job.stages = [Stage(name, expected_seconds=300) for name in workload.STAGES]
    JobStore(bench.meter.lookup, bench.jobs.table).create(Snapshot(key, 0, job), "body", {})
    return key


def _fill(bench: Bench, owner: ProjectKey, numbers: Sequence[int]) -> list[str]:
    """Create jobs of all priorities, and return their ids."""
    with ThreadPoolExecutor(THREADS) as pool:
        return [key.job for key in pool.map(lambda number: _new_job(bench, owner, number), numbers)]
