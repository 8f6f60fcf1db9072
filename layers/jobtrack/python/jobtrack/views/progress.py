"""`GET …/job/{jobId}/progress`."""

from jobtrack import times
from jobtrack.domain import formats
from jobtrack.domain.estimate import Estimate, StageEstimate, estimate
from jobtrack.domain.job import Job, Json, Stage, StageStatus
from jobtrack.times import Micros
from jobtrack.views.responses import progress as responses
from jobtrack.views.responses.progress import Activity, OverallProgress, Progress, QualityMetrics
from jobtrack.views.usage import resource_usage

_UNKNOWN = StageEstimate(None, None)


def progress(job: Job, now: Micros) -> Progress:
    """Return the response for a job at `now` (µs)."""
    expected = estimate(job, now)
    return {
        "jobId": job.job_id,
        "jobName": job.name,
        "status": job.status,
        "stalled": job.stalled,
        "overallProgress": _overall(job, expected),
        "stages": [_stage(stage, order, expected) for order, stage in enumerate(job.stages, 1)],
        "currentActivity": _activity(job),
        "resourceUsage": resource_usage(job),
        "qualityMetrics": _quality(job),
        "lastUpdated": times.render(job.updated_at),
        "lastSequence": job.sequence,
    }


def elapsed_seconds(job: Job, now: Micros) -> int | None:
    """Return whole seconds from the job's start to its end, or to `now` (µs); None before it started."""
    if job.started_at is None:
        return None
    return formats.whole_seconds_between(job.started_at, now if job.ended_at is None else job.ended_at)


def completion(job: Job, expected: Estimate) -> str | None:
    """Return when the job ended, or is expected to end."""
    moment = expected.completion if job.ended_at is None else job.ended_at
    return times.render_optional(moment)


def whole_percentage(value: float) -> int:
    """Return progress as an integer. Only complete progress is 100: 99.9 becomes 99."""
    return 100 if value >= 100 else min(99, round(value))


def _overall(job: Job, expected: Estimate) -> OverallProgress:
    elapsed, remaining = elapsed_seconds(job, expected.now), expected.remaining_seconds
    return {
        "percentage": job.percentage,
        "startTime": times.render_optional(job.started_at),
        "endTime": times.render_optional(job.ended_at),
        "elapsedTime": None if elapsed is None else formats.duration(elapsed),
        "elapsedSeconds": elapsed,
        "estimatedRemaining": None if remaining is None else formats.duration(remaining),
        "remainingSeconds": remaining,
        "estimatedCompletion": completion(job, expected),
    }


def _stage(stage: Stage, order: int, expected: Estimate) -> responses.Stage:
    estimated = expected.stages.get(stage.name, _UNKNOWN)
    seconds = stage.seconds
    return {
        "stageName": stage.name,
        "stageOrder": order,
        "status": stage.status,
        "progress": whole_percentage(stage.progress),
        "startTime": times.render_optional(stage.started_at),
        "endTime": times.render_optional(stage.ended_at),
        "duration": None if seconds is None else formats.duration(seconds),
        "durationSeconds": None if seconds is None else int(seconds),
        "estimatedStartTime": times.render_optional(estimated.start) if stage.status is StageStatus.PENDING else None,
        "estimatedEndTime": times.render_optional(estimated.end),
        "recordsProcessed": stage.records,
        "totalRecords": stage.total_records,
        "metrics": _metrics(stage),
        "error": stage.error,
    }


def _metrics(stage: Stage) -> Json:
    """Return the reported metrics. A reported `throughput` replaces the one computed for a completed stage."""
    computed: Json = {}
    if stage.status is StageStatus.COMPLETED and stage.records is not None and stage.seconds:
        computed["throughput"] = formats.rate(stage.records / stage.seconds)
    return {**computed, **(stage.metrics or {})}


def _activity(job: Job) -> Activity:
    activity = job.activity or {}
    return {
        "component": activity.get("component"),
        "operation": activity.get("operation"),
        "details": activity.get("details"),
    }


def _quality(job: Job) -> QualityMetrics:
    return {
        "dataQualityScore": job.quality.get("dataQualityScore"),
        "validationsPassed": job.quality.get("validationsPassed"),
        "validationsFailed": job.quality.get("validationsFailed"),
        "warningsGenerated": job.warnings,
        "errorsEncountered": job.errors,
    }
