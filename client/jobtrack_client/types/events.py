"""Events for `Client.report_events`: `{"type": "log", "data": {"level": "INFO", "message": "Loaded"}}`."""

from typing import Annotated, Literal, NotRequired, Required, TypeAlias, TypedDict, get_args

from jobtrack_client._values import fields, kinds
from jobtrack_client._values.members import record
from jobtrack_client.models import EventName, JobStatus, LogLevel
from jobtrack_client.types.jobs import Allocation, ResourceData, Time

FINAL_STATUSES: tuple[JobStatus, ...] = ("Completed", "Failed", "Cancelled")
FINAL_EVENTS: tuple[EventName, ...] = ("jobCompleted", "jobFailed", "jobCancelled")
ALLOWED_AFTER_THE_END = frozenset({"log", "metricSample", "quality"})
"""Events that the service still accepts after a job's end."""


class StartedData(TypedDict, total=False):
    """The data of a job's start."""

    resources_allocated: Annotated[Allocation | None, record(Allocation)]
    estimated_seconds: fields.Amount


class StageData(TypedDict, total=False):
    """A stage that starts or ends."""

    stage_name: Required[fields.Name]
    records_processed: fields.Count
    total_records: fields.Count
    metrics: fields.Metrics
    error: fields.Error


class ProgressData(TypedDict, total=False):
    """The progress of a job, or of one of its stages: a percentage, a number of records, or both."""

    stage_name: Annotated[str | None, kinds.needed_name]
    progress: fields.Percent
    records_processed: fields.Count
    total_records: fields.Count
    component: fields.OptionalName
    operation: fields.OptionalName
    details: fields.Details
    metrics: fields.Metrics


class LogData(TypedDict, total=False):
    """A log line."""

    level: Required[Annotated[LogLevel, kinds.choice(*get_args(LogLevel))]]
    message: Required[fields.Message]
    component: fields.OptionalName
    stage: fields.OptionalName
    details: fields.Details


class Sample(TypedDict, total=False):
    """Resource use. `cpu_usage` is in percent. Bytes and retries are totals since the job started."""

    cpu_usage: fields.Amount
    memory_bytes: fields.Count
    disk_read_bytes: fields.Count
    disk_write_bytes: fields.Count
    disk_used_bytes: fields.Count
    iops: fields.Amount
    disk_latency_ms: fields.Amount
    network_in_bytes: fields.Count
    network_out_bytes: fields.Count
    connections: fields.Count
    records_per_second: fields.Amount
    retries: fields.Count


class QualityData(TypedDict, total=False):
    """The result of a job's own validation. The score is 0 to 100."""

    data_quality_score: fields.Percent
    validations_passed: fields.Count
    validations_failed: fields.Count


class NoteData(TypedDict, total=False):
    """A milestone, a warning or an error."""

    description: Required[fields.Description]
    details: fields.Details


class ConditionData(TypedDict, total=False):
    """A condition that blocks or blocked a job."""

    condition: Required[fields.Description]
    resolution: fields.OptionalDescription


class FailedData(TypedDict, total=False):
    """Why a job failed: the error's `message`, and other details."""

    error: Required[fields.Error]
    metrics: fields.Metrics


class EndedData(TypedDict, total=False):
    """The metrics of a job that completed or was cancelled."""

    metrics: fields.Metrics


class _TimedEvent(TypedDict):
    """An event, with its time by the worker's clock."""

    time: NotRequired[Time | None]


class HeartbeatEvent(_TimedEvent):
    """The worker is alive."""

    type: Literal["heartbeat"]


class StartedEvent(_TimedEvent):
    """A job started."""

    type: Literal["jobStarted"]
    data: NotRequired[StartedData | None]


class StageEvent(_TimedEvent):
    """A stage started, ended or is not needed."""

    type: Literal["stageStarted", "stageCompleted", "stageFailed", "stageSkipped"]
    data: StageData


class ProgressEvent(_TimedEvent):
    """A job or stage progressed."""

    type: Literal["progressUpdate"]
    data: ProgressData


class LogEvent(_TimedEvent):
    """A line was logged."""

    type: Literal["log"]
    data: LogData


class SampleEvent(_TimedEvent):
    """Resource use was measured."""

    type: Literal["metricSample"]
    data: Sample


class QualityEvent(_TimedEvent):
    """The job validated its data."""

    type: Literal["quality"]
    data: QualityData


class NoteEvent(_TimedEvent):
    """Something noteworthy happened."""

    type: Literal["milestone", "warning", "error"]
    data: NoteData


class ResourceEvent(_TimedEvent):
    """A job got a resource, or gave it back."""

    type: Literal["resourceAllocated", "resourceReleased"]
    data: ResourceData


class ConditionEvent(_TimedEvent):
    """A condition blocks a job, or no longer does."""

    type: Literal["blocked", "unblocked"]
    data: ConditionData


class FailedEvent(_TimedEvent):
    """A job failed."""

    type: Literal["jobFailed"]
    data: FailedData


class EndedEvent(_TimedEvent):
    """A job completed or was cancelled."""

    type: Literal["jobCompleted", "jobCancelled"]
    data: NotRequired[EndedData | None]


Event: TypeAlias = (
    StartedEvent
    | StageEvent
    | ProgressEvent
    | LogEvent
    | SampleEvent
    | QualityEvent
    | NoteEvent
    | ResourceEvent
    | ConditionEvent
    | FailedEvent
    | EndedEvent
    | HeartbeatEvent
)
"""An event, with the time at which it happened (default: the time at which the service receives it)."""
