"""`GET /job/{jobId}/progress`."""

from datetime import UTC, datetime

import httpx
import pytest

from jobtrack import times
from tests.e2e.reporting import create, event, example, got, lacking, line, reported, stage, started

GIB, MIB = 1024**3, 1024**2
PLAN = ["Data Loading", "Process Discovery", "Performance Analysis", "Report Generation"]
EXAMPLE = example("progress")


def like_the_example(api: httpx.Client) -> str:
    """A job as in the specification's example; its last stages began when it was read."""
    job = create(api, stages=[{"stageName": name} for name in PLAN])
    loaded = {"dataValidated": True, "errorsFound": 0}
    allocated = {"cpuUnits": 2, "memoryGB": 4, "workerNode": "worker-node-02"}
    metrics = {name: dict(EXAMPLE["stages"][place]["metrics"]) for place, name in enumerate(PLAN[:3])}
    activity, discovered = EXAMPLE["currentActivity"], {**metrics[PLAN[1]], "throughput": "own"}
    reported(
        api,
        job,
        event("jobStarted", "2024-01-20T10:30:00Z", resourcesAllocated=allocated),
        stage("stageStarted", "10:30:00", PLAN[0]),
        stage("stageCompleted", "10:32:15", PLAN[0], recordsProcessed=192850, metrics=loaded),
        stage("stageStarted", "10:32:15", PLAN[1]),
        stage("stageCompleted", "10:41:30", PLAN[1], recordsProcessed=192850, metrics=discovered),
        stage("stageStarted", "10:41:30", PLAN[2], metrics=metrics[PLAN[2]]),
        event("progressUpdate", progress=78, recordsProcessed=150243, totalRecords=192850, **activity),
        event(
            "metricSample",
            cpuUsage=67,
            memoryBytes=round(2.3 * GIB),
            diskUsedBytes=890 * MIB,
            networkInBytes=5 * MIB,
            networkOutBytes=7 * MIB,
            recordsPerSecond=1250,
        ),
        event("quality", dataQualityScore=94.8, validationsPassed=15, validationsFailed=1),
        *(line("careful", level="WARN") for _ in range(10)),
        event("warning", description="careful"),
        line("wrong", level="ERROR"),
        event("error", description="wrong"),
    )
    return job


def test_every_field_of_the_example_is_there_with_its_name_nesting_and_type(api: httpx.Client) -> None:
    shape = {**EXAMPLE, "stages": [{**each, "metrics": {}} for each in EXAMPLE["stages"]]}
    assert lacking(got(api, f"/job/{like_the_example(api)}/progress"), shape) == []
    assert lacking(got(api, f"/job/{create(api, stages=[{'stageName': name} for name in PLAN])}/progress"), shape) == []


def test_the_examples_figures(api: httpx.Client) -> None:
    job = like_the_example(api)
    shown = got(api, f"/job/{job}/progress")
    for name in ("currentActivity", "qualityMetrics"):
        assert shown[name] == EXAMPLE[name]
    assert {name: shown["resourceUsage"][name] for name in EXAMPLE["resourceUsage"]} == EXAMPLE["resourceUsage"]
    assert shown["resourceUsage"]["networkIOBytes"] == 12 * MIB
    assert (shown["jobId"], shown["stalled"], shown["lastSequence"]) == (job, False, 23)
    first, second, third, last = shown["stages"]
    assert {name: first[name] for name in EXAMPLE["stages"][0] if name != "metrics"} == {
        name: value for name, value in EXAMPLE["stages"][0].items() if name != "metrics"
    }
    assert first["metrics"] == {"throughput": "1429 records/second", "dataValidated": True, "errorsFound": 0}
    assert first["durationSeconds"] == 135
    assert second["metrics"]["throughput"] == "own", "what the worker says goes"
    known = (
        "stageName",
        "stageOrder",
        "status",
        "progress",
        "startTime",
        "recordsProcessed",
        "totalRecords",
        "metrics",
    )
    assert {name: third[name] for name in known} == {name: EXAMPLE["stages"][2][name] for name in known}
    assert (last["status"], last["progress"], last["startTime"]) == ("Pending", 0, None)
    assert shown["overallProgress"]["percentage"] == 69


