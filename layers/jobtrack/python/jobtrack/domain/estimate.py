"""How far a job has come, and how much time remains. All responses take these figures from this module.

1. The plan: the expected duration of a stage is the one that the worker reported, else the mean of the stage in recent
   jobs of the type, else the mean of the other stages.
2. The pace: the actual duration of the completed stages divided by their plan. It multiplies the plan of pending
   stages: if completed stages took twice as long as planned, pending ones are expected to do so too.
3. A running stage at p per cent needs elapsed x (100 - p) / p more by its own pace, and plan x (100 - p) / 100 more by
   plan. The estimate is the weighted mean of both: its own pace has the weight p, the plan has the weight 100 - p. At
   the start of a stage, its own pace says little; at the end, it says nearly everything.
4. Running stages run in parallel, pending stages follow one after another.
"""

import math

from msgspec import Struct
from msgspec.structs import replace

from jobtrack import times
from jobtrack.domain.job import Job, JobStatus, Stage, StageStatus
from jobtrack.times import Micros

_SHORTER, _LONGER = 0.85, 1.25
"""The range around a plan in which about half of the actual durations lie. Plans tend to be too short."""
_LONGEST_SECONDS = 1000 * times.DAY * 365.25 / times.SECOND


class StageEstimate(Struct, frozen=True):
    """The expected start and end of a stage that has not ended; `None` if unknown."""

    start: Micros | None
    end: Micros | None


class Estimate(Struct, frozen=True):
    """The time that remains of a job, from `now` (rounded down to a second); `None` if unknown."""

    now: Micros
    remaining_seconds: int | None
    stages: dict[str, StageEstimate]

    @property
    def completion(self) -> Micros | None:
        """The expected end of the job."""
        return None if self.remaining_seconds is None else times.add_seconds(self.now, self.remaining_seconds)


def overall_percentage(job: Job) -> int:
    """Return the weighted mean of the stages' progress in whole per cent; 100 only for a completed job."""
    if job.status is JobStatus.COMPLETED:
        return 100
    weights = _weights(job.stages)
    total = sum(weights)
    weighted = sum(weight * _progress(stage) for weight, stage in zip(weights, job.stages, strict=True))
    # The mean of ten stages at 30 may be 29.999999999999996.
    return min(99, int(max(weighted / total if total else 0, job.own_progress) + 1e-9))


def estimate(job: Job, now: Micros) -> Estimate:
    """Estimate the time that remains: 0 for a job that has ended, unknown for one that is queued."""
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
            start, cursor = cursor, None if length is None or cursor is None else _plausible(cursor + length * pace)
            stages[stage.name] = StageEstimate(_after(moment, start), _after(moment, cursor))
    last_end = max((each.end for each in stages.values() if each.end is not None), default=moment)
    return Estimate(moment, _remaining(job, cursor, times.seconds_between(moment, last_end), now), stages)


def expected_range(stage: Stage) -> tuple[float, float] | None:
    """Return the 25th and 75th percentile of the stage's duration in seconds: around its plan, else of recent jobs."""
    if stage.expected_seconds is not None:
        return _SHORTER * stage.expected_seconds, _LONGER * stage.expected_seconds
    return None if stage.usual_range is None else (stage.usual_range[0], stage.usual_range[1])


def expected_job_range(job: Job) -> tuple[float, float] | None:
    """Return the 25th and 75th percentile of the job's duration in seconds.

    They come from past jobs, else from the worker's estimate, else from the job's stages.

    The deviations of stages are taken as independent, so their squares add up.
    """
    if past := job.past:
        return past.at(0.25), past.at(0.75)
    if job.estimated_seconds is not None:
        return _SHORTER * job.estimated_seconds, _LONGER * job.estimated_seconds
    known = [
        (seconds, limits)
        for stage in job.stages
        if (limits := expected_range(stage)) and (seconds := _planned_stage_seconds(stage))
    ]
    if not known or len(known) < len(job.stages):
        return None
    total = sum(seconds for seconds, _ in known)
    less, more = (math.hypot(*(seconds - limits[side] for seconds, limits in known)) for side in (0, 1))
    return total - less, total + more


def total_seconds(job: Job, now: Micros) -> float | None:
    """Return the expected duration of the whole job at this time, or its actual duration once it has ended."""
    if job.started_at is None:
        return None
    end = now if job.ended_at is None else job.ended_at
    left = estimate(job, now).remaining_seconds
    return None if left is None else times.seconds_between(job.started_at, end) + left


