"""What is pushed: the `webhooks` of the description, one for each type of message, and the WebSocket in words."""

from collections.abc import Sequence
from typing import Any

from jobtrack.domain.events import EVENT_NAMES
from jobtrack.push.messages.message import ENDED, PING
from jobtrack.views.responses.messages import Pushed
from scripts.openapi.shared import Json

MESSAGES = (Pushed,)
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
"""By which schemas a worker reports what `data.event` holds; nothing where a type is not named."""
_SUMMARIES = {
    "jobQueued": "The job was made",
    "jobStarted": "The job left the queue",
    "jobCompleted": "The job has come to its end",
    "jobFailed": "The job has failed",
    "jobCancelled": "The job was cancelled",
    "jobStalled": "The job has been silent for longer than its heartbeat",
    "stageStarted": "A stage began",
    "stageCompleted": "A stage has come to its end",
    "stageFailed": "A stage has failed",
    "stageSkipped": "A stage was left out",
    "progressUpdate": "How far a stage, or the whole job, has come",
    "milestone": "Something worth telling",
    "warning": "A warning, or a log line of WARN",
    "error": "An error, or a log line of ERROR",
    "log": "A log line",
    PING: "Tells of nothing: `POST …/test` asked for it",
    ENDED: "The subscription has ended; tried three times within five minutes, and nothing follows it",
}
_ABOUT = """\
Events sent to a receiver: to a webhook as the `webhooks` of this document say, and over a WebSocket.

### Webhooks

**Verify** each request before you read it: the three headers are those of [Standard Webhooks
1.0](https://www.standardwebhooks.com), and its libraries take the headers, the body as it came, and the
`signingSecret`.

**Answer 2xx within 10 seconds**, and do the work afterwards. Redirects are not followed; of an answer nothing is
heeded but its status and `Retry-After`.

**What fails is tried again** after 5 s, 30 s, 2 min, 10 min, 30 min, 1 h and then every 2 h (each ± 20 %, or later
where `Retry-After` asks for it), for at most 24 hours and not after the subscription's end. Then it is a Failed
delivery, which `POST …/retry` has tried again. An endpoint that fails ten times in a row is left alone for a while,
10 seconds at first and 10 minutes at most.

**At least once:** a message may come again, under the same `webhook-id`; remember the ids that you have served.

**Usually in order:** `data.sequence` tells the order; a message that waits for its next try holds up none after it.

### WebSockets

`websocketUrl` holds a ticket: connect to it as it is, once, within 60 seconds; every further connection needs a new
one (`POST …/ticket`). A subscription has one connection, the newest. Each text frame that comes is the same JSON as a
webhook's body, with the `webhook-id` as its `id`. Nothing is to be answered.

The first connection is told everything since the subscription was made (or since its `sinceSequence`), in order of
`data.sequence`. What happens while nobody is connected is kept. After connecting again, send `{"action": "resume",
"sinceSequence": N}` within two seconds, N being the greatest sequence that you have served: all that came after it is
told, and then what follows. Without it the subscription goes on where it was, and what was on its way when the
connection broke may be missing. A request that cannot be met is answered with `{"type": "refused", "timestamp": …,
"data": {"code": …, "detail": …}}`.

A connection is closed after two hours, after ten minutes without a message, and after `subscriptionEnded`.
"""


def tags(known: Sequence[Json]) -> list[Json]:
    """The tags, with what a receiver should know."""
    return [{**tag, "description": _ABOUT} if tag["name"] == _TAG else tag for tag in known]


def described() -> Json:
    """All webhooks, by the type of their messages."""
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
    of_event: Json = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in _REPORTED.get(kind, ("Nothing",))]}
    own = kind in (PING, ENDED)
    data: Json = {"properties": {"sequence": {"type": "null" if own else "integer"}, "event": of_event}}
    if kind == ENDED:
        data["required"] = ["reason"]
    told = {"properties": {"type": {"const": kind}, "data": data}}
    return {"allOf": [{"$ref": "#/components/schemas/Pushed"}, told]}


def _header(name: str, about: str, **schema: Any) -> Json:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": about,
        "schema": {"type": "string", **schema},
    }


_HEADERS = [
    _header("webhook-id", "The message's id, the same for each of its tries", pattern="^msg_[0-9a-z_]+$"),
    _header("webhook-timestamp", "When this try was made, in seconds since 1970", pattern="^[0-9]+$"),
    _header(
        "webhook-signature",
        "`v1,` and an HMAC-SHA256 in base64; several, separated by spaces, while secrets rotate",
        pattern="^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)*$",
    ),
]
_RESPONSES: Json = {
    "2XX": {"description": "Taken; what else the answer holds is not read"},
    "410": {"description": "Nobody is here any more: ends the subscription"},
    "429": {
        "description": "Tried again after `Retry-After`, in seconds or a date, or by the schedule if that is later",
        "headers": {"Retry-After": {"schema": {"type": "string"}}},
    },
    "default": {"description": "Tried again by the schedule, as are no answer within 10 seconds and no connection"},
}
