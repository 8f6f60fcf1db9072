"""`GET …/queue`."""

from collections.abc import Mapping, Sequence

from jobtrack import times
from jobtrack.domain import formats
from jobtrack.domain.job import Job, Json
from jobtrack.domain.queue_forecast import PRIORITIES, Queue, Turn, waits


def queue(queue: Queue, jobs: Sequence[Job], cursor: str | None) -> Json:
    """The answer: the whole queue summed up, and a page of its jobs in its order.

    `queueStatus` is Active while a job waits or runs. The rest is told at `_summary` and `_capacity`.
    """
    turns = queue.turns()
    lengths = {each.job: each.seconds for each in queue.waiting}
    return {
        "queueStatus": "Active" if queue.waiting or queue.running else "Idle",
        "timestamp": times.render(queue.now),
        "summary": _summary(queue, turns),
        "processingCapacity": _capacity(queue),
        "queuedJobs": [_job(job, turns[job.job_id], lengths[job.job_id]) for job in jobs],
        "nextCursor": cursor,
    }


def _summary(queue: Queue, turns: Mapping[str, Turn]) -> Json:
    """Counts by priority, and what is expected.

    `averageWaitTime`: the mean, over the queued jobs whose start can be expected, of the time from now until then.
    `estimatedProcessingTime`: from now until the last queued job is expected to have ended; `null` unless all are.
    """
    waiting = waits(queue, turns.values())
    mean = sum(waiting) / len(waiting) if waiting else None
    left = _seconds_left(queue, turns)
    return {
        "totalQueuedJobs": len(queue.waiting),
        **{
            f"{priority.lower()}PriorityJobs": sum(each.priority == priority for each in queue.waiting)
            for priority in PRIORITIES
        },
        "averageWaitTime": None if mean is None else formats.mean_time(mean),
        "averageWaitSeconds": None if mean is None else formats.number(mean),
        "estimatedProcessingTime": None if left is None else formats.duration(left),
        "estimatedProcessingSeconds": left,
    }


def _seconds_left(queue: Queue, turns: Mapping[str, Turn]) -> int | None:
    ends = [turn.end for turn in turns.values() if turn.end is not None]
    if len(ends) < len(turns):
        return None
    return (max(ends, default=queue.now) - queue.now) // times.SECOND


def _capacity(queue: Queue) -> Json:
    """Of the live workers; `currentLoad` is what runs in per cent of what they take at once, `null` without any."""
    return {
        "activeWorkers": len(queue.workers),
        "maxConcurrentJobs": queue.slots,
        "currentlyRunning": len(queue.running),
        "currentLoad": queue.slot_load,
    }


def _job(job: Job, turn: Turn, seconds: int | None) -> Json:
    return {
        "jobId": job.job_id,
        "jobName": job.name,
        "jobType": job.type,
        "priority": job.priority,
        "queuePosition": turn.position,
        "estimatedStartTime": None if turn.start is None else times.render(turn.start),
        "estimatedDuration": None if seconds is None else formats.duration(seconds),
        "estimatedDurationSeconds": seconds,
        "submittedBy": job.submitted_by,
        "dateSubmitted": times.render(job.created_at),
    }
