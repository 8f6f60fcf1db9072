"""The responses about messages to a subscription."""

from typing import Annotated

from typing_extensions import TypedDict

from jobtrack.domain.subscription_states import DeliveryStatus
from jobtrack.views.responses.fields import Count, Cursor, Schema, Sequence, Time

MessageId = Annotated[str, Schema(description="The `webhook-id` of the message")]


class QueuedMessage(TypedDict):
    """A message that will be pushed."""

    messageId: MessageId


class Attempt(TypedDict):
    """One attempt to push a message."""

    time: Time
    statusCode: int | None
    """Status of the receiver's response"""
    milliseconds: Count
    """How long the attempt took"""
    error: str | None
    """Why there was no response"""


class Delivery(TypedDict):
    """The state of a message's delivery."""

    messageId: MessageId
    type: str
    sequence: Sequence | None
    status: DeliveryStatus
    attempts: list[Attempt]


class Deliveries(TypedDict):
    """A page of the messages of the last week, newest first."""

    deliveries: list[Delivery]
    nextCursor: Cursor
