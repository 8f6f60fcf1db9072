"""A reported event, what it became, and how the timeline keeps it."""

from typing import Literal, get_args

from msgspec import Struct

from jobtrack.domain.job import Job, JobStatus, Json
from jobtrack.domain.journal.journal import Family, Record

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
"""The events that can be subscribed to."""
EVENT_NAMES: tuple[EventName, ...] = get_args(EventName)


class Event(Struct, frozen=True):
    """One thing that happened: its type, its time in microseconds, and its data as reported."""

    type: str
    time: int
    data: Json


class Applied(Struct, frozen=True):
    """What an event became: its sequence, and the job's standing right after it, for those who are told of it."""

    event: Event
    sequence: int
    status: JobStatus
    percentage: int
    previous_percentage: int
    stage: str | None
    labels: dict[str, str] | None


def entry(job: Job, event: Event, expected: tuple[float, float] | None = None) -> Record:
    """What the timeline shows; `expected` is the range of seconds that was expected when it began."""
    body = {"type": event.type, "data": event.data} | ({"expected": expected} if expected else {})
    return Record(Family.EVENT, event.time, job.sequence, body)
