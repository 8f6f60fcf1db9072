"""Clients of a service that fails: each repeats a request with its Idempotency-Key until it is acknowledged."""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from jobtrack_demo.receiver import Gate
from tests.e2e.running import Service
from tests.prove.receiver import Gates

LINES = 9
STRIDE = LINES + 1
"""Events of a batch: a milestone, and log lines."""
STARTED = 2
"""The sequence of `jobStarted`."""
ACKNOWLEDGE_SECONDS = 120
TOKEN_SECONDS = 30 * 24 * 3600
RETRIED = frozenset({429, 502, 503, 504})


@dataclass
class TrackedJob:
    """A job, and what the service acknowledged of it."""

    id: str
    gate: Gate | None
    batches: int = 0
    completed: bool = False

    @property
    def last_sequence(self) -> int:
        """The sequence of the last acknowledged event."""
        return STARTED + self.batches * STRIDE + self.completed

    @property
    def lines(self) -> list[str]:
        """The messages of the acknowledged log lines."""
        return [f"{batch}/{number}" for batch in range(self.batches) for number in range(LINES)]

    @property
    def subscribed(self) -> list[int]:
        """The sequences of the acknowledged events that the subscription is for."""
        milestones = [STARTED + 1 + batch * STRIDE for batch in range(self.batches)]
        return [STARTED, *milestones, *([self.last_sequence] if self.completed else [])]


class Load:
    """Threads that create jobs, subscribe and report, until `finish`."""

    def __init__(self, url: str, gates: Gates, threads: int = 4) -> None:
        self.tenant, self.project = str(uuid4()), str(uuid4())
        self.jobs: list[TrackedJob] = []
        self.failures: list[str] = []
        self.refusals: Counter[int] = Counter()
        """Responses by status after which a request is repeated."""
        self.receiver_url = url
        self.gates = gates
        self.over = threading.Event()
        self._up = threading.Condition()
        self._service: Service | None = None
        self._threads = [Worker(self) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def use(self, service: Service | None) -> None:
        """Send requests to the service; to none while it is restarted."""
        with self._up:
            self._service = service
            self._up.notify_all()

    def service(self) -> Service:
        """Return the service that runs now; wait for one."""
        with self._up:
            while self._service is None:
                self._up.wait()
            return self._service

    def finish(self) -> None:
        """Let the threads finish what they began: every request of theirs is acknowledged then."""
        self.over.set()
        ends = time.monotonic() + ACKNOWLEDGE_SECONDS
        for thread in self._threads:
            thread.join(max(0, ends - time.monotonic()))
        assert not any(thread.is_alive() for thread in self._threads), "requests are still not acknowledged"

    def wait(self, events: int) -> None:
        """Wait until that many further events are acknowledged."""
        enough, ends = self.events + events, time.monotonic() + ACKNOWLEDGE_SECONDS
        while self.events < enough:
            assert self.failures == []
            assert time.monotonic() < ends, "nothing is acknowledged any more"
            time.sleep(0.02)

    @property
    def events(self) -> int:
        """The number of acknowledged events."""
        return sum(job.last_sequence for job in [*self.jobs])

    def snapshot(self) -> Sequence[TrackedJob]:
        """Return what is acknowledged now."""
        return [TrackedJob(job.id, job.gate, job.batches, job.completed) for job in self.jobs]


class Worker(threading.Thread):
    """Creates one job after the other and reports it."""

    def __init__(self, load: "Load") -> None:
        super().__init__(daemon=True)
        self._load = load
        self._client: httpx.Client | None = None
        self._service: Service | None = None

    def run(self) -> None:
        """Work until the load is over and the last job is completed."""
        try:
            while not self._load.over.is_set():
                self._report_job()
        except Exception as error:
            self._load.failures.append(repr(error))
            raise
        finally:
            if self._client:
                self._client.close()

    def _report_job(self) -> None:
        created = self._post("/jobs", {"jobName": "killed", "jobType": "test"})
        gate = self._subscribe(created["jobId"]) if random.random() < 0.7 else None
        job = TrackedJob(created["jobId"], gate)
        self._report(job, [{"type": "jobStarted", "data": {}}])
        self._load.jobs.append(job)
        for _ in range(random.randint(1, 12)):
            self._report(job, _batch(job.batches))
            job.batches += 1
            if self._load.over.is_set():
                break
        self._report(job, [{"type": "jobCompleted", "data": {}}])
        job.completed = True

    def _subscribe(self, job: str) -> Gate:
        token, gate = self._load.gates.open()
        wanted = {
            "subscriptionType": "webhook",
            "webhookUrl": self._load.receiver_url,
            "events": ["jobStarted", "milestone", "jobCompleted"],
            "authentication": {"type": "bearer", "token": token},
        }
        gate.know(self._post(f"/job/{job}/subscribe", wanted)["signingSecret"])
        return gate

    def _report(self, job: TrackedJob, events: list[dict[str, Any]]) -> None:
        self._post(f"/job/{job.id}/events", {"events": events})

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the response to a request, which is repeated until there is one."""
        key = str(uuid4())
        while True:
            response = self._attempt(path, body, key)
            if response is not None and response.status_code < 300:
                answer: dict[str, Any] = response.json()
                return answer
            if response is not None:
                assert response.status_code in RETRIED, f"{path}: {response.text}"
                self._load.refusals[response.status_code] += 1
            time.sleep(0.02)

    def _attempt(self, path: str, body: dict[str, Any], key: str) -> httpx.Response | None:
        try:
            return self._current_client().post(path, json=body, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            return None

    def _current_client(self) -> httpx.Client:
        """Return a client of the service that runs now; wait for one."""
        service = self._load.service()
        if self._client is None or service is not self._service:
            if self._client:
                self._client.close()
            self._client, self._service = client_of(service, self._load.tenant, self._load.project), service
        return self._client


def client_of(service: Service, tenant: str, project: str) -> httpx.Client:
    """Return a client with a token that outlives every test, also when the clock jumps."""
    client = service.client(tenant, project)
    client.headers["Authorization"] = f"Bearer {service.token(tenant, ttl=TOKEN_SECONDS)}"
    return client


def _batch(number: int) -> list[dict[str, Any]]:
    lines = [{"type": "log", "data": {"level": "INFO", "message": f"{number}/{line}"}} for line in range(LINES)]
    return [{"type": "milestone", "data": {"description": f"batch {number}"}}, *lines]
