"""The clock of a running service marks a silent job as stalled, and never a job that reports."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from jobtrack_demo.receiver import Receiver
from tests.e2e.receiving import Recorder, subscribed
from tests.e2e.reporting import create, event
from tests.e2e.running import Service

HEARTBEAT_SECONDS = 10
PATIENCE_SECONDS = 40


@pytest.fixture
def api(hurried: Service) -> Iterator[httpx.Client]:
    with hurried.client() as client:
        yield client


def report(api: httpx.Client, job: str, kind: str) -> None:
    assert api.post(f"/job/{job}/events", json={"events": [event(kind)]}).status_code == 202


def started(api: httpx.Client) -> str:
    job = create(api, heartbeatSeconds=HEARTBEAT_SECONDS)
    report(api, job, "jobStarted")
    return job


def read(api: httpx.Client, path: str) -> dict[str, Any]:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert isinstance(body, dict)
    return body


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def alarms(api: httpx.Client, job: str) -> int:
    entries = read(api, f"/job/{job}/timeline?granularity=major_events")["timeline"]
    return sum(entry["eventType"] == "JobStalled" for entry in entries)


def test_only_the_silent_job_is_stalled_until_it_reports_again(api: httpx.Client) -> None:
    silent, lively, ended, unwatched = started(api), started(api), started(api), create(api)
    report(api, unwatched, "jobStarted")
    report(api, ended, "jobCompleted")

    def found() -> bool:
        report(api, lively, "heartbeat")
        return bool(read(api, f"/job/{silent}")["stalled"])

    known = api.get(f"/job/{silent}/progress").headers["etag"]
    until(found)
    assert api.get(f"/job/{silent}/progress", headers={"If-None-Match": known}).json()["stalled"] is True
    assert [read(api, f"/job/{each}")["stalled"] for each in (lively, ended, unwatched)] == [False] * 3
    assert [alarms(api, each) for each in (silent, lively, ended, unwatched)] == [1, 0, 0, 0]
    report(api, silent, "heartbeat")
    assert read(api, f"/job/{silent}")["stalled"] is False
    until(lambda: alarms(api, silent) == 2)


def test_who_subscribed_is_told_that_the_job_is_stalled(api: httpx.Client) -> None:
    recorder, job = Recorder(), started(api)
    with Receiver(recorder) as receiver:
        subscribed(api, job, receiver.url, "jobStalled")
        recorder.await_requests(1)
    assert [each["data"]["jobId"] for each in recorder.bodies("jobStalled")] == [job]
