"""What many routes share: parameters, headers, errors, authentication."""

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
Workers report what their jobs do. Tenants read the progress of their jobs, or have events pushed to them.

- **Tokens.** `Authorization: Bearer <JWT>` with the claims `sub`, `tenant_id`, `scope` and, if it is bound to
  projects, `project_ids`.
- **Times** are RFC 3339. Requests may use any offset; responses use UTC with `Z`. Ids are GUIDs in any letter case.
- **Errors** are RFC 9457 `application/problem+json` with a `code`, and a JSON pointer to each invalid value. Errors of
  the gateway itself (an invalid token, too many requests) have the gateway's own body.
- **Repeating a POST** is safe with an `Idempotency-Key`: for 24 hours the same key and body get the first response.
- **Polling** is cheap with `If-None-Match`: the status is 304 until something is reported.
- **JSON** is UTF-8. If a member occurs twice, the last one counts. Numbers are 64-bit integers, else doubles.
- A member whose value is not known is `null`. Responses may gain members.
""",
}

TAGS = [
    {"name": "Reporting", "description": "Create jobs and report events"},
    {"name": "Tracking", "description": "Follow a job"},
    {"name": "Jobs", "description": "Read jobs and the queue"},
    {"name": "Push", "description": "Push events to a receiver"},
    {"name": "Service", "description": "The service itself. No token is needed"},
]

SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "RS256, of the issuer that the stack names. Each operation names the scope that it needs.",
    }
}


def _guid(name: str, description: str) -> Json:
    return _path(name, description, {"type": "string", "format": "uuid"})


def _path(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _header(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": schema}


_SUBSCRIPTION = "^[Ss][Uu][Bb]-[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
_MESSAGE = "^[Mm][Ss][Gg]_[0-9]{12}_[0-9A-Ta-t]{1,64}$"
_TRIMMED = "^[!-~]([ -~]*[!-~])?$"
"""Printable ASCII. HTTP strips the spaces around a header's value."""

PARAMETERS = {
    "tenantId": _guid("tenantId", "The tenant; the token's `tenant_id`"),
    "projectId": _guid("projectId", "The project"),
    "jobId": _guid("jobId", "The job"),
    "subscriptionId": _path(
        "subscriptionId", "The subscription; `sub-` followed by a GUID", {"type": "string", "pattern": _SUBSCRIPTION}
    ),
    "messageId": _path("messageId", "The `webhook-id` of a message", {"type": "string", "pattern": _MESSAGE}),
    "workerNode": _path(
        "workerNode",
        "The worker's name, without `/`: API Gateway does not accept an encoded `/` in a path",
        {"type": "string", "minLength": 1, "maxLength": limits.NAME_CHARACTERS, "pattern": "^[^/]+$"},
    ),
    "file": _path("file", "The file's name", {"type": "string", "enum": list(VIEWER)}),
    "Idempotency-Key": _header(
        "Idempotency-Key",
        "A text that identifies this request; it is kept for 24 hours",
        {"type": "string", "minLength": 1, "maxLength": limits.IDEMPOTENCY_KEY_CHARACTERS, "pattern": _TRIMMED},
    ),
    "If-None-Match": _header("If-None-Match", "The ETag of an earlier response", {"type": "string"}),
    "Accept-Language": _header(
        "Accept-Language", "Language of the descriptions: `ja` (default) or `en`", {"type": "string", "example": "en"}
    ),
}

QUERY = {
    "cursor": "`nextCursor` of the previous page",
    "depth": "The greatest distance of a job in the graph",
    "direction": "`backward`: newest page first; `forward`: oldest page first. Entries within a page always ascend",
    "format": "`structured` JSON, or `raw` plain text with one line per entry",
    "from": "Created at this moment or later",
    "fromTime": "At this moment or later",
    "granularity": "`seconds`: all; `minutes`: the last progress per minute and stage; `major_events`: no progress",
    "includeHistory": "Include `historicalMetrics`",
    "includeMetrics": "Include `resourceUsage` of each job",
    "includeSubEvents": "Include log lines of WARN and above, and resource changes",
    "interval": "Length of a bucket of `historicalMetrics`",
    "jobIds": "Up to 100 ids, separated by commas",
    "jobType": "Only jobs of the type",
    "level": "The lowest severity: INFO selects INFO, WARN and ERROR",
    "limit": "The greatest number of entries in a page",
    "metrics": "Groups, separated by commas: cpu, memory, disk, network, throughput",
    "refreshInterval": "Seconds until the client will ask again; the response contains `nextRefreshAt`",
    "sinceSequence": "Follow the log: entries after this sequence, in order of sequence",
    "status": "One status, or several separated by commas",
    "submittedBy": "Only jobs submitted by this user",
    "to": "Created at this moment or before",
    "toTime": "At this moment or before",
}

HEADERS = {
    "ETag": "Weak: it changes when something is reported, not as the clock runs",
    "Idempotency-Replayed": "`true`: this is the response to an earlier request with the same key",
    "Last-Sequence": "With `format=raw`: `lastSequence`",
    "Location": "The path of the job",
    "Next-Cursor": "With `format=raw`: `nextCursor`, except on the last page",
    "Retry-After": "Seconds until a retry makes sense",
}


def headers(*names: str) -> Json:
    """Return references to headers of a response."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def header_components() -> Json:
    """Return every header of a response."""
    return {name: {"description": description, "schema": {"type": "string"}} for name, description in HEADERS.items()}


def problem_components() -> Json:
    """Return the meaning of each error status, by the classes of `jobtrack.errors`."""
    classes: dict[int, list[type[JobTrackError]]] = {}
    for _, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, JobTrackError) and error is not JobTrackError:
            classes.setdefault(error.status, []).append(error)
    return {f"Problem{status}": _problem(status, kinds) for status, kinds in sorted(classes.items())}


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
    codes = list(dict.fromkeys(kind.code for kind in kinds))
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"status": {"const": status}, "code": {"enum": codes}}},
        ]
    }
    media = {"schema": schema, "example": _problem_example(kinds[0])}
    described = {"description": " ".join(meanings), "content": {"application/problem+json": media}}
    return {**described, "headers": headers("Retry-After")} if status in (429, 503) else described
