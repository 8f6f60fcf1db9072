"""`GET …/tracking/batch`."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jobtrack import times
from jobtrack.domain import formats
from jobtrack.domain.estimate import Estimate, estimate
from jobtrack.domain.job import Job, Json, Status
from jobtrack.domain.queue_forecast import Queue, Turn, health, waits
from jobtrack.views.progress import completion
from jobtrack.views.usage import cpu, memory, processing_rate

_NO_TURN = Turn(0, None, None)


class Page(NamedTuple):
    """The jobs of an answer in its order, the ids that are none of the project's, and where the walk goes on."""

    jobs: Sequence[Job]
    not_found: Sequence[str]
    cursor: str | None


def batch(page: Page, queue: Queue, include_metrics: bool, refresh: int | None) -> Json:
    """The answer for some jobs, and the queue that those of them are part of which wait; `refresh` in seconds."""
    turns = queue.turns()
    following = None if refresh is None else times.render(queue.now + refresh * times.SECOND)
    return {
        "trackingTime": times.render(queue.now),
        "jobCount": len(page.jobs),
        "summary": _summary(page.jobs),
        "jobs": [_job(each, queue.now, turns, include_metrics) for each in page.jobs],
        "notFound": page.not_found,
        "systemHealth": system_health(queue, turns),
        "refreshInterval": refresh,
        "nextRefreshAt": following,
        "nextCursor": page.cursor,
    }


def system_health(queue: Queue, turns: Mapping[str, Turn]) -> Json:
    """By the contract's definitions; without a live worker `null`, Good, `null`, `null`.

    `queueHealth` goes by the longest wait, from now, of those queued jobs whose start can be expected.
    """
    free = queue.free_slots if queue.workers else None
    return {
        "overallLoad": queue.core_load,
        "queueHealth": health(waits(queue, turns.values())),
        "resourceAvailability": queue.availability,
        "estimatedCapacity": None if free is None else formats.additional_jobs(free),
        "additionalJobs": free,
    }


def _summary(jobs: Sequence[Job]) -> Json:
    return {status.lower(): sum(job.status is status for job in jobs) for status in _SUMMED}


_SUMMED = (Status.RUNNING, Status.QUEUED, Status.COMPLETED, Status.FAILED, Status.CANCELLED)


def _job(job: Job, now: int, turns: Mapping[str, Turn], include_metrics: bool) -> Json:
    running, turn = job.running_stage, turns.get(job.job_id, _NO_TURN)
    shown = {
        "jobId": job.job_id,
        "jobName": job.name,
        "status": job.status,
        "stalled": job.stalled,
        "progress": job.percentage,
        "startTime": _time(job.started_at),
        "queuePosition": turn.position or None,
        "estimatedStartTime": _time(turn.start),
        "estimatedCompletion": _completion(job, turn, estimate(job, now)),
        "currentStage": running.name if running else None,
        "submittedBy": job.submitted_by,
        "priority": job.priority,
    }
    return {**shown, "resourceUsage": _usage(job)} if include_metrics else shown


def _completion(job: Job, turn: Turn, expected: Estimate) -> str | None:
    """When the job ended, or is expected to: a queued one by its turn."""
    return _time(turn.end) if job.status is Status.QUEUED else completion(job, expected)


def _usage(job: Job) -> Json:
    """Of the job's last sample."""
    used = memory(job)
    return {
        "cpu": cpu(job),
        "memory": used["memoryUsage"],
        "memoryBytes": used["memoryUsageBytes"],
        **processing_rate(job),
    }


def _time(moment: int | None) -> str | None:
    return None if moment is None else times.render(moment)
