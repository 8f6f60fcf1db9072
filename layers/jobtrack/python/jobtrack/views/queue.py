"""`GET …/queue`."""

from collections.abc import Mapping, Sequence

from jobtrack import times
from jobtrack.domain import formats
from jobtrack.domain.job import Job
from jobtrack.domain.queue_forecast import JobQueue, Turn, expected_waits
from jobtrack.views.responses import queue as responses
from jobtrack.views.responses.queue import Capacity, QueuedJob, QueueSummary


def queue(queue: JobQueue, jobs: Sequence[Job], cursor: str | None) -> responses.Queue:
    """Return the response: the whole queue in figures, and a page of its jobs without those that have left it."""
    turns = queue.turns()
    seconds = {waiting.job: waiting.seconds for waiting in queue.queued}
    return {
        "queueStatus": "Active" if queue.queued or queue.running else "Idle",
        "timestamp": times.render(queue.now),
        "summary": _summary(queue, turns),
        "processingCapacity": _capacity(queue),
        "queuedJobs": [_job(job, turns[job.job_id], seconds[job.job_id]) for job in jobs if job.job_id in turns],
        "nextCursor": cursor,
    }


def _summary(queue: JobQueue, turns: Mapping[str, Turn]) -> QueueSummary:
    wait_seconds = expected_waits(queue, turns.values())
    mean = sum(wait_seconds) / len(wait_seconds) if wait_seconds else None
    remaining = _remaining_seconds(queue, turns)
    priorities = [waiting.priority for waiting in queue.queued]
    return {
        "totalQueuedJobs": len(queue.queued),
        "criticalPriorityJobs": priorities.count("Critical"),
        "highPriorityJobs": priorities.count("High"),
        "normalPriorityJobs": priorities.count("Normal"),
        "lowPriorityJobs": priorities.count("Low"),
        "averageWaitTime": None if mean is None else formats.mean_time(mean),
        "averageWaitSeconds": None if mean is None else formats.number(mean),
        "estimatedProcessingTime": None if remaining is None else formats.duration(remaining),
        "estimatedProcessingSeconds": remaining,
    }


def _remaining_seconds(queue: JobQueue, turns: Mapping[str, Turn]) -> int | None:
    """Return the seconds from now until the last queued job has ended; None unless all ends can be estimated."""
    ends = [turn.end for turn in turns.values() if turn.end is not None]
    if len(ends) < len(turns):
        return None
    return (max(ends, default=queue.now) - queue.now) // times.SECOND


def _capacity(queue: JobQueue) -> Capacity:
    return {
        "activeWorkers": len(queue.workers),
        "maxConcurrentJobs": queue.slots,
        "currentlyRunning": len(queue.running),
        "currentLoad": queue.slot_load,
    }


def _job(job: Job, turn: Turn, seconds: int | None) -> QueuedJob:
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
