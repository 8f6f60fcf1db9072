"""A reported event, the event after it was applied to its job, and its record in the journal."""

from typing import Literal, get_args

from msgspec import Struct

from jobtrack.domain.job import Job, JobStatus, Json
from jobtrack.domain.journal.records import Family, Record
from jobtrack.times import Micros

EventName = Literal[
    "stageStarted",
    "stageCompleted",
    "progressUpdate",
    "error",
    "warning",
    "jobCompleted",
    "jobQueued",
    "jobStarted",
    "jobFailed",
    "jobCancelled",
    "jobStalled",
    "stageFailed",
    "stageSkipped",
    "milestone",
    "log",
]
"""The events that a subscription can name."""
EVENT_NAMES: tuple[EventName, ...] = get_args(EventName)


class Event(Struct, frozen=True):
    """A reported event: its type, its time by the worker's clock, and its data as reported."""

    type: str
    time: Micros
    data: Json


class AppliedEvent(Struct, frozen=True):
    """An event after it was applied: its sequence, and the state of its job right after it."""

    event: Event
    sequence: int
    status: JobStatus
    percentage: int
    previous_percentage: int
    stage: str | None
    labels: dict[str, str] | None


STAGE_EVENTS = frozenset({"stageStarted", "stageCompleted", "stageFailed", "stageSkipped", "progressUpdate"})
"""The events that may name a stage."""


def stage_name(event: Event) -> str | None:
    """Return the name of the stage that the event is about, if it names one."""
    return event.data.get("stageName") if event.type in STAGE_EVENTS else None


def applied_event(job: Job, event: Event, previous_percentage: int) -> AppliedEvent:
    """Return the event with the state of the job right after it."""
    name = stage_name(event)
    stage = job.running_stage if name is None else job.stage(name)
    stage_and_labels = (stage.name, stage.labels) if stage else (None, None)
    return AppliedEvent(event, job.sequence, job.status, job.percentage, previous_percentage, *stage_and_labels)


def timeline_record(job: Job, event: Event, expected: tuple[float, float] | None = None) -> Record:
    """Return the event's record for the journal; `expected` is the expected duration of a stage or job that starts."""
    body = {"type": event.type, "data": event.data} | ({"expected": expected} if expected else {})
    return Record(Family.EVENT, event.time, job.sequence, body)


def with_state(record: Record, job: Job, previous_percentage: int) -> Record:
    """Add the state of the job right after the event to the record, for a subscription that replays it later.

    A record of an event contains the percentage only if it is not 0, and the status only if it is not Running.
    """
    if record.family is Family.PROGRESS:
        return record._replace(body={**record.body, "percentages": [job.percentage, previous_percentage]})
    if record.family is not Family.EVENT:
        return record
    percentage = {"percentage": job.percentage} if job.percentage else {}
    status = {} if job.status is JobStatus.RUNNING else {"status": job.status}
    return record._replace(body={**record.body, **percentage, **status})
