"""The replayed example job: its timeline and its metrics, field by field."""

from collections.abc import Callable
from typing import Any

import pytest

from tests import example
from tests.functions.conftest import Invoke
from tests.functions.replaying import Caller, caller

Json = dict[str, Any]


@pytest.fixture
def api(invoke: Invoke, sample: Callable[[str], Json], monkeypatch: pytest.MonkeyPatch) -> Caller:
    found = caller(invoke, sample, monkeypatch)
    found.past()
    found.replay()
    return found


def test_the_timeline_is_the_examples_but_for_times_that_contradict_it(api: Caller) -> None:
    status, shown = api.get("job/{jobId}/timeline")
    assert status == 200
    # Ours alone: that the job was queued, and what blocked it no longer does (the example of dependencies has it).
    assert [shown["timeline"].pop(0)["eventType"], shown["timeline"].pop(1)["eventType"]] == ["JobQueued", "Unblocked"]
    assert shown["nextCursor"] is None
    assert dict(example.differences(example.body("timeline"), shown)) == {
        # The stage that took 2 minutes 15 seconds until 10:32:15, and began at 10:30:00 in `progress`.
        "/timeline/1/timestamp": "2024-01-20T10:30:00Z",
        # By the one estimate: 78 % done in 4:03, 390 seconds planned, then 288 seconds of the last stage.
        "/upcomingEvents/0/estimatedTime": "2024-01-20T10:46:45Z",
        "/upcomingEvents/1/estimatedTime": "2024-01-20T10:46:45Z",
        "/upcomingEvents/2/estimatedTime": "2024-01-20T10:51:33Z",
    }


def test_upcoming_events_are_the_estimate_of_progress(api: Caller) -> None:
    _, progress = api.get("job/{jobId}/progress")
    _, shown = api.get("job/{jobId}/timeline", language="en")
    assert [(each["estimatedTime"], each["description"]) for each in shown["upcomingEvents"]] == [
        (progress["stages"][2]["estimatedEndTime"], "Performance Analysis stage expected to complete"),
        (progress["stages"][3]["estimatedStartTime"], "Report Generation stage expected to start"),
        (progress["overallProgress"]["estimatedCompletion"], "Job expected to complete"),
    ]


def test_the_metrics_are_the_examples_but_for_figures_that_contradict_it(api: Caller) -> None:
    status, shown = api.get("job/{jobId}/metrics", includeHistory="true")
    assert status == 200
    assert dict(example.differences(example.body("metrics"), shown)) == {
        # The mean of the samples that the history shows: 15, 85, 72 and 67 % have no mean of 89.2.
        "/currentMetrics/resourceUtilization/cpu/efficiency": 67.4,
        # The contract's peak / allocated: 3.8 of 4.0 GB.
        "/currentMetrics/resourceUtilization/memory/efficiency": 95,
        # Two lines of ERROR and the timeline's error, of 150,243 records.
        "/currentMetrics/processing/errorRate": 2e-05,
        # Both stages took what was planned; no plan gives 91.2 and both of the timeline's expected durations.
        "/currentMetrics/stages/stageEfficiency": 100,
        # Sampled before any stage began; a stage `Initialization` would be a fifth.
        "/historicalMetrics/0/stage": None,
        # A job of 21 minutes is not faster than 85 % of jobs that take 18.5 minutes in the mean.
        "/benchmarks/currentPerformanceRank": "49th percentile",
        "/benchmarks/similarJobsComparison/fasterThan": 35,
        "/benchmarks/similarJobsComparison/similarTo": 45,
        "/benchmarks/similarJobsComparison/slowerThan": 20,
    }
