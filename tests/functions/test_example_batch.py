"""The specification's batch of five jobs, replayed: its response, field by field."""

from collections.abc import Callable
from typing import Any

import pytest

from tests import example
from tests.functions.conftest import Invoke
from tests.functions.project import Project, project

Json = dict[str, Any]

JOURNEY = example.JOB_ID
SALES, WEEKLY, THIRD, DONE, AHEAD = (
    f"{name}0e8400-e29b-41d4-a716-446655440000" for name in ("dd", "ee", "11", "22", "33")
)


@pytest.fixture
def tenant(invoke: Invoke, sample: Callable[[str], Json], monkeypatch: pytest.MonkeyPatch) -> Project:
    found = project(invoke, sample, monkeypatch)
    found.caller.replay()
    found.at("10:29:00")
    for job, wanted in JOBS.items():
        found.job(jobId=job, jobType="Test", **wanted)
    for job, events in EVENTS.items():
        found.report(job, *events)
    found.at("10:45:33")
    return found


JOBS: dict[str, Json] = {
    SALES: {
        "jobName": "Sales Data Enrichment",
        "submittedBy": "system",
        "stages": [{"stageName": "Data Enrichment", "expectedSeconds": 2707}],
    },
    THIRD: {"stages": [{"stageName": "Work", "expectedSeconds": 900}]},
    DONE: {},
    AHEAD: {"stages": [{"stageName": "Work", "expectedSeconds": 3600}]},
    WEEKLY: {
        "jobName": "Weekly Report Generation",
        "submittedBy": "user456",
        "stages": [{"stageName": "Report", "expectedSeconds": 1500}],
    },
}
EVENTS: dict[str, list[Json]] = {
    SALES: [
        example.event("10:35:00", "jobStarted", resourcesAllocated={"cpuUnits": 3}),
        example.event("10:35:00", "stageStarted", stageName="Data Enrichment"),
        example.event("10:45:30", "progressUpdate", progress=45),
        example.event("10:45:30", "metricSample", cpuUsage=52, memoryBytes=1932735283, recordsPerSecond=890),
    ],
    THIRD: [
        example.event("10:40:00", "jobStarted", resourcesAllocated={"cpuUnits": 2.3}),
        example.event("10:40:00", "stageStarted", stageName="Work"),
    ],
    DONE: [example.event("10:30:00", "jobStarted"), example.event("10:40:00", "jobCompleted")],
}


@pytest.mark.parametrize(
    ("slots", "differences"),
    [
        # With six free slots no job would wait, so one of the two values differs.
        (3, {"/systemHealth/estimatedCapacity": "0 additional jobs"}),
        (
            9,
            {
                "/jobs/2/estimatedStartTime": "2024-01-20T10:45:33Z",
                "/jobs/2/estimatedCompletion": "2024-01-20T11:10:33Z",
            },
        ),
    ],
)
def test_the_batch_is_the_examples_but_for_what_contradicts_it(tenant: Project, slots: int, differences: Json) -> None:
    tenant.worker("worker-node-02", cores=10, slots=slots)
    found = tenant.batch(JOURNEY, SALES, WEEKLY, THIRD, DONE, includeMetrics="true")
    assert [each["jobId"] for each in found["jobs"][3:]] == [THIRD, DONE], "counted, but not shown in the example"
    shown = {**found, "jobs": found["jobs"][:3]}
    assert dict(example.differences(example.body("batch"), shown)) == {
        # By the one estimate, as in the other examples.
        "/jobs/0/estimatedCompletion": "2024-01-20T10:51:33Z",
        **differences,
    }
