"""Answers about subscriptions and what was pushed to them."""

from typing import Annotated, Literal

from pydantic import Field

from scripts.openapi.job_answers import Subscription
from scripts.openapi.kinds import Answer, Count, Cursor, Sequence, Time

MessageId = Annotated[str, Field(description="The `webhook-id` of the message")]


class Subscriptions(Answer):
    """Who is told of the job's events, or was within the last week."""

    subscriptions: list[Subscription]
    nextCursor: Cursor


class NewSecret(Answer):
    """The new signing secret."""

    signingSecret: Annotated[str, Field(description="Signs from now on; the one before signs too for 24 hours")]


class NewTicket(Answer):
    """Where to connect once more."""

    websocketUrl: Annotated[str, Field(description="For one connection, within 60 seconds")]


class Owed(Answer):
    """A message that will be pushed."""

    messageId: MessageId


class Attempt(Answer):
    """One try to push a message."""

    time: Time
    statusCode: int | None
    milliseconds: Count
    error: Annotated[str | None, Field(description="Why there was no answer")]


class Delivery(Answer):
    """What became of a message."""

    messageId: MessageId
    type: str
    sequence: Sequence | None
    status: Literal["Delivered", "Pending", "Failed", "Skipped"]
    attempts: list[Attempt]


class Deliveries(Answer):
    """What was pushed within the last week, newest first."""

    deliveries: list[Delivery]
    nextCursor: Cursor
