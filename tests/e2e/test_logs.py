"""`GET /job/{jobId}/logs`."""

import httpx
import pytest

from jobtrack import times
from tests.e2e.reporting import Json, create, event, example, faults, got, lacking, line, messages, reported, started

LEVELS = ["DEBUG", "INFO", "WARN", "ERROR"]
ENTRIES: dict[str, tuple[str, Json]] = {
    "10:30:15": ("INFO", {"component": "DataLoader", "stage": "Initialization", "details": {"format": "CSV"}}),
    "10:32:45": ("DEBUG", {}),
    "10:38:22": ("WARN", {"details": {"affectedRecords": 125}}),
    "10:41:10": ("ERROR", {"component": "AnalyticsEngine"}),
    "10:45:33": ("INFO", {"stage": "Output Generation"}),
}


def day(clock: str) -> str:
    return f"2024-01-20T{clock}Z"


@pytest.fixture
def job(api: httpx.Client) -> str:
    """Create a job with one line for each of `ENTRIES`; its message is its time."""
    made = create(api)
    reported(api, made, *(line(clock, day(clock), level, **more) for clock, (level, more) in ENTRIES.items()))
    return made


def test_every_field_of_the_answer(api: httpx.Client, job: str) -> None:
    answer = got(api, f"/job/{job}/logs", level="DEBUG")
    assert {name: answer[name] for name in ("jobId", "jobName", "jobStatus", "nextCursor")} == {
        "jobId": job,
        "jobName": "Customer Journey Analysis",
        "jobStatus": "Queued",
        "nextCursor": None,
    }
    assert answer["logsSummary"] == {
        "totalEntries": 5,
        "debugEntries": 1,
        "infoEntries": 2,
        "warnEntries": 1,
        "errorEntries": 1,
        "timeRange": {"startTime": day("10:30:15"), "endTime": day("10:45:33")},
    }
    assert answer["logs"] == [
        {
            "timestamp": day(clock),
            "level": level,
            "component": more.get("component"),
            "stage": more.get("stage"),
            "message": clock,
            "details": more.get("details"),
            "sequence": sequence,
        }
        for sequence, (clock, (level, more)) in enumerate(ENTRIES.items(), 2)
    ]
    unknown = ("currentStage", "stageProgress", "processingRate", "memoryUsage", "cpuUsage", "estimatedCompletion")
    metrics = answer["executionMetrics"]
    assert {name: metrics[name] for name in unknown} == dict.fromkeys(unknown)
    assert metrics["overallProgress"] == 0


def test_the_examples_lines_come_back_as_they_are(api: httpx.Client) -> None:
    job, wanted = create(api), example("logs")
    told = [{name: value for name, value in each.items() if name != "timestamp"} for each in wanted["logs"]]
    reported(
        api, job, *(event("log", each["timestamp"], **data) for each, data in zip(wanted["logs"], told, strict=True))
    )
    answer = got(api, f"/job/{job}/logs")
    assert lacking(answer, wanted) == []
    assert [{name: entry[name] for name in entry if name != "sequence"} for entry in answer["logs"]] == wanted["logs"]


def test_execution_metrics_are_the_jobs_present_state(api: httpx.Client) -> None:
    job = started(api, stages=[{"stageName": "Analysis"}, {"stageName": "Output Generation"}])
    sample = {"cpuUsage": 67, "memoryBytes": round(2.3 * 1024**3), "recordsPerSecond": 1250}
    reported(
        api,
        job,
        event("stageStarted", stageName="Analysis"),
        event("stageCompleted", stageName="Analysis"),
        event("stageStarted", stageName="Output Generation"),
        event("progressUpdate", progress=78),
        event("metricSample", **sample),
    )
    metrics = got(api, f"/job/{job}/logs")["executionMetrics"]
    assert times.parse(metrics.pop("estimatedCompletion"))
    assert metrics == {
        "currentStage": "Output Generation",
        "stageProgress": 78,
        "overallProgress": 89,
        "processingRate": "1250 records/second",
        "recordsPerSecond": 1250,
        "memoryUsage": "2.3 GB",
        "memoryUsageBytes": sample["memoryBytes"],
        "cpuUsage": 67,
    }


def test_level_is_a_minimum_and_info_unless_said(api: httpx.Client, job: str) -> None:
    for least, level in enumerate(LEVELS):
        wanted = [clock for clock, (of, _) in ENTRIES.items() if LEVELS.index(of) >= least]
        assert messages(api, job, level=level) == wanted
    assert messages(api, job) == messages(api, job, level="INFO")


