"""The reads about a whole project: batch, lists, queue and workers."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from jobtrack import times
from tests import example
from tests.functions.conftest import Invoke
from tests.functions.project import Project, calls, lagging, project

Json = dict[str, Any]
Sample = Callable[[str], Json]

STARTED = {"type": "jobStarted", "data": {"resourcesAllocated": {"cpuUnits": 2}}}
UNKNOWN = str(uuid.uuid4())


@pytest.fixture
def tenant(invoke: Invoke, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Project:
    return project(invoke, sample, monkeypatch)


def ids(shown: list[Json]) -> list[str]:
    return [each["jobId"] for each in shown]


def pointers(answer: Json) -> list[str]:
    assert answer["statusCode"] == 422, answer["body"]
    return [each["pointer"] for each in json.loads(answer["body"])["errors"]]


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


def test_a_cursor_is_of_its_own_list_and_project(tenant: Project) -> None:
    for _ in range(3):
        tenant.job()
    cursor = tenant.jobs(limit=1)["nextCursor"]
    assert pointers(tenant.ask("BatchFunction", "GET", "tracking/batch", cursor=cursor)) == ["/query/cursor"]
    assert pointers(tenant.ask("QueueFunction", "GET", "queue", cursor=cursor)) == ["/query/cursor"]
    assert pointers(tenant.ask("JobsFunction", "GET", "jobs", cursor=cursor[:-1])) == ["/query/cursor"]


def test_a_hundred_ids_cost_three_requests_and_a_query_of_the_queue(tenant: Project) -> None:
    made = [tenant.job(60) for _ in range(100)]
    for job in made[::3]:
        tenant.report(job, STARTED)
    tenant.worker("w", slots=50)
    with calls("BatchFunction") as asked:
        shown = tenant.batch(*made, includeMetrics="true")
    assert shown["jobCount"] == 100
    assert [operation for operation, _ in asked] == ["BatchGetItem", "Query", "Query", "Query"]
    (request,) = asked[0][1]["RequestItems"].values()
    assert request["ConsistentRead"] is True


def test_jobs_are_listed_as_each_is_shown(tenant: Project) -> None:
    small, large = tenant.job(metadata={"a": 1}), tenant.job(metadata={"text": "x" * 5000})
    tenant.report(small, STARTED)
    page = tenant.jobs()
    assert page == {"jobs": [shown(tenant, job) for job in (large, small)], "nextCursor": None}
    assert page["jobs"][0]["metadata"] == {"text": "x" * 5000}


def shown(tenant: Project, job: str) -> Json:
    return tenant.get("JobsFunction", f"job/{job}")


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


def test_an_idle_queue(tenant: Project) -> None:
    assert tenant.queue() == {
        "queueStatus": "Idle",
        "timestamp": "2024-01-20T10:30:00Z",
        "summary": {
            "totalQueuedJobs": 0,
            "criticalPriorityJobs": 0,
            "highPriorityJobs": 0,
            "normalPriorityJobs": 0,
            "lowPriorityJobs": 0,
            "averageWaitTime": None,
            "averageWaitSeconds": None,
            "estimatedProcessingTime": "0 seconds",
            "estimatedProcessingSeconds": 0,
        },
        "processingCapacity": {"activeWorkers": 0, "maxConcurrentJobs": 0, "currentlyRunning": 0, "currentLoad": None},
        "queuedJobs": [],
        "nextCursor": None,
    }


def test_a_queue_in_full(tenant: Project) -> None:
    tenant.at("10:29:55")
    runs, low, high = (
        tenant.job(603),
        tenant.job(120, priority="Low"),
        tenant.job(300, priority="High", submittedBy="me"),
    )
    tenant.report(runs, {**STARTED, "time": "2024-01-20T10:29:58Z"})
    tenant.worker("w", slots=1)
    tenant.at("10:30:01")
    found = tenant.queue()
    assert found["queueStatus"] == "Active"
    assert found["processingCapacity"] == {
        "activeWorkers": 1,
        "maxConcurrentJobs": 1,
        "currentlyRunning": 1,
        "currentLoad": 100,
    }
    assert found["summary"] == {
        "totalQueuedJobs": 2,
        "criticalPriorityJobs": 0,
        "highPriorityJobs": 1,
        "normalPriorityJobs": 0,
        "lowPriorityJobs": 1,
        "averageWaitTime": "12.5 minutes",  # until 10:40:01 and 10:45:01
        "averageWaitSeconds": 750,
        "estimatedProcessingTime": "17 minutes",
        "estimatedProcessingSeconds": 1020,
    }
    assert found["queuedJobs"][0] == {
        "jobId": high,
        "jobName": "Job 3",
        "jobType": "Test",
        "priority": "High",
        "queuePosition": 1,
        "estimatedStartTime": "2024-01-20T10:40:01Z",
        "estimatedDuration": "5 minutes",
        "estimatedDurationSeconds": 300,
        "submittedBy": "me",
        "dateSubmitted": "2024-01-20T10:29:58Z",
    }
    assert [(each["jobId"], each["queuePosition"]) for each in found["queuedJobs"]] == [(high, 1), (low, 2)]
    batch = tenant.batch(low, high)
    assert [each["estimatedStartTime"] for each in batch["jobs"]] == [
        found["queuedJobs"][1]["estimatedStartTime"],
        found["queuedJobs"][0]["estimatedStartTime"],
    ]


def test_a_queue_is_walked_by_cursor_though_its_first_jobs_start(tenant: Project) -> None:
    made = [tenant.job(60, priority=each) for each in ("Normal", "Critical", "Low", "High", "Normal", "Critical")]
    order = [made[index] for index in (1, 5, 3, 0, 4, 2)]
    page = tenant.queue(limit=2)
    assert ids(page["queuedJobs"]) == order[:2]
    tenant.report(order[0], STARTED)
    page = tenant.queue(limit=2, cursor=page["nextCursor"])
    assert [(each["jobId"], each["queuePosition"]) for each in page["queuedJobs"]] == [(order[2], 2), (order[3], 3)]
    assert page["summary"]["totalQueuedJobs"] == 5
    page = tenant.queue(limit=2, cursor=page["nextCursor"])
    assert (ids(page["queuedJobs"]), page["nextCursor"]) == (order[4:], None)


def test_the_length_of_a_queued_job_is_known_from_past_jobs_of_its_type(tenant: Project) -> None:
    for _ in range(3):
        done = tenant.job()
        tenant.report(done, {**STARTED, "time": example.at("09:00:00")})
        tenant.report(done, {"type": "jobCompleted", "time": example.at("09:10:00"), "data": {}})
    waits = tenant.job()
    tenant.worker("w")
    (found,) = tenant.queue()["queuedJobs"]
    assert found["jobId"] == waits
    assert 594 <= found["estimatedDurationSeconds"] <= 606


def test_a_worker_lives_for_120_seconds(tenant: Project) -> None:
    start = tenant.caller.now
    tenant.worker("node-1", cores=4, slots=3)
    tenant.caller.now = start + 60 * times.SECOND
    tenant.worker("node-2", cores=2, slots=1)

    def capacity(seconds: int) -> tuple[int, int]:
        tenant.caller.now = start + seconds * times.SECOND
        found = tenant.queue()["processingCapacity"]
        return found["activeWorkers"], found["maxConcurrentJobs"]

    assert [capacity(seconds) for seconds in (60, 119, 120, 179, 180)] == [(2, 4), (2, 4), (1, 1), (1, 1), (0, 0)]
    tenant.worker("node-1", slots=5)
    assert capacity(181) == (1, 5)


@pytest.mark.parametrize("node", ["ノード 1", "a#b?c%d", "x" * 200, "😀" * 200, "..", "W#1", "%41"])
def test_a_workers_name_is_any_text_of_200_characters(tenant: Project, node: str) -> None:
    tenant.worker(node)
    tenant.worker("other")
    assert tenant.queue()["processingCapacity"]["activeWorkers"] == 2


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"cpuUnits": 0}, "/cpuUnits"),
        ({"cpuUnits": None}, "/cpuUnits"),
        ({"memoryGB": "16"}, "/memoryGB"),
        ({"memoryGB": ...}, "/memoryGB"),
        ({"maxConcurrentJobs": -1}, "/maxConcurrentJobs"),
        ({"maxConcurrentJobs": 1.5}, "/maxConcurrentJobs"),
        ({"maxConcurrentJobs": 2**33}, "/maxConcurrentJobs"),
        ({"cpuUsage": -1}, "/cpuUsage"),
        ({"memoryBytes": 2**60}, "/memoryBytes"),
    ],
)
def test_a_heartbeat_out_of_contract_is_refused(tenant: Project, change: Json, pointer: str) -> None:
    whole = {"cpuUnits": 4, "memoryGB": 16, "maxConcurrentJobs": 2, **change}
    body = {name: value for name, value in whole.items() if value is not ...}
    assert pointers(tenant.ask("WorkersFunction", "PUT", "worker/node", body)) == [pointer]
    assert tenant.queue()["processingCapacity"]["activeWorkers"] == 0


def test_a_workers_name_has_at_most_200_characters(tenant: Project) -> None:
    body = {"cpuUnits": 4, "memoryGB": 16, "maxConcurrentJobs": 2}
    assert pointers(tenant.ask("WorkersFunction", "PUT", f"worker/{'x' * 201}", body)) == ["/path/workerNode"]


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
        # The new one is not in the index yet, and what runs there has ended: the answer agrees with itself.
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
