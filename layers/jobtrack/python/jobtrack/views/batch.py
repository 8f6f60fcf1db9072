"""`GET …/tracking/batch`."""

from collections.abc import Sequence
from typing import NamedTuple

from jobtrack import times
from jobtrack.domain import formats
from jobtrack.domain.estimate import estimate
from jobtrack.domain.job import Job, JobStatus
from jobtrack.domain.job_queue import JobQueue
from jobtrack.domain.queue_forecast import Forecast, Turn, forecast_queue
from jobtrack.times import Micros
from jobtrack.views.progress import completion
from jobtrack.views.responses.batch import Batch, StatusCounts, SystemHealth, TrackedJob
from jobtrack.views.responses.usage import TrackedUsage
from jobtrack.views.usage import cpu, memory, processing_rate


class Page(NamedTuple):
    """The jobs of a response in its order, the requested ids that do not exist, and the next page's cursor."""

    jobs: Sequence[Job]
    not_found: Sequence[str]
    cursor: str | None


def batch(page: Page, queue: JobQueue, include_metrics: bool, refresh: int | None) -> Batch:
    """Return the response for some jobs and the project's queue; `refresh` is the refresh interval in seconds."""
    forecast = forecast_queue(queue)
    return {
        "trackingTime": times.render(queue.now),
        "jobCount": len(page.jobs),
        "summary": _summary(page.jobs),
        "jobs": [_job(job, queue.now, forecast.turn_of(job), include_metrics) for job in page.jobs],
        "notFound": list(page.not_found),
        "systemHealth": system_health(queue, forecast),
        "refreshInterval": refresh,
        "nextRefreshAt": None if refresh is None else times.render(times.add_seconds(queue.now, refresh)),
        "nextCursor": page.cursor,
    }


def system_health(queue: JobQueue, forecast: Forecast) -> SystemHealth:
    """Return the load on the workers and the queue. Without a live worker, the load is None and the queue Good."""
    free = queue.free_slots if queue.workers else None
    return {
        "overallLoad": queue.core_load,
        "queueHealth": forecast.health(),
        "resourceAvailability": queue.availability,
        "estimatedCapacity": None if free is None else formats.additional_jobs(free),
        "additionalJobs": free,
    }


def _summary(jobs: Sequence[Job]) -> StatusCounts:
    statuses = [job.status for job in jobs]
    return {
        "running": statuses.count(JobStatus.RUNNING),
        "queued": statuses.count(JobStatus.QUEUED),
        "completed": statuses.count(JobStatus.COMPLETED),
        "failed": statuses.count(JobStatus.FAILED),
        "cancelled": statuses.count(JobStatus.CANCELLED),
    }


def _job(job: Job, now: Micros, turn: Turn, include_metrics: bool) -> TrackedJob:
    running_stage = job.running_stage
    tracked: TrackedJob = {
        "jobId": job.job_id,
        "jobName": job.name,
        "status": job.status,
        "stalled": job.stalled,
        "progress": job.percentage,
        "startTime": times.render_optional(job.started_at),
        "queuePosition": turn.position or None,
        "estimatedStartTime": times.render_optional(turn.start),
        "estimatedCompletion": _completion(job, turn, now),
        "currentStage": running_stage.name if running_stage else None,
        "submittedBy": job.submitted_by,
        "priority": job.priority,
    }
    if include_metrics:
        tracked["resourceUsage"] = _usage(job)
    return tracked


def _completion(job: Job, turn: Turn, now: Micros) -> str | None:
    """Return when the job ended, or is expected to end. A queued job ends at the end of its turn."""
    if job.status is JobStatus.QUEUED:
        return times.render_optional(turn.end)
    return completion(job, estimate(job, now))


def _usage(job: Job) -> TrackedUsage:
    used = memory(job)
    return {
        "cpu": cpu(job),
        "memory": used["memoryUsage"],
        "memoryBytes": used["memoryUsageBytes"],
        **processing_rate(job),
    }
