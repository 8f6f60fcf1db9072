"""`GET /queue` and `PUT /worker/{workerNode}` through their handlers."""

from collections.abc import Callable
from typing import Any

import pytest

from jobtrack import limits, times
from tests import example
from tests.functions.conftest import Invoke
from tests.functions.project import STARTED, Project, calls, ids, pointers, project

Json = dict[str, Any]
Sample = Callable[[str], Json]


@pytest.fixture
def tenant(invoke: Invoke, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Project:
    return project(invoke, sample, monkeypatch)


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


def walk_queue(tenant: Project) -> list[tuple[str, int]]:
    """Return the jobs of all pages and their positions."""
    found, cursor = list[tuple[str, int]](), dict[str, str]()
    while True:
        page = tenant.queue(limit=2, **cursor)
        found += [(job["jobId"], job["queuePosition"]) for job in page["queuedJobs"]]
        if page["nextCursor"] is None:
            return found
        cursor = {"cursor": page["nextCursor"]}


PRIORITIES = ("Normal", "Critical", "Low", "High", "Normal", "Low", "Normal", "Critical", "Normal", "Low")
ORDER = (1, 7, 3, 0, 4, 6, 8, 2, 5, 9)


@pytest.mark.parametrize("first", [1, 3, 4, 9, 10])
def test_a_queue_that_is_not_read_as_a_whole_has_the_same_order_and_sums(
    tenant: Project, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    created = [tenant.job(60, priority=priority) for priority in PRIORITIES]
    order = [created[place] for place in ORDER]
    running = [tenant.job(60) for _ in range(2)]
    for job in running:
        tenant.report(job, STARTED)
    tenant.worker("w", cores=8, slots=2)
    whole, whole_batch = tenant.queue(), tenant.batch(*created, running[1])
    monkeypatch.setattr(limits, "FORECAST_JOBS", first)
    found = walk_queue(tenant)
    assert [job for job, _ in found] == order
    positions = [position for _, position in found]
    assert positions[:first] == list(range(1, first + 1))
    assert positions == sorted(positions)
    page = tenant.queue()
    for name in (
        "totalQueuedJobs",
        "criticalPriorityJobs",
        "highPriorityJobs",
        "normalPriorityJobs",
        "lowPriorityJobs",
    ):
        assert page["summary"][name] == whole["summary"][name]
    assert page["processingCapacity"] == whole["processingCapacity"]
    batch = tenant.batch(*created, running[1])
    assert batch["systemHealth"] == whole_batch["systemHealth"]
    assert {job["jobId"]: job["queuePosition"] for job in batch["jobs"]} == {**dict(found), running[1]: None}
    assert all(job["estimatedStartTime"] for job in batch["jobs"][:-1])
    assert tenant.batch(limit=4)["jobs"][2:] == batch["jobs"][9:7:-1]


def test_a_new_job_comes_after_all_of_its_priority(tenant: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FORECAST_JOBS", 2)
    for priority in PRIORITIES:
        tenant.job(60, priority=priority)
    new = [create_job(tenant, priority) for priority in ("Critical", "High", "Normal", "Low")]
    assert new == [3, 5, 10, 14]


def create_job(tenant: Project, priority: str) -> int:
    body = {"jobName": "New", "jobType": "Test", "priority": priority}
    return int(tenant.caller.post("jobs", body)["queuePosition"])


def test_a_response_reads_no_more_of_a_long_queue(tenant: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FORECAST_JOBS", 3)
    for number in range(12):
        tenant.job(60, priority=PRIORITIES[number % 4])
    with calls("QueueFunction") as asked:
        tenant.queue(limit=2)
    assert [(operation, params.get("Limit")) for operation, params in asked] == [
        ("Query", None),  # counters and workers
        ("Query", 4),
        ("Query", 4),
        ("BatchGetItem", None),
    ]
    with calls("JobsFunction") as asked:
        tenant.job(60)
    assert [operation for operation, _ in asked] == ["Query", "Query", "TransactWriteItems"]
    assert all("IndexName" not in params for _, params in asked)


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
