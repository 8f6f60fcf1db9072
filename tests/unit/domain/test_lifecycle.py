from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack.domain.events import Event
from jobtrack.domain.job import JobStatus, StageStatus
from jobtrack.domain.journal.records import Family
from jobtrack.domain.lifecycle import apply
from jobtrack.errors import InvalidTransition, Unprocessable
from tests.unit.job_builders import START, at, queued, report, running

ENDS = {"jobCompleted": JobStatus.COMPLETED, "jobFailed": JobStatus.FAILED, "jobCancelled": JobStatus.CANCELLED}
NEEDS_RUNNING = ("stageStarted", "stageCompleted", "stageFailed", "stageSkipped", "progressUpdate")
DATA: dict[str, dict[str, Any]] = {
    "stageStarted": {"stageName": "A"},
    "stageCompleted": {"stageName": "A"},
    "stageFailed": {"stageName": "A"},
    "stageSkipped": {"stageName": "A"},
    "progressUpdate": {"progress": 10},
    "log": {"level": "INFO", "message": "m"},
    "milestone": {"description": "d"},
    "warning": {"description": "d"},
    "error": {"description": "d"},
    "jobFailed": {"error": {"message": "boom"}},
    "resourceAllocated": {"resourceType": "t", "resourceId": "i"},
    "resourceReleased": {"resourceType": "t", "resourceId": "i"},
    "blocked": {"condition": "c"},
    "unblocked": {"condition": "c"},
}
KINDS = [
    *NEEDS_RUNNING, *ENDS, "jobStarted", "log", "metricSample", "quality", "milestone", "warning", "error", "heartbeat",
    "resourceAllocated", "resourceReleased", "blocked", "unblocked",
]  # fmt: skip


def event(kind: str, clock: str = "10:31:00", **data: Any) -> Event:
    return Event(kind, at(clock), data or DATA.get(kind, {}))


@pytest.mark.parametrize("kind", ENDS)
def test_a_running_job_ends(kind: str) -> None:
    job = running("A")
    apply(job, [event(kind)], START)
    assert (job.status, job.ended_at) == (ENDS[kind], at("10:31:00"))


@pytest.mark.parametrize(("kind", "allowed"), [("jobCompleted", False), ("jobFailed", True), ("jobCancelled", True)])
def test_a_queued_job_may_fail_or_be_cancelled_only(kind: str, allowed: bool) -> None:
    job = queued("A")
    if allowed:
        apply(job, [event(kind)], START)
        assert job.status is ENDS[kind]
    else:
        with pytest.raises(InvalidTransition, match=r"from Queued to Completed"):
            apply(job, [event(kind)], START)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_after_the_end_only_late_logs_samples_and_quality_are_taken(kind: str, end: str) -> None:
    job = running("A")
    apply(job, [event(end)], START)
    if kind in ("log", "metricSample", "quality"):
        apply(job, [event(kind)], START)
    else:
        with pytest.raises(InvalidTransition):
            apply(job, [event(kind)], START)
    assert job.status is ENDS[end]


@pytest.mark.parametrize("kind", KINDS)
def test_a_queued_job_takes_all_that_needs_no_running_job(kind: str) -> None:
    job = queued("A")
    if kind in (*NEEDS_RUNNING, "jobCompleted"):
        with pytest.raises(InvalidTransition, match="Queued"):
            apply(job, [event(kind)], START)
    else:
        apply(job, [event(kind)], START)


def test_starting_twice_is_refused_with_both_states() -> None:
    with pytest.raises(InvalidTransition, match="from Running to Running") as refused:
        apply(running(), [event("log"), event("jobStarted")], START)
    assert [fault.pointer for fault in refused.value.faults] == ["/events/1"]


def test_sequences_have_no_gaps_and_the_batch_is_in_its_order() -> None:
    job = queued("A")
    applied, _ = apply(job, [event("jobStarted"), event("log"), event("heartbeat"), event("metricSample")], START)
    assert [each.sequence for each in applied] == [1, 2, 3, 4]
    assert job.sequence == 4


def test_a_stage_out_of_plan_is_appended() -> None:
    job = running("A")
    report(job, "10:31:00", "stageStarted", stageName="B")
    assert [stage.name for stage in job.stages] == ["A", "B"]


def test_a_job_has_at_most_200_stages() -> None:
    job = running(*(f"stage {index}" for index in range(200)))
    with pytest.raises(Unprocessable, match="200"):
        report(job, "10:31:00", "stageStarted", stageName="one more")


def test_starting_an_ended_stage_again_is_a_retry_of_it() -> None:
    job = running("A")
    report(job, "10:31:00", "stageStarted", stageName="A")
    report(job, "10:32:00", "stageFailed", stageName="A", error={"message": "boom"}, recordsProcessed=5)
    report(job, "10:33:00", "stageStarted", stageName="A")
    (stage,) = job.stages
    assert (stage.status, stage.started_at, stage.ended_at) == (StageStatus.RUNNING, at("10:33:00"), None)
    assert (stage.progress, stage.records, stage.error) == (0, None, None)


