"""Every member that the client sends, with its kind and limit: of jobs, events, workers and subscriptions."""

from collections.abc import Mapping

from jobtrack_client._api.settings import guid
from jobtrack_client._values.json_values import Json
from jobtrack_client._values.kinds import (
    UNNAMED,
    Kinds,
    anything,
    as_mapping,
    boolean,
    choice,
    exact,
    json_object,
    listed,
    mapping,
    members,
    moment,
    name,
    needed_name,
    real,
    require,
    shaped,
    string,
    text,
    whole,
)
from jobtrack_client._values.shorten import EVENT_BYTES, MESSAGE_BYTES, cut, dumps, squeeze

NUMBER = 2**53
_ALLOCATED = 2**32
_STAGES = 200
_RELATIONS = 100
_SUBSCRIPTIONS = 100
_VISIBLE_CHARACTERS = 2048
"""Of a URL or a token."""
_WEEK_SECONDS = 7 * 24 * 3600
_DETAILS_BYTES = 16 * 1024
EVENT_NAMES = (
    *("jobQueued", "jobStarted", "jobStalled", "jobCompleted", "jobFailed", "jobCancelled"),
    *("stageStarted", "stageCompleted", "stageFailed", "stageSkipped"),
    *("progressUpdate", "milestone", "warning", "error", "log"),
)

_count = whole(0, NUMBER)
_amount = real(0, NUMBER)
_percent = real(0, 100, clamp=True)
_positive = real(0, _ALLOCATED, above=True)
_description = text(2048)


def _metrics(value: object) -> Json:
    return json_object(4096)(value) or None


def _error(value: object) -> Json:
    given = dict(value) if isinstance(value, Mapping) else {"message": value}
    message = cut(string(given.pop("message", "")), MESSAGE_BYTES)
    more = json_object(_DETAILS_BYTES)(given) if given else {}
    return {"message": message, **(more if isinstance(more, dict) else {})}


def _stage(value: object) -> Json:
    return _planned(value if isinstance(value, Mapping) else {"stageName": value})


def _guid(value: object) -> Json:
    return guid(value, "jobId")


_planned = members(
    {
        "stageName": needed_name,
        "labels": members({"ja": name, "en": name}),
        "expectedSeconds": _amount,
        "weight": _amount,
    },
    "stageName",
)
RESOURCE: Kinds = {
    "resourceType": needed_name,
    "resourceId": needed_name,
    "resourceName": name,
    "status": name,
    "lastModified": moment,
}
SAMPLE: Kinds = {
    "cpuUsage": _amount,
    "memoryBytes": _count,
    "diskReadBytes": _count,
    "diskWriteBytes": _count,
    "diskUsedBytes": _count,
    "iops": _amount,
    "diskLatencyMs": _amount,
    "networkInBytes": _count,
    "networkOutBytes": _count,
    "connections": _count,
    "recordsPerSecond": _amount,
    "retries": _count,
}
QUALITY: Kinds = {"dataQualityScore": _percent, "validationsPassed": _count, "validationsFailed": _count}
ALLOCATION: Kinds = {"cpuUnits": _positive, "memoryGB": _positive, "workerNode": name}
SUBSCRIPTION: Kinds = {
    "subscriptionType": choice("webhook", "websocket"),
    "webhookUrl": exact(_VISIBLE_CHARACTERS),
    "events": listed("events", choice(*EVENT_NAMES), 100),
    "filters": members(
        {
            "minProgressIncrement": whole(0, 100, clamp=True),
            "includeDebugEvents": boolean,
            "notifyOnErrors": boolean,
        }
    ),
    "authentication": members({"type": choice("bearer"), "token": exact(_VISIBLE_CHARACTERS)}, "type", "token"),
    "language": choice("ja", "en"),
    "expiresInSeconds": whole(1, _WEEK_SECONDS, clamp=True),
    "sinceSequence": _count,
}
JOB: Kinds = {
    "jobId": _guid,
    "jobName": needed_name,
    "jobType": needed_name,
    "jobDescription": _description,
    "priority": choice("Critical", "High", "Normal", "Low"),
    "submittedBy": name,
    "stages": listed("stages", _stage, _STAGES, unique="stageName"),
    "totalRecords": _count,
    "prerequisites": listed(
        "prerequisites", members({"jobId": _guid, "dependency": _description}, "jobId"), _RELATIONS, "jobId"
    ),
    "resources": listed("resources", members(RESOURCE, "resourceType", "resourceId"), _RELATIONS),
    "blockingConditions": listed(
        "blockingConditions",
        members({"condition": _description, "status": choice("Active", "Resolved")}, "condition", status="Active"),
        _RELATIONS,
    ),
    "subscriptions": listed("subscriptions", members(SUBSCRIPTION, "subscriptionType"), _SUBSCRIPTIONS),
    "heartbeatSeconds": whole(10, 86_400, clamp=True),
    "metadata": mapping(8 * 1024),
}
WORKER: Kinds = {
    "cpuUnits": _positive,
    "memoryGB": _positive,
    "maxConcurrentJobs": whole(0, _ALLOCATED),
    "cpuUsage": _amount,
    "memoryBytes": _count,
}
STARTED: Kinds = {"resourcesAllocated": members(ALLOCATION), "estimatedSeconds": _amount}
EVENT: Kinds = {
    **STARTED,
    **RESOURCE,
    **SAMPLE,
    **QUALITY,
    "stageName": needed_name,
    "recordsProcessed": _count,
    "totalRecords": _count,
    "progress": _percent,
    "component": name,
    "operation": name,
    "stage": name,
    "metrics": _metrics,
    "details": json_object(_DETAILS_BYTES),
    "error": _error,
    "level": choice("DEBUG", "INFO", "WARN", "ERROR"),
    "message": text(MESSAGE_BYTES),
    "description": _description,
    "condition": _description,
    "resolution": _description,
}
"""The data of every type of event: a member means the same in each."""

