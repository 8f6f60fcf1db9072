"""The timeline against plain lists, and its contents for each kind of job."""

import random
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from jobtrack import limits, times
from jobtrack.api.schemas.events import EventBatch
from jobtrack.domain.estimate import estimate
from jobtrack.domain.event_text import Language
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job, Stage
from jobtrack.domain.journal.progress_minutes import without_replaced
from jobtrack.domain.journal.records import Family, Record
from jobtrack.domain.lifecycle import apply
from jobtrack.domain.stalled import mark_stalled
from jobtrack.domain.timeline import Granularity, Scope
from jobtrack.errors import InvalidTransition
from jobtrack.store.snapshots import Snapshot
from jobtrack.store.timeline import TimelineReader
from jobtrack.times import Micros
from jobtrack.views.metrics import GROUPS, metrics
from jobtrack.views.page_size import take_fitting
from jobtrack.views.responses.timeline import TimelineEvent
from jobtrack.views.timeline import entry, timeline, upcoming
from tests.unit.job_builders import START, at, queued, report, running
from tests.unit.journal_builders import apply_batches, clock, split_into_batches

RESOURCE = {"resourceType": "ComputeNode", "resourceId": "worker-node-02"}
KINDS: dict[str, dict[str, Any]] = {
    "milestone": {"description": "d"},
    "warning": {"description": "d"},
    "error": {"description": "d"},
    "resourceAllocated": RESOURCE,
    "blocked": {"condition": "c"},
}
Place = tuple[int, int]


def event(kind: str, moment: int | str, /, **data: Any) -> Event:
    return Event(kind, Micros(at(moment) if isinstance(moment, str) else moment), data or KINDS.get(kind, {}))


def walk(reader: TimelineReader, snapshot: Snapshot, scope: Scope, limit: int) -> list[Record]:
    """Return all pages by cursor; each is full, except the last."""
    walked: list[Record] = []
    more, after = True, None
    while more:
        page, more = reader.read_page(snapshot, scope, limit, after)
        assert len(page) == limit or (len(page) < limit and not more)
        walked += page
        after = page[-1].place if page else None
    return walked


def plain(events: list[Event], scope: Scope) -> list[Place]:
    """Return the positions of the timeline's entries for these events; the first is the job's second event."""
    numbered = [(each, (each.time, sequence)) for sequence, each in enumerate(events, 2)]
    last: dict[tuple[str, int], Place] = {}
    shown = []
    for each, place in numbered:
        if each.type == "progressUpdate":
            minute = each.data["stageName"], each.time // times.MINUTE
            last[minute] = max(place, last.get(minute, place))
    for each, place in numbered:
        if each.type == "progressUpdate":
            minute = each.data["stageName"], each.time // times.MINUTE
            wanted = scope.granularity == "seconds" or (scope.granularity == "minutes" and last[minute] == place)
        elif each.type == "log":
            wanted = scope.sub_events and each.data["level"] in ("WARN", "ERROR")
        else:
            wanted = scope.sub_events or each.type != "resourceAllocated"
        if wanted:
            shown.append(place)
    return sorted(shown)


def reports(seed: int, count: int, spacing: int, lateness: int) -> list[Event]:
    """Return events of two concurrent stages with retries, some late by up to `lateness` µs."""
    rng = random.Random(seed)
    found = []
    for index in range(count):
        moment = START + index * spacing - (rng.randrange(lateness) if rng.random() < 0.3 else 0)
        kind = rng.choices(
            ["progressUpdate", "log", *KINDS, "stageStarted", "stageCompleted"], [60, 20, 2, 2, 2, 6, 2, 2, 2]
        )[0]
        if kind == "log":
            found.append(event(kind, moment, level=rng.choice(["INFO", "WARN", "ERROR"]), message=f"line {index}"))
        elif kind == "progressUpdate":
            found.append(event(kind, moment, stageName=rng.choice("AB"), progress=rng.randrange(100)))
        elif kind.startswith("stage"):
            found.append(event(kind, moment, stageName=rng.choice("AB")))
        else:
            found.append(event(kind, moment))
    return found


