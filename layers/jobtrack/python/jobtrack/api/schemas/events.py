"""The events that a worker reports. The member `type` selects the model."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, model_validator

from jobtrack import limits
from jobtrack.api.schemas.event_data import (
    ConditionData,
    EmptyData,
    EndedData,
    FailedData,
    JobStartedData,
    LogData,
    NoteData,
    ProgressData,
    QualityData,
    ResourceData,
    SampleData,
    StageData,
)
from jobtrack.api.schemas.fields import Model, Moment, encoded_size
from jobtrack.domain.events import Event
from jobtrack.domain.job import Json
from jobtrack.times import Micros


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
    data: JobStartedData | None = None


class StageChanged(_Reported):
    """A stage started or ended. Starting a stage that has ended is a retry."""

    type: Literal["stageStarted", "stageCompleted", "stageFailed", "stageSkipped"]
    data: StageData


class ProgressUpdate(_Reported):
    """Progress of the named stage, else of the running stage, else of the whole job."""

    type: Literal["progressUpdate"]
    data: ProgressData


class Log(_Reported):
    """A log line."""

    type: Literal["log"]
    data: LogData


class MetricSample(_Reported):
    """A sample of resource usage."""

    type: Literal["metricSample"]
    data: SampleData


class Quality(_Reported):
    """Results of validation."""

    type: Literal["quality"]
    data: QualityData


class Note(_Reported):
    """A milestone, or a warning or error that is not a log line."""

    type: Literal["milestone", "warning", "error"]
    data: NoteData


class ResourceChanged(_Reported):
    """A resource was allocated or released."""

    type: Literal["resourceAllocated", "resourceReleased"]
    data: ResourceData


class ConditionChanged(_Reported):
    """A condition started or stopped blocking the job."""

    type: Literal["blocked", "unblocked"]
    data: ConditionData


class Heartbeat(_Reported):
    """The worker is running."""

    type: Literal["heartbeat"]
    data: EmptyData | None = None


class JobFailed(_Reported):
    """Queued or Running → Failed."""

    type: Literal["jobFailed"]
    data: FailedData


class JobEnded(_Reported):
    """Running → Completed; Queued or Running → Cancelled."""

    type: Literal["jobCompleted", "jobCancelled"]
    data: EndedData | None = None


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
    """A batch of events. It is stored as a whole, or not at all."""

    events: Annotated[list[AnyEvent], Field(min_length=1, max_length=limits.EVENTS)]

    def reported(self, body: Json, arrival: Micros) -> list[Event]:
        """Return the events for the lifecycle, with their data as in `body`; their default time is `arrival`."""
        return [
            Event(event.type, Micros(arrival if event.time is None else event.time), _data(event, raw))
            for event, raw in zip(self.events, body["events"], strict=True)
        ]


def _data(event: AnyEvent, raw: Json) -> Json:
    """Return all reported members, but only the known members of samples, since a job stores their last values."""
    if isinstance(event, MetricSample | Quality):
        return event.data.model_dump(by_alias=True, exclude_none=True)
    data: Json = raw.get("data") or {}
    return data
