"""A project whose data are stored: how it is created, and every answer about it."""

import json
import os
import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets.sync.client

from jobtrack_demo import receiver as demo
from jobtrack_local.pollers.scheduler import INTERVAL_VARIABLE
from tests.e2e.receiving import Recorder, answered, until
from tests.e2e.reporting import event, line
from tests.e2e.running import Service, running

Json = dict[str, Any]
START = 1_795_827_600
"""2026-11-28T01:00:00Z."""
PORT = 18_471
"""Of the receiver; subscriptions store it. It is below the range from which systems take ports themselves."""
TENANT, PROJECT = "5a1c0de0-0000-4000-8000-00000000000a", "5a1c0de0-0000-4000-8000-00000000000b"
COMPLETED, FAILED, CANCELLED, RUNNING, QUEUED = (f"5a1c0de0-0000-4000-8000-00000000000{n}" for n in range(1, 6))
JOBS = (COMPLETED, FAILED, CANCELLED, RUNNING, QUEUED)
KEY = {"Idempotency-Key": "format-1"}
QUEUED_BODY: Json = {
    "jobId": QUEUED,
    "jobName": "Waits",
    "jobType": "Report",
    "priority": "High",
    "prerequisites": [{"jobId": RUNNING, "dependency": "its blocks"}],
}


class Fickle(Recorder):
    """Accepts requests, but refuses milestones until `refusing` is False."""

    refusing = True

    def receive(self, headers: Any, body: bytes) -> int:
        super().receive(headers, body)
        return 500 if self.refusing and json.loads(body)["type"] == "milestone" else 204


@dataclass
class World:
    """A service with a stopped clock over a data folder."""

    service: Service
    api: httpx.Client
    clock: Path
    receiver: Fickle
    secrets: dict[str, str] = field(default_factory=dict)

    def at(self, seconds: float) -> None:
        """Set the clock, in seconds since the start."""
        draft = self.clock.with_suffix(".draft")
        draft.write_text(str(START + seconds))
        os.replace(draft, self.clock)

    def post(self, route: str, body: Json, **headers: str) -> Json:
        response = self.api.post(route, json=body, headers=headers)
        assert response.is_success, response.text
        return dict(response.json())

    def report(self, job: str, *events: Json) -> None:
        self.post(f"/job/{job}/events", {"events": events})

    def read(self, subscriptions: list[str]) -> Json:
        """Return the body of every GET about the project, by route."""
        return {route: answered(self.api.get(route)) for route in _routes(subscriptions)}


@contextmanager
def serving(folder: Path, seconds: float) -> Iterator[World]:
    """Serve a data folder, with the clock at some seconds after the start, and a receiver."""
    clock, receiver = folder.with_name("clock"), Fickle()
    clock.write_text(str(START + seconds))
    program = (sys.executable, "-m", "tests.formats.stopped_clock", str(clock))
    with pytest.MonkeyPatch.context() as patch, _receiving(receiver):
        patch.setenv(INTERVAL_VARIABLE, "1")
        with (
            running(folder.with_name("home"), "sqlite", "--data", str(folder), program=program) as service,
            service.client(TENANT, PROJECT) as api,
        ):
            yield World(service, api, clock, receiver)


def _server(receiver: Fickle) -> ThreadingHTTPServer:
    """Return a server on the port, once no other test uses it."""
    servers: list[ThreadingHTTPServer] = []

    def is_free() -> bool:
        with suppress(OSError):
            servers.append(ThreadingHTTPServer(("127.0.0.1", PORT), demo._handler(receiver)))
        return bool(servers)

    until(is_free)
    return servers[0]


