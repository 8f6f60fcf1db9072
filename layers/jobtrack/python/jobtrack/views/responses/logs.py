"""`GET …/job/{jobId}/logs`."""

from typing import Annotated

from typing_extensions import TypedDict

from jobtrack.domain.job import JobStatus
from jobtrack.domain.journal.records import LogLevel
from jobtrack.views.responses.fields import Count, Cursor, Id, Members, Percent, Schema, Sequence, Time, WholePercent
from jobtrack.views.responses.usage import MemoryUsage, ProcessingRate


class TimeRange(TypedDict):
    """The times of the first and the last log line."""

    startTime: Time | None
    endTime: Time | None


class LogsSummary(TypedDict):
    """Counts of all log lines of the job, whatever the filters."""

    totalEntries: Count
    debugEntries: Count
    infoEntries: Count
    warnEntries: Count
    errorEntries: Count
    timeRange: TimeRange


class LogEntry(TypedDict):
    """One log line."""

    timestamp: Time
    level: LogLevel
    component: str | None
    stage: str | None
    message: str
    details: Members | None
    sequence: Sequence


class ExecutionMetrics(MemoryUsage, ProcessingRate):
    """The current state of the job."""

    currentStage: str | None
    stageProgress: WholePercent | None
    overallProgress: WholePercent
    cpuUsage: Percent | None
    """Per cent of the allocated cores"""
    estimatedCompletion: Time | None


class Logs(TypedDict):
    """A page of log lines in order of time."""

    jobId: Id
    jobName: str
    jobStatus: JobStatus
    logsSummary: LogsSummary
    logs: list[LogEntry]
    nextCursor: Cursor
    lastSequence: Annotated[int, Schema(description="Send it as `sinceSequence` to get later log lines")]
    executionMetrics: ExecutionMetrics