scopes = st.builds(Scope, st.sampled_from(get_args(Granularity)), st.booleans())


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 99),
    scope=scopes,
    limit=st.sampled_from([1, 2, 7, 50, 1000]),
    size=st.sampled_from([1, 10, 100]),
    spacing=st.sampled_from([1, 11, 40]),
    lateness=st.sampled_from([5, 60, 3600]),
)
def test_walking_by_cursor_gives_every_entry_once_in_order(
    seed: int, scope: Scope, limit: int, size: int, spacing: int, lateness: int
) -> None:
    events = reports(seed, 250, spacing * times.SECOND, lateness * times.SECOND)
    journals, _, snapshot = apply_batches(split_into_batches(events, size))
    walked = [record.place for record in walk(TimelineReader(journals), snapshot, scope, limit)]
    assert walked == plain(events, scope)


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
def test_of_two_updates_of_a_minute_the_later_time_wins_however_late_it_comes(limit: int) -> None:
    updates = [("10:31:50", 5), ("10:32:10", 6), ("10:31:20", 3), ("10:31:55", 7), ("10:31:55", 8), ("10:32:05", 1)]
    events = [event("progressUpdate", time, stageName="A", progress=progress) for time, progress in updates]
    for size in (1, 6):
        journals, _, snapshot = apply_batches(split_into_batches(events, size))
        shown = walk(TimelineReader(journals), snapshot, Scope(), limit)
        assert [(clock(record.time), record.body["progress"]) for record in shown] == [("10:31:55", 8), ("10:32:10", 6)]


def test_the_open_minute_is_shown_and_a_newer_update_replaces_it() -> None:
    job = running("A")
    journals, _, snapshot = apply_batches([[event("progressUpdate", "10:31:10", stageName="A", progress=5)]], job)
    page, more = TimelineReader(journals).read_page(snapshot, Scope(), 10, None)
    assert ([record.body.get("progress") for record in page], more) == ([5], False)
    report(job, "10:31:20", "progressUpdate", progress=6)
    page, _ = TimelineReader(journals).read_page(snapshot, Scope(), 10, None)
    assert [record.body.get("progress") for record in page] == [6]


def test_what_more_may_replace_is_not_shown_yet() -> None:
    progress = Record(Family.MINUTE_PROGRESS, at("10:31:10"), 3, {"stage": "A", "progress": 1.0})
    milestone = Record(Family.EVENT, at("10:31:20"), 4, {"type": "milestone", "data": {}})
    assert without_replaced([progress, milestone], more=False) == [progress, milestone]
    assert without_replaced([progress, milestone], more=True) == []
    assert without_replaced([], more=False) == []


def test_a_day_costs_three_requests_and_five_with_sub_events() -> None:
    events = [
        event("progressUpdate", START + minute * times.MINUTE + stage, stageName="AB"[stage], progress=minute % 100)
        for minute in range(24 * 60)
        for stage in range(2)
    ]
    events += [
        Event(
            "log",
            Micros(START + index * 20 * times.SECOND),
            {"level": "ERROR" if index % 9 == 0 else "WARN", "message": f"line {index}"},
        )
        for index in range(4000)
    ]
    events += [event("resourceAllocated", START + index * times.HOUR) for index in range(24)]
    events.sort(key=lambda each: each.time)
    journals, table, snapshot = apply_batches(split_into_batches(events, 25))
    for scope, limit, most in (
        (Scope(), 1000, 2),
        (Scope(), 10_000, 2),
        (Scope("major_events"), 1000, 1),
        (Scope(sub_events=True), 1000, 4),
        (Scope(sub_events=True), 10_000, 4),
    ):
        table.queries = 0
        page, _ = TimelineReader(journals).read_page(snapshot, scope, limit, None)
        assert [record.place for record in page] == plain(events, scope)[:limit]
        assert table.queries <= most, (scope, limit)


def shown(job: Job, *events: Event, language: Language = "en", sub_events: bool = False) -> list[TimelineEvent]:
    journals, _, snapshot = apply_batches([list(events)] if events else [], job)
    page, _ = TimelineReader(journals).read_page(snapshot, Scope(sub_events=sub_events), 1000, None)
    return [entry(snapshot.job, record, language) for record in page]


def labelled(name: str = "Mining") -> Job:
    return queued(
        Stage(name, {"ja": "採掘", "en": "Mining of processes"}, expected_seconds=300), submitted_by="user123"
    )


def test_the_jobs_start_tells_who_asked_for_what_and_what_it_got() -> None:
    (entry_of_start,) = shown(
        labelled(), event("jobStarted", "10:30:00", resourcesAllocated={"cpuUnits": 2}, estimatedSeconds=1200)
    )
    assert entry_of_start == {
        "timestamp": "2024-01-20T10:30:00Z",
        "eventType": "JobStarted",
        "description": "Job started",
        "details": {
            "submittedBy": "user123",
            "priority": "Normal",
            "estimatedDuration": "17-25 minutes",
            "resourcesAllocated": {"cpuUnits": 2, "memoryGB": None, "workerNode": None},
            "estimatedSeconds": 1200,
        },
        "sequence": 1,
    }


