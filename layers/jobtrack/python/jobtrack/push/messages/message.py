"""A message to one subscription."""

from typing import Literal, Self

from msgspec.structs import replace

from jobtrack import times
from jobtrack.keys import JobKey
from jobtrack.push.messages.queue_message import QueueMessage
from jobtrack.times import Micros

PING = "ping"
ENDED = "subscriptionEnded"
Lane = Literal["normal", "slow"]


class Message(QueueMessage, frozen=True, tag="message"):
    """A message to one subscription.

    Args:
        job: the job of the subscription.
        subscription_id: the subscription.
        message_id: the `webhook-id`.
        type: the type of the event, `ping` or `subscriptionEnded`.
        sequence: the sequence of the event, None if the message is not about an event.
        payload: the exact text to sign and send.
        group: the endpoint, which is also the message group in the queue.
        first_at: when the retry schedule began.
        not_before: when the message is due.
        attempt: the number of this attempt, from 0.
        earlier: attempts before this retry schedule; a redelivery begins a new schedule.
        waits: how often this attempt was postponed because of its endpoint.
        lane: the lane of the delivery queue.
    """

    job: JobKey
    subscription_id: str
    message_id: str
    type: str
    sequence: int | None
    payload: str
    group: str
    first_at: Micros
    not_before: Micros = times.EPOCH
    attempt: int = 0
    earlier: int = 0
    waits: int = 0
    lane: Lane = "normal"

    @property
    def failed(self) -> int:
        """The number of failed attempts in this retry schedule, if this one fails."""
        return self.attempt + 1 - self.earlier

    def later(self, not_before: Micros, lane: Lane = "normal") -> Self:
        """Return the message for its next attempt."""
        return replace(self, not_before=not_before, attempt=self.attempt + 1, waits=0, lane=lane)

    def postponed(self, not_before: Micros) -> Self:
        """Return the message for the same attempt, later."""
        return replace(self, not_before=not_before, waits=self.waits + 1)

    def moved(self, lane: Lane) -> Self:
        """Return the message for the same attempt, in another lane."""
        return replace(self, lane=lane)
