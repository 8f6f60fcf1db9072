"""`kill -9` of the worker and of the service while a job runs: everything acknowledged is stored, once."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import httpx

from jobtrack_demo.receiver import Gate, Receiver
from tests.e2e.running import Service, running
from tests.e2e.test_push import TOKEN, arrived, job, report, subscribed

PATIENCE_SECONDS = 60
UNENDING = """
import itertools
from jobtrack_client import Client
with Client().job("killed", job_type="test") as job:
    print(job.job_id, flush=True)
    for number in itertools.count():
        job.log("INFO", f"line {number}")
        if number % 50 == 49:
            job.flush(30)
            print(job.stats.acknowledged["log"], flush=True)
"""

AWAY_SECONDS = float(os.environ.get("JOBTRACK_AWAY_SECONDS", "2"))
STEADY = """
import sys, threading, time
from jobtrack_client import Client
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
told = 0
with Client().job("steady", job_type="test") as job:
    print(job.job_id, flush=True)
    while not over.is_set():
        for _ in range(100):
            job.log("INFO", f"line {told}")
            told += 1
            time.sleep(0.001)
        print(job.stats.acknowledged.get("log", 0), flush=True)
print("told", told, "dropped", job.stats.dropped, flush=True)
"""


def lines(client: httpx.Client, job_id: str) -> list[str]:
    """Return all lines of the job in the order of their sequences, page by page."""
    found, since = list[str](), 0
    while True:
        page = client.get(
            f"/job/{job_id}/logs", params={"sinceSequence": since, "level": "DEBUG", "limit": 1000}
        ).json()
        found += [entry["message"] for entry in page["logs"]]
        if page["lastSequence"] == since:
            return found
        since = page["lastSequence"]


def test_a_killed_worker_leaves_all_that_was_acknowledged(service: Service) -> None:
    tenant, project = str(uuid4()), str(uuid4())
    with working(service, tenant, project, UNENDING) as worker:
        assert worker.stdout is not None
        job_id = worker.stdout.readline().strip()
        acknowledged = [int(worker.stdout.readline()) for _ in range(5)][-1]
        worker.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in worker.stdout if line.endswith("\n"))])
    with service.client(tenant, project) as client:
        found = lines(client, job_id)
    assert len(found) >= acknowledged >= 250
    assert found == [f"line {number}" for number in range(len(found))]


def test_a_killed_service_goes_on_where_it_was_and_the_worker_notices_nothing(
    home: Path, engine: str, tmp_path: Path
) -> None:
    """Send batches with Idempotency-Keys until they are acknowledged, over two `kill -9` of the service."""
    tenant, project, gate = str(uuid4()), str(uuid4()), Gate(TOKEN)
    arguments, sent, job_id = ["--data", str(tmp_path / "data")], 0, ""
    with Receiver(gate) as receiver:
        for kills in (True, True, False):
            with running(home, engine, *arguments) as service, service.client(tenant, project) as client:
                if not job_id:
                    job_id = job(client)
                    gate.know(subscribed(client, job_id, receiver.url, "milestone", "jobCompleted"))
                    report(client, job_id, ("jobStarted", {}))
                for _ in range(20):
                    assert send(client, job_id, sent) == 202
                    sent += 1
                if kills:
                    service.kill()
                    continue
                assert send(client, job_id, sent - 1) == 202, "the last batch, as if its answer had been lost"
                report(client, job_id, ("jobCompleted", {}))
                inbox = arrived(gate, sent + 1)
                found = lines(client, job_id)
    assert found == [f"{batch}/{number}" for batch in range(sent) for number in range(10)]
    assert dict(inbox.types()) == {"milestone": sent, "jobCompleted": 1}
    assert inbox.refused == []


def test_the_reporter_outlasts_a_killed_service(home: Path, engine: str, tmp_path: Path) -> None:
    """`kill -9`, then an outage of some seconds: every report is stored once, in order, and nothing is dropped."""
    tenant, project = str(uuid4()), str(uuid4())
    arguments = ["--data", str(tmp_path / "data")]
    with ExitStack() as stack:
        with running(home, engine, *arguments) as service:
            worker = stack.enter_context(working(service, tenant, project, STEADY))
            assert worker.stdout is not None
            assert worker.stdin is not None
            job_id = worker.stdout.readline().strip()
            acknowledged_beyond(worker, 0)
            service.kill()
        there = acknowledged_beyond(worker, -1)
        time.sleep(AWAY_SECONDS)
        with running(home, engine, *arguments, "--port", service.url.rpartition(":")[2]) as service:
            acknowledged_beyond(worker, there + 1000)
            worker.stdin.close()
            *_, end = worker.stdout
            assert worker.wait(PATIENCE_SECONDS) == 0
            with service.client(tenant, project) as client:
                found = lines(client, job_id)
    told = int(end.split()[1])
    assert end == f"told {told} dropped {{}}\n"
    assert found == [f"line {number}" for number in range(told)]


def working(service: Service, tenant: str, project: str, program: str) -> "subprocess.Popen[str]":
    """Run a worker that reports to the service."""
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env=service.variables(tenant, project),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def acknowledged_beyond(worker: "subprocess.Popen[str]", count: int) -> int:
    """Return the number of the worker's lines, once it exceeds a number."""
    assert worker.stdout is not None
    for line in worker.stdout:
        if (found := int(line)) > count:
            return found
    raise AssertionError("the worker ended")


def send(client: httpx.Client, job_id: str, batch: int) -> int:
    """Return a batch of ten lines and a milestone, under a new key."""
    events = [{"type": "log", "data": {"level": "INFO", "message": f"{batch}/{number}"}} for number in range(10)]
    events.append({"type": "milestone", "data": {"description": f"batch {batch}"}})
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer = client.post(
            f"/job/{job_id}/events", json={"events": events}, headers={"Idempotency-Key": f"batch {batch}"}
        )
        if answer.status_code != 429:
            return answer.status_code
    return 429
