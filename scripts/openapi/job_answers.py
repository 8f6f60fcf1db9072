"""Answers about jobs as such: making, reporting, one, many, and the queue."""

from typing import Annotated, Literal

from pydantic import Field

from scripts.openapi.kinds import (
    Answer,
    Count,
    Cursor,
    Duration,
    Id,
    JobStatus,
    MeanTime,
    Members,
    Percent,
    Priority,
    Rate,
    Sequence,
    Size,
    Time,
    Whole,
)


class Health(Answer):
    """The service answers."""

    status: Literal["ok"]


class Filters(Answer):
    """Which of the subscribed events are pushed."""

    minProgressIncrement: Whole
    includeDebugEvents: bool
    notifyOnErrors: bool


class Subscription(Answer):
    """Who is told of a job's events, and until when."""

    subscriptionId: str
    jobId: Id
    subscriptionType: Literal["webhook", "websocket"]
    status: Literal["Active", "Ended", "Expired"]
    endReason: str | None
    webhookUrl: str | None
    eventsSubscribed: list[str]
    filters: Filters
    language: Literal["ja", "en"]
    createdAt: Time
    expiresAt: Time


class NewSubscription(Subscription):
    """A subscription as it is told once, to who made it."""

    signingSecret: Annotated[
        str, Field(default=None, description="Of a webhook: signs the messages (Standard Webhooks 1.0); told only here")
    ]
    websocketUrl: Annotated[
        str, Field(default=None, description="Of a WebSocket: where to connect, once, within 60 seconds")
    ]


class Links(Answer):
    """Paths of what can be asked about the job."""

    self: str
    progress: str
    logs: str
    timeline: str
    metrics: str
    dependencies: str
    events: str


class NewJob(Answer):
    """A job that was made."""

    jobId: Id
    jobName: str
    status: Literal["Queued"]
    queuePosition: Annotated[int, Field(ge=1)]
    createdAt: Time
    subscriptions: list[NewSubscription]
    links: Links


class Accepted(Answer):
    """What was stored of a batch: all of it."""

    accepted: Count
    lastSequence: Sequence


class JobProgress(Answer):
    """How far a job has come."""

    percentage: Whole
    currentStage: str | None
    estimatedCompletion: Time | None
    elapsedTime: Duration | None


class Job(Answer):
    """A job as it stands."""

    jobId: Id
    projectId: Id
    jobType: str
    jobName: str
    jobDescription: str | None
    status: JobStatus
    stalled: Annotated[bool, Field(description="A running job that has been silent for longer than its heartbeat")]
    priority: Priority
    submittedBy: str
    progress: JobProgress
    createdAt: Time
    startedAt: Time | None
    endedAt: Time | None
    lastUpdated: Time
    lastSequence: Sequence
    error: Members | None
    metadata: Members | None


class Jobs(Answer):
    """Jobs of the project, newest first."""

    jobs: list[Job]
    nextCursor: Cursor


class TrackedUsage(Answer):
    """The last sample of a tracked job."""

    cpu: Percent | None
    memory: Size | None
    memoryBytes: Count | None
    processingRate: Rate | None
    recordsPerSecond: float | None


class TrackedJob(Answer):
    """A job among several."""

    jobId: Id
    jobName: str
    status: JobStatus
    stalled: bool
    progress: Whole
    startTime: Time | None
    estimatedCompletion: Time | None
    currentStage: str | None
    queuePosition: int | None
    estimatedStartTime: Time | None
    submittedBy: str
    priority: Priority
    resourceUsage: Annotated[TrackedUsage, Field(description="With `includeMetrics=true`")] | None = None


class StatusCounts(Answer):
    """The jobs of an answer by status."""

    running: Count
    queued: Count
    completed: Count
    failed: Count
    cancelled: Count


class SystemHealth(Answer):
    """The project's workers and its queue; `null` without a live worker."""

    overallLoad: Percent | None
    queueHealth: Literal["Good", "Degraded", "Critical"]
    resourceAvailability: Literal["High", "Medium", "Low"] | None
    estimatedCapacity: Annotated[str | None, Field(description="Such as `6 additional jobs`")]
    additionalJobs: Count | None


class Batch(Answer):
    """Several jobs at once."""

    trackingTime: Time
    jobCount: Count
    summary: StatusCounts
    jobs: list[TrackedJob]
    systemHealth: SystemHealth
    notFound: list[str]
    nextCursor: Cursor
    refreshInterval: int | None
    nextRefreshAt: Time | None


class QueueSummary(Answer):
    """How many jobs wait, and how long."""

    totalQueuedJobs: Count
    criticalPriorityJobs: Count
    highPriorityJobs: Count
    normalPriorityJobs: Count
    lowPriorityJobs: Count
    averageWaitTime: MeanTime | None
    averageWaitSeconds: float | None
    estimatedProcessingTime: Duration | None
    estimatedProcessingSeconds: Count | None


class Capacity(Answer):
    """What the live workers of the project can do."""

    activeWorkers: Count
    maxConcurrentJobs: Count | None
    currentlyRunning: Count
    currentLoad: Percent | None


class QueuedJob(Answer):
    """A job that waits."""

    jobId: Id
    jobName: str
    jobType: str
    priority: Priority
    queuePosition: int
    estimatedStartTime: Time | None
    estimatedDuration: Duration | None
    estimatedDurationSeconds: Count | None
    submittedBy: str
    dateSubmitted: Time


class Queue(Answer):
    """The project's queue, by priority and then by submission."""

    queueStatus: Literal["Active", "Idle"]
    timestamp: Time
    summary: QueueSummary
    processingCapacity: Capacity
    queuedJobs: list[QueuedJob]
    nextCursor: Cursor