def test_without_plan_or_past_nothing_is_expected() -> None:
    start, begun = shown(queued("A"), event("jobStarted", "10:30:00"), event("stageStarted", "10:30:00", stageName="A"))
    assert start["details"]["estimatedDuration"] is None
    assert start["details"]["resourcesAllocated"] is None
    assert begun["details"] == {"stageName": "A", "expectedDuration": None}


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "ja",
            [
                "採掘ステージ開始",
                "採掘 50% 完了",
                "採掘ステージ失敗: disk full",
                "採掘ステージ開始",
                "採掘ステージ完了",
            ],
        ),
        (
            "en",
            [
                "Mining of processes stage started",
                "Mining of processes 50% complete",
                "Mining of processes stage failed: disk full",
                "Mining of processes stage started",
                "Mining of processes stage completed",
            ],
        ),
    ],
)
def test_a_stage_that_failed_and_was_retried(language: Language, told: list[str]) -> None:
    _, *found = shown(
        labelled(),
        event("jobStarted", "10:30:00"),
        event("stageStarted", "10:30:00", stageName="Mining", metrics={"algorithm": "Alpha", "stageName": "X"}),
        event("progressUpdate", "10:31:00", progress=50, recordsProcessed=5, totalRecords=8, operation="Counting"),
        event("stageFailed", "10:32:00", stageName="Mining", error={"message": "disk full"}),
        event("stageStarted", "10:33:00", stageName="Mining"),
        event("stageCompleted", "10:35:15", stageName="Mining", recordsProcessed=8, metrics={"variants": 3}),
        language=language,
    )
    assert [each["description"] for each in found] == told
    assert [each["details"] for each in found] == [
        {"stageName": "Mining", "expectedDuration": "4-6 minutes", "algorithm": "Alpha"},
        {
            "stageName": "Mining",
            "progress": 50,
            "currentOperation": "Counting",
            "recordsProcessed": 5,
            "remainingRecords": 3,
        },
        {"stageName": "Mining", "actualDuration": "2 minutes", "error": {"message": "disk full"}},
        {"stageName": "Mining", "expectedDuration": "4-6 minutes"},
        {"stageName": "Mining", "actualDuration": "2 minutes 15 seconds", "variants": 3, "recordsProcessed": 8},
    ]


def test_a_skipped_stage_took_no_time() -> None:
    (skipped,) = shown(running("A"), event("stageSkipped", "10:31:00", stageName="A"))
    assert skipped["eventType"] == "StageSkipped"
    assert skipped["details"] == {"stageName": "A", "actualDuration": None}


def test_progress_of_the_whole_job_without_any_stage() -> None:
    job = queued(total_records=None)
    _, found = shown(job, event("jobStarted", "10:30:00"), event("progressUpdate", "10:31:00", recordsProcessed=7))
    assert (found["eventType"], found["description"]) == ("Progress", "0% complete")
    assert found["details"] == {
        "stageName": None,
        "progress": 0,
        "currentOperation": None,
        "recordsProcessed": 7,
        "remainingRecords": None,
    }
    assert (job.records, job.total_records) == (7, None)


@pytest.mark.parametrize(
    ("kind", "data", "named", "details"),
    [
        ("milestone", {"description": "d", "details": {"found": 3}, "by": "me"}, "Milestone", {"found": 3, "by": "me"}),
        ("warning", {"description": "d"}, "Warning", {}),
        ("error", {"description": "d", "details": None}, "Error", {}),
        ("blocked", {"condition": "c"}, "Blocked", {"condition": "c"}),
        ("unblocked", {"condition": "c", "resolution": "r"}, "Unblocked", {"condition": "c", "resolution": "r"}),
        ("resourceAllocated", RESOURCE, "ResourceAllocated", RESOURCE),
        ("resourceReleased", RESOURCE, "ResourceReleased", RESOURCE),
        ("jobCompleted", {"metrics": {"a": 1}}, "JobCompleted", {"metrics": {"a": 1}}),
        ("jobFailed", {"error": {"message": "m"}}, "JobFailed", {"error": {"message": "m"}}),
        ("jobCancelled", {}, "JobCancelled", {}),
        (
            "log",
            {"level": "WARN", "message": "d", "component": "C", "details": {"n": 1}},
            "Warning",
            {"level": "WARN", "component": "C", "stage": None, "details": {"n": 1}},
        ),
        (
            "log",
            {"level": "ERROR", "message": "d"},
            "Error",
            {"level": "ERROR", "component": None, "stage": None, "details": None},
        ),
    ],
)
def test_the_rest_tells_what_was_reported(kind: str, data: dict[str, Any], named: str, details: dict[str, Any]) -> None:
    found = shown(running("A"), Event(kind, at("10:31:00"), data), sub_events=True)[-1]
    assert (found["eventType"], found["details"], found["timestamp"]) == (named, details, "2024-01-20T10:31:00Z")
    assert found["description"] == "d" or kind not in ("milestone", "warning", "error", "log")


def test_a_job_that_fell_silent_says_so() -> None:
    job = running("A")
    _, (record,) = mark_stalled(job, at("10:40:00"))
    assert entry(job, record, "en")["eventType"] == "JobStalled"