_STAGE_NEEDS = {"stageName": UNNAMED}
_NOTE_NEEDS = {"description": ""}
_RESOURCE_NEEDS = {"resourceType": UNNAMED, "resourceId": UNNAMED}
_NEEDS: Mapping[str, Mapping[str, Json]] = {
    **dict.fromkeys(("stageStarted", "stageCompleted", "stageFailed", "stageSkipped"), _STAGE_NEEDS),
    **dict.fromkeys(("milestone", "warning", "error"), _NOTE_NEEDS),
    **dict.fromkeys(("resourceAllocated", "resourceReleased"), _RESOURCE_NEEDS),
    "blocked": {"condition": ""},
    "unblocked": {"condition": ""},
    "log": {"level": "INFO", "message": ""},
    "jobFailed": {"error": {"message": ""}},
}


def job(given: Mapping[str, object]) -> dict[str, Json]:
    """What `POST /jobs` takes.

    Raises:
        ConfigurationError: an id is not a GUID.
        TypeError: a member is unknown or of a type that it cannot have, or a name or type is missing.
        ValueError: a member is none of the values that it can have.
    """
    require(given, "jobName", "jobType")
    found = {"jobName": UNNAMED, "jobType": UNNAMED, **shaped(given, JOB)}
    waits = found.get("prerequisites")
    if isinstance(waits, list) and any(
        isinstance(each, dict) and each["jobId"] == found.get("jobId") for each in waits
    ):
        raise ValueError("prerequisites: a job cannot wait for itself")
    return found


def event_data(type_: str, given: Mapping[str, object]) -> dict[str, Json]:
    """The data of an event; what its type needs is there, whatever was given."""
    return {**_NEEDS.get(type_, {}), **shaped(given, EVENT)}


def event(given: Mapping[str, object]) -> dict[str, Json]:
    """An event as `POST /job/{jobId}/events` takes it."""
    return fitting(shaped(as_mapping(given), {"type": anything, "time": moment, "data": members(EVENT)}))


def fitting(event: dict[str, Json]) -> dict[str, Json]:
    """The event in the bytes that one may have: each member may be within its limit, and their sum is not."""
    if len(dumps(event)) <= EVENT_BYTES:
        return event
    room = EVENT_BYTES - len(dumps({**event, "data": {}}))
    return {**event, "data": squeeze(event.get("data"), room)}
