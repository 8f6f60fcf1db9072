"""The pushed messages: the `webhooks` of the document, one per type of message, and a description of WebSockets."""

from collections.abc import Sequence
from typing import Any

from jobtrack.domain.events import EVENT_NAMES
from jobtrack.push.messages.message import ENDED, PING
from jobtrack.views.responses.messages import Message
from scripts.openapi.shared import Json

MESSAGES = (Message,)
"""The schemas that the webhooks refer to."""
_TAG = "Push"
SECURITY = {
    "receiver": {
        "type": "http",
        "scheme": "bearer",
        "description": "The `authentication.token` of the subscription, where it has one.",
    }
}

_STAGE = ("StageData",)
_REPORTED: dict[str, tuple[str, ...]] = {
    "jobStarted": ("JobStartedData",),
    "jobCompleted": ("EndedData",),
    "jobCancelled": ("EndedData",),
    "jobFailed": ("FailedData",),
    "stageStarted": _STAGE,
    "stageCompleted": _STAGE,
    "stageFailed": _STAGE,
    "stageSkipped": _STAGE,
    "progressUpdate": ("ProgressData",),
    "milestone": ("NoteData",),
    "warning": ("NoteData", "LogData"),
    "error": ("NoteData", "LogData"),
    "log": ("LogData",),
}
"""The schemas of `data.event`, by type of message; other types have no data."""
_SUMMARIES = {
    "jobQueued": "The job was created",
    "jobStarted": "The job left the queue",
    "jobCompleted": "The job has completed",
    "jobFailed": "The job has failed",
    "jobCancelled": "The job was cancelled",
    "jobStalled": "The job has not reported for longer than its heartbeat interval",
    "stageStarted": "A stage has started",
    "stageCompleted": "A stage has completed",
    "stageFailed": "A stage has failed",
    "stageSkipped": "A stage was skipped",
    "progressUpdate": "Progress of a stage or of the whole job",
    "milestone": "A milestone",
    "warning": "A warning, or a log line of level WARN",
    "error": "An error, or a log line of level ERROR",
    "log": "A log line",
    PING: "A test message, requested by `POST …/test`",
    ENDED: "The subscription has ended. This last message is tried three times within five minutes",
}
_DESCRIPTION = """\
Events are pushed to a webhook, as the `webhooks` of this document say, or over a WebSocket.

### Webhooks

**Verify** each request before you read it. The three headers follow [Standard Webhooks
1.0](https://www.standardwebhooks.com); its libraries take the headers, the unchanged body, and the `signingSecret`.

**Return 2xx within 10 seconds**, and do the work afterwards. Redirects are not followed. Of the response, only the
status and `Retry-After` are read.

**Failed attempts are repeated** after 5 s, 30 s, 2 min, 10 min, 30 min, 1 h and then every 2 h (each ± 20 %, or later
if `Retry-After` says so), for at most 24 hours and not after the subscription has ended. Then the delivery is Failed;
`POST …/retry` starts again. After ten failures in a row, an endpoint gets no messages for a while: 10 seconds at first,
at most 10 minutes.

**At least once:** a message may arrive again with the same `webhook-id`. Remember the ids that you have processed.

**Usually in order:** `data.sequence` is the order. A message that waits for a retry does not delay later messages.

### WebSockets

`websocketUrl` contains a ticket. Connect to it within 60 seconds; it is valid for one connection. Every further
connection needs a new one (`POST …/ticket`). A subscription has one connection, the newest. Each text frame contains
the JSON of a webhook's body, with the `webhook-id` as its `id`. Do not reply to messages.

The first connection gets everything since the subscription was created (or since its `sinceSequence`), in order of
`data.sequence`. Events that occur while there is no connection are kept. To reconnect without losing events, connect
with a new ticket and send `{"action": "resume", "sinceSequence": N}` within two seconds, where N is the greatest
sequence that you have processed: you get everything after it, and then new events. Without `resume`, the subscription
continues where it was, and messages that were in transit when the connection broke may be missing. The reply to an
invalid request is `{"type": "refused", "timestamp": …, "data": {"code": …, "detail": …}}`.

A connection is closed after two hours, after ten minutes without a message, and after `subscriptionEnded`.
"""


def add_description(tags: Sequence[Json]) -> list[Json]:
    """Return the tags; the tag of pushed messages gets the description for receivers."""
    return [{**tag, "description": _DESCRIPTION} if tag["name"] == _TAG else tag for tag in tags]


def webhooks() -> Json:
    """Return all webhooks by the type of their messages."""
    return {kind: {"post": _message(kind)} for kind in (*EVENT_NAMES, PING, ENDED)}


def _message(kind: str) -> Json:
    return {
        "operationId": f"pushed_{kind}",
        "tags": [_TAG],
        "summary": _SUMMARIES[kind],
        "security": [{}, {"receiver": []}],
        "parameters": _HEADERS,
        "requestBody": {"required": True, "content": {"application/json": {"schema": _schema(kind)}}},
        "responses": _RESPONSES,
    }


def _schema(kind: str) -> Json:
    event: Json = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in _REPORTED.get(kind, ("EmptyData",))]}
    is_event = kind not in (PING, ENDED)
    data: Json = {"properties": {"sequence": {"type": "integer" if is_event else "null"}, "event": event}}
    if kind == ENDED:
        data["required"] = ["reason"]
    specific = {"properties": {"type": {"const": kind}, "data": data}}
    return {"allOf": [{"$ref": "#/components/schemas/Message"}, specific]}


def _header(name: str, description: str, **schema: Any) -> Json:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": {"type": "string", **schema},
    }


_HEADERS = [
    _header("webhook-id", "The message's id, the same at every attempt", pattern="^msg_[0-9a-z_]+$"),
    _header("webhook-timestamp", "The time of this attempt, in seconds since 1970", pattern="^[0-9]+$"),
    _header(
        "webhook-signature",
        "`v1,` and an HMAC-SHA256 in base64; several, separated by spaces, while secrets rotate",
        pattern="^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)*$",
    ),
]
_RESPONSES: Json = {
    "2XX": {"description": "Accepted. The body of the response is not read"},
    "410": {"description": "The receiver is gone: the subscription ends"},
    "429": {
        "description": "Retried after `Retry-After` (seconds or a date), or by the schedule if that is later",
        "headers": {"Retry-After": {"schema": {"type": "string"}}},
    },
    "default": {"description": "Retried by the schedule, as after a timeout of 10 seconds or without a connection"},
}
