"""The values of `progress` after reports: percentages, retries, and values at the limits."""

import random

import httpx
import pytest

from tests.e2e.reporting import Json, create, event, got, reported, stage, started


def percentage(api: httpx.Client, job: str) -> int:
    found = got(api, f"/job/{job}/progress")["overallProgress"]["percentage"]
    assert isinstance(found, int)
    return found


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ([{}, {}, {}, {}], 25),
        ([{"weight": 1}, {"weight": 9}, {}, {}], 5),
        ([{"expectedSeconds": 80}, {"expectedSeconds": 10}, {"expectedSeconds": 5}, {"expectedSeconds": 5}], 80),
        ([{"weight": 1, "expectedSeconds": 90}, {"weight": 1}, {"weight": 1}, {"weight": 1}], 25),
        ([{"expectedSeconds": 60}, {"expectedSeconds": 20}, {}, {}], 37),
    ],
)
def test_percentage_goes_by_weight_then_by_plan_then_equally(
    api: httpx.Client, plan: list[Json], expected: int
) -> None:
    job = started(api, stages=[{"stageName": name, **each} for name, each in zip("ABCD", plan, strict=True)])
    reported(api, job, event("stageCompleted", stageName="A"))
    assert percentage(api, job) == expected


def test_percentage_never_goes_down_and_is_100_only_when_completed(api: httpx.Client) -> None:
    job = started(api, stages=[{"stageName": "A"}])
    reported(api, job, event("progressUpdate", stageName="A", progress=60))
    reported(api, job, event("progressUpdate", stageName="A", progress=40))
    assert percentage(api, job) == 60
    reported(api, job, event("stageStarted", stageName="B"))
    assert percentage(api, job) == 60
    reported(api, job, event("stageCompleted", stageName="A"), event("stageCompleted", stageName="B"))
    assert percentage(api, job) == 99
    reported(api, job, event("jobCompleted"))
    assert percentage(api, job) == 100


def test_progress_without_stages_is_the_whole_jobs(api: httpx.Client) -> None:
    job = started(api, totalRecords=200)
    reported(api, job, event("progressUpdate", recordsProcessed=90))
    assert percentage(api, job) == 45
    reported(api, job, event("progressUpdate", progress=78.9))
    shown = got(api, f"/job/{job}/progress")
    assert (shown["overallProgress"]["percentage"], shown["stages"]) == (78, [])


@pytest.mark.parametrize(
    ("data", "progress", "records", "total"),
    [
        ({"recordsProcessed": 150243, "totalRecords": 192850}, 78, 150243, 192850),
        ({"progress": 50, "recordsProcessed": 9, "totalRecords": 10}, 50, 9, 10),
        ({"recordsProcessed": 9}, 0, 9, None),
        ({"recordsProcessed": 11, "totalRecords": 10}, 100, 11, 10),
        ({"recordsProcessed": 0, "totalRecords": 0}, 0, 0, 0),
        ({"progress": 99.9}, 99, None, None),
        ({"progress": 1e-320}, 0, None, None),
    ],
)
def test_progress_is_as_reported_or_by_records(
    api: httpx.Client, data: Json, progress: int, records: int | None, total: int | None
) -> None:
    job = started(api)
    reported(api, job, event("stageStarted", stageName="A"), event("progressUpdate", **data))
    (shown,) = got(api, f"/job/{job}/progress")["stages"]
    assert (shown["progress"], shown["recordsProcessed"], shown["totalRecords"]) == (progress, records, total)


def test_a_stage_may_be_retried_and_complete_without_having_started(api: httpx.Client) -> None:
    job = started(api)
    failed = {"message": "no memory", "deep": {"trace": ["a", {"line": 7}]}}
    reported(api, job, stage("stageStarted", "10:00:00", "A"), stage("stageFailed", "10:01:00", "A", error=failed))
    reported(api, job, stage("stageCompleted", "10:02:00", "B", recordsProcessed=5))
    first, second = got(api, f"/job/{job}/progress")["stages"]
    assert (first["status"], first["error"], first["duration"]) == ("Failed", failed, "1 minute")
    assert (second["status"], second["duration"], second["metrics"]) == ("Completed", "0 seconds", {})
    reported(api, job, stage("stageStarted", "10:03:00", "A"))
    again, _ = got(api, f"/job/{job}/progress")["stages"]
    assert (again["status"], again["error"], again["startTime"]) == ("Running", None, "2024-01-20T10:03:00Z")
    assert (again["progress"], again["endTime"], again["duration"]) == (0, None, None)


def test_long_errors_of_many_stages_are_kept_until_the_stage_is_tried_again(api: httpx.Client) -> None:
    errors = {f"{n}": {"message": f"{random.Random(n).getrandbits(40_000):x}", "code": n} for n in range(200)}
    job, names = started(api), list(errors)
    for first in range(0, 200, 50):
        batch = names[first : first + 50]
        reported(api, job, *(event("stageFailed", stageName=name, error=errors[name]) for name in batch))
    reported(
        api, job, event("stageStarted", stageName="7"), event("stageFailed", stageName="8", error={"message": "short"})
    )
    shown = {stage["stageName"]: stage["error"] for stage in got(api, f"/job/{job}/progress")["stages"]}
    assert shown == errors | {"7": None, "8": {"message": "short"}}


def test_clocks_that_run_backwards_make_no_negative_times(api: httpx.Client) -> None:
    job = create(api)
    reported(
        api,
        job,
        event("jobStarted", "2024-01-20T10:30:00Z"),
        stage("stageStarted", "10:30:00", "A"),
        stage("stageCompleted", "10:00:00", "A"),
        event("jobCompleted", "2024-01-20T10:00:00Z"),
    )
    shown = got(api, f"/job/{job}/progress")
    assert (shown["overallProgress"]["elapsedTime"], shown["stages"][0]["duration"]) == ("0 seconds", "0 seconds")


@pytest.mark.parametrize("began", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
@pytest.mark.parametrize("plan", [{}, {"expectedSeconds": 2**53}, {"expectedSeconds": 5e-324}])
def test_no_time_and_no_plan_is_too_far(api: httpx.Client, began: str, plan: Json) -> None:
    job = create(api, stages=[{"stageName": name, **plan} for name in "ABC"])
    reported(api, job, event("jobStarted", began, estimatedSeconds=2**53), event("stageStarted", began, stageName="A"))
    reported(api, job, event("stageCompleted", stageName="A"), event("progressUpdate", stageName="B", progress=1e-9))
    for path in ("", "/progress", "/logs"):
        got(api, f"/job/{job}{path}")


def test_the_greatest_figures_add_up(api: httpx.Client) -> None:
    job = started(api)
    greatest = event("metricSample", cpuUsage=2**53, memoryBytes=2**53, recordsPerSecond=2**53, networkInBytes=2**53)
    for _ in range(5):
        reported(api, job, *[greatest] * 500)
    usage = got(api, f"/job/{job}/progress")["resourceUsage"]
    assert (usage["memoryUsageBytes"], usage["memoryUsage"]) == (2**53, "8.0 PB")
