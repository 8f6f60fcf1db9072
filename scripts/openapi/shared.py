"""What many routes share: parameters, headers, problems, how to authenticate."""

import inspect
from typing import Any

from functions.api.docs.app import VIEWER
from jobtrack import errors, limits
from jobtrack.errors import JobTrackError

Json = dict[str, Any]

INFO = {
    "title": "jobtrack",
    "summary": "Progress, logs, timeline and metrics of long-running jobs",
    "license": {"name": "MIT", "identifier": "MIT"},
    "description": """\
Workers report what their jobs do; tenants ask how far they are, or have it pushed to them.

- **Tokens.** `Authorization: Bearer <JWT>` with the claims `sub`, `tenant_id`, `scope` and, if it is bound to
  projects, `project_ids`.
- **Times** are RFC 3339, taken with any offset and answered in UTC with `Z`. Ids are GUIDs in any letter case.
- **Errors** are RFC 9457 `application/problem+json`, with a `code` and, for values out of contract, a JSON pointer
  to each. What the gateway itself refuses (a token that is none, more requests than it lets through) has the
  gateway's own body.
- **Repeating a POST** is safe with an `Idempotency-Key`: for 24 hours the same key and body get the first answer again.
- **Polling** is cheap with `If-None-Match`: 304 when nothing new was reported, though the clock ran on.
- **JSON** is UTF-8. Of members with one name the last counts; a number is kept as an integer of 64 bits, else as a
  double.
- A field that is not known is `null`. Answers may gain fields.
""",
}

TAGS = [
    {"name": "Reporting", "description": "How a worker tells of its job"},
    {"name": "Tracking", "description": "How to follow a job"},
    {"name": "Jobs", "description": "Jobs and the queue"},
    {"name": "Push", "description": "Events sent to a receiver"},
    {"name": "Service", "description": "The service itself; no token needed"},
]

SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "RS256, of the issuer that the stack names. Each operation tells the scope it needs.",
    }
}


def _guid(name: str, about: str) -> Json:
    return _path(name, about, {"type": "string", "format": "uuid"})


def _path(name: str, about: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "description": about, "schema": schema}


def _header(name: str, about: str, schema: Json) -> Json:
    return {"name": name, "in": "header", "description": about, "schema": schema}


_SUBSCRIPTION = "^[Ss][Uu][Bb]-[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
_MESSAGE = "^[Mm][Ss][Gg]_[0-9]{12}_[0-9A-Ta-t]{1,64}$"
_TRIMMED = "^[!-~]([ -~]*[!-~])?$"
"""Printable ASCII; HTTP takes away the spaces around a header's value."""

PARAMETERS = {
    "tenantId": _guid("tenantId", "The tenant; the token's `tenant_id`"),
    "projectId": _guid("projectId", "The project"),
    "jobId": _guid("jobId", "The job"),
    "subscriptionId": _path(
        "subscriptionId", "The subscription; `sub-` and a GUID", {"type": "string", "pattern": _SUBSCRIPTION}
    ),
    "messageId": _path("messageId", "The `webhook-id` of a message", {"type": "string", "pattern": _MESSAGE}),
    "workerNode": _path(
        "workerNode",
        "The worker's name; without `/`, which API Gateway does not take in a path, however encoded",
        {"type": "string", "minLength": 1, "maxLength": limits.NAME_CHARACTERS, "pattern": "^[^/]+$"},
    ),
    "file": _path("file", "The file's name", {"type": "string", "enum": list(VIEWER)}),
    "Idempotency-Key": _header(
        "Idempotency-Key",
        "Any text that is this request's own; kept for 24 hours",
        {"type": "string", "minLength": 1, "maxLength": limits.IDEMPOTENCY_KEY_CHARACTERS, "pattern": _TRIMMED},
    ),
    "If-None-Match": _header("If-None-Match", "The ETag of an answer that is already known", {"type": "string"}),
    "Accept-Language": _header(
        "Accept-Language", "Language of the descriptions: `ja` (default) or `en`", {"type": "string", "example": "en"}
    ),
}

QUERY = {
    "cursor": "`nextCursor` of the page before",
    "depth": "How many jobs away the graph goes",
    "direction": "`backward`: the newest first page; `forward`: the oldest; entries of a page ascend in either",
    "format": "`structured` JSON, or `raw` plain text with one line an entry",
    "from": "Created at this moment or later",
    "fromTime": "From this moment on",
    "granularity": "`seconds`: all; `minutes`: the last progress of each minute and stage; `major_events`: no progress",
    "includeHistory": "With `historicalMetrics`",
    "includeMetrics": "With `resourceUsage` of each job",
    "includeSubEvents": "With logs of WARN and above, and resource changes",
    "interval": "Length of a bucket of `historicalMetrics`",
    "jobIds": "Up to 100 ids, separated by commas",
    "jobType": "Only jobs of the type",
    "level": "Least severity: INFO gives INFO, WARN and ERROR",
    "limit": "Most entries of a page",
    "metrics": "Groups, separated by commas: cpu, memory, disk, network, throughput",
    "refreshInterval": "Seconds after which the client will ask again; answered with `nextRefreshAt`",
    "sinceSequence": "Follow: entries after this sequence, in order of sequence",
    "status": "One status, or several separated by commas",
    "submittedBy": "Only jobs submitted by this user",
    "to": "Created at this moment or before",
    "toTime": "Up to this moment",
}

HEADERS = {
    "ETag": "Weak: names what was reported, not the time of day",
    "Idempotency-Replayed": "`true`: this is the answer of an earlier request with the same key",
    "Last-Sequence": "With `format=raw`: the sequence to follow from",
    "Location": "Path of the job",
    "Next-Cursor": "With `format=raw`: `nextCursor`, unless at the end",
    "Retry-After": "Seconds to wait",
}


def headers(*names: str) -> Json:
    """References to headers of an answer."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def header_components() -> Json:
    """Every header of an answer."""
    return {name: {"description": about, "schema": {"type": "string"}} for name, about in HEADERS.items()}


def problem_components() -> Json:
    """What each status of a refusal means, as jobtrack.errors tells it."""
    found: dict[int, list[type[JobTrackError]]] = {}
    for _, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, JobTrackError) and error is not JobTrackError:
            found.setdefault(error.status, []).append(error)
    return {f"Problem{status}": _problem(status, kinds) for status, kinds in sorted(found.items())}


def _problem_example(kind: type[JobTrackError]) -> Json:
    return {
        "type": f"urn:jobtrack:problem:{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": (kind.__doc__ or "").splitlines()[0],
        "instance": "/api/7d1c3b5e-2f4a-4c8e-9b6d-0a1f2e3d4c5b/1f0e8400-e29b-41d4-a716-446655440000/execution/jobs",
        "code": kind.code,
        "requestId": "5f1c2b3a-0d4e-4f6a-8b7c-9d0e1f2a3b4c",
    }


def _problem(status: int, kinds: list[type[JobTrackError]]) -> Json:
    meanings = [f"`{kind.code}`: {(kind.__doc__ or '').splitlines()[0]}" for kind in kinds]
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"status": {"const": status}, "code": {"enum": [kind.code for kind in kinds]}}},
        ]
    }
    media = {"schema": schema, "example": _problem_example(kinds[0])}
    described = {"description": " ".join(meanings), "content": {"application/problem+json": media}}
    return {**described, "headers": headers("Retry-After")} if status in (429, 503) else described
