"""`GET …/progress`."""

from jobtrack import times
from jobtrack.domain import formats
from jobtrack.domain.estimate import Estimate, StageEstimate, estimate
from jobtrack.domain.job import Job, Json, Stage, StageStatus
from jobtrack.views.usage import resource_usage

_UNKNOWN = StageEstimate(None, None)


def progress(job: Job, now: int) -> Json:
    """The answer for a job at `now` (µs)."""
    expected = estimate(job, now)
    return {
        "jobId": job.job_id,
        "jobName": job.name,
        "status": job.status,
        "stalled": job.stalled,
        "overallProgress": _overall(job, expected),
        "stages": [_stage(stage, order, expected) for order, stage in enumerate(job.stages, 1)],
        "currentActivity": {name: (job.activity or {}).get(name) for name in ("component", "operation", "details")},
        "resourceUsage": resource_usage(job),
        "qualityMetrics": {
            "dataQualityScore": job.quality.get("dataQualityScore"),
            "validationsPassed": job.quality.get("validationsPassed"),
            "validationsFailed": job.quality.get("validationsFailed"),
            "warningsGenerated": job.warnings,
            "errorsEncountered": job.errors,
        },
        "lastUpdated": times.render(job.updated_at),
        "lastSequence": job.sequence,
    }


def elapsed_seconds(job: Job, now: int) -> int | None:
    """Whole seconds from the job's start to its end, or to `now` (µs); None before it started."""
    if job.started_at is None:
        return None
    return formats.between(job.started_at, now if job.ended_at is None else job.ended_at)


def completion(job: Job, expected: Estimate) -> str | None:
    """When the job ended or is expected to."""
    moment = expected.completion if job.ended_at is None else job.ended_at
    return None if moment is None else times.render(moment)


def whole_percentage(value: float) -> int:
    """Progress as an integer; 100 only where nothing is left."""
    return 100 if value >= 100 else min(99, round(value))


def _overall(job: Job, expected: Estimate) -> Json:
    elapsed, remaining = elapsed_seconds(job, expected.now), expected.remaining_seconds
    return {
        "percentage": job.percentage,
        "startTime": _time(job.started_at),
        "endTime": _time(job.ended_at),
        "elapsedTime": None if elapsed is None else formats.duration(elapsed),
        "elapsedSeconds": elapsed,
        "estimatedRemaining": None if remaining is None else formats.duration(remaining),
        "remainingSeconds": remaining,
        "estimatedCompletion": completion(job, expected),
    }


def _stage(stage: Stage, order: int, expected: Estimate) -> Json:
    estimated = expected.stages.get(stage.name, _UNKNOWN)
    took = stage.seconds
    return {
        "stageName": stage.name,
        "stageOrder": order,
        "status": stage.status,
        "progress": whole_percentage(stage.progress),
        "startTime": _time(stage.started_at),
        "endTime": _time(stage.ended_at),
        "duration": None if took is None else formats.duration(took),
        "durationSeconds": None if took is None else int(took),
        "estimatedStartTime": _time(estimated.start) if stage.status is StageStatus.PENDING else None,
        "estimatedEndTime": _time(estimated.end),
        "recordsProcessed": stage.records,
        "totalRecords": stage.total_records,
        "metrics": _metrics(stage),
        "error": stage.error,
    }


def _metrics(stage: Stage) -> Json:
    """What the worker said; `throughput` is records over duration of a completed stage, unless it said that too."""
    measured: Json = {}
    if stage.status is StageStatus.COMPLETED and stage.records is not None and stage.seconds:
        measured["throughput"] = formats.rate(stage.records / stage.seconds)
    return {**measured, **(stage.metrics or {})}


def _time(moment: int | None) -> str | None:
    return None if moment is None else times.render(moment)
