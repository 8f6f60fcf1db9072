import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack import times
from jobtrack.domain.estimate import estimate, overall_percentage
from jobtrack.domain.job import Job, JobStatus, Stage, StageStatus
from jobtrack.times import Micros
from tests.unit.job_builders import START, at, queued, report, running


def seconds_left(job: Job, clock: str) -> int | None:
    return estimate(job, at(clock)).remaining_seconds


def test_a_plan_alone_tells_the_remainder() -> None:
    job = running(Stage("A", expected_seconds=60), Stage("B", expected_seconds=120))
    report(job, "10:30:00", "stageStarted", stageName="A")
    assert seconds_left(job, "10:30:20") == 160


def test_pace_alone_tells_the_remainder_of_a_job_without_plan() -> None:
    job = running()
    report(job, "10:31:00", "progressUpdate", progress=25)
    assert seconds_left(job, "10:31:00") == 180


def test_the_more_is_done_the_more_the_own_pace_counts() -> None:
    job = running(Stage("A", expected_seconds=100))
    report(job, "10:30:00", "stageStarted", stageName="A")
    report(job, "10:30:50", "progressUpdate", progress=25)
    by_pace, by_plan = 150, 75
    assert seconds_left(job, "10:30:50") == round(0.25 * by_pace + 0.75 * by_plan)


def test_completed_stages_that_took_twice_their_plan_double_what_is_pending() -> None:
    job = running(Stage("A", expected_seconds=60), Stage("B", expected_seconds=30))
    report(job, "10:30:00", "stageStarted", stageName="A")
    report(job, "10:32:00", "stageCompleted", stageName="A")
    assert seconds_left(job, "10:32:00") == 60


def test_stages_without_a_plan_are_expected_to_take_the_mean_of_those_that_are_known() -> None:
    job = running("A", "B", "C")
    report(job, "10:30:00", "stageStarted", stageName="A")
    report(job, "10:31:00", "stageCompleted", stageName="A")
    assert seconds_left(job, "10:31:00") == 120


def test_stages_that_run_in_parallel_do_not_add_up() -> None:
    job = running(Stage("A", expected_seconds=60), Stage("B", expected_seconds=90), Stage("C", expected_seconds=10))
    report(job, "10:30:00", "stageStarted", stageName="A")
    report(job, "10:30:00", "stageStarted", stageName="B")
    assert seconds_left(job, "10:30:00") == 100


def test_nothing_known_is_unknown() -> None:
    job = running("A", "B")
    assert seconds_left(job, "10:31:00") is None
    assert estimate(job, at("10:31:00")).completion is None


def test_a_queued_job_is_unknown_and_an_ended_one_has_nothing_left() -> None:
    job = queued(Stage("A", expected_seconds=60))
    assert seconds_left(job, "10:31:00") is None
    report(job, "10:32:00", "jobFailed", error={"message": "boom"})
    assert seconds_left(job, "10:33:00") == 0


def test_an_overdue_stage_is_expected_now_not_in_the_past() -> None:
    job = running(Stage("A", expected_seconds=10))
    report(job, "10:30:00", "stageStarted", stageName="A")
    assert seconds_left(job, "10:40:00") == 0


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ([Stage("A", weight=3), Stage("B", weight=1)], 75),
        ([Stage("A", weight=3), Stage("B")], 50),
        ([Stage("A", expected_seconds=30), Stage("B", expected_seconds=10)], 75),
        ([Stage("A", usual_seconds=10), Stage("B", usual_seconds=30)], 25),
        ([Stage("A", weight=1, usual_seconds=99), Stage("B", weight=1)], 50),
        ([Stage("A"), Stage("B")], 50),
        ([Stage("A", weight=0), Stage("B", weight=0)], 50),
    ],
)
def test_percentage_weighs_by_weight_then_plan_then_past_then_equally(stages: list[Stage], expected: int) -> None:
    stages[0].status = StageStatus.COMPLETED
    assert overall_percentage(running(*stages)) == expected


def test_percentage_stays_below_100_until_the_job_is_completed() -> None:
    job = running("A")
    report(job, "10:31:00", "stageCompleted", stageName="A")
    assert job.percentage == 99


def test_a_job_does_not_end_before_a_stage_when_later_stages_are_unknown() -> None:
    day = times.add_seconds(START, 86_400)
    slow = Stage("slow", expected_seconds=1e-5, status=StageStatus.COMPLETED, started_at=START, ended_at=day)
    now = Stage("now", usual_seconds=60.0, status=StageStatus.RUNNING)
    later = Stage("later", expected_seconds=1e5)  # at this pace it takes more than a thousand years
    job = running(slow, now, later)
    job.estimated_seconds = 30.0
    found = estimate(job, day)
    assert found.stages["now"].end == times.add_seconds(day, 60)
    assert found.stages["later"].end is None
    assert found.remaining_seconds == 60


stages = st.builds(
    Stage,
    name=st.uuids().map(str),
    expected_seconds=st.none() | st.floats(0, 1e5),
    weight=st.none() | st.floats(0, 1e5),
    usual_seconds=st.none() | st.floats(0, 1e5),
    status=st.sampled_from(StageStatus),
    progress=st.floats(0, 100),
    started_at=st.none() | st.integers(START, START + times.DAY),
    ended_at=st.none() | st.integers(START, START + times.DAY),
)


@given(
    st.lists(stages, max_size=6),
    st.sampled_from(JobStatus),
    st.none() | st.floats(0, 1e5),
    st.integers(START - times.HOUR, START + 2 * times.DAY),
)
def test_every_answer_agrees_with_itself(
    planned: list[Stage], status: JobStatus, planned_seconds: float | None, now: int
) -> None:
    job = running(*planned)
    job.status, job.estimated_seconds = status, planned_seconds
    found = estimate(job, Micros(now))
    if found.remaining_seconds is not None:
        assert found.remaining_seconds >= 0
        assert found.completion == times.add_seconds(times.whole(Micros(now)), found.remaining_seconds)
        assert all(each.end is None or each.end <= (found.completion or 0) for each in found.stages.values())
    pending = [found.stages[stage.name] for stage in job.stages if stage.status is StageStatus.PENDING and found.stages]
    assert all(each.start is None or each.end is None or each.start <= each.end for each in pending)
