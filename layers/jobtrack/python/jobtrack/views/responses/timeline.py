"""`GET …/job/{jobId}/timeline`."""

from typing import Literal

from typing_extensions import TypedDict

from jobtrack.domain.timeline import Granularity
from jobtrack.views.responses.fields import Cursor, Id, Members, Sequence, Time

UpcomingType = Literal["StageStart", "StageCompletion", "JobCompletion"]


class TimelineScope(TypedDict):
    """What the timeline covers."""

    startTime: Time | None
    """When the job started"""
    currentTime: Time
    endTime: Time | None
    """When the job ended"""
    granularity: Granularity


class TimelineEvent(TypedDict):
    """Something that happened."""

    timestamp: Time
    eventType: str
    """The reported type in PascalCase, such as `StageCompleted`; `Progress`, `Warning` and `Error` of their kinds"""
    description: str
    """In the language of `Accept-Language`"""
    details: Members
    sequence: Sequence


class UpcomingEvent(TypedDict):
    """Something that is expected to happen."""

    estimatedTime: Time
    eventType: UpcomingType
    description: str
    """In the language of `Accept-Language`"""


class Timeline(TypedDict):
    """What happened in order of time, and what is expected to happen."""

    jobId: Id
    jobName: str
    timelineScope: TimelineScope
    timeline: list[TimelineEvent]
    upcomingEvents: list[UpcomingEvent]
    nextCursor: Cursor
    lastSequence: Sequence
