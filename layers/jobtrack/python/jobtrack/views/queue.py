"""`GET …/queue`."""

from collections.abc import Sequence

from jobtrack import times
from jobtrack.domain import formats
from jobtrack.domain.estimate import planned_seconds
from jobtrack.domain.job import Job, JobStatus
from jobtrack.domain.job_queue import JobQueue
from jobtrack.domain.queue_forecast import Forecast, Turn, forecast_queue
from jobtrack.views.responses import queue as responses
from jobtrack.views.responses.queue import Capacity, QueuedJob, QueueSummary


def queue(queue: JobQueue, jobs: Sequence[Job], cursor: str | None) -> responses.Queue:
    """Return the response: the whole queue in figures, and a page of its jobs, without jobs that have left."""
    forecast = forecast_queue(queue)
    return {
        "queueStatus": "Active" if queue.queued or queue.running_jobs else "Idle",
        "timestamp": times.render(queue.now),
        "summary": _summary(queue, forecast),
        "processingCapacity": _capacity(queue),
        "queuedJobs": [_job(job, forecast.turn_of(job)) for job in jobs if job.status is JobStatus.QUEUED],
        "nextCursor": cursor,
    }


def _summary(queue: JobQueue, forecast: Forecast) -> QueueSummary:
    mean, remaining = forecast.mean_wait(), forecast.remaining_seconds()
    critical, high, normal, low = queue.queued_jobs
    return {
        "totalQueuedJobs": critical + high + normal + low,
        "criticalPriorityJobs": critical,
        "highPriorityJobs": high,
        "normalPriorityJobs": normal,
        "lowPriorityJobs": low,
        "averageWaitTime": None if mean is None else formats.mean_time(mean),
        "averageWaitSeconds": None if mean is None else formats.number(mean),
        "estimatedProcessingTime": None if remaining is None else formats.duration(remaining),
        "estimatedProcessingSeconds": remaining,
    }


def _capacity(queue: JobQueue) -> Capacity:
    return {
        "activeWorkers": len(queue.workers),
        "maxConcurrentJobs": queue.slots,
        "currentlyRunning": queue.running_jobs,
        "currentLoad": queue.slot_load,
    }


def _job(job: Job, turn: Turn) -> QueuedJob:
    seconds = planned_seconds(job)
    return {
        "jobId": job.job_id,
        "jobName": job.name,
        "jobType": job.type,
        "priority": job.priority,
        "queuePosition": turn.position,
        "estimatedStartTime": times.render_optional(turn.start),
        "estimatedDuration": None if seconds is None else formats.duration(seconds),
        "estimatedDurationSeconds": seconds,
        "submittedBy": job.submitted_by,
        "dateSubmitted": times.render(job.created_at),
    }
