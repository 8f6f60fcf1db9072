"""`GET /tracking/batch` through its handler."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.functions.conftest import Invoke
from tests.functions.project import STARTED, UNKNOWN, Project, calls, ids, pointers, project

Json = dict[str, Any]
Sample = Callable[[str], Json]


@pytest.fixture
def tenant(invoke: Invoke, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Project:
    return project(invoke, sample, monkeypatch)


def test_a_batch_answers_in_the_order_asked_each_job_once_and_names_the_unknown(tenant: Project) -> None:
    first, second = tenant.job(), tenant.job()
    shown = tenant.batch(second.upper(), UNKNOWN.upper(), first, second, f" {first}")
    assert (ids(shown["jobs"]), shown["notFound"]) == ([second, first], [UNKNOWN])
    assert (shown["jobCount"], shown["nextCursor"]) == (2, None)


def test_the_summary_is_of_the_jobs_in_the_answer(tenant: Project) -> None:
    failed = {"type": "jobFailed", "data": {"error": {"message": "boom"}}}
    lives: list[list[Any]] = [[], [STARTED], [STARTED, "jobCompleted"], [STARTED, failed], ["jobCancelled"], [STARTED]]
    made = [tenant.job() for _ in lives]
    for job, life in zip(made, lives, strict=True):
        tenant.report(job, "heartbeat", *life)
    whole = tenant.batch(*made)
    assert whole["summary"] == {"running": 2, "queued": 1, "completed": 1, "failed": 1, "cancelled": 1}
    some = tenant.batch(*made[:3], status="Queued,Completed,Cancelled")
    assert (ids(some["jobs"]), some["jobCount"], some["notFound"]) == ([made[0], made[2]], 2, [])
    assert some["summary"] == {"running": 0, "queued": 1, "completed": 1, "failed": 0, "cancelled": 0}
    assert ids(tenant.batch()["jobs"]) == made[::-1]
    assert ids(tenant.batch(status="Cancelled")["jobs"]) == [made[4]]


def test_a_batch_of_a_submitter(tenant: Project) -> None:
    mine = [tenant.job(submittedBy="me & you") for _ in range(3)]
    other = tenant.job()
    assert ids(tenant.batch(submittedBy="me & you")["jobs"]) == mine[::-1]
    assert ids(tenant.batch(other, mine[0], submittedBy="me & you")["jobs"]) == [mine[0]]
    assert tenant.batch(submittedBy="nobody")["jobCount"] == 0


def test_a_batch_is_walked_by_cursor(tenant: Project) -> None:
    made = [tenant.job() for _ in range(5)]
    found, cursor = list[str](), dict[str, str]()
    while True:
        page = tenant.batch(limit=2, **cursor)
        assert page["jobCount"] == len(page["jobs"]) <= 2
        found += ids(page["jobs"])
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert found == made[::-1]


def test_resource_usage_only_where_it_is_asked_for(tenant: Project) -> None:
    job = tenant.job()
    tenant.report(
        job,
        STARTED,
        {"type": "metricSample", "data": {"cpuUsage": 67, "memoryBytes": 2469606195, "recordsPerSecond": 1250}},
    )
    (plain,), (told,) = tenant.batch(job)["jobs"], tenant.batch(job, includeMetrics="true")["jobs"]
    assert "resourceUsage" not in plain
    assert told["resourceUsage"] == {
        "cpu": 67,
        "memory": "2.3 GB",
        "memoryBytes": 2469606195,
        "processingRate": "1250 records/second",
        "recordsPerSecond": 1250,
    }


def test_the_interval_comes_back_with_the_next_time(tenant: Project) -> None:
    answer = tenant.ask("BatchFunction", "GET", "tracking/batch", refreshInterval=90)
    body = json.loads(answer["body"])
    assert (body["trackingTime"], body["refreshInterval"], body["nextRefreshAt"]) == (
        "2024-01-20T10:30:00Z",
        90,
        "2024-01-20T10:31:30Z",
    )
    assert answer["headers"]["cache-control"] == "private, max-age=90"
    plain = tenant.batch()
    assert (plain["refreshInterval"], plain["nextRefreshAt"]) == (None, None)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"jobIds": "x"}, "/query/jobIds"),
        ({"jobIds": f"{UNKNOWN},"}, "/query/jobIds"),
        ({"jobIds": ""}, "/query/jobIds"),
        ({"jobIds": ",".join(str(uuid.UUID(int=number)) for number in range(101))}, "/query/jobIds"),
        ({"jobIds": UNKNOWN, "cursor": "x"}, "/query/jobIds"),
        ({"cursor": "x"}, "/query/cursor"),
        ({"status": "running"}, "/query/status"),
        ({"status": "Running,Gone"}, "/query/status"),
        ({"submittedBy": ""}, "/query/submittedBy"),
        ({"includeMetrics": "maybe"}, "/query/includeMetrics"),
        ({"refreshInterval": 0}, "/query/refreshInterval"),
        ({"refreshInterval": 3601}, "/query/refreshInterval"),
        ({"limit": 0}, "/query/limit"),
        ({"limit": 201}, "/query/limit"),
    ],
)
def test_a_batch_out_of_contract_is_refused(tenant: Project, query: Json, pointer: str) -> None:
    assert pointers(tenant.ask("BatchFunction", "GET", "tracking/batch", **query)) == [pointer]


def test_a_hundred_ids_cost_three_requests_and_a_query_of_the_queue(tenant: Project) -> None:
    made = [tenant.job(60) for _ in range(100)]
    for job in made[::3]:
        tenant.report(job, STARTED)
    tenant.worker("w", slots=50)
    with calls("BatchFunction") as asked:
        shown = tenant.batch(*made, includeMetrics="true")
    assert shown["jobCount"] == 100
    assert [operation for operation, _ in asked] == ["Query", "Query", "Query", "BatchGetItem"]
    (request,) = asked[-1][1]["RequestItems"].values()
    assert request["ConsistentRead"] is True
