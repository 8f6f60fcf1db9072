"""What a worker may report: one model per event type, told apart by `type`."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, model_validator

from jobtrack import limits
from jobtrack.fields import (
    Amount,
    Count,
    Description,
    Details,
    Message,
    Model,
    Moment,
    Name,
    Percent,
    StageMetrics,
    encoded_size,
)
from jobtrack.lifecycle import Event


class Error(Model):
    """Why something failed; more members are kept as they came."""

    message: Message


class Allocation(Model):
    """What a worker gave the job."""

    cpu_units: Annotated[float, Field(gt=0)] | None = None
    memory_gb: Annotated[float, Field(gt=0)] | None = Field(None, alias="memoryGB")
    worker_node: Name | None = None


class JobStartedData(Model):
    """The job left the queue."""

    resources_allocated: Allocation | None = None
    estimated_seconds: Amount | None = None


class StageData(Model):
    """A stage changed its status."""

    stage_name: Name
    records_processed: Count | None = None
    total_records: Count | None = None
    metrics: StageMetrics | None = None
    error: Error | None = None


class ProgressData(Model):
    """How far a stage, or the whole job, has come."""

    stage_name: Name | None = None
    progress: Percent | None = None
    records_processed: Count | None = None
    total_records: Count | None = None
    component: Name | None = None
    operation: Name | None = None
    details: Details | Description | None = None

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if self.progress is None and self.records_processed is None:
            raise ValueError("needs progress or recordsProcessed")
        return self


class LogData(Model):
    """One log line."""

    level: Literal["DEBUG", "INFO", "WARN", "ERROR"]
    message: Message
    component: Name | None = None
    stage: Name | None = None
    details: Details | None = None


class SampleData(Model):
    """A reading of the job's use of resources; bytes and retries are totals so far."""

    cpu_usage: Amount | None = None
    memory_bytes: Count | None = None
    disk_read_bytes: Count | None = None
    disk_write_bytes: Count | None = None
    disk_used_bytes: Count | None = None
    iops: Amount | None = None
    disk_latency_ms: Amount | None = None
    network_in_bytes: Count | None = None
    network_out_bytes: Count | None = None
    connections: Count | None = None
    records_per_second: Amount | None = None
    retries: Count | None = None


class QualityData(Model):
    """What the job's own validation found."""

    data_quality_score: Percent | None = None
    validations_passed: Count | None = None
    validations_failed: Count | None = None


class NoteData(Model):
    """Something worth telling."""

    description: Description
    details: Details | None = None


class ResourceData(Model):
    """A resource that the job got or gave back."""

    resource_type: Name
    resource_id: Name
    resource_name: Name | None = None
    status: Name | None = None


class ConditionData(Model):
    """What holds the job up, or no longer does."""

    condition: Description
    resolution: Description | None = None


class FailedData(Model):
    """The job failed."""

    error: Error
    metrics: StageMetrics | None = None


class EndedData(Model):
    """The job ended."""

    metrics: StageMetrics | None = None


class Nothing(Model):
    """No data."""


class _Reported(Model):
    time: Moment | None = None

    @model_validator(mode="before")
    @classmethod
    def _within_limit(cls, value: Any) -> Any:
        if (size := encoded_size(value)) > limits.EVENT_BYTES:
            raise ValueError(f"must be at most {limits.EVENT_BYTES} bytes, is {size}")
        return value


class JobStarted(_Reported):
    """Queued → Running."""

    type: Literal["jobStarted"]
    data: JobStartedData = JobStartedData()


class StageChanged(_Reported):
    """A stage began or ended; starting an ended stage again is a retry of it."""

    type: Literal["stageStarted", "stageCompleted", "stageFailed", "stageSkipped"]
    data: StageData


class ProgressUpdate(_Reported):
    """Progress of the stage named, else of the one running, else of the whole job."""

    type: Literal["progressUpdate"]
    data: ProgressData


class Log(_Reported):
    """A log line."""

    type: Literal["log"]
    data: LogData


class MetricSample(_Reported):
    """A reading of resource use."""

    type: Literal["metricSample"]
    data: SampleData


class Quality(_Reported):
    """A result of validation."""

    type: Literal["quality"]
    data: QualityData


class Note(_Reported):
    """A milestone, a warning or an error that is no log line."""

    type: Literal["milestone", "warning", "error"]
    data: NoteData


class ResourceChanged(_Reported):
    """A resource was allocated or released."""

    type: Literal["resourceAllocated", "resourceReleased"]
    data: ResourceData


class ConditionChanged(_Reported):
    """A condition began or ceased to block the job."""

    type: Literal["blocked", "unblocked"]
    data: ConditionData


class Heartbeat(_Reported):
    """The worker lives."""

    type: Literal["heartbeat"]
    data: Nothing | None = None


class JobFailed(_Reported):
    """Queued or Running → Failed."""

    type: Literal["jobFailed"]
    data: FailedData


class JobEnded(_Reported):
    """Running → Completed; Queued or Running → Cancelled."""

    type: Literal["jobCompleted", "jobCancelled"]
    data: EndedData = EndedData()


AnyEvent = Annotated[
    JobStarted
    | StageChanged
    | ProgressUpdate
    | Log
    | MetricSample
    | Quality
    | Note
    | ResourceChanged
    | ConditionChanged
    | Heartbeat
    | JobFailed
    | JobEnded,
    Discriminator("type"),
]


class EventBatch(Model):
    """What a worker reports at once: stored as a whole or not at all."""

    events: Annotated[list[AnyEvent], Field(min_length=1, max_length=limits.EVENTS)]

    def reported(self, body: dict[str, Any], arrival: int) -> list[Event]:
        """The events for the lifecycle, in order: data as they came in `body`, times defaulting to `arrival` (µs)."""
        return [
            Event(event.type, arrival if event.time is None else event.time, raw.get("data") or {})
            for event, raw in zip(self.events, body["events"], strict=True)
        ]
