"""A message to one subscription, and its form in the delivery queue."""

import json
from typing import Literal, Self

import orjson
from msgspec import Struct
from msgspec.structs import replace

from jobtrack.keys import JobKey

PING = "ping"
ENDED = "subscriptionEnded"
Lane = Literal["normal", "slow"]


class Message(Struct, frozen=True):
    """One message to one subscription; times in epoch seconds, `payload` the very text to sign and send.

    `earlier` counts the attempts before the present schedule began, which a retry by hand begins anew; `waits`
    counts how often the present attempt was put off for its endpoint's sake; `lane` is the queue that it goes through.
    """

    job: JobKey
    subscription_id: str
    message_id: str
    type: str
    sequence: int | None
    payload: str
    group: str
    first_at: float
    not_before: float = 0.0
    attempt: int = 0
    earlier: int = 0
    waits: int = 0
    lane: Lane = "normal"

    @property
    def failed(self) -> int:
        """How many attempts of the present schedule are over once this one is."""
        return self.attempt + 1 - self.earlier

    def later(self, not_before: float, lane: Lane = "normal") -> Self:
        """The message for its next attempt."""
        return replace(self, not_before=not_before, attempt=self.attempt + 1, waits=0, lane=lane)

    def postponed(self, not_before: float) -> Self:
        """Return the message for the same attempt, later."""
        return replace(self, not_before=not_before, waits=self.waits + 1)

    def moved(self, lane: Lane) -> Self:
        """The message for the same attempt, in another lane."""
        return replace(self, lane=lane)

    def encode(self) -> str:
        """The body of the queue's message: pure ASCII, since SQS refuses some characters that JSON allows."""
        body = {
            "tenantId": self.job.tenant,
            "projectId": self.job.project,
            "jobId": self.job.job,
            "subscriptionId": self.subscription_id,
            "messageId": self.message_id,
            "type": self.type,
            "sequence": self.sequence,
            "attempt": self.attempt,
            "earlier": self.earlier,
            "waits": self.waits,
            "lane": self.lane,
            "notBefore": self.not_before,
            "firstAt": self.first_at,
            "group": self.group,
            "payload": self.payload,
        }
        return json.dumps(body, separators=(",", ":"))

    @classmethod
    def decode(cls, body: str) -> Self:
        """Read what `encode` wrote."""
        stored = orjson.loads(body)
        return cls(
            job=JobKey(stored["tenantId"], stored["projectId"], stored["jobId"]),
            subscription_id=stored["subscriptionId"],
            message_id=stored["messageId"],
            type=stored["type"],
            sequence=stored["sequence"],
            payload=stored["payload"],
            group=stored["group"],
            first_at=stored["firstAt"],
            not_before=stored["notBefore"],
            attempt=stored["attempt"],
            earlier=stored["earlier"],
            waits=stored.get("waits", 0),  # what was put into the queue before there were lanes has neither
            lane=stored.get("lane", "normal"),
        )
