"""`GET …/job/{jobId}` and `GET …/jobs`."""

from typing_extensions import TypedDict

from jobtrack.domain.job import JobStatus, Priority
from jobtrack.views.responses.fields import Cursor, Duration, Id, Members, Sequence, Stalled, Time, WholePercent


class JobProgress(TypedDict):
    """How far the job is."""

    percentage: WholePercent
    currentStage: str | None
    """The running stage that started last"""
    estimatedCompletion: Time | None
    """When the job ended, or is expected to end"""
    elapsedTime: Duration | None
    """From the start to the end, or to now"""


class Job(TypedDict):
    """The current state of a job."""

    jobId: Id
    projectId: Id
    jobType: str
    jobName: str
    jobDescription: str | None
    status: JobStatus
    stalled: Stalled
    priority: Priority
    submittedBy: str
    progress: JobProgress
    createdAt: Time
    startedAt: Time | None
    endedAt: Time | None
    lastUpdated: Time
    """When the service last accepted a report of the job"""
    lastSequence: Sequence
    error: Members | None
    """Why the job failed, as the worker reported it"""
    metadata: Members | None
    """As given when the job was created"""


class Jobs(TypedDict):
    """A page of the project's jobs, newest first."""

    jobs: list[Job]
    nextCursor: Cursor
