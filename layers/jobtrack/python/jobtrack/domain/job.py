"""The state of a job: how it was created, and what its worker has reported so far."""

from enum import StrEnum
from typing import Any, Literal, get_args

from msgspec import Struct, field

from jobtrack import times
from jobtrack.domain.past_durations import PastDurations
from jobtrack.times import Micros

Json = dict[str, Any]
Priority = Literal["Critical", "High", "Normal", "Low"]
"""In the order in which queued jobs start."""
PRIORITIES: tuple[Priority, ...] = get_args(Priority)


class JobStatus(StrEnum):
    """The status of a job."""

    QUEUED = "Queued"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def ended(self) -> bool:
        """Whether the status is final."""
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


class StageStatus(StrEnum):
    """The status of a stage."""

    PENDING = "Pending"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"
    SKIPPED = "Skipped"

    @property
    def ended(self) -> bool:
        """Whether the stage is over. A stage that failed may still be started again."""
        return self not in (StageStatus.PENDING, StageStatus.RUNNING)


class Stage(Struct, omit_defaults=True):
    """A stage: its plan, then the reported members. Durations are in seconds, progress is 0 to 100.

    Args:
        usual_seconds: the mean duration of the stage in recent jobs of the type.
        usual_range: the 25th and 75th percentile of these durations.
        error_at: the sequence of the event that reported the error.
        spilled: whether metrics of the stage are stored outside of the snapshot.
    """

    name: str
    labels: dict[str, str] | None = None
    expected_seconds: float | None = None
    weight: float | None = None
    usual_seconds: float | None = None
    usual_range: list[float] | None = None
    status: StageStatus = StageStatus.PENDING
    progress: float = 0.0
    started_at: Micros | None = None
    ended_at: Micros | None = None
    records: int | None = None
    total_records: int | None = None
    metrics: Json | None = None
    error: Json | None = None
    error_at: int | None = None
    spilled: bool = False

    @property
    def seconds(self) -> float | None:
        """The duration of a stage that has ended."""
        if self.started_at is None or self.ended_at is None:
            return None
        return times.seconds_between(self.started_at, self.ended_at)


class Job(Struct, omit_defaults=True):
    """The state of one job. Durations are in seconds.

    Args:
        stalled: see `jobtrack.domain.stalled`.
        updated_at: when the last report arrived, by our clock.
        kept_at: when the TTL of the job's older items was last extended.
        sequence: the number of the last event.
        percentage: the overall progress; it never decreases.
        own_progress: the progress that was reported without a stage.
        pushed_percentage: the percentage after the last progress update, which is when it is pushed.
        first_estimate: the duration in seconds that was expected when the job started.
        past: the durations of past jobs of the type, as of the job's start.
        sample: the last value of each metric, and the time of the newest sample.
        usage: count, sum and maximum of each metric's samples.
        minute: the metrics of the minute that is not in the journal yet.
        progress_minutes: by stage, the last progress of the minute that is not in the journal yet.
        spilled: whether metadata, metrics or errors of the job are stored outside of the snapshot.
    """

    job_id: str
    name: str
    type: str
    created_at: Micros
    description: str | None = None
    priority: Priority = "Normal"
    submitted_by: str = ""
    total_records: int | None = None
    heartbeat_seconds: int | None = None
    metadata: Json | None = None

    status: JobStatus = JobStatus.QUEUED
    started_at: Micros | None = None
    ended_at: Micros | None = None
    error: Json | None = None
    metrics: Json | None = None
    stalled: bool = False
    updated_at: Micros = Micros(0)
    kept_at: Micros = Micros(0)
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
    past: PastDurations | None = None

    sample: Json = field(default_factory=dict)
    usage: dict[str, list[int | float]] = field(default_factory=dict)
    minute: Json | None = None
    progress_minutes: dict[str, Json] = field(default_factory=dict)
    spilled: bool = False
    quality: Json = field(default_factory=dict)
    warnings: int = 0
    errors: int = 0

    def stage(self, name: str) -> Stage | None:
        """Return the stage of that name, or `None`."""
        return next((stage for stage in self.stages if stage.name == name), None)

    @property
    def running_stage(self) -> Stage | None:
        """The running stage. If several stages run, the one that started last."""
        running = [stage for stage in self.stages if stage.status is StageStatus.RUNNING]
        return max(running, key=lambda stage: stage.started_at or 0, default=None)
