"""Acknowledged events reach their webhook, whatever process ends in between."""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import httpx

from jobtrack_demo.receiver import Gate, Inbox, Receiver
from tests.e2e.running import Service, running

TOKEN = "the-receivers-own"
PATIENCE_SECONDS = 120


class Slow(Gate):
    """A gate that signals a request, and opens when told to."""

    def __init__(self) -> None:
        super().__init__(TOKEN)
        self.knocked = threading.Event()
        self.open = threading.Event()

    def receive(self, headers: Mapping[str, str], body: bytes) -> int:
        self.knocked.set()
        self.open.wait(PATIENCE_SECONDS)
        return super().receive(headers, body)


def job(client: httpx.Client) -> str:
    answer = client.post("/jobs", json={"jobName": "Customer Journey Analysis", "jobType": "process-mining"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["jobId"])


def subscribed(client: httpx.Client, job_id: str, url: str, *events: str) -> str:
    """Return the signing secret of a new subscription."""
    wanted = {
        "subscriptionType": "webhook",
        "webhookUrl": url,
        "events": events,
        "authentication": {"type": "bearer", "token": TOKEN},
    }
    answer = client.post(f"/job/{job_id}/subscribe", json=wanted)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["signingSecret"])


def report(client: httpx.Client, job_id: str, *events: tuple[str, dict[str, object]]) -> None:
    answer = client.post(
        f"/job/{job_id}/events", json={"events": [{"type": kind, "data": data} for kind, data in events]}
    )
    assert answer.status_code == 202, answer.text


def arrived(gate: Gate, messages: int) -> Inbox:
    """Return the inbox once it has `count` messages."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(gate.snapshot().messages) < messages and time.monotonic() < deadline:
        time.sleep(0.02)
    return gate.snapshot()


def test_each_subscribed_event_arrives_once_and_signed(service: Service, api: httpx.Client) -> None:
    gate = Gate(TOKEN)
    with Receiver(gate) as receiver:
        job_id = job(api)
        gate.know(subscribed(api, job_id, receiver.url, "jobStarted", "milestone", "jobCompleted"))
        report(api, job_id, ("jobStarted", {}))
        for number in range(20):
            report(
                api,
                job_id,
                ("milestone", {"description": f"Nº {number}"}),
                ("log", {"level": "INFO", "message": "not subscribed to"}),
            )
        report(api, job_id, ("jobCompleted", {}))
        inbox = arrived(gate, 22)
    assert inbox.types() == Counter(jobStarted=1, milestone=20, jobCompleted=1)
    assert (inbox.repeats, inbox.refused) == (0, [])
    assert {message.sequence for message in inbox.messages.values()} == {2, *range(3, 43, 2), 43}


def test_killed_in_the_middle_of_a_delivery_it_delivers_after_its_restart(
    home: Path, engine: str, tmp_path: Path
) -> None:
    tenant, project, gate = str(uuid4()), str(uuid4()), Slow()
    arguments = ["--data", str(tmp_path / "data")]
    with Receiver(gate) as receiver:
        with running(home, engine, *arguments) as service, service.client(tenant, project) as client:
            job_id = job(client)
            gate.know(subscribed(client, job_id, receiver.url, "jobStarted", "milestone"))
            report(client, job_id, ("jobStarted", {}))
            for number in range(20):
                report(client, job_id, ("milestone", {"description": f"Nº {number}"}))
            assert gate.knocked.wait(PATIENCE_SECONDS)
            service.kill()
        assert gate.snapshot().messages == {}
        gate.open.set()
        with running(home, engine, *arguments) as again, again.client(tenant, project) as client:
            inbox = arrived(gate, 21)
            assert client.get(f"/job/{job_id}").json()["lastSequence"] == 22
    assert inbox.types() == Counter(jobStarted=1, milestone=20)
    assert inbox.refused == []