def test_progress_is_of_the_stage_named_else_the_running_one_else_the_job() -> None:
    job = running("A", "B")
    report(job, "10:31:00", "progressUpdate", progress=5)
    report(job, "10:31:00", "stageStarted", stageName="A")
    report(job, "10:31:10", "progressUpdate", progress=40)
    report(job, "10:31:20", "progressUpdate", stageName="B", recordsProcessed=25, totalRecords=100)
    assert (job.own_progress, [stage.progress for stage in job.stages]) == (5, [40, 25])


def test_progress_of_a_stage_that_ended_does_not_wake_it() -> None:
    job = running("A")
    report(job, "10:31:00", "stageCompleted", stageName="A")
    report(job, "10:31:00", "progressUpdate", stageName="A", progress=40)
    assert (job.stages[0].status, job.stages[0].progress) == (StageStatus.COMPLETED, 100)


def test_completion_completes_what_runs_and_skips_what_is_pending() -> None:
    job = running("A", "B", "C")
    report(job, "10:31:00", "stageStarted", stageName="A")
    report(job, "10:32:00", "jobCompleted")
    assert [stage.status for stage in job.stages] == [StageStatus.COMPLETED, StageStatus.SKIPPED, StageStatus.SKIPPED]
    assert job.percentage == 100


def test_failure_fails_what_runs_and_leaves_what_is_pending() -> None:
    job = running("A", "B")
    report(job, "10:31:00", "stageStarted", stageName="A")
    report(job, "10:32:00", "jobFailed", error={"message": "boom"})
    assert [stage.status for stage in job.stages] == [StageStatus.FAILED, StageStatus.PENDING]
    assert job.error == {"message": "boom"}


def test_warnings_and_errors_count_from_logs_and_from_events() -> None:
    job = running()
    for level in ("DEBUG", "INFO", "WARN", "ERROR", "ERROR"):
        report(job, "10:31:00", "log", level=level, message="m")
    report(job, "10:31:00", "warning", description="d")
    assert (job.warnings, job.errors) == (2, 2)


def test_the_last_progress_of_a_minute_is_kept_for_the_timeline_when_the_next_minute_begins() -> None:
    job = running("A")
    report(job, "10:31:00", "stageStarted", stageName="A")
    updates = [event("progressUpdate", f"10:{minute}:{second}", progress=progress) for minute, second, progress in
               [("31", "10", 1), ("31", "50", 2), ("32", "05", 3), ("33", "00", 4)]]  # fmt: skip
    _, records = apply(job, updates, START)
    assert [record.body["progress"] for record in records if record.family is Family.PROGRESS] == [1, 2, 3, 4]
    assert [record.body["progress"] for record in records if record.family is Family.MINUTE_PROGRESS] == [2, 3]


def test_members_that_are_null_count_as_absent() -> None:
    job = running("A")
    report(job, "10:31:00", "stageStarted", stageName="A", recordsProcessed=7)
    report(job, "10:31:10", "progressUpdate", progress=5, recordsProcessed=None, component=None)
    assert (job.stages[0].records, job.activity) == (7, None)


def test_push_percentages_are_those_at_each_progress_update() -> None:
    job = running("A")
    updates = [event("progressUpdate", progress=value) for value in (3, 12, 9)]
    applied, _ = apply(job, [updates[0], event("log"), *updates[1:]], START)
    assert [(each.previous_percentage, each.percentage) for each in applied if each.event.type == "progressUpdate"] == [
        (0, 3), (3, 12), (12, 12),
    ]  # fmt: skip


names = st.sampled_from("ABC")
reports = st.one_of(
    st.builds(lambda name, kind: event(kind, stageName=name), names, st.sampled_from(NEEDS_RUNNING[:4])),
    st.builds(lambda name, value: event("progressUpdate", stageName=name, progress=value), names, st.floats(0, 100)),
    st.builds(lambda value: event("progressUpdate", progress=value), st.floats(0, 100)),
    st.builds(
        lambda name, done, total: event("progressUpdate", stageName=name, recordsProcessed=done, totalRecords=total),
        names, st.integers(0, 10**9), st.integers(0, 10**9),
    ),
    st.sampled_from([event(kind) for kind in ("log", "metricSample", "quality", "heartbeat", "milestone")]),
    st.sampled_from([event(kind) for kind in ENDS]),
)  # fmt: skip


@given(st.lists(reports, max_size=40), st.lists(st.floats(0.1, 1e6) | st.none(), min_size=3, max_size=3))
def test_percentage_never_goes_down_and_is_100_exactly_when_completed(
    events: list[Event], weights: list[float | None]
) -> None:
    job = running("A", "B")
    for stage, weight in zip(job.stages, weights, strict=False):
        stage.weight = weight
    before = job.percentage
    for each in events:
        if job.status.ended:
            break
        apply(job, [each], START)
        assert before <= job.percentage <= 100
        assert (job.percentage == 100) == (job.status is JobStatus.COMPLETED)
        before = job.percentage
