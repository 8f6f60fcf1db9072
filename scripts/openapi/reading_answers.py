"""Answers about one job: progress, logs, timeline."""

from typing import Annotated, Literal

from pydantic import Field

from scripts.openapi.kinds import (
    Answer,
    Count,
    Cursor,
    Duration,
    Id,
    JobStatus,
    Members,
    Percent,
    Rate,
    Sequence,
    Size,
    StageStatus,
    Time,
    Whole,
)


class OverallProgress(Answer):
    """How far the job has come; `estimatedCompletion` is now + remaining."""

    percentage: Whole
    startTime: Time | None
    endTime: Time | None
    elapsedTime: Duration | None
    elapsedSeconds: Count | None
    estimatedRemaining: Duration | None
    remainingSeconds: Count | None
    estimatedCompletion: Time | None


class Stage(Answer):
    """A stage of the job."""

    stageName: str
    stageOrder: Annotated[int, Field(ge=1)]
    status: StageStatus
    progress: Whole
    startTime: Time | None
    endTime: Time | None
    duration: Duration | None
    durationSeconds: Count | None
    estimatedStartTime: Time | None
    estimatedEndTime: Time | None
    recordsProcessed: Count | None
    totalRecords: Count | None
    metrics: Members
    error: Members | None


class Activity(Answer):
    """What the job does now."""

    component: str | None
    operation: str | None
    details: str | Members | None


class ResourceUsage(Answer):
    """The last sample: each text with its number beside it."""

    memoryUsage: Size | None
    memoryUsageBytes: Count | None
    memoryLimit: Size | None
    memoryLimitBytes: Count | None
    cpuUsage: Percent | None
    diskUsage: Size | None
    diskUsageBytes: Count | None
    networkIO: Annotated[Size | None, Field(description="Bytes in plus bytes out")]
    networkIOBytes: Count | None
    processingRate: Rate | None
    recordsPerSecond: float | None


class QualityMetrics(Answer):
    """What validation found, and how often the job warned or erred."""

    dataQualityScore: float | None
    validationsPassed: Count | None
    validationsFailed: Count | None
    warningsGenerated: Count
    errorsEncountered: Count


class Progress(Answer):
    """How far a job has come, by stages, and what remains."""

    jobId: Id
    jobName: str
    status: JobStatus
    stalled: bool
    overallProgress: OverallProgress
    stages: list[Stage]
    currentActivity: Activity
    resourceUsage: ResourceUsage
    qualityMetrics: QualityMetrics
    lastUpdated: Time
    lastSequence: Sequence


class TimeRange(Answer):
    """The times of the first and the last entry."""

    startTime: Time | None
    endTime: Time | None


class LogsSummary(Answer):
    """Counts over the whole job, whatever the filters."""

    totalEntries: Count
    debugEntries: Count
    infoEntries: Count
    warnEntries: Count
    errorEntries: Count
    timeRange: TimeRange


class LogEntry(Answer):
    """One log line."""

    timestamp: Time
    level: Literal["DEBUG", "INFO", "WARN", "ERROR"]
    component: str | None
    stage: str | None
    message: str
    details: Members | None
    sequence: Sequence


class ExecutionMetrics(Answer):
    """The job's present state."""

    currentStage: str | None
    stageProgress: Whole | None
    overallProgress: Whole
    processingRate: Rate | None
    recordsPerSecond: float | None
    memoryUsage: Size | None
    memoryUsageBytes: Count | None
    cpuUsage: Percent | None
    estimatedCompletion: Time | None


class Logs(Answer):
    """A page of log lines, ascending in time."""

    jobId: Id
    jobName: str
    jobStatus: JobStatus
    logsSummary: LogsSummary
    logs: list[LogEntry]
    nextCursor: Cursor
    lastSequence: Annotated[int, Field(description="Ask for `sinceSequence` of it to follow")]
    executionMetrics: ExecutionMetrics


class TimelineScope(Answer):
    """What the timeline spans."""

    startTime: Time | None
    currentTime: Time
    endTime: Time | None
    granularity: Literal["seconds", "minutes", "major_events"]


class TimelineEvent(Answer):
    """Something that happened."""

    timestamp: Time
    eventType: str
    description: Annotated[str, Field(description="In the language of Accept-Language")]
    details: Members
    sequence: Sequence


class UpcomingEvent(Answer):
    """Something that is expected."""

    estimatedTime: Time
    eventType: Literal["StageStart", "StageCompletion", "JobCompletion"]
    description: str


class Timeline(Answer):
    """What happened, in order of time, and what is expected."""

    jobId: Id
    jobName: str
    timelineScope: TimelineScope
    timeline: list[TimelineEvent]
    upcomingEvents: list[UpcomingEvent]
    nextCursor: Cursor
    lastSequence: Sequence
