"""`POST /job/{jobId}/events`: what a worker may report, when, and in which order."""

from uuid import uuid4

import httpx
import pytest

from tests.e2e.reporting import (
    SAMPLES,
    Json,
    create,
    event,
    faults,
    got,
    line,
    messages,
    post,
    problem,
    report,
    reported,
    started,
)

MOVES = {"jobStarted": "Running", "jobCompleted": "Completed", "jobFailed": "Failed", "jobCancelled": "Cancelled"}
WAYS = {
    "Queued": [],
    "Running": ["jobStarted"],
    "Completed": ["jobStarted", "jobCompleted"],
    "Failed": ["jobFailed"],
    "Cancelled": ["jobStarted", "jobCancelled"],
}
ALLOWED = {
    "Queued": {"jobStarted", "jobFailed", "jobCancelled"},
    "Running": {"jobCompleted", "jobFailed", "jobCancelled"},
}
STAGE_EVENTS = ["stageStarted", "stageCompleted", "stageFailed", "stageSkipped", "progressUpdate"]
WHILE_QUEUED = [
    "log", "metricSample", "quality", "milestone", "warning", "error", "heartbeat",
    "resourceAllocated", "resourceReleased", "blocked", "unblocked",
]  # fmt: skip
LATE = {"log", "metricSample", "quality"}


def in_status(api: httpx.Client, status: str) -> str:
    job = create(api)
    if WAYS[status]:
        reported(api, job, *map(event, WAYS[status]))
    return job


def standing(api: httpx.Client, job: str) -> tuple[str, int]:
    shown = got(api, f"/job/{job}")
    return shown["status"], shown["lastSequence"]


def test_every_type_of_event_is_taken_and_numbered_without_gaps(api: httpx.Client) -> None:
    job = create(api)
    assert reported(api, job, event("jobStarted")) == 2
    assert reported(api, job, *(event(kind) for kind in [*STAGE_EVENTS, *WHILE_QUEUED])) == 18
    assert reported(api, job, event("jobCompleted", metrics={"models": 3})) == 19
    assert standing(api, job) == ("Completed", 19)


@pytest.mark.parametrize("status", WAYS)
def test_each_move_is_allowed_or_refused_with_both_states_named(api: httpx.Client, status: str) -> None:
    for kind, target in MOVES.items():
        job = in_status(api, status)
        before = standing(api, job)
        answer = report(api, job, event(kind))
        if kind in ALLOWED.get(status, ()):
            assert answer.status_code == 202
            assert standing(api, job) == (target, before[1] + 1)
        else:
            detail = problem(answer, 409, "invalid_transition")["detail"]
            assert f"from {status} to {target}" in detail
            assert standing(api, job) == before


@pytest.mark.parametrize("status", [status for status in WAYS if status != "Running"])
def test_stages_and_progress_need_a_job_that_runs(api: httpx.Client, status: str) -> None:
    job = in_status(api, status)
    for kind in STAGE_EVENTS:
        detail = problem(report(api, job, event(kind)), 409, "invalid_transition")["detail"]
        assert "Running" in detail
        assert status in detail


def test_what_needs_no_running_job_is_taken_while_queued(api: httpx.Client) -> None:
    job = create(api)
    assert reported(api, job, *map(event, WHILE_QUEUED)) == 1 + len(WHILE_QUEUED)
    assert standing(api, job)[0] == "Queued"


@pytest.mark.parametrize("status", ["Completed", "Failed", "Cancelled"])
def test_after_the_end_only_logs_quality_and_samples_are_taken(api: httpx.Client, status: str) -> None:
    job = in_status(api, status)
    last = reported(api, job, *map(event, LATE))
    for kind in set(WHILE_QUEUED) - LATE:
        assert status in problem(report(api, job, event(kind)), 409, "invalid_transition")["detail"]
    assert standing(api, job) == (status, last)
    assert messages(api, job) == ["a line"]


@pytest.mark.parametrize(
    ("bad", "pointer"),
    [
        ({"type": "log", "data": {"level": "INFO"}}, "/events/2/data/message"),
        ({"type": "log", "data": {"level": "TRACE", "message": "m"}}, "/events/2/data/level"),
        ({"type": "log"}, "/events/2/data"),
        ({"type": "log", "data": None}, "/events/2/data"),
        ({"type": "log", "data": {"level": "INFO", "message": "m"}, "time": "2024-01-20T10:30:00"}, "/events/2/time"),
        ({"type": "log", "log": {"message": 1}, "data": {"level": "INFO", "message": 1}}, "/events/2/data/message"),
        ({"type": "jobQueued", "data": {}}, "/events/2/type"),
        ({"type": "jobStalled", "data": {}}, "/events/2/type"),
        ({"data": {}}, "/events/2/type"),
        ({"type": ["log"], "data": {}}, "/events/2/type"),
        ("log", "/events/2"),
        ({"type": "stageStarted", "data": {"stage_name": "by our own name"}}, "/events/2/data/stageName"),
        ({"type": "stageFailed", "data": {"stageName": "A", "error": {}}}, "/events/2/data/error/message"),
        ({"type": "stageFailed", "data": {"stageName": "A", "error": "text"}}, "/events/2/data/error"),
        ({"type": "stageCompleted", "data": {"stageName": "A", "metrics": [1]}}, "/events/2/data/metrics"),
        ({"type": "progressUpdate", "data": {"stageName": "A"}}, "/events/2/data"),
        ({"type": "progressUpdate", "data": {"progress": "78"}}, "/events/2/data/progress"),
        ({"type": "progressUpdate", "data": {"progress": True}}, "/events/2/data/progress"),
        ({"type": "progressUpdate", "data": {"progress": 100.1}}, "/events/2/data/progress"),
        ({"type": "progressUpdate", "data": {"progress": -1}}, "/events/2/data/progress"),
        ({"type": "progressUpdate", "data": {"recordsProcessed": 1.5}}, "/events/2/data/recordsProcessed"),
        ({"type": "progressUpdate", "data": {"progress": 1, "details": [1]}}, "/events/2/data/details"),
        ({"type": "metricSample", "data": {"memoryBytes": -1}}, "/events/2/data/memoryBytes"),
        ({"type": "metricSample", "data": {"memoryBytes": 10**30}}, "/events/2/data/memoryBytes"),
        ({"type": "metricSample", "data": {"cpuUsage": 1e300}}, "/events/2/data/cpuUsage"),
        ({"type": "quality", "data": {"dataQualityScore": 101}}, "/events/2/data/dataQualityScore"),
        ({"type": "milestone", "data": {}}, "/events/2/data/description"),
        ({"type": "resourceAllocated", "data": {"resourceId": "x"}}, "/events/2/data/resourceType"),
        ({"type": "blocked", "data": {}}, "/events/2/data/condition"),
        ({"type": "jobFailed", "data": {}}, "/events/2/data/error"),
    ],
)
def test_one_bad_event_stores_nothing(api: httpx.Client, bad: dict[str, object], pointer: str) -> None:
    job = started(api)
    answer = report(api, job, line("good"), event("stageStarted"), bad, event("jobCompleted"))
    assert set(faults(answer)) == {pointer}
    assert standing(api, job) == ("Running", 2)
    assert messages(api, job) == []


