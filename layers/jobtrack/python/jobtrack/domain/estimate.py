"""How far a job has come and what remains: one estimator for every answer that tells either.

A stage's expected length is, in this order: what the worker planned, what the stage took in past jobs of the type,
the mean of the stages that have one. The job's own pace corrects it: completed stages that took twice their plan
double what is expected of the pending ones. Of a running stage the remainder by its own pace, elapsed x (100 - p) / p,
counts with weight p and the planned remainder with weight 1 - p: a stage that has just begun is judged by the plan, one
that is nearly done by itself.
"""

import math

from msgspec import Struct
from msgspec.structs import replace

from jobtrack import times
from jobtrack.domain.job import Job, JobStatus, Stage, StageStatus

_SHORTER, _LONGER = 0.85, 1.25
"""The middle half of what really happens, as shares of a plan: plans are rather too short than too long."""
_LONGEST_SECONDS = 1000 * times.DAY * 365.25 / times.SECOND


class StageEstimate(Struct, frozen=True):
    """When a stage that has not ended is expected to start and end (µs), `None` where unknown."""

    start: int | None
    end: int | None


class Estimate(Struct, frozen=True):
    """What remains of a job, whole seconds from `now` (itself a whole second, in µs); `None` where unknown."""

    now: int
    remaining_seconds: int | None
    stages: dict[str, StageEstimate]

    @property
    def completion(self) -> int | None:
        """The expected end: now + remaining."""
        return None if self.remaining_seconds is None else self.now + self.remaining_seconds * times.SECOND


def overall_percentage(job: Job) -> int:
    """The stages' progress by their weights, whole per cent: 100 when Completed, below it otherwise."""
    if job.status is JobStatus.COMPLETED:
        return 100
    weights = _weights(job.stages)
    total = sum(weights)
    staged = (
        sum(weight * _done(stage) for weight, stage in zip(weights, job.stages, strict=True)) / total if total else 0
    )
    return min(99, int(max(staged, job.own_progress) + 1e-9))


def estimate(job: Job, now: int) -> Estimate:
    """Estimate the remainder at `now` (µs): nothing is left of an ended job, nothing known of one that still waits."""
    moment = times.whole(now)
    if job.status is not JobStatus.RUNNING:
        return Estimate(moment, 0 if job.status.ended else None, {})
    expected = _expected_seconds(job)
    pace = _pace(job)
    cursor: float | None = 0.0
    stages: dict[str, StageEstimate] = {}
    running = [stage for stage in job.stages if stage.status is StageStatus.RUNNING]
    for stage in running:
        left = _running_remainder(stage, expected.get(stage.name), now)
        cursor = None if left is None or cursor is None else max(cursor, left)
        stages[stage.name] = StageEstimate(stage.started_at, _after(moment, left))
    for stage in job.stages:
        if stage.status is StageStatus.PENDING:
            length = expected.get(stage.name)
            start, cursor = cursor, None if length is None or cursor is None else _known(cursor + length * pace)
            stages[stage.name] = StageEstimate(_after(moment, start), _after(moment, cursor))
    return Estimate(moment, _remaining(job, cursor, now), stages)


def expected_range(stage: Stage) -> tuple[float, float] | None:
    """Seconds within which the stage takes about half of the time (P25 to P75): of past jobs, else around its plan."""
    if stage.expected_seconds is not None:
        return _SHORTER * stage.expected_seconds, _LONGER * stage.expected_seconds
    return None if stage.usual_range is None else (stage.usual_range[0], stage.usual_range[1])


def expected_job_range(job: Job) -> tuple[float, float] | None:
    """The same for the whole job: past jobs of the type, else the worker's own estimate, else the stages' plan.

    Stages run long or short independently of each other, so that their deviations add up in quadrature.
    """
    if past := job.past:
        return past.at(0.25), past.at(0.75)
    if job.estimated_seconds is not None:
        return _SHORTER * job.estimated_seconds, _LONGER * job.estimated_seconds
    known = [(middle, found) for stage in job.stages if (found := expected_range(stage)) and (middle := _middle(stage))]
    if not known or len(known) < len(job.stages):
        return None
    total = sum(middle for middle, _ in known)
    less, more = (math.hypot(*(middle - found[side] for middle, found in known)) for side in (0, 1))
    return total - less, total + more


