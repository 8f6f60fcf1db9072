"""The bodies of `progress`, `job` and `logs` for a job."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from jobtrack import limits, times
from jobtrack.api.schemas.events import EventBatch
from jobtrack.domain.job import Job, Stage
from jobtrack.domain.journal.journal import Journal
from jobtrack.domain.journal.packing import pack, unpack
from jobtrack.domain.journal.records import Family, Record
from jobtrack.domain.lifecycle import apply
from jobtrack.keys import JobKey
from jobtrack.times import Micros
from jobtrack.views import job as job_view
from jobtrack.views.logs import entry, execution_metrics, levels_from, logs, summary, take_fitting_lines
from jobtrack.views.progress import progress, whole_percentage
from tests.unit.job_builders import START, at, queued, report, running

KEY = JobKey("t", "p", "cc0e8400-e29b-41d4-a716-446655440000")
GIB = 1024**3


def test_progress_of_a_stage_that_completed() -> None:
    job = running("A")
    report(job, "10:30:00", "stageStarted", stageName="A")
    report(job, "10:32:15", "stageCompleted", stageName="A", recordsProcessed=192850)
    (shown,) = progress(job, at("10:33:00"))["stages"]
    assert (shown["progress"], shown["duration"], shown["durationSeconds"]) == (100, "2 minutes 15 seconds", 135)
    assert shown["metrics"] == {"throughput": "1429 records/second"}
    report(job, "10:33:00", "stageCompleted", stageName="A", metrics={"throughput": 7})
    assert progress(job, at("10:33:00"))["stages"][0]["metrics"] == {"throughput": 7}


@pytest.mark.parametrize(("records", "took"), [(None, "10:31:00"), (5, "10:30:00")])
def test_no_throughput_without_records_or_time(records: int | None, took: str) -> None:
    job = running("A")
    report(job, "10:30:00", "stageStarted", stageName="A")
    report(job, took, "stageCompleted", stageName="A", recordsProcessed=records)
    assert progress(job, at("10:33:00"))["stages"][0]["metrics"] == {}


def test_a_failed_stage_tells_why_and_has_no_estimate() -> None:
    job = running("A", "B")
    report(job, "10:31:00", "stageFailed", stageName="A", error={"message": "disk full"})
    (shown, _) = progress(job, at("10:33:00"))["stages"]
    assert (shown["status"], shown["error"], shown["estimatedEndTime"]) == ("Failed", {"message": "disk full"}, None)


@pytest.mark.parametrize(
    ("value", "shown"), [(0, 0), (0.4, 0), (77.5, 78), (99.4, 99), (99.99, 99), (100, 100), (1e-320, 0)]
)
def test_progress_is_whole_and_100_only_when_nothing_is_left(value: float, shown: int) -> None:
    assert whole_percentage(value) == shown


def test_activity_is_the_last_said_of_each() -> None:
    job = running("A")
    report(job, "10:31:00", "progressUpdate", progress=1, component="Miner", operation="reading", details="x")
    report(job, "10:32:00", "progressUpdate", progress=2, operation="mining")
    assert progress(job, START)["currentActivity"] == {"component": "Miner", "operation": "mining", "details": "x"}


def test_usage_is_the_last_sample_of_each_figure() -> None:
    job = running()
    report(job, "10:30:00", "metricSample", cpuUsage=67, memoryBytes=round(2.3 * GIB), networkInBytes=1024)
    report(job, "10:31:00", "metricSample", cpuUsage=33.3, networkOutBytes=512, recordsPerSecond=1249.6)
    job.allocated = {"memoryGB": 4}
    assert progress(job, START)["resourceUsage"] == {
        "memoryUsage": "2.3 GB",
        "memoryUsageBytes": round(2.3 * GIB),
        "memoryLimit": "4.0 GB",
        "memoryLimitBytes": 4 * GIB,
        "cpuUsage": 33.3,
        "diskUsage": None,
        "diskUsageBytes": None,
        "networkIO": "1.5 KB",
        "networkIOBytes": 1536,
        "processingRate": "1250 records/second",
        "recordsPerSecond": 1249.6,
    }


def test_elapsed_stops_at_the_end() -> None:
    job = running()
    report(job, "10:45:33", "jobCompleted")
    for now in ("10:45:33", "23:00:00"):
        overall = progress(job, at(now))["overallProgress"]
        assert (overall["elapsedTime"], overall["estimatedRemaining"]) == ("15 minutes 33 seconds", "0 seconds")
        assert overall["estimatedCompletion"] == overall["endTime"] == "2024-01-20T10:45:33Z"


def test_the_summary_counts_what_is_sealed_and_what_is_open() -> None:
    journal, count = Journal(), 400
    for number in range(count):
        journal.append([Record(Family.INFO, Micros(START + number), number, [f"{number * 7919**5}"])], number)
    journal.append(
        [Record(Family.ERROR, Micros(START - 1), count, ["early"]), Record(Family.EVENT, Micros(0), count + 1, {})],
        count + 1,
    )
    assert journal.directory, "the tail was sealed at least once"
    told = summary(journal)
    assert (told["infoEntries"], told["errorEntries"], told["totalEntries"]) == (count, 1, count + 1)
    assert told["timeRange"] == {
        "startTime": times.render(Micros(START - 1)),
        "endTime": times.render(Micros(START + count - 1)),
    }


def test_a_level_is_a_minimum() -> None:
    assert levels_from("WARN") == (Family.WARN, Family.ERROR)
    assert [family.name for family in levels_from("DEBUG")] == ["DEBUG", "INFO", "WARN", "ERROR"]


LINES = st.lists(st.tuples(st.text(alphabet='a"\\\n界', max_size=8), st.integers(0, 20)), min_size=1, max_size=8)


@settings(max_examples=30, deadline=None)
@example([('"' * 8, 20)] * 2, True)
@given(LINES, st.booleans())
def test_a_page_fits_an_answer_of_lambdas_however_it_is_escaped(lines: list[tuple[str, int]], backward: bool) -> None:
    records = [
        Record(Family.INFO, Micros(START + place), place, [text * 20_000, "c", None, {text: repeat}])
        for place, (text, repeat) in enumerate(lines)
    ]
    records = [record for record, (_, repeat) in zip(records, lines, strict=True) for _ in range(repeat)] or records
    kept = take_fitting_lines(records, backward)
    assert kept == [entry(record) for record in (records[-len(kept) :] if backward else records[: len(kept)])]
    body = orjson.dumps(logs(running(), Journal(), kept, None, 1, START)).decode()
    assert len(kept) == 1 or len(json.dumps(body, ensure_ascii=False).encode()) < 6 * 1024 * 1024
    if len(kept) < len(records):
        more = records[-len(kept) - 1] if backward else records[len(kept)]
        body += orjson.dumps(entry(more)).decode()
        assert len(json.dumps(body, ensure_ascii=False).encode()) > limits.ANSWER_BYTES * 0.9


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
numbers = st.one_of(
    st.floats(0, limits.NUMBER), st.integers(0, limits.NUMBER), st.sampled_from([0, 5e-324, 1e-320, 99.999, 100, 2**53])
)
moments = st.sampled_from(
    ["0001-01-01T00:00:00Z", "2024-01-20T10:30:00Z", "2024-01-20T10:30:00.000001Z", "9999-12-31T23:59:59.999999Z", None]
)
plausible = st.fixed_dictionaries(
    {
        "level": st.just("INFO"),
        "message": st.text(max_size=5),
        "description": st.just("d"),
        "resourceType": st.just("t"),
        "resourceId": st.just("i"),
        "condition": st.just("c"),
        "error": st.just({"message": "m"}),
    },
    optional={
        "stageName": st.sampled_from("ABC"),
        "progress": st.one_of(st.floats(0, 100), numbers),
        "resourcesAllocated": st.fixed_dictionaries({"memoryGB": numbers}),
        **dict.fromkeys(("recordsProcessed", "totalRecords", "estimatedSeconds", "cpuUsage", "memoryBytes"), numbers),
        **dict.fromkeys(("networkInBytes", "networkOutBytes", "recordsPerSecond", "dataQualityScore"), numbers),
        **dict.fromkeys(("metrics", "details", "labels", "component", "stage", "stage_name"), json_values),
    },
)
kinds = st.sampled_from([
    "stageStarted", "stageCompleted", "stageFailed", "stageSkipped", "progressUpdate", "log", "metricSample", "quality",
    "milestone", "warning", "error", "resourceAllocated", "blocked", "heartbeat", "jobStarted", "jobCompleted",
])  # fmt: skip
plans = st.builds(Stage, st.sampled_from("AB"), expected_seconds=st.none() | numbers, weight=st.none() | numbers)


@given(
    st.lists(plans, max_size=2, unique_by=lambda stage: stage.name),
    st.tuples(moments, plausible),
    st.lists(st.tuples(kinds, moments, plausible), max_size=8),
)
def test_whatever_is_let_in_can_be_applied_stored_and_shown(
    plan: list[Stage], start: tuple[str | None, dict[str, Any]], told: list[tuple[str, str | None, dict[str, Any]]]
) -> None:
    job = queued(*plan)
    for kind, time, data in [("jobStarted", *start), ("jobStarted", None, {}), *told]:
        body = {"events": [{"type": kind, "time": time, "data": data}]}
        try:
            events = EventBatch.model_validate(body).reported(body, START)
        except ValidationError:
            continue
        if not (job.status.ended or (kind == "jobStarted" and job.started_at is not None)):
            apply(job, events, START)
    stored = unpack(pack(job), Job)
    assert stored == job
    show(stored, at("10:45:33"))


def show(job: Job, now: int) -> None:
    shown = progress(job, Micros(now))
    orjson.dumps([shown, job_view.job(KEY, job, Micros(now)), execution_metrics(job, Micros(now))])
    overall = shown["overallProgress"]
    assert overall["estimatedCompletion"] == job_view.job(KEY, job, Micros(now))["progress"]["estimatedCompletion"]
    if job.ended_at is None and overall["remainingSeconds"] is not None:
        expected = times.render(times.add_seconds(Micros(now), overall["remainingSeconds"]))
        assert overall["estimatedCompletion"] == expected
    for stage in shown["stages"]:
        assert 0 <= stage["progress"] <= 100
