"""`GET /jobs`, `/queue`, `/tracking/batch` and `PUT /worker/{workerNode}` on a real engine, while jobs come and go."""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from tests.e2e.reporting import Json, create, event, faults, got, problem, reported, started
from tests.e2e.running import Service

WORKER = {"cpuUnits": 4, "memoryGB": 16, "maxConcurrentJobs": 2}
PRIORITIES = ("Critical", "High", "Normal", "Low")


def walk(api: httpx.Client, path: str, member: str, **query: object) -> list[str]:
    """Return the ids of all pages."""
    found, cursor = list[str](), dict[str, object]()
    while True:
        page = got(api, path, **query, **cursor)
        found += [each["jobId"] for each in page[member]]
        if page["nextCursor"] is None:
            return found
        cursor = {"cursor": page["nextCursor"]}


@contextmanager
def meanwhile(*work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run the work during the block, and raise its exception."""
    done = threading.Event()
    with ThreadPoolExecutor(len(work)) as pool:
        running = [pool.submit(each, done) for each in work]
        try:
            yield
        finally:
            done.set()
        for each in running:
            each.result()


@pytest.mark.parametrize(("path", "limit"), [("/jobs", 7), ("/tracking/batch", 11)])
def test_a_walk_gives_every_job_acknowledged_before_it_exactly_once(service: Service, path: str, limit: int) -> None:
    tenant, project, rng = str(uuid4()), str(uuid4()), random.Random(1)
    with service.client(tenant, project) as api, service.client(tenant, project) as mover:
        made = [create(api, priority=rng.choice(PRIORITIES)) for _ in range(40)]

        def move(done: threading.Event) -> None:
            queued, running = list(made), list[str]()
            while (queued or running) and not done.is_set():
                source = rng.choice([each for each in (queued, running) if each])
                job = source.pop(rng.randrange(len(source)))
                if source is queued:
                    reported(mover, job, event("jobStarted"))
                    running.append(job)
                else:
                    reported(mover, job, event(rng.choice(("jobCompleted", "jobCancelled"))))
                create(mover)

        with meanwhile(move):
            walks = [walk(api, path, "jobs", limit=limit) for _ in range(3)]
    for found in walks:
        assert len(set(found)) == len(found)
        assert [each for each in found if each in set(made)] == made[::-1]


def test_a_walk_through_the_queue_meets_everyone_who_waits_all_the_while_once(service: Service) -> None:
    tenant, project, rng = str(uuid4()), str(uuid4()), random.Random(2)
    with service.client(tenant, project) as api, service.client(tenant, project) as mover:
        made = {create(api, priority=PRIORITIES[place % 4]): place % 4 for place in range(30)}
        leaving = rng.sample(sorted(made), 10)

        def leave(done: threading.Event) -> None:
            for job in leaving:
                if not done.is_set():
                    reported(mover, job, event("jobStarted"))

        with meanwhile(leave):
            found = walk(api, "/queue", "queuedJobs", limit=4)
    staying = sorted((job for job in made if job not in leaving), key=lambda job: made[job])
    assert [each for each in found if each not in leaving] == staying
    assert len(set(found)) == len(found)


def test_a_batch_by_id_shows_what_was_acknowledged(api: httpx.Client) -> None:
    job = create(api)
    for status, events in (
        ("Queued", ["heartbeat"]),
        ("Running", ["jobStarted"]),
        ("Completed", ["jobCompleted"]),
    ):
        reported(api, job, *(event(each) for each in events))
        (found,) = got(api, "/tracking/batch", jobIds=job.upper())["jobs"]
        assert found["status"] == status
        assert (found["queuePosition"] is not None) == (status == "Queued")


def test_the_queue_begins_when_there_is_a_worker(api: httpx.Client) -> None:
    running = started(api)
    waits = create(api, priority="High", stages=[{"stageName": "A", "expectedSeconds": 61}])
    later = create(api, stages=[{"stageName": "A", "expectedSeconds": 60}])
    idle = got(api, "/queue")
    assert [each["estimatedStartTime"] for each in idle["queuedJobs"]] == [None, None]
    assert api.put("/worker/worker-node-01", json=WORKER).status_code == 204
    found = got(api, "/queue")
    assert found["processingCapacity"] == {
        "activeWorkers": 1,
        "maxConcurrentJobs": 2,
        "currentlyRunning": 1,
        "currentLoad": 50,
    }
    first, second = found["queuedJobs"]
    assert (first["jobId"], first["estimatedStartTime"]) == (waits, found["timestamp"])
    assert first["estimatedDuration"] == "1 minute 1 second"
    batch = got(api, "/tracking/batch", jobIds=f"{later},{running},{waits}", includeMetrics="true")
    shown = {each["jobId"]: each for each in batch["jobs"]}
    assert shown[later]["estimatedStartTime"] == shown[waits]["estimatedCompletion"]
    assert (second["jobId"], second["queuePosition"]) == (later, shown[later]["queuePosition"])
    assert batch["systemHealth"] == {
        "overallLoad": 0,
        "queueHealth": "Good",
        "resourceAvailability": "High",
        "estimatedCapacity": "1 additional job",
        "additionalJobs": 1,
    }


@pytest.mark.parametrize("node", ["worker-node-02", "ノード 1", "a?b#c%d&e=f", "100%25", "x" * 200, "😀" * 200])
def test_a_worker_may_be_called_anything(api: httpx.Client, node: str) -> None:
    for _ in range(2):
        answer = api.put(f"/worker/{quote(node, safe='')}", json=WORKER)
        assert (answer.status_code, answer.content) == (204, b"")
    assert got(api, "/queue")["processingCapacity"]["activeWorkers"] == 1


def test_a_worker_out_of_contract_is_refused(api: httpx.Client) -> None:
    assert set(faults(api.put(f"/worker/{'x' * 201}", json=WORKER))) == {"/path/workerNode"}
    assert set(faults(api.put("/worker/a", json={}))) == {"/cpuUnits", "/memoryGB", "/maxConcurrentJobs"}
    problem(api.put("/worker/a", content=b"{", headers={"Content-Type": "application/json"}), 400, "invalid_request")
    problem(api.put("/worker/a", content=b"{}", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")
    assert got(api, "/queue")["processingCapacity"]["activeWorkers"] == 0


READS = ("/jobs", "/queue", "/tracking/batch")


@pytest.mark.parametrize("path", READS)
def test_what_is_anothers_is_not_seen(service: Service, path: str) -> None:
    tenant = str(uuid4())
    with service.client(tenant) as one, service.client(tenant) as other:
        job = create(one)
        assert one.put("/worker/w", json=WORKER).status_code == 204
        empty: Json = got(other, path)
        assert job not in str(empty)
        assert got(other, "/queue")["processingCapacity"]["activeWorkers"] == 0
        assert got(other, "/tracking/batch", jobIds=job)["notFound"] == [job]
        other.headers["Authorization"] = f"Bearer {service.token(str(uuid4()))}"
        problem(other.get(path), 403, "forbidden")


def test_a_worker_needs_the_scope_to_write_and_a_reader_that_to_read(service: Service) -> None:
    tenant = str(uuid4())
    with service.client(tenant) as client:
        client.headers["Authorization"] = f"Bearer {service.token(tenant, scope='jobs:read')}"
        problem(client.put("/worker/w", json=WORKER), 403, "forbidden")
        client.headers["Authorization"] = f"Bearer {service.token(tenant, scope='jobs:write')}"
        for path in READS:
            problem(client.get(path), 403, "forbidden")
