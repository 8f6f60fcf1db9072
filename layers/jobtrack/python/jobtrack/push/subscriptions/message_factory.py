"""Creates the messages to a subscription (events, pings, and its end) and the wakes of its streamer."""

import hashlib
from typing import TYPE_CHECKING

import orjson

from jobtrack import times
from jobtrack.domain import event_text
from jobtrack.domain.job import Job, JobStatus
from jobtrack.domain.subscription_states import EndReason
from jobtrack.keys import JobKey
from jobtrack.push.egress.urls import WebhookUrl
from jobtrack.push.messages.message import Message
from jobtrack.push.messages.wake import Wake
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.store.outbox_records import OutboxEvent
from jobtrack.times import Micros

if TYPE_CHECKING:
    from jobtrack.views.responses.messages import Message as MessageBody
    from jobtrack.views.responses.messages import MessageData


def event_message_id(job: JobKey, subscription_id: str, sequence: int) -> str:
    """Return the `webhook-id` of an event. It depends only on the job, the subscription and the sequence.

    It begins with the sequence, so that the stored deliveries of a subscription sort by it.
    """
    text = f"{job.tenant}/{job.job}/{subscription_id}/{sequence}"
    return f"msg_{sequence:012d}_{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def service_message_id(sequence: int, now: Micros, nonce: str) -> str:
    """Return the `webhook-id` of a message that is not about an event; it sorts after the job's events so far."""
    return f"msg_{sequence:012d}_t{now // 1000:013d}{nonce}"


def endpoint_group(subscription: Subscription) -> str:
    """Return the name of the endpoint: a tenant's URL, or a WebSocket subscription.

    Each endpoint has its own circuit breaker and lane. The name is also the message group in the queue, so that a busy
    endpoint does not delay other endpoints.
    """
    receiver = subscription.subscription_id
    if subscription.url:
        target = WebhookUrl.parse(subscription.url)
        receiver = f"{target.tls} {target.authority}{target.path}"
    return f"{subscription.job.tenant}-{hashlib.sha256(receiver.encode()).hexdigest()[:32]}"


def event_message(
    job: JobKey, job_name: str, subscription: Subscription, event: OutboxEvent, now: Micros
) -> Message | None:
    """Return the message about an event, or None if the subscription does not want it."""
    pushed_as = subscription.wants(event)
    if pushed_as is None:
        return None
    return Message(
        job=job,
        subscription_id=subscription.subscription_id,
        message_id=event_message_id(job, subscription.subscription_id, event.sequence),
        type=pushed_as,
        sequence=event.sequence,
        payload=_payload(pushed_as, event.time, _event_data(job_name, subscription, event, pushed_as)),
        group=endpoint_group(subscription),
        first_at=now,
    )


def service_message(
    kind: str, subscription: Subscription, job: Job | None, now: Micros, nonce: str, reason: EndReason | None = None
) -> Message:
    """Return a `ping`, or a `subscriptionEnded` with its reason; `job` is None if it is no longer kept."""
    data = _data(subscription, job.name if job else None)
    data["status"] = job.status if job else None
    data["percentage"] = job.percentage if job else None
    data["description"] = event_text.describe(kind, subscription.language, {})
    if reason:
        data["reason"] = reason
    return Message(
        job=subscription.job,
        subscription_id=subscription.subscription_id,
        message_id=service_message_id(job.sequence if job else 0, now, nonce),
        type=kind,
        sequence=None,
        payload=_payload(kind, times.whole(now), data),
        group=endpoint_group(subscription),
        first_at=now,
    )


def new_wake(subscription: Subscription, sequence: int | None = None, not_before: Micros = times.EPOCH) -> Wake:
    """Return a wake of the subscription's streamer."""
    return Wake(subscription.job, subscription.subscription_id, sequence, not_before)


def _event_data(job_name: str, subscription: Subscription, event: OutboxEvent, pushed_as: str) -> "MessageData":
    data = _data(subscription, job_name)
    data["sequence"] = event.sequence
    data["status"] = JobStatus(event.status)
    data["percentage"] = event.percentage
    described = {"stageName": event.stage, **event.data}
    data["description"] = event_text.describe(pushed_as, subscription.language, described, event.labels)
    data["event"] = event.data
    return data


def _data(subscription: Subscription, job_name: str | None) -> "MessageData":
    """Return the content of a message, before the members of its event are set."""
    job = subscription.job
    return {
        "tenantId": job.tenant,
        "projectId": job.project,
        "jobId": job.job,
        "jobName": job_name,
        "subscriptionId": subscription.subscription_id,
        "sequence": None,
        "status": None,
        "percentage": None,
        "description": "",
        "event": {},
    }


def _payload(kind: str, time: Micros, data: "MessageData") -> str:
    body: MessageBody = {"type": kind, "timestamp": times.render(time), "data": data}
    return orjson.dumps(body).decode()
