"""`timeline` and `metrics` through their handlers: parameters, pages, languages, refusals."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from jobtrack import times
from tests import example
from tests.functions.conftest import Invoke
from tests.functions.replaying import PATTERN, Caller, caller
from tests.stack import ROOT

Json = dict[str, Any]
TIMELINE, METRICS = "job/{jobId}/timeline", "job/{jobId}/metrics"


@pytest.fixture
def api(invoke: Invoke, sample: Callable[[str], Json], monkeypatch: pytest.MonkeyPatch) -> Caller:
    """A job with few reports, read at 10:33:00."""
    found = caller(invoke, sample, monkeypatch)
    found.post("jobs", example.creation())
    moments = [f"10:{31 + index // 4}:{index % 4 * 10:02}" for index in range(8)]
    updates = [example.event(moment, "progressUpdate", progress=index) for index, moment in enumerate(moments)]
    reports = [
        example.event("10:30:00", "jobStarted"),
        example.event("10:30:00", "stageStarted", stageName="Data Loading"),
        example.event("10:30:05", "resourceAllocated", resourceType="ComputeNode", resourceId="node-2"),
        *updates,
        example.event("10:32:40", "log", level="WARN", message="slow disk", component="DataLoader"),
        example.event("10:32:50", "log", level="INFO", message="a line"),
        example.event("10:31:00", "metricSample", cpuUsage=50, recordsPerSecond=100),
        example.event("10:32:30", "metricSample", cpuUsage=67, recordsPerSecond=110),
    ]
    found.now = times.parse(example.at("10:33:00"))
    found.post("job/{jobId}/events", {"events": reports})
    return found


def kinds(shown: Json) -> list[str]:
    return [each["eventType"] for each in shown["timeline"]]


@pytest.mark.parametrize(
    ("query", "progress", "others"),
    [
        ({}, [3, 7], []),
        ({"granularity": "minutes", "includeSubEvents": "false"}, [3, 7], []),
        ({"granularity": "seconds"}, list(range(8)), []),
        ({"granularity": "major_events"}, [], []),
        ({"includeSubEvents": "true"}, [3, 7], ["ResourceAllocated", "Warning"]),
        ({"granularity": "major_events", "includeSubEvents": "True"}, [], ["ResourceAllocated", "Warning"]),
    ],
)
def test_what_a_timeline_shows(api: Caller, query: dict[str, str], progress: list[int], others: list[str]) -> None:
    status, shown = api.get(TIMELINE, **query)
    assert status == 200
    assert [each["details"]["progress"] for each in shown["timeline"] if each["eventType"] == "Progress"] == progress
    assert [kind for kind in kinds(shown) if kind != "Progress"][:3] == ["JobQueued", "JobStarted", "StageStarted"]
    assert [kind for kind in kinds(shown) if kind != "Progress"][3:] == others
    assert shown["timelineScope"]["granularity"] == query.get("granularity", "minutes")


def test_pages_go_on_forward_in_time(api: Caller) -> None:
    _, whole = api.get(TIMELINE, includeSubEvents="true")
    entries: list[Json] = []
    query = {"includeSubEvents": "true", "limit": "2"}
    while True:
        _, page = api.get(TIMELINE, **query)
        entries += page["timeline"]
        if page["nextCursor"] is None:
            break
        assert len(page["timeline"]) == 2
        query["cursor"] = page["nextCursor"]
    assert entries == whole["timeline"]


def test_the_client_chooses_the_language(api: Caller) -> None:
    told = {spoken: api.get(TIMELINE, spoken)[1] for spoken in ("ja", "en", "fr, en;q=0.5")}
    assert told["ja"]["timeline"][2]["description"] == "データローディングステージ開始"
    assert told["en"]["timeline"][2]["description"] == "Data Loading stage started"
    assert told["en"]["upcomingEvents"][-1]["description"] == "Job expected to complete"
    assert told["fr, en;q=0.5"] == told["en"]


def test_upcoming_events_are_the_estimate_of_progress(api: Caller) -> None:
    _, progress = api.get("job/{jobId}/progress")
    _, shown = api.get(TIMELINE, language="en")
    running, *pending = progress["stages"]
    assert [(each["estimatedTime"], each["description"]) for each in shown["upcomingEvents"]] == [
        (running["estimatedEndTime"], "Data Loading stage expected to complete"),
        *((each["estimatedStartTime"], f"{each['stageName']} stage expected to start") for each in pending),
        (progress["overallProgress"]["estimatedCompletion"], "Job expected to complete"),
    ]


@pytest.mark.parametrize(
    ("route", "query", "pointer"),
    [
        (TIMELINE, {"granularity": "hours"}, "/query/granularity"),
        (TIMELINE, {"includeSubEvents": "yes"}, "/query/includeSubEvents"),
        (TIMELINE, {"limit": "0"}, "/query/limit"),
        (TIMELINE, {"limit": "10001"}, "/query/limit"),
        (TIMELINE, {"cursor": "AAAA"}, "/query/cursor"),
        (METRICS, {"interval": "2m"}, "/query/interval"),
        (METRICS, {"metrics": "cpu,gpu"}, "/query/metrics"),
        (METRICS, {"metrics": ""}, "/query/metrics"),
        (METRICS, {"includeHistory": "1"}, "/query/includeHistory"),
    ],
)
def test_a_parameter_out_of_contract_is_named(api: Caller, route: str, query: dict[str, str], pointer: str) -> None:
    status, problem = api.get(route, **query)
    assert (status, problem["code"]) == (422, "unprocessable")
    assert [each["pointer"] for each in problem["errors"]] == [pointer]


@pytest.mark.parametrize("route", [TIMELINE, METRICS])
def test_answers_are_as_described(api: Caller, route: str) -> None:
    described = json.loads((ROOT / "functions/api/docs/openapi.json").read_text())
    operation = described["paths"][f"{PATTERN}/{route}"]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    validator = OAS31Validator({**schema, "components": described["components"]})
    for query in ({}, {"includeSubEvents": "true"}, {"includeHistory": "true"}, {"metrics": "disk"}):
        validator.validate(api.get(route, **query)[1])


@pytest.mark.parametrize("route", [TIMELINE, METRICS])
def test_an_unknown_job_is_not_found(invoke: Invoke, sample: Callable[[str], Json], route: str) -> None:
    assert Caller(invoke, sample).get(route)[0] == 404


def test_metrics_name_what_is_asked_for(api: Caller) -> None:
    status, shown = api.get(METRICS, metrics="cpu, throughput", interval="1m", includeHistory="true")
    assert status == 200
    assert shown["metricsCollectionTime"] == "2024-01-20T10:33:00Z"
    assert set(shown["currentMetrics"]["resourceUtilization"]) == {"cpu"}
    assert shown["historicalMetrics"] == [
        {"timestamp": "2024-01-20T10:31:00Z", "cpu": 50, "recordsPerSecond": 100, "stage": "Data Loading"},
        {"timestamp": "2024-01-20T10:33:00Z", "cpu": 67, "recordsPerSecond": 110, "stage": "Data Loading"},
    ]
    trends = {name: word for name, word in shown["performanceTrends"].items() if name.endswith("Trend")}
    assert trends == {"cpuTrend": "Rising", "throughputTrend": "Improving"}


def test_trends_need_no_history_to_be_asked_for(api: Caller) -> None:
    _, shown = api.get(METRICS, interval="1m")
    assert shown["historicalMetrics"] == []
    assert shown["performanceTrends"]["cpuTrend"] == "Rising"
    _, shown = api.get(METRICS)
    assert shown["performanceTrends"]["cpuTrend"] is None, "one bucket of five minutes has none before it"
