"""The operations of the API, with the facts about responses that the functions' code does not have."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.api.docs.app import Health
from jobtrack.views.responses import (
    batch,
    deliveries,
    dependencies,
    events,
    job,
    job_creation,
    logs,
    metrics,
    progress,
    queue,
    subscriptions,
    timeline,
)

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
"""The example bodies of the specification."""
BASE = "/api/{tenantId}/{projectId}/execution"


@dataclass(frozen=True)
class Operation:
    """A route: its successful response, and what distinguishes it from other routes.

    Args:
        tag: the group in which the document shows it.
        response: the type of the body.
        status: the status of the successful response.
        example: a response, as a file of docs/examples.
        request: a request body, as a file of docs/examples, or of events, whose body it is.
        etag: whether the response has an ETag.
        localised: whether the response depends on Accept-Language.
        conflicts: whether the request can be refused with 409, and a repeated request gets the first response.
        headers: further headers of the response.
        other_media_types: media types of other bodies that the route returns.
    """

    tag: str
    response: type | None
    status: int = 200
    example: str | None = None
    request: str | None = None
    etag: bool = False
    localised: bool = False
    conflicts: bool = False
    headers: tuple[str, ...] = ()
    other_media_types: tuple[str, ...] = ()


OPERATIONS = {
    f"POST {BASE}/jobs": Operation(
        "Reporting", job_creation.NewJob, 201, request="events/create-job.json", conflicts=True, headers=("Location",)
    ),
    f"POST {BASE}/job/{{jobId}}/events": Operation(
        "Reporting", events.Accepted, 202, request="events/report-events.json", conflicts=True
    ),
    f"PUT {BASE}/worker/{{workerNode}}": Operation("Reporting", None, 204, request="events/put-worker.json"),
    f"GET {BASE}/job/{{jobId}}": Operation("Jobs", job.Job, etag=True),
    f"GET {BASE}/jobs": Operation("Jobs", job.Jobs),
    f"GET {BASE}/queue": Operation("Jobs", queue.Queue),
    f"GET {BASE}/tracking/batch": Operation("Tracking", batch.Batch, example="batch.response.json"),
    f"GET {BASE}/job/{{jobId}}/logs": Operation(
        "Tracking",
        logs.Logs,
        example="logs.response.json",
        etag=True,
        headers=("Next-Cursor", "Last-Sequence"),
        other_media_types=("text/plain",),
    ),
    f"GET {BASE}/job/{{jobId}}/progress": Operation(
        "Tracking", progress.Progress, example="progress.response.json", etag=True
    ),
    f"GET {BASE}/job/{{jobId}}/timeline": Operation(
        "Tracking", timeline.Timeline, example="timeline.response.json", etag=True, localised=True
    ),
    f"GET {BASE}/job/{{jobId}}/metrics": Operation(
        "Tracking", metrics.Metrics, example="metrics.response.json", etag=True
    ),
    f"GET {BASE}/job/{{jobId}}/dependencies": Operation(
        "Tracking", dependencies.Dependencies, example="dependencies.response.json", etag=True
    ),
    f"POST {BASE}/job/{{jobId}}/subscribe": Operation(
        "Push",
        subscriptions.NewSubscription,
        201,
        example="subscribe.response.json",
        request="docs/examples/subscribe.request.json",
        conflicts=True,
    ),
    f"GET {BASE}/job/{{jobId}}/subscriptions": Operation("Push", subscriptions.Subscriptions),
    f"GET {BASE}/subscription/{{subscriptionId}}": Operation("Push", subscriptions.Subscription),
    f"DELETE {BASE}/subscription/{{subscriptionId}}": Operation("Push", None, 204),
    f"POST {BASE}/subscription/{{subscriptionId}}/renew": Operation(
        "Push", subscriptions.Subscription, request="events/renew-subscription.json", conflicts=True
    ),
    f"POST {BASE}/subscription/{{subscriptionId}}/rotate-secret": Operation(
        "Push", subscriptions.NewSecret, conflicts=True
    ),
    f"POST {BASE}/subscription/{{subscriptionId}}/ticket": Operation("Push", subscriptions.NewTicket, conflicts=True),
    f"POST {BASE}/subscription/{{subscriptionId}}/test": Operation(
        "Push", deliveries.QueuedMessage, 202, conflicts=True
    ),
    f"GET {BASE}/subscription/{{subscriptionId}}/deliveries": Operation("Push", deliveries.Deliveries),
    f"POST {BASE}/subscription/{{subscriptionId}}/deliveries/{{messageId}}/retry": Operation(
        "Push", deliveries.QueuedMessage, 202, conflicts=True
    ),
    "GET /health": Operation("Service", Health),
    "GET /openapi.json": Operation("Service", None, other_media_types=("application/json",)),
    "GET /docs": Operation("Service", None, other_media_types=("text/html",)),
    "GET /docs/{file}": Operation("Service", None, other_media_types=("text/javascript", "text/css", "text/plain")),
}


def example(name: str) -> Any:
    """Return an example body of the specification."""
    return json.loads((EXAMPLES / name).read_text())


def request_example(name: str) -> Any:
    """Return an example of a request body: the content of a file, or the body in a sample event."""
    content = json.loads((ROOT / name).read_text())
    return json.loads(content["body"]) if "routeKey" in content else content
