"""The members of the service's answers that the demo reads."""

from collections.abc import Mapping
from typing import TypedDict


class StageAnswer(TypedDict):
    """A stage in the answer of `progress`."""

    stageName: str
    status: str
    progress: int
    recordsProcessed: int | None
    totalRecords: int | None
    duration: str | None
    metrics: Mapping[str, object]


class OverallAnswer(TypedDict):
    """The whole job in the answer of `progress`."""

    percentage: int
    elapsedTime: str | None
    estimatedRemaining: str | None


class ResourceAnswer(TypedDict):
    """What the job uses, as text for people; null while nothing is known."""

    memoryUsage: str | None
    cpuUsage: float | None
    processingRate: str | None


class ProgressAnswer(TypedDict):
    """The answer of `progress`."""

    jobId: str
    jobName: str
    status: str
    lastSequence: int
    overallProgress: OverallAnswer
    stages: list[StageAnswer]
    resourceUsage: ResourceAnswer
    qualityMetrics: Mapping[str, float | None]


class LineAnswer(TypedDict):
    """An entry in the answer of `logs`."""

    timestamp: str
    level: str
    component: str | None
    stage: str | None
    message: str
    sequence: int


class LogsAnswer(TypedDict):
    """The answer of `logs`."""

    logsSummary: Mapping[str, object]
    logs: list[LineAnswer]
    nextCursor: str | None
