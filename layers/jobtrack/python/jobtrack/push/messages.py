"""What is pushed, and how it waits in the queue."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import orjson

from jobtrack import text, times
from jobtrack.keys import JobKey
from jobtrack.push.subscription import Event, Subscription
from jobtrack.push.urls import Target


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one subscription; times in epoch seconds, `payload` the very text to sign and send."""

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

    def later(self, not_before: float) -> Self:
        """The message for its next attempt."""
        return replace(self, not_before=not_before, attempt=self.attempt + 1)

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
        )


def message_id(job: JobKey, subscription_id: str, what: int | str) -> str:
    """The `webhook-id`: the same for the same job, subscription and sequence (or the nonce of what has none)."""
    told = f"{job.tenant}/{job.job}/{subscription_id}/{what}"
    return "msg_" + hashlib.sha256(told.encode()).hexdigest()[:32]


def group(subscription: Subscription) -> str:
    """Who shares a receiver: by it the queue sees that one of them is noisy, and serves the others first."""
    host = Target.read(subscription.url).host if subscription.url else subscription.subscription_id
    return f"{subscription.job.tenant}-{hashlib.sha256(host.encode()).hexdigest()[:16]}"


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
        payload=_payload(job, job_name, subscription, event, pushed_as),
        group=group(subscription),
        first_at=now,
    )


def _payload(job: JobKey, job_name: str, subscription: Subscription, event: Event, pushed_as: str) -> str:
    body: Mapping[str, Any] = {
        "type": pushed_as,
        "timestamp": times.render(event["time"]),
        "data": {
            "tenantId": job.tenant,
            "projectId": job.project,
            "jobId": job.job,
            "jobName": job_name,
            "subscriptionId": subscription.subscription_id,
            "sequence": event["sequence"],
            "status": event["status"],
            "percentage": event["percentage"],
            "description": text.describe(
                pushed_as, subscription.language, {"stageName": event.get("stage"), **event["data"]}, event["labels"]
            ),
            "event": event["data"],
        },
    }
    return orjson.dumps(body).decode()