def total_seconds(job: Job, now: int) -> float | None:
    """How long the job takes as a whole, by the estimate at `now` (µs); what it took, once it has ended."""
    if job.started_at is None:
        return None
    end = now if job.ended_at is None else job.ended_at
    left = estimate(job, now).remaining_seconds
    return None if left is None else max(0, end - job.started_at) / times.SECOND + left


def planned_seconds(job: Job) -> int | None:
    """How long a job that has not started is expected to take: what `estimate` will say of it when it starts."""
    return estimate(replace(job, status=JobStatus.RUNNING, started_at=0), 0).remaining_seconds


def completed_seconds(job: Job) -> tuple[float, float]:
    """What the completed stages of which something was expected should have taken, and what they took."""
    planned = actual = 0.0
    for stage in job.stages:
        plan = _middle(stage)
        if stage.status is StageStatus.COMPLETED and plan and stage.seconds is not None:
            planned, actual = planned + plan, actual + stage.seconds
    return planned, actual


def _middle(stage: Stage) -> float | None:
    return stage.usual_seconds if stage.expected_seconds is None else stage.expected_seconds


def _remaining(job: Job, staged: float | None, now: int) -> int | None:
    """The stages' remainder where there are stages that tell; else by the job's own progress and its plan."""
    if staged is None or not any(not stage.status.ended for stage in job.stages):
        staged = _blend(job.percentage, _elapsed(job.started_at, now), _whole_seconds(job))
    return None if staged is None else round(staged)


def _weights(stages: list[Stage]) -> list[float]:
    for measure in ("weight", "expected_seconds", "usual_seconds"):
        known = [value for stage in stages if (value := getattr(stage, measure)) is not None]
        if known and sum(known) > 0:
            mean = sum(known) / len(known)
            return [mean if (value := getattr(stage, measure)) is None else value for stage in stages]
    return [1.0] * len(stages)


def _done(stage: Stage) -> float:
    ended = stage.status in (StageStatus.COMPLETED, StageStatus.SKIPPED)
    return 100.0 if ended else stage.progress


def _expected_seconds(job: Job) -> dict[str, float]:
    """Seconds expected of each stage, before the job's own pace; empty where nothing is known of any."""
    known = {stage.name: seconds for stage in job.stages if (seconds := _middle(stage)) is not None}
    if not known:
        known = {stage.name: took for stage in job.stages if (took := stage.seconds) is not None}
        if not known:
            return _shares(job)
    mean = sum(known.values()) / len(known)
    return {stage.name: known.get(stage.name, mean) for stage in job.stages}


def _whole_seconds(job: Job) -> float | None:
    """Seconds expected of the whole job, stages apart: the worker's own estimate, else the median of past jobs."""
    if job.estimated_seconds is not None:
        return job.estimated_seconds
    past = job.past
    return past.at(0.5) if past else None


def _shares(job: Job) -> dict[str, float]:
    """Shares of the estimate of the whole job, by the stages' weights."""
    whole = _whole_seconds(job)
    if whole is None:
        return {}
    weights = _weights(job.stages)
    total = sum(weights)
    return {stage.name: whole * weight / total for stage, weight in zip(job.stages, weights, strict=True)}


def _pace(job: Job) -> float:
    """Actual over planned time of the stages that completed; 1 before any has."""
    planned, actual = completed_seconds(job)
    return actual / planned if planned else 1.0


def _running_remainder(stage: Stage, expected: float | None, now: int) -> float | None:
    return _blend(stage.progress, _elapsed(stage.started_at, now), expected)


def _blend(progress: float, elapsed: float | None, expected: float | None) -> float | None:
    """Seconds left, from per cent done, seconds so far and seconds expected of the whole."""
    share = progress / 100
    by_pace = _known(elapsed * (1 - share) / share) if elapsed is not None and share > 0 else None
    by_plan = _known(expected * (1 - share)) if expected is not None else None
    if by_plan is not None and share == 0 and elapsed is not None:
        by_plan = max(0.0, by_plan - elapsed)
    if by_pace is None or by_plan is None:
        return by_plan if by_pace is None else by_pace
    return share * by_pace + (1 - share) * by_plan


def _known(seconds: float) -> float | None:
    """The estimate, unless it is beyond telling: a plan of ages, or a pace of next to nothing."""
    return seconds if seconds < _LONGEST_SECONDS else None


def _elapsed(start: int | None, now: int) -> float | None:
    return None if start is None else max(0, now - start) / times.SECOND


def _after(moment: int, seconds: float | None) -> int | None:
    return None if seconds is None else moment + round(seconds) * times.SECOND