def test_the_summary_is_of_the_whole_job_whatever_is_asked_for(api: httpx.Client, job: str) -> None:
    whole = got(api, f"/job/{job}/logs")["logsSummary"]
    for query in ({"level": "ERROR"}, {"limit": 1}, {"fromTime": day("23:00:00")}):
        assert got(api, f"/job/{job}/logs", **query)["logsSummary"] == whole


def test_a_job_without_lines_has_no_time_range(api: httpx.Client) -> None:
    answer = got(api, f"/job/{create(api)}/logs")
    assert answer["logs"] == []
    assert answer["logsSummary"]["totalEntries"] == 0
    assert answer["logsSummary"]["timeRange"] == {"startTime": None, "endTime": None}


@pytest.mark.parametrize(
    ("query", "clocks"),
    [
        ({"fromTime": "2024-01-20T10:38:22Z"}, ["10:38:22", "10:41:10", "10:45:33"]),
        ({"fromTime": "2024-01-20T10:38:22.000001Z"}, ["10:41:10", "10:45:33"]),
        ({"toTime": "2024-01-20T10:38:22Z"}, ["10:30:15", "10:38:22"]),
        ({"toTime": "2024-01-20T10:38:21.999999Z"}, ["10:30:15"]),
        ({"fromTime": "2024-01-20T19:41:10+09:00", "toTime": "2024-01-20t05:41:10-05:00"}, ["10:41:10"]),
        ({"fromTime": "2024-01-20T10:38:22Z", "limit": 1}, ["10:45:33"]),
        ({"fromTime": "2024-01-20T10:38:22Z", "limit": 1, "direction": "forward"}, ["10:38:22"]),
        ({"fromTime": "0001-01-01T00:00:00Z", "toTime": "9999-12-31T23:59:59.999999Z", "level": "ERROR"}, ["10:41:10"]),
    ],
)
def test_times_are_inclusive_and_taken_with_any_offset(
    api: httpx.Client, job: str, query: Json, clocks: list[str]
) -> None:
    assert messages(api, job, **query) == clocks


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"level": "info"}, "/query/level"),
        ({"level": "TRACE"}, "/query/level"),
        ({"fromTime": "2024-01-20T10:30:00"}, "/query/fromTime"),
        ({"toTime": "2024-01-20"}, "/query/toTime"),
        ({"toTime": "2024-02-30T00:00:00Z"}, "/query/toTime"),
        ({"fromTime": "2024-01-20T10:30:01Z", "toTime": "2024-01-20T10:30:00Z"}, "/query"),
        ({"limit": 0}, "/query/limit"),
        ({"limit": 10001}, "/query/limit"),
        ({"limit": "many"}, "/query/limit"),
        ({"limit": 1.5}, "/query/limit"),
        ({"direction": "up"}, "/query/direction"),
        ({"cursor": "x"}, "/query/cursor"),
    ],
)
def test_a_question_out_of_contract_is_pointed_at(api: httpx.Client, job: str, query: Json, pointer: str) -> None:
    assert set(faults(api.get(f"/job/{job}/logs", params=query))) == {pointer}


def test_the_newest_lines_or_forward_the_oldest_ascending_either_way(api: httpx.Client, job: str) -> None:
    clocks = list(ENTRIES)
    assert messages(api, job, level="DEBUG", limit=2) == clocks[-2:]
    assert messages(api, job, level="DEBUG", limit=2, direction="forward") == clocks[:2]


def test_lines_ascend_by_time_then_by_sequence(api: httpx.Client) -> None:
    job = create(api)
    clocks = ["10:30:02", "10:30:01", "10:30:02", "10:30:00.5", "10:30:00.500001", "10:30:01"]
    reported(api, job, *(line(f"{number}", day(clock)) for number, clock in enumerate(clocks)))
    assert messages(api, job) == ["3", "4", "1", "5", "0", "2"]
    shown = [entry["timestamp"] for entry in got(api, f"/job/{job}/logs")["logs"]]
    assert shown[:2] == ["2024-01-20T10:30:00.5Z", "2024-01-20T10:30:00.500001Z"]


def test_a_line_without_a_time_bears_that_of_its_arrival(api: httpx.Client) -> None:
    job = create(api)
    reported(api, job, line("now"))
    (entry,) = got(api, f"/job/{job}/logs")["logs"]
    shown = got(api, f"/job/{job}")
    assert shown["createdAt"] <= entry["timestamp"] <= shown["lastUpdated"]
