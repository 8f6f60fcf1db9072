"""The bodies of requests, made from the types in `jobtrack_client.types`."""

from collections.abc import Mapping
from typing import Annotated, Required, TypedDict

from jobtrack_client import types
from jobtrack_client._values import fields
from jobtrack_client._values.json_values import Json
from jobtrack_client._values.kinds import UNNAMED, anything, as_mapping, moment, whole
from jobtrack_client._values.members import Member, Members, Wire, require, table, to_wire
from jobtrack_client._values.shorten import EVENT_BYTES, dumps, squeeze


class _Job(types.JobDescription, total=False):
    name: Required[Annotated[fields.Name, Wire("jobName")]]
    job_type: Required[fields.Name]
    job_id: fields.JobId
    heartbeat_seconds: Annotated[int | None, whole(10, 86_400, clamp=True)]


class _Worker(TypedDict, total=False):
    cpu_units: Required[fields.Positive]
    memory_gb: Required[Annotated[fields.Positive, Wire("memoryGB")]]
    max_concurrent_jobs: Required[fields.Slots]
    cpu_usage: fields.Amount
    memory_bytes: fields.Count


JOB = table(_Job)
WORKER = table(_Worker)
SUBSCRIPTION = table(types.Subscription)
_DATA = (
    types.StartedData,
    types.StageData,
    types.ProgressData,
    types.LogData,
    types.Sample,
    types.QualityData,
    types.NoteData,
    types.ResourceData,
    types.ConditionData,
    types.FailedData,
    types.EndedData,
)
EVENT: Members = {name: member for shape in _DATA for name, member in table(shape).items()}
"""The members of all types of events. A member means the same in each type, but not all require it."""

_STAGE = {"stage_name": UNNAMED}
_NOTE = {"description": ""}
_RESOURCE = {"resource_type": UNNAMED, "resource_id": UNNAMED}
_REQUIRED: Mapping[str, Mapping[str, object]] = {
    **dict.fromkeys(("stageStarted", "stageCompleted", "stageFailed", "stageSkipped"), _STAGE),
    **dict.fromkeys(("milestone", "warning", "error"), _NOTE),
    **dict.fromkeys(("resourceAllocated", "resourceReleased"), _RESOURCE),
    "blocked": {"condition": ""},
    "unblocked": {"condition": ""},
    "log": {"level": "INFO", "message": ""},
    "jobFailed": {"error": ""},
}
"""The defaults of members that a type of event requires."""


def job(description: Mapping[str, object]) -> dict[str, Json]:
    """Return the body of `POST /jobs`.

    Raises:
        ConfigurationError: an id is not a GUID.
        TypeError: a member is unknown or has a type that it cannot have, or the name or type is missing.
        ValueError: a member has a value that it cannot have.
    """
    require(description, "name", "job_type")
    body = {"jobName": UNNAMED, "jobType": UNNAMED, **to_wire(description, JOB)}
    prerequisites = body.get("prerequisites")
    for prerequisite in prerequisites if isinstance(prerequisites, list) else ():
        if isinstance(prerequisite, dict) and prerequisite["jobId"] == body.get("jobId"):
            raise ValueError("prerequisites: a job cannot wait for itself")
    return body


def subscription(members: Mapping[str, object]) -> dict[str, Json]:
    """Return the body of `POST …/subscribe`.

    Raises:
        TypeError: a member is unknown or has a type that it cannot have, or the type of subscription is missing.
        ValueError: a member has a value that it cannot have.
    """
    require(members, "subscription_type")
    return to_wire(members, SUBSCRIPTION)


def worker(members: Mapping[str, object]) -> dict[str, Json]:
    """Return the body of `PUT /worker/{workerNode}`.

    Raises:
        TypeError: a member has a type that it cannot have.
    """
    return to_wire(members, WORKER)


def event_data(type_: str, data: Mapping[str, object]) -> dict[str, Json]:
    """Return the data of an event as it is sent, with all members that its type requires."""
    return to_wire({**_REQUIRED.get(type_, {}), **{k: v for k, v in data.items() if v is not None}}, EVENT)


def event(event: Mapping[str, object]) -> dict[str, Json]:
    """Return an event for `POST /job/{jobId}/events`."""
    return fitting(to_wire(as_mapping(event), _EVENT))


def fitting(event: dict[str, Json]) -> dict[str, Json]:
    """Shorten an event to the service's limit: members within their own limits may be too long together."""
    if len(dumps(event)) <= EVENT_BYTES:
        return event
    room = EVENT_BYTES - len(dumps({**event, "data": {}}))
    return {**event, "data": squeeze(event.get("data"), room)}


def _any_data(data: object) -> Json:
    return to_wire(as_mapping(data), EVENT)


_EVENT: Members = {
    "type": Member("type", anything),
    "time": Member("time", moment),
    "data": Member("data", _any_data),
}
