"""`GET …/queue`."""

from typing import Literal

from typing_extensions import TypedDict

from jobtrack.domain.job import Priority
from jobtrack.views.responses.fields import Count, Cursor, Duration, Id, MeanTime, Percent, Position, Time


class QueueSummary(TypedDict):
    """The whole queue in figures."""

    totalQueuedJobs: Count
    criticalPriorityJobs: Count
    highPriorityJobs: Count
    normalPriorityJobs: Count
    lowPriorityJobs: Count
    averageWaitTime: MeanTime | None
    """Mean time from now until a queued job starts, over jobs with an estimated start"""
    averageWaitSeconds: float | None
    estimatedProcessingTime: Duration | None
    """From now until the last queued job has ended; `null` unless all ends can be estimated"""
    estimatedProcessingSeconds: Count | None


class Capacity(TypedDict):
    """What the project's live workers can run."""

    activeWorkers: Count
    """Workers that sent a heartbeat within 120 seconds"""
    maxConcurrentJobs: Count | None
    currentlyRunning: Count
    currentLoad: Percent | None
    """Running jobs in per cent of `maxConcurrentJobs`"""


class QueuedJob(TypedDict):
    """A job that waits to be started."""

    jobId: Id
    jobName: str
    jobType: str
    priority: Priority
    queuePosition: Position
    """From 1; after the first 1,000 it is an estimate"""
    estimatedStartTime: Time | None
    estimatedDuration: Duration | None
    estimatedDurationSeconds: Count | None
    submittedBy: str
    dateSubmitted: Time


class Queue(TypedDict):
    """The project's queue in figures, and a page of its jobs by priority, then by submission."""

    queueStatus: Literal["Active", "Idle"]
    """Active while a job is queued or running"""
    timestamp: Time
    summary: QueueSummary
    processingCapacity: Capacity
    queuedJobs: list[QueuedJob]
    nextCursor: Cursor
