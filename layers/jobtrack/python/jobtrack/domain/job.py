"""A job as it stands: what it was asked to do and what its worker reported so far."""

from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct, field

from jobtrack.domain.past_durations import Past

Json = dict[str, Any]
Priority = Literal["Critical", "High", "Normal", "Low"]
"""In the order in which the queue starts jobs."""


class JobStatus(StrEnum):
    """Where a job is in its life."""

    QUEUED = "Queued"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def ended(self) -> bool:
        """Whether the status is a last one."""
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


class StageStatus(StrEnum):
    """Where a stage is in its life."""

    PENDING = "Pending"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"
    SKIPPED = "Skipped"

    @property
    def ended(self) -> bool:
        """Whether nothing of the stage remains to be done."""
        return self not in (StageStatus.PENDING, StageStatus.RUNNING)


class Stage(Struct, omit_defaults=True):
    """One stage: its plan, then what happened. Times in microseconds, durations in seconds, progress 0 to 100.

    `error_at` is the sequence of the error's event.
    """

    name: str
    labels: dict[str, str] | None = None
    expected_seconds: float | None = None
    weight: float | None = None
    usual_seconds: float | None = None
    usual_range: list[float] | None = None
    status: StageStatus = StageStatus.PENDING
    progress: float = 0.0
    started_at: int | None = None
    ended_at: int | None = None
    records: int | None = None
    total_records: int | None = None
    metrics: Json | None = None
    error: Json | None = None
    error_at: int | None = None
    spilled: bool = False

    @property
    def seconds(self) -> float | None:
        """How long it took, once it has ended; clocks that run backwards count as no time."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(0, self.ended_at - self.started_at) / 1e6


class Job(Struct, omit_defaults=True):
    """The state of one job. Times in microseconds, durations in seconds."""

    job_id: str
    name: str
    type: str
    created_at: int
    description: str | None = None
    priority: Priority = "Normal"
    submitted_by: str = ""
    total_records: int | None = None
    heartbeat_seconds: int | None = None
    metadata: Json | None = None

    status: JobStatus = JobStatus.QUEUED
    started_at: int | None = None
    ended_at: int | None = None
    error: Json | None = None
    metrics: Json | None = None
    stalled: bool = False
    updated_at: int = 0
    kept_at: int = 0
    sequence: int = 0

    percentage: int = 0
    own_progress: float = 0.0
    records: int | None = None
    pushed_percentage: int = 0
    stages: list[Stage] = field(default_factory=list)
    activity: Json | None = None
    allocated: Json | None = None
    estimated_seconds: float | None = None
    first_estimate: float | None = None
    past: Past | None = None

    sample: Json = field(default_factory=dict)
    usage: dict[str, list[int | float]] = field(default_factory=dict)
    minute: Json | None = None
    progress_minutes: dict[str, Json] = field(default_factory=dict)
    spilled: bool = False
    quality: Json = field(default_factory=dict)
    warnings: int = 0
    errors: int = 0

    def stage(self, name: str) -> Stage | None:
        """The stage of that name, if there is one."""
        return next((stage for stage in self.stages if stage.name == name), None)

    @property
    def running_stage(self) -> Stage | None:
        """The stage that runs; of several, the one that started last."""
        running = [stage for stage in self.stages if stage.status is StageStatus.RUNNING]
        return max(running, key=lambda stage: stage.started_at or 0, default=None)

    @property
    def deadline(self) -> int | None:
        """Until when (µs) something must be heard of the job, lest it be called stalled.

        None where nobody waits for it: it has no heartbeat, does not run, or is called stalled already.
        """
        if self.heartbeat_seconds is None or self.status is not JobStatus.RUNNING or self.stalled:
            return None
        return self.updated_at + self.heartbeat_seconds * 1_000_000
