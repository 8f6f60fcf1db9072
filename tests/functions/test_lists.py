"""`GET /jobs` through its handler; and all reads while the index lags."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.functions.conftest import Invoke
from tests.functions.project import STARTED, Project, ids, lagging, pointers, project, shown

Json = dict[str, Any]
Sample = Callable[[str], Json]


@pytest.fixture
def tenant(invoke: Invoke, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Project:
    return project(invoke, sample, monkeypatch)


def test_a_cursor_is_of_its_own_list_and_project(tenant: Project) -> None:
    for _ in range(3):
        tenant.job()
    cursor = tenant.jobs(limit=1)["nextCursor"]
    assert pointers(tenant.ask("BatchFunction", "GET", "tracking/batch", cursor=cursor)) == ["/query/cursor"]
    assert pointers(tenant.ask("QueueFunction", "GET", "queue", cursor=cursor)) == ["/query/cursor"]
    assert pointers(tenant.ask("JobsFunction", "GET", "jobs", cursor=cursor[:-1])) == ["/query/cursor"]


def test_jobs_are_listed_as_each_is_shown(tenant: Project) -> None:
    small, large = tenant.job(metadata={"a": 1}), tenant.job(metadata={"text": "x" * 5000})
    tenant.report(small, STARTED)
    page = tenant.jobs()
    assert page == {"jobs": [shown(tenant, job) for job in (large, small)], "nextCursor": None}
    assert page["jobs"][0]["metadata"] == {"text": "x" * 5000}


def test_jobs_are_filtered(tenant: Project) -> None:
    made = [tenant.job(jobType=kind, submittedBy=who) for kind in ("A", "B") for who in ("x", "y")]
    tenant.report(made[0], STARTED)
    assert ids(tenant.jobs(status="Running")["jobs"]) == [made[0]]
    assert ids(tenant.jobs(jobType="B")["jobs"]) == [made[3], made[2]]
    assert ids(tenant.jobs(jobType="B", submittedBy="x")["jobs"]) == [made[2]]
    first, last = (shown(tenant, job)["createdAt"] for job in made[1:3])
    assert ids(tenant.jobs(**{"from": first, "to": last})["jobs"]) == [made[2], made[1]]
    assert ids(tenant.jobs(**{"from": last.replace("Z", "+00:00")})["jobs"]) == [made[3], made[2]]
    assert tenant.jobs(**{"to": "1969-01-01T00:00:00Z"})["jobs"] == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"from": "today"}, "/query/from"),
        ({"to": "2024-01-20T10:30:00"}, "/query/to"),
        ({"from": "2024-01-20T10:30:01Z", "to": "2024-01-20T10:30:00Z"}, "/query/to"),
        ({"status": ""}, "/query/status"),
        ({"jobType": "x" * 201}, "/query/jobType"),
        ({"limit": "many"}, "/query/limit"),
    ],
)
def test_a_list_out_of_contract_is_refused(tenant: Project, query: Json, pointer: str) -> None:
    assert pointers(tenant.ask("JobsFunction", "GET", "jobs", **query)) == [pointer]


def test_while_the_index_lags_reads_by_id_are_right_and_lists_only_late(tenant: Project) -> None:
    waits, runs, ends = (tenant.job(600) for _ in range(3))
    tenant.report(runs, STARTED)
    tenant.report(ends, STARTED)
    tenant.worker("w", slots=2)
    with lagging():
        tenant.report(waits, STARTED)
        tenant.report(ends, "jobCompleted")
        new = tenant.job(60)
        batch = tenant.batch(waits, runs, ends, new)
        assert [each["status"] for each in batch["jobs"]] == ["Running", "Running", "Completed", "Queued"]
        # The new job is not in the index yet, and the job that runs there has ended: the response is consistent.
        assert (batch["jobs"][3]["queuePosition"], batch["systemHealth"]["additionalJobs"]) == (1, 0)
        assert batch["jobs"][3]["estimatedStartTime"] == batch["jobs"][1]["estimatedCompletion"]
        assert [shown(tenant, job)["status"] for job in (waits, new)] == ["Running", "Queued"]
        listed = tenant.jobs()["jobs"]
        assert [(each["jobId"], each["status"]) for each in listed] == [
            (ends, "Completed"),
            (runs, "Running"),
            (waits, "Running"),
        ]
        assert ids(tenant.jobs(status="Queued")["jobs"]) == []
        assert tenant.queue()["queuedJobs"] == []
        assert tenant.queue()["summary"]["totalQueuedJobs"] == 0
    assert ids(tenant.jobs()["jobs"]) == [new, ends, runs, waits]
    assert ids(tenant.queue()["queuedJobs"]) == [new]
