"""`GET …/job/{jobId}/progress`."""

from typing_extensions import TypedDict

from jobtrack.domain.job import JobStatus, StageStatus
from jobtrack.views.responses.fields import (
    Count,
    Duration,
    Id,
    Members,
    Position,
    Sequence,
    Stalled,
    Time,
    WholePercent,
)
from jobtrack.views.responses.usage import ResourceUsage


class OverallProgress(TypedDict):
    """How far the whole job is."""

    percentage: WholePercent
    startTime: Time | None
    endTime: Time | None
    elapsedTime: Duration | None
    """From the start to the end, or to now"""
    elapsedSeconds: Count | None
    estimatedRemaining: Duration | None
    remainingSeconds: Count | None
    estimatedCompletion: Time | None
    """When the job ended, or now plus `remainingSeconds`"""


class Stage(TypedDict):
    """A stage of the job."""

    stageName: str
    stageOrder: Position
    """Position among the stages, from 1"""
    status: StageStatus
    progress: WholePercent
    startTime: Time | None
    endTime: Time | None
    duration: Duration | None
    """How long the stage took, once it has ended"""
    durationSeconds: Count | None
    estimatedStartTime: Time | None
    """When a pending stage is expected to start"""
    estimatedEndTime: Time | None
    recordsProcessed: Count | None
    totalRecords: Count | None
    metrics: Members
    """As reported; a completed stage also has `throughput`, its records divided by its duration"""
    error: Members | None
    """Why the stage failed, as reported"""


class Activity(TypedDict):
    """What the job is doing, as last reported."""

    component: str | None
    operation: str | None
    details: str | Members | None


class QualityMetrics(TypedDict):
    """Results of the job's own validation, and how many warnings and errors it logged."""

    dataQualityScore: float | None
    """0 to 100"""
    validationsPassed: Count | None
    validationsFailed: Count | None
    warningsGenerated: Count
    errorsEncountered: Count


class Progress(TypedDict):
    """How far a job is, stage by stage, and what remains."""

    jobId: Id
    jobName: str
    status: JobStatus
    stalled: Stalled
    overallProgress: OverallProgress
    stages: list[Stage]
    currentActivity: Activity
    resourceUsage: ResourceUsage
    qualityMetrics: QualityMetrics
    lastUpdated: Time
    lastSequence: Sequence
