"""`GET …/tracking/batch`."""

from typing import NotRequired

from typing_extensions import TypedDict

from jobtrack.domain.job import JobStatus, Priority
from jobtrack.domain.job_queue import Availability
from jobtrack.domain.queue_forecast import Health
from jobtrack.views.responses.fields import Count, Cursor, Id, Percent, Position, Stalled, Time, WholePercent
from jobtrack.views.responses.usage import TrackedUsage


class TrackedJob(TypedDict):
    """One job of the batch."""

    jobId: Id
    jobName: str
    status: JobStatus
    stalled: Stalled
    progress: WholePercent
    startTime: Time | None
    queuePosition: Position | None
    """Position of a queued job in the queue, from 1. After the first 1,000 it is an estimate"""
    estimatedStartTime: Time | None
    """When a queued job is expected to start"""
    estimatedCompletion: Time | None
    """When the job ended, or is expected to end"""
    currentStage: str | None
    submittedBy: str
    priority: Priority
    resourceUsage: NotRequired[TrackedUsage]
    """With `includeMetrics=true`"""


class StatusCounts(TypedDict):
    """The number of the response's jobs in each status."""

    running: Count
    queued: Count
    completed: Count
    failed: Count
    cancelled: Count


class SystemHealth(TypedDict):
    """The load on the project's workers and its queue; without a live worker, the load is `null`."""

    overallLoad: Percent | None
    """Cores of the running jobs, in per cent of the workers' cores"""
    queueHealth: Health
    """By the longest expected wait: Good within 15 minutes, Degraded within 60, else Critical"""
    resourceAvailability: Availability | None
    """By the overall load: High below 50, Medium to 85, else Low"""
    estimatedCapacity: str | None
    """`additionalJobs` in words, such as `6 additional jobs`"""
    additionalJobs: Count | None
    """How many more jobs the workers can take at once"""


class Batch(TypedDict):
    """Several jobs at a glance, and the health of the system that runs them."""

    trackingTime: Time
    """When the response was made"""
    jobCount: Count
    """The number of jobs in the response"""
    summary: StatusCounts
    jobs: list[TrackedJob]
    notFound: list[str]
    """The `jobIds` that do not exist in the project"""
    systemHealth: SystemHealth
    refreshInterval: int | None
    """Seconds, as requested"""
    nextRefreshAt: Time | None
    nextCursor: Cursor