@contextmanager
def _receiving(receiver: Fickle) -> Iterator[None]:
    with _server(receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def _routes(subscriptions: list[str]) -> Iterator[str]:
    yield from ("/jobs", "/jobs?status=Running", "/queue", "/tracking/batch?includeMetrics=true")
    for job in JOBS:
        yield f"/job/{job}"
        yield f"/job/{job}/logs?direction=forward"
        yield f"/job/{job}/logs?sinceSequence=1"
        yield f"/job/{job}/timeline?granularity=seconds&includeSubEvents=true"
        yield f"/job/{job}/dependencies?depth=3"
        yield from (f"/job/{job}/{name}" for name in ("progress", "metrics", "subscriptions"))
    for subscription in subscriptions:
        yield f"/subscription/{subscription}"
        yield f"/subscription/{subscription}/deliveries"


def fill(world: World) -> list[str]:
    """Create jobs of every status, and subscriptions; return the ids of the subscriptions."""
    worker = {"cpuUnits": 8, "memoryGB": 32, "maxConcurrentJobs": 4}
    assert world.api.put("/worker/node 1", json=worker).status_code == 204
    _complete(world)
    _end(world, FAILED, "jobFailed")
    _end(world, CANCELLED, "jobCancelled")
    kept, refused, socket = _run(world)
    world.post("/jobs", QUEUED_BODY, **KEY)
    _kill_connected(world, socket)
    return [kept, refused, socket["subscriptionId"]]


def _complete(world: World) -> None:
    """Complete a job with many lines: each batch fills the tail, so that chunks and an index of them are stored."""
    stages = [{"stageName": "A", "expectedSeconds": 60}, {"stageName": "B", "labels": {"ja": "検査", "en": "Check"}}]
    world.post("/jobs", {"jobId": COMPLETED, "jobName": "Done", "jobType": "Import", "stages": stages})
    world.report(COMPLETED, event("jobStarted", resourcesAllocated={"cpuUnits": 2, "memoryGB": 4, "workerNode": "n"}))
    world.report(COMPLETED, event("stageStarted"))
    for number in range(36):
        world.at(10 + number)
        text = random.Random(number).randbytes(520).hex()
        level = ("INFO", "DEBUG", "WARN", "ERROR")[number % 4] if number % 9 == 0 else "INFO"
        world.report(COMPLETED, line(text, level=level), event("metricSample", cpuUsage=number, memoryBytes=10**9))
    world.report(COMPLETED, event("stageCompleted", stageName="A", recordsProcessed=900, metrics={"rows": 900}))
    world.report(COMPLETED, event("stageStarted", stageName="B"), event("quality"))
    world.report(COMPLETED, event("stageCompleted", stageName="B"))
    world.report(COMPLETED, event("jobCompleted", metrics={"total": 900}))


def _end(world: World, job: str, end: str) -> None:
    world.post("/jobs", {"jobId": job, "jobName": end, "jobType": "Import"})
    world.report(job, event("jobStarted"), event("stageStarted"))
    world.at(90)
    world.report(job, event(end))


def _run(world: World) -> tuple[str, str, Json]:
    """Leave a job running, with a heartbeat, dependencies, large metadata and three subscriptions."""
    body = {
        "jobId": RUNNING,
        "jobName": "Runs",
        "jobType": "Import",
        "heartbeatSeconds": 60,
        "totalRecords": 1000,
        "metadata": {"text": "x" * 600},
        "prerequisites": [{"jobId": COMPLETED}],
        "resources": [{"resourceType": "Database", "resourceId": "db-1"}],
        "blockingConditions": [{"condition": "no memory", "status": "Active"}],
        "stages": [{"stageName": "A", "expectedSeconds": 600}],
    }
    world.post("/jobs", body)
    kept = _subscribe(world, ["jobStarted", "jobStalled", "jobCompleted"])
    refused = _subscribe(world, ["milestone"])
    rotated = world.post(f"/subscription/{kept}/rotate-secret", {})["signingSecret"]
    socket = world.post(f"/job/{RUNNING}/subscribe", {"subscriptionType": "websocket", "events": ["stageStarted"]})
    world.secrets = {kept: rotated, refused: world.secrets[refused]}
    world.at(100)
    world.report(RUNNING, event("jobStarted"), event("stageStarted"), event("milestone"))
    world.report(RUNNING, event("progressUpdate"), event("resourceAllocated"), event("unblocked"))
    world.receiver.await_requests(2)
    until(lambda: _is_told(world, kept, "Delivered") and _is_told(world, refused, "Pending"))
    return kept, refused, socket


def _kill_connected(world: World, socket: Json) -> None:
    """Kill the service while a client is connected, so that its connection stays stored."""
    name = socket["subscriptionId"]
    with websockets.sync.client.connect(socket["websocketUrl"]) as connection:
        connection.send(json.dumps({"action": "resume", "sinceSequence": 0}))  # otherwise the service waits for it
        assert json.loads(connection.recv(timeout=30))["type"] == "stageStarted"
        world.post(f"/subscription/{name}/ticket", {})
        until(lambda: _is_told(world, name, "Delivered"))
        world.service.kill()


def _subscribe(world: World, events: list[str]) -> str:
    url = f"http://127.0.0.1:{PORT}/hook"
    body = {"subscriptionType": "webhook", "webhookUrl": url, "events": events}
    subscription = world.post(f"/job/{RUNNING}/subscribe", body)
    world.secrets[subscription["subscriptionId"]] = subscription["signingSecret"]
    return str(subscription["subscriptionId"])


def _is_told(world: World, subscription: str, status: str) -> bool:
    deliveries = answered(world.api.get(f"/subscription/{subscription}/deliveries"))["deliveries"]
    return [delivery["status"] for delivery in deliveries if delivery["attempts"]] == [status]
