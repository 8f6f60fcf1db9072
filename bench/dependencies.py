"""The cost of reading a job's dependencies."""

import uuid

from bench import workload
from bench.metered_store import Bench
from bench.report import Report
from jobtrack import times
from jobtrack.domain.job import Job, Stage
from jobtrack.keys import ProjectKey
from jobtrack.store.dependencies import DependencyStore
from jobtrack.store.dependency_graph import DependencyGraphReader
from jobtrack.store.snapshots import Snapshot

BEFORE, AFTER = 20, 30
_UNITS = 4 + BEFORE + 2 * AFTER
"""The snapshot of a job with few stages, and its prerequisites, take at most 4 KB each."""


def measure(bench: Bench, report: Report) -> None:
    """Measure one step in both directions, and check the result."""
    owner = ProjectKey(str(uuid.uuid4()), str(uuid.uuid4()))
    before = [_job(bench, owner, ()) for _ in range(BEFORE)]
    job = _job(bench, owner, before)
    after = [_job(bench, owner, (job, before[0])) for _ in range(AFTER)]
    reader = DependencyGraphReader(bench.jobs.dynamodb, bench.jobs.table)
    with bench.meter.measured() as used:
        _, graph, _ = reader.read_graph(owner.job_key(job), 1)
    if set(graph.jobs) != {job, *before, *after}:
        raise AssertionError("dependencies: not the jobs around it")
    name = f"dependencies, {BEFORE} jobs before and {AFTER} after"
    report.add(name, "requests", used.requests, 3)
    report.add(name, "read units", used.read_units, _UNITS)


def _job(bench: Bench, owner: ProjectKey, prerequisites: tuple[str, ...] | list[str]) -> str:
    key = owner.job_key(str(uuid.uuid4()))
    relations, expires = DependencyStore(bench.jobs.dynamodb, bench.jobs.table), times.add_seconds(times.now(), 3600)
    relations.put_edges(key, prerequisites, expires)
    stages = [Stage(name) for name in workload.STAGES]
    declared = {"prerequisites": [[job_id, "its results"] for job_id in prerequisites]} if prerequisites else {}
    actions = list(relations.creation_actions(key, declared, expires))
    new_job = Job(key.job, "Around", "Bench", workload.START, stages=stages)
    bench.jobs.create(Snapshot(key, 0, new_job), "body", {}, actions=actions)
    return key.job
