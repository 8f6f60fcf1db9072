"""What was pushed of a job that has ended, as its timeline and its log have it."""

from collections.abc import Container, Iterable
from typing import Any, cast

from jobtrack_client import models
from jobtrack_client._api import final_statuses

_TYPES = {"Progress": "progressUpdate"}
"""Names of the timeline that are not those of the event."""


def messages(
    job: models.Job,
    tenant: str,
    events: Iterable[models.TimelineEvent],
    lines: Iterable[models.LogEntry],
    wanted: Container[str],
) -> list[models.Message]:
    """The wanted events and log lines, in order of sequence, as a subscription would have pushed them.

    A line of WARN or ERROR is the event `warning` or `error` if that is wanted, else `log`. They belong to no
    subscription, and the state of the job at each is not known.
    """
    told = [*map(_as_event, lines), *events]
    happened = {event["sequence"]: event for event in told if _type(event) in wanted}
    return [_message(job, tenant, happened[sequence]) for sequence in sorted(happened)]


def _as_event(line: models.LogEntry) -> models.TimelineEvent:
    """A log line as the timeline would show it."""
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
    ended = kind in final_statuses.EVENTS
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
    name = f"msg_{event['sequence']:012d}_{job['jobId']}"  # the same each time, so that a receiver knows a repeat
    return cast(models.Message, {"id": name, "type": kind, "timestamp": event["timestamp"], "data": data})