def test_now_and_what_remains_make_the_estimated_completion(api: httpx.Client) -> None:
    job = create(api, stages=[{"stageName": name, "expectedSeconds": 60} for name in "ABC"])
    start = times.add_seconds(times.whole(times.now()), -30)
    began = times.render(start)
    reported(api, job, event("jobStarted", began), event("stageStarted", began, stageName="A"))
    reported(api, job, event("progressUpdate", progress=50))
    shown = got(api, f"/job/{job}/progress")
    overall = shown["overallProgress"]
    now = start + overall["elapsedSeconds"] * times.SECOND
    assert overall["startTime"] == began
    assert times.parse(overall["estimatedCompletion"]) == now + overall["remainingSeconds"] * times.SECOND
    assert 150 <= overall["elapsedSeconds"] + overall["remainingSeconds"] <= 200
    a, b, c = shown["stages"]
    assert a["estimatedEndTime"] == b["estimatedStartTime"]
    assert b["estimatedEndTime"] == c["estimatedStartTime"]
    assert c["estimatedEndTime"] == overall["estimatedCompletion"]
    assert got(api, f"/job/{job}")["progress"]["percentage"] == overall["percentage"] == 16


def test_a_job_that_waits_knows_of_no_times(api: httpx.Client) -> None:
    shown = got(api, f"/job/{create(api, stages=[{'stageName': 'A'}])}/progress")
    names = ("startTime", "elapsedTime", "estimatedRemaining", "estimatedCompletion")
    assert {name: shown["overallProgress"][name] for name in names} == dict.fromkeys(names)
    assert (shown["status"], shown["overallProgress"]["percentage"]) == ("Queued", 0)


@pytest.mark.parametrize(
    ("end", "status", "running", "pending", "percentage"),
    [
        ("jobCompleted", "Completed", "Completed", "Skipped", 100),
        ("jobFailed", "Failed", "Failed", "Pending", 40),
        ("jobCancelled", "Cancelled", "Failed", "Pending", 40),
    ],
)
def test_an_ended_job_stands_still(
    api: httpx.Client, end: str, status: str, running: str, pending: str, percentage: int
) -> None:
    job = create(api, stages=[{"stageName": "A"}, {"stageName": "B"}])
    error = {"error": {"message": "boom"}} if end == "jobFailed" else {}
    reported(
        api,
        job,
        event("jobStarted", "2024-01-20T10:30:00Z"),
        stage("stageStarted", "10:30:00", "A"),
        event("progressUpdate", progress=80),
        event(end, "2024-01-20T10:45:33Z", **error),
    )
    shown = got(api, f"/job/{job}/progress")
    assert shown["overallProgress"] == {
        "percentage": percentage,
        "startTime": "2024-01-20T10:30:00Z",
        "endTime": "2024-01-20T10:45:33Z",
        "elapsedTime": "15 minutes 33 seconds",
        "elapsedSeconds": 933,
        "estimatedRemaining": "0 seconds",
        "remainingSeconds": 0,
        "estimatedCompletion": "2024-01-20T10:45:33Z",
    }
    assert [each["status"] for each in shown["stages"]] == [running, pending]
    assert (shown["status"], shown["stages"][0]["endTime"]) == (status, "2024-01-20T10:45:33Z")
    reported(api, job, line("late", level="ERROR"))
    late = got(api, f"/job/{job}/progress")
    assert late["overallProgress"] == shown["overallProgress"]
    assert late["qualityMetrics"]["errorsEncountered"] == 1


def test_a_job_that_failed_before_it_started_never_ran(api: httpx.Client) -> None:
    job = create(api, stages=[{"stageName": "A"}])
    reported(api, job, event("jobFailed", "2024-01-20T10:45:33Z", error={"message": "no worker"}))
    shown = got(api, f"/job/{job}/progress")
    assert (shown["overallProgress"]["startTime"], shown["overallProgress"]["elapsedTime"]) == (None, None)
    assert shown["overallProgress"]["estimatedCompletion"] == "2024-01-20T10:45:33Z"
    assert got(api, f"/job/{job}")["error"] == {"message": "no worker"}


def test_times_are_taken_with_any_offset_and_answered_in_utc(api: httpx.Client) -> None:
    job = create(api)
    moments = {
        "2024-01-20T19:30:00+09:00": "2024-01-20T10:30:00Z",
        "2024-01-20t10:30:00.5z": "2024-01-20T10:30:00.5Z",
        "2024-02-29 23:59:59.1234567-23:59": "2024-03-01T23:58:59.123456Z",
        "2016-12-31T23:59:60Z": "2016-12-31T23:59:59Z",
    }
    reported(api, job, *(line(shown, given) for given, shown in moments.items()))
    entries = got(api, f"/job/{job}/logs")["logs"]
    assert len(entries) == len(moments)
    assert all(entry["timestamp"] == entry["message"] for entry in entries)


def test_what_happened_just_now_is_dated_now(api: httpx.Client) -> None:
    before = datetime.now(UTC)
    shown = got(api, f"/job/{started(api)}/progress")
    start = datetime.fromisoformat(shown["overallProgress"]["startTime"])
    assert before <= start <= datetime.now(UTC)
