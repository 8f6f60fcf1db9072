"""What is pushed, and how it waits in the queue."""

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import orjson

from jobtrack import times
from jobtrack.classes import frozen
from jobtrack.domain import event_text
from jobtrack.domain.job import Job, Json
from jobtrack.keys import JobKey
from jobtrack.push.egress.urls import Target
from jobtrack.push.subscriptions.subscription import Event, Subscription

if TYPE_CHECKING:
    from jobtrack.push.delivery.circuit_breaker import Lane

PING = "ping"
ENDED = "subscriptionEnded"


@frozen
class Message:
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
    lane: "Lane" = "normal"

    @property
    def failed(self) -> int:
        """How many attempts of the present schedule are over once this one is."""
        return self.attempt + 1 - self.earlier

    def later(self, not_before: float, lane: "Lane" = "normal") -> Self:
        """The message for its next attempt."""
        return replace(self, not_before=not_before, attempt=self.attempt + 1, waits=0, lane=lane)

    def put_off(self, not_before: float) -> Self:
        """The message for the same attempt, later."""
        return replace(self, not_before=not_before, waits=self.waits + 1)

    def moved(self, lane: "Lane") -> Self:
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


def message_id(job: JobKey, subscription_id: str, sequence: int) -> str:
    """The `webhook-id` of an event: the same for the same job, subscription and sequence.

    It begins with the sequence, so that a subscription's messages sort by it: they are listed as they are kept.
    """
    told = f"{job.tenant}/{job.job}/{subscription_id}/{sequence}"
    return f"msg_{sequence:012d}_{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def own_id(sequence: int, now: float, nonce: str) -> str:
    """The `webhook-id` of a message that tells of no event: it sorts after those up to the job's present sequence."""
    return f"msg_{sequence:012d}_t{int(now * 1000):013d}{nonce}"


def group(subscription: Subscription) -> str:
    """The endpoint: what a tenant sends to one URL.

    It is the unit of breaker and lanes, and by it the queue sees that one is noisy, and serves the others first.
    """
    receiver = subscription.subscription_id
    if subscription.url:
        target = Target.read(subscription.url)
        receiver = f"{target.tls} {target.authority}{target.path}"
    return f"{subscription.job.tenant}-{hashlib.sha256(receiver.encode()).hexdigest()[:32]}"


def event_message(job: JobKey, job_name: str, subscription: Subscription, event: Event, now: float) -> Message | None:
    """The message that tells the subscription of the event, or None if it does not want it."""
    pushed_as = subscription.wants(event)
    if pushed_as is None:
        return None
    return Message(
        job=job,
        subscription_id=subscription.subscription_id,
        message_id=message_id(job, subscription.subscription_id, event["sequence"]),
        type=pushed_as,
        sequence=event["sequence"],
        payload=_payload(job_name, subscription, event, pushed_as),
        group=group(subscription),
        first_at=now,
    )


def own_message(
    kind: str, subscription: Subscription, job: Job | None, now: float, nonce: str, reason: str | None = None
) -> Message:
    """A `ping`, or `subscriptionEnded` and why; the job as it stands, `None` where it is no longer kept."""
    told: Json = {
        "status": job.status if job else None,
        "percentage": job.percentage if job else None,
        "description": event_text.describe(kind, subscription.language, {}),
        "event": {},
        **({"reason": reason} if reason else {}),
    }
    return Message(
        job=subscription.job,
        subscription_id=subscription.subscription_id,
        message_id=own_id(job.sequence if job else 0, now, nonce),
        type=kind,
        sequence=None,
        payload=_body(kind, int(now) * times.SECOND, subscription, job.name if job else None, None, told),
        group=group(subscription),
        first_at=now,
    )


def _payload(job_name: str, subscription: Subscription, event: Event, pushed_as: str) -> str:
    data = {"stageName": event.get("stage"), **event["data"]}
    told = {
        "status": event["status"],
        "percentage": event["percentage"],
        "description": event_text.describe(pushed_as, subscription.language, data, event["labels"]),
        "event": event["data"],
    }
    return _body(pushed_as, event["time"], subscription, job_name, event["sequence"], told)


def _body(
    kind: str, time: int, subscription: Subscription, job_name: str | None, sequence: int | None, told: Json
) -> str:
    job = subscription.job
    data = {
        "tenantId": job.tenant,
        "projectId": job.project,
        "jobId": job.job,
        "jobName": job_name,
        "subscriptionId": subscription.subscription_id,
        "sequence": sequence,
        **told,
    }
    return orjson.dumps({"type": kind, "timestamp": times.render(time), "data": data}).decode()