def expected(job: Job, time: str) -> list[tuple[str, str]]:
    return [(each["estimatedTime"][11:19], each["eventType"]) for each in upcoming(job, "en", at(time))]


def test_stages_in_parallel_complete_each_in_its_time_and_the_next_starts_after_the_last() -> None:
    job = running(Stage("A", expected_seconds=60), Stage("B", expected_seconds=90), Stage("C", expected_seconds=10))
    report(job, "10:30:00", "stageStarted", stageName="B")
    report(job, "10:30:00", "stageStarted", stageName="A")
    assert expected(job, "10:30:00") == [
        ("10:31:00", "StageCompletion"),
        ("10:31:30", "StageCompletion"),
        ("10:31:30", "StageStart"),
        ("10:31:40", "JobCompletion"),
    ]


@pytest.mark.parametrize("time", ["10:30:00", "10:30:40", "10:47:11"])
def test_upcoming_events_agree_with_the_estimate(time: str) -> None:
    job = running(Stage("A", expected_seconds=60), "B", Stage("C", expected_seconds=10))
    report(job, "10:30:00", "stageStarted", stageName="A")
    found = estimate(job, at(time))
    assert upcoming(job, "en", at(time))[-1]["estimatedTime"] == times.render_optional(found.completion)


def test_of_what_is_not_known_nothing_is_upcoming() -> None:
    assert expected(running("A", "B"), "10:31:00") == [("10:31:00", "StageStart")]
    assert expected(running(), "10:31:00") == []
    assert upcoming(queued(Stage("A", expected_seconds=60)), "en", at("10:31:00")) == []
    done = running(Stage("A", expected_seconds=60))
    report(done, "10:31:00", "jobFailed", error={"message": "boom"})
    assert upcoming(done, "en", at("10:31:30")) == []


def test_the_scope_tells_start_end_and_the_present() -> None:
    job = running("A")
    now = at("10:33:00") + 5
    scope = {"startTime": "2024-01-20T10:30:00Z", "currentTime": "2024-01-20T10:33:00Z", "endTime": None}
    assert timeline(job, "minutes", [], None, "en", Micros(now))["timelineScope"] == {**scope, "granularity": "minutes"}
    report(job, "10:32:00", "jobCompleted")
    assert timeline(job, "seconds", [], None, "en", Micros(now))["timelineScope"]["endTime"] == "2024-01-20T10:32:00Z"
    assert timeline(queued(), "seconds", [], None, "en", Micros(now))["timelineScope"]["startTime"] is None


def test_an_answer_ends_before_it_would_be_too_large_for_lambda() -> None:
    entries = [{"details": {"text": '"' * 500_000}} for _ in range(20)]
    kept = take_fitting(entries)
    assert 1 < len(kept) < 20
    assert len(orjson.dumps(orjson.dumps(kept).decode())) <= limits.ANSWER_BYTES + 100
    assert len(take_fitting([{"details": '"' * limits.ANSWER_BYTES}] * 2)) == 1


values = (
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.text(max_size=5) | st.sampled_from([{"a": [1]}, [None]])
)
NAMES = (
    "stageName recordsProcessed totalRecords metrics error progress operation details level message description"
    " condition resourceType resourceId resourcesAllocated estimatedSeconds retries cpuUsage sequence labels"
)
members = st.dictionaries(st.sampled_from(NAMES.split()), values)
BARE: dict[str, dict[str, Any]] = {
    **KINDS,
    "stageStarted": {"stageName": "A"},
    "stageCompleted": {"stageName": "A"},
    "stageFailed": {"stageName": "A"},
    "stageSkipped": {"stageName": "B"},
    "progressUpdate": {"progress": 5},
    "log": {"level": "WARN", "message": "m"},
    "metricSample": {},
    "jobStarted": {},
    "jobFailed": {"error": {"message": "m"}},
}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(BARE)), members), max_size=8), st.sampled_from(["ja", "en"]))
def test_whatever_is_accepted_can_be_told(reports: list[tuple[str, dict[str, Any]]], language: Language) -> None:
    job = queued("A", total_records=0)
    journals, _, snapshot = apply_batches([], job)
    for kind, more in [("jobStarted", {}), *reports]:
        body = {"events": [{"type": kind, "time": times.render(START), "data": {**BARE[kind], **more}}]}
        try:
            events = EventBatch.model_validate(body).reported(body, START)
            _, records = apply(job, events, START)
        except (ValidationError, InvalidTransition):
            continue
        snapshot.journal.append(records, job.sequence)
    page, _ = TimelineReader(journals).read_page(snapshot, Scope("seconds", sub_events=True), 1000, None)
    found = [entry(job, record, language) for record in page]
    assert all(each["description"] and isinstance(each["details"], dict) for each in found)
    assert orjson.dumps([found, upcoming(job, language, START), metrics(job, [], True, GROUPS, START)])