def planned_seconds(job: Job) -> int | None:
    """Return the expected duration of a queued job: the remaining time that `estimate` returns at its start."""
    start = Micros(0)
    return estimate(replace(job, status=JobStatus.RUNNING, started_at=start), start).remaining_seconds


def completed_seconds(job: Job) -> tuple[float, float]:
    """Return the planned and the actual duration of the completed stages that have a plan, in seconds."""
    planned = actual = 0.0
    for stage in job.stages:
        plan = _planned_stage_seconds(stage)
        if stage.status is StageStatus.COMPLETED and plan and stage.seconds is not None:
            planned, actual = planned + plan, actual + stage.seconds
    return planned, actual


def _planned_stage_seconds(stage: Stage) -> float | None:
    return stage.usual_seconds if stage.expected_seconds is None else stage.expected_seconds


def _remaining(job: Job, by_stages: float | None, at_least: float, now: Micros) -> int | None:
    """Return the remaining seconds by the stages. If that is unknown or all stages ended, use the job's progress.

    The result is at least the greatest known remainder of a stage (`at_least`): a job does not end before its stages.
    """
    if by_stages is None or all(stage.status.ended for stage in job.stages):
        by_stages = _blend(job.percentage, _elapsed(job.started_at, now), _planned_job_seconds(job))
    return None if by_stages is None else round(max(by_stages, at_least))


def _weights(stages: list[Stage]) -> list[float]:
    """Return the weights of stages: as reported, else by their durations. A stage without a weight gets the mean."""
    for measure in ("weight", "expected_seconds", "usual_seconds"):
        known = [value for stage in stages if (value := getattr(stage, measure)) is not None]
        if known and sum(known) > 0:
            mean = sum(known) / len(known)
            return [mean if (value := getattr(stage, measure)) is None else value for stage in stages]
    return [1.0] * len(stages)


def _progress(stage: Stage) -> float:
    is_done = stage.status in (StageStatus.COMPLETED, StageStatus.SKIPPED)
    return 100.0 if is_done else stage.progress


def _expected_seconds(job: Job) -> dict[str, float]:
    """Return the planned duration of each stage in seconds; empty if none is known."""
    known = {stage.name: seconds for stage in job.stages if (seconds := _planned_stage_seconds(stage)) is not None}
    if not known:
        known = {stage.name: seconds for stage in job.stages if (seconds := stage.seconds) is not None}
        if not known:
            return _shares(job)
    mean = sum(known.values()) / len(known)
    return {stage.name: known.get(stage.name, mean) for stage in job.stages}


def _planned_job_seconds(job: Job) -> float | None:
    """Return the worker's estimate of the whole job in seconds, else the median of past jobs."""
    if job.estimated_seconds is not None:
        return job.estimated_seconds
    past = job.past
    return past.at(0.5) if past else None


def _shares(job: Job) -> dict[str, float]:
    """Divide the planned duration of the job among the stages by their weights."""
    whole = _planned_job_seconds(job)
    if whole is None:
        return {}
    weights = _weights(job.stages)
    total = sum(weights)
    return {stage.name: whole * weight / total for stage, weight in zip(job.stages, weights, strict=True)}


def _pace(job: Job) -> float:
    """Return the actual divided by the planned duration of completed stages; 1 before the first."""
    planned, actual = completed_seconds(job)
    return actual / planned if planned else 1.0


def _running_remainder(stage: Stage, expected: float | None, now: Micros) -> float | None:
    return _blend(stage.progress, _elapsed(stage.started_at, now), expected)


def _blend(progress: float, elapsed: float | None, expected: float | None) -> float | None:
    """Return the remaining seconds from the progress in per cent, and the elapsed and expected seconds."""
    share = progress / 100
    by_pace = _plausible(elapsed * (1 - share) / share) if elapsed is not None and share > 0 else None
    by_plan = _plausible(expected * (1 - share)) if expected is not None else None
    if by_plan is not None and share == 0 and elapsed is not None:
        by_plan = max(0.0, by_plan - elapsed)
    if by_pace is None or by_plan is None:
        return by_plan if by_pace is None else by_pace
    return share * by_pace + (1 - share) * by_plan


def _plausible(seconds: float) -> float | None:
    """Return the seconds, or `None` if they are more than a thousand years."""
    return seconds if seconds < _LONGEST_SECONDS else None


def _elapsed(start: Micros | None, now: Micros) -> float | None:
    return None if start is None else times.seconds_between(start, now)


def _after(moment: Micros, seconds: float | None) -> Micros | None:
    return None if seconds is None else times.add_seconds(moment, round(seconds))
