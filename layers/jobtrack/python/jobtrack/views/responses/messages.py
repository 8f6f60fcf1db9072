"""The messages that are pushed to webhooks and over WebSockets."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from jobtrack.domain.job import JobStatus
from jobtrack.domain.subscription_states import EndReason
from jobtrack.views.responses.fields import Id, Members, Schema, Time, WholePercent

EventSequence = Annotated[
    int | None,
    Schema(description="Position in the total order of the job's events; `null` if it is not about an event"),
]


class MessageData(TypedDict):
    """The content of a message."""

    tenantId: Id
    projectId: Id
    jobId: Id
    jobName: str | None
    subscriptionId: str
    sequence: EventSequence
    status: JobStatus | None
    """The job's status at the event; `null` if the job is no longer kept"""
    percentage: WholePercent | None
    description: str
    """The event in one line, in the subscription's `language`"""
    event: Members
    """The event's `data` as the worker reported it"""
    reason: NotRequired[EndReason]
    """Why the subscription ended"""


class Message(TypedDict):
    """A message to a receiver."""

    type: str
    """More types may be added: return 2xx for a type that you do not know"""
    timestamp: Time
    """When the event happened"""
    data: MessageData
