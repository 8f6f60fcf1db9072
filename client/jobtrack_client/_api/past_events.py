"""Rebuilds the messages of a job that has ended from its timeline and its log."""

from collections.abc import Container, Iterable
from typing import Any, cast

from jobtrack_client import models
from jobtrack_client.types.events import FINAL_EVENTS

_TYPES = {"Progress": "progressUpdate"}
"""Names in the timeline that differ from the event's name."""


def messages(
    job: models.Job,
    tenant: str,
    events: Iterable[models.TimelineEvent],
    lines: Iterable[models.LogEntry],
    names: Container[str],
) -> list[models.Message]:
    """Return events and log lines as a subscription to `names` would have pushed them, in order of sequence.

    A line of WARN or ERROR is pushed as `warning` or `error` if `names` has that event, and as `log` otherwise. The
    messages have no subscription, and the job's state at their times is unknown.
    """
    # An event replaces the log line with the same sequence.
    candidates = [*map(_as_event, lines), *events]
    by_sequence = {event["sequence"]: event for event in candidates if _type(event) in names}
    return [_message(job, tenant, by_sequence[sequence]) for sequence in sorted(by_sequence)]


def _as_event(line: models.LogEntry) -> models.TimelineEvent:
    """Return a log line as an event of the timeline."""
    details: dict[str, Any] = {name: line[name] for name in ("level", "message", "component", "stage", "details")}
    return {
        "timestamp": line["timestamp"],
        "eventType": "Log",
        "description": line["message"],
        "details": details,
        "sequence": line["sequence"],
    }


def _type(event: models.TimelineEvent) -> str:
    name = event["eventType"]
    return _TYPES.get(name) or name[:1].lower() + name[1:]


def _message(job: models.Job, tenant: str, event: models.TimelineEvent) -> models.Message:
    kind = _type(event)
    ended = kind in FINAL_EVENTS
    data = {
        "tenantId": tenant,
        "projectId": job["projectId"],
        "jobId": job["jobId"],
        "jobName": job["jobName"],
        "subscriptionId": "",
        "sequence": event["sequence"],
        "status": job["status"] if ended else None,
        "percentage": job["progress"]["percentage"] if ended else None,
        "description": event["description"],
        "event": event["details"],
    }
    name = f"msg_{event['sequence']:012d}_{job['jobId']}"  # stable, so that a receiver recognises repeats
    return cast(models.Message, {"id": name, "type": kind, "timestamp": event["timestamp"], "data": data})