def test_one_event_at_the_wrong_time_stores_nothing(api: httpx.Client) -> None:
    job = started(api)
    answer = report(api, job, line("good"), event("jobCompleted"), event("progressUpdate"))
    assert problem(answer, 409, "invalid_transition")["errors"][0]["pointer"] == "/events/2"
    assert standing(api, job) == ("Running", 2)
    assert messages(api, job) == []


def test_the_order_in_a_batch_is_the_order_of_sequences(api: httpx.Client) -> None:
    job = create(api)
    reported(api, job, line("1"), event("jobStarted"), line("2"), event("jobCancelled"), line("3"))
    entries = got(api, f"/job/{job}/logs")["logs"]
    assert [(entry["message"], entry["sequence"]) for entry in entries] == [("1", 2), ("2", 4), ("3", 6)]


@pytest.mark.parametrize("kind", ["jobStarted", "heartbeat"])
def test_an_event_that_needs_no_data_may_come_without(api: httpx.Client, kind: str) -> None:
    bare: Json
    for bare in ({"type": kind}, {"type": kind, "data": None}, {"type": kind, "data": {}, "time": None}):
        assert reported(api, create(api), bare) == 2


def test_null_in_data_is_as_good_as_left_out(api: httpx.Client) -> None:
    job = started(api)
    left_out = dict.fromkeys(("recordsProcessed", "totalRecords", "metrics", "error"))
    reported(
        api,
        job,
        event("stageStarted", stageName="A", **left_out),
        event("progressUpdate", progress=30, stageName=None, recordsProcessed=None, component=None, details=None),
        line("bare", component=None, stage=None, details=None),
        event("metricSample", cpuUsage=None, memoryBytes=5),
        event("quality", dataQualityScore=None, validationsPassed=2),
    )
    shown = got(api, f"/job/{job}/progress")
    assert (shown["stages"][0]["progress"], shown["stages"][0]["recordsProcessed"]) == (30, None)
    assert (shown["resourceUsage"]["cpuUsage"], shown["resourceUsage"]["memoryUsage"]) == (None, "5 B")
    assert (shown["qualityMetrics"]["dataQualityScore"], shown["qualityMetrics"]["validationsPassed"]) == (None, 2)


def test_members_unknown_to_us_do_no_harm(api: httpx.Client) -> None:
    job = create(api)
    odd = {"error": "none", "progress": "half", "stageName": 5, "labels": [], "time": 1}
    for kind in ("jobStarted", "milestone", "warning", "metricSample", "quality", "heartbeat"):
        reported(api, job, event(kind, **SAMPLES.get(kind, {}), **odd))
    reported(api, job, event("stageStarted", stageName="A", progress="half", labels=[], time=1))
    reported(api, job, event("jobCancelled", **odd))
    assert got(api, f"/job/{job}")["error"] is None
    assert got(api, f"/job/{job}/progress")["status"] == "Cancelled"


def test_a_job_that_does_not_exist_is_not_found(api: httpx.Client) -> None:
    for path in ("", "/logs", "/progress"):
        problem(api.get(f"/job/{uuid4()}{path}"), 404, "not_found")
    problem(report(api, str(uuid4()), event("heartbeat")), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [(b"{}", "/events"), (b'{"events": {}}', "/events"), (b'{"events": []}', "/events"), (b"[]", ""), (b"null", "")],
)
def test_a_body_that_is_no_batch_is_pointed_at(api: httpx.Client, body: bytes, pointer: str) -> None:
    job = create(api)
    assert set(faults(post(api, f"/job/{job}/events", body))) == {pointer}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"])
def test_another_kind_of_body_is_415(api: httpx.Client, kind: str) -> None:
    job = create(api)
    problem(
        post(api, f"/job/{job}/events", b'{"events": [{"type": "heartbeat"}]}', kind=kind),
        415,
        "unsupported_media_type",
    )
    assert standing(api, job) == ("Queued", 1)


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json"])
def test_json_by_any_of_its_names_is_taken(api: httpx.Client, kind: str) -> None:
    job = create(api)
    assert post(api, f"/job/{job}/events", b'{"events": [{"type": "heartbeat"}]}', kind=kind).status_code == 202
