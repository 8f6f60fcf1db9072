"""Timeline and metrics of the running service: the example job, pages under concurrent writes, other jobs."""

import threading
from collections.abc import Iterator

import httpx
import pytest

from tests import example
from tests.e2e.reporting import Json, event, faults, got, line, reported, started

TIMELINE, METRICS = f"/job/{example.JOB_ID}/timeline", f"/job/{example.JOB_ID}/metrics"


@pytest.fixture
def replayed(api: httpx.Client) -> httpx.Client:
    """The example job, reported today at the example's times, after the past jobs of its type."""
    for wanted, events in example.past_jobs():
        job = api.post("/jobs", json=wanted).json()["jobId"]
        reported(api, job, *events)
    assert api.post("/jobs", json=example.creation()).status_code == 201
    for _, events in example.batches():
        reported(api, example.JOB_ID, *events)
    return api


def test_the_example_but_for_what_the_clock_says(replayed: httpx.Client) -> None:
    shown = got(replayed, TIMELINE)
    queued = [each for each in shown["timeline"] if each["eventType"] in ("JobQueued", "Unblocked")]
    assert len(queued) == 2
    shown["timeline"] = [each for each in shown["timeline"] if each not in queued]
    different = dict(example.differences(example.body("timeline"), shown))
    assert different.pop("/timelineScope/currentTime") > "2026"
    assert different.pop("/timeline/1/timestamp") == example.at("10:30:00")
    assert set(different) == {f"/upcomingEvents/{index}/estimatedTime" for index in range(3)}

    shown = got(replayed, METRICS, includeHistory="true")
    different = dict(example.differences(example.body("metrics"), shown))
    assert {pointer for pointer in different if "/benchmarks/" not in pointer} == {
        "/metricsCollectionTime",
        "/currentMetrics/resourceUtilization/cpu/efficiency",
        "/currentMetrics/resourceUtilization/memory/efficiency",
        "/currentMetrics/processing/errorRate",
        "/currentMetrics/stages/stageEfficiency",
        "/historicalMetrics/0/stage",
        "/performanceTrends/predictionAccuracy",
    }
    assert shown["benchmarks"]["averageJobDuration"] == "18.5 minutes"
    assert sum(shown["benchmarks"]["similarJobsComparison"].values()) == 100


def test_a_walk_under_concurrent_writes_shows_all_that_was_acknowledged_before_it_once(api: httpx.Client) -> None:
    job = started(api, stages=[{"stageName": "A"}])
    for minute in range(20):
        moment = f"2024-01-20T10:{30 + minute}"
        reported(
            api,
            job,
            event("progressUpdate", f"{moment}:10Z", stageName="A", progress=minute),
            event("progressUpdate", f"{moment}:40Z", stageName="A", progress=minute),
            event("milestone", f"{moment}:50Z", description="done"),
            line("slow", f"{moment}:30Z", "WARN"),
        )
    before = got(api, f"/job/{job}/timeline", includeSubEvents="true")
    known = [each["sequence"] for each in before["timeline"]]
    assert len(known) == 2 + 3 * 20
    with writing(api, job):
        walked = [each for page in pages(api, job, limit=7) for each in page]
    sequences = [each["sequence"] for each in walked]
    assert len(set(sequences)) == len(sequences)
    assert [sequence for sequence in sequences if sequence in known] == known
    assert [each["timestamp"] for each in walked] == sorted(each["timestamp"] for each in walked)


class writing:
    """Run a worker that reports, late and on time, during the block."""

    def __init__(self, api: httpx.Client, job: str) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, args=(api, job))

    def _write(self, api: httpx.Client, job: str) -> None:
        count = 0
        while not self._stop.is_set():
            count += 1
            moment = f"2024-01-20T1{count % 3}:{count % 30:02}:{count % 60:02}Z"
            reported(api, job, event("milestone", moment, description="late"), event("metricSample", moment))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def pages(api: httpx.Client, job: str, limit: int) -> Iterator[list[Json]]:
    query = {"includeSubEvents": "true", "limit": str(limit)}
    while True:
        page = got(api, f"/job/{job}/timeline", **query)
        yield page["timeline"]
        if page["nextCursor"] is None:
            return
        query["cursor"] = page["nextCursor"]


def test_refusals(api: httpx.Client) -> None:
    job, other = started(api), started(api)
    assert set(faults(api.get(f"/job/{job}/timeline?granularity=hours&includeSubEvents=1"))) == {
        "/query/granularity",
        "/query/includeSubEvents",
    }
    assert set(faults(api.get(f"/job/{job}/metrics?interval=5&metrics=gpu"))) == {"/query/interval", "/query/metrics"}
    cursor = got(api, f"/job/{other}/timeline", limit=1)["nextCursor"]
    assert set(faults(api.get(f"/job/{job}/timeline", params={"cursor": cursor}))) == {"/query/cursor"}
