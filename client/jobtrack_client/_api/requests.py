"""Builds a request for each endpoint, typed by its response. Both clients send the same requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, Self, TypeVar
from urllib.parse import quote

from jobtrack_client import models
from jobtrack_client._api import bodies
from jobtrack_client._values.json_values import plain
from jobtrack_client._values.kinds import guid, needed_name
from jobtrack_client._values.members import camel
from jobtrack_client._values.shorten import dumps

ResponseT = TypeVar("ResponseT")


@dataclass(frozen=True)
class Request(Generic[ResponseT]):
    """A request. `key` is the Idempotency-Key of a POST; `etag` is the ETag of an earlier response."""

    method: str
    path: str
    params: Mapping[str, str | int | bool] = field(default_factory=dict)
    body: bytes | None = None
    key: str | None = None
    etag: str | None = None

    def with_params(self, **params: object) -> Self:
        """Return the request with more query parameters. Names become camelCase, and None is left out."""
        query = {**self.params, **{camel(name): _text(value) for name, value in params.items()}}
        return replace(self, params={name: value for name, value in query.items() if value is not None})


def create_job(description: Mapping[str, object], key: str) -> Request[models.NewJob]:
    """`POST /jobs`."""
    return post("/jobs", bodies.job(description), key)


def report_events(job_id: str, events: Sequence[Mapping[str, Any]], key: str) -> Request[models.Accepted]:
    """`POST /job/{jobId}/events`."""
    return post(f"{_job(job_id)}/events", {"events": [bodies.event(event) for event in events]}, key)


def put_worker(worker_node: str, **worker: object) -> Request[None]:
    """`PUT /worker/{workerNode}`."""
    return Request("PUT", f"/worker/{_segment(needed_name(worker_node))}", body=encoded(bodies.worker(worker)))


def get_job(job_id: str) -> Request[models.Job]:
    """`GET /job/{jobId}`."""
    return Request("GET", _job(job_id))


def jobs(*, from_time: object, to_time: object, **params: object) -> Request[models.Jobs]:
    """`GET /jobs`."""
    return Request[models.Jobs]("GET", "/jobs").with_params(**params, **{"from": from_time, "to": to_time})


def queue(**params: object) -> Request[models.Queue]:
    """`GET /queue`."""
    return Request[models.Queue]("GET", "/queue").with_params(**params)


def batch(job_ids: Sequence[str] | None, **params: object) -> Request[models.Batch]:
    """`GET /tracking/batch`."""
    ids = None if job_ids is None else [guid(job_id, "job_ids") for job_id in job_ids]
    return Request[models.Batch]("GET", "/tracking/batch").with_params(job_ids=ids, **params)


def progress(job_id: str) -> Request[models.Progress]:
    """`GET …/progress`."""
    return Request("GET", f"{_job(job_id)}/progress")


def logs(job_id: str, **params: object) -> Request[models.Logs]:
    """`GET …/logs`."""
    return Request[models.Logs]("GET", f"{_job(job_id)}/logs").with_params(**params)


def timeline(job_id: str, **params: object) -> Request[models.Timeline]:
    """`GET …/timeline`."""
    return Request[models.Timeline]("GET", f"{_job(job_id)}/timeline").with_params(**params)


def metrics(job_id: str, **params: object) -> Request[models.Metrics]:
    """`GET …/metrics`."""
    return Request[models.Metrics]("GET", f"{_job(job_id)}/metrics").with_params(**params)


def dependencies(job_id: str, depth: int | None) -> Request[models.Dependencies]:
    """`GET …/dependencies`."""
    return Request[models.Dependencies]("GET", f"{_job(job_id)}/dependencies").with_params(depth=depth)


def subscribe(job_id: str, subscription: Mapping[str, object], key: str) -> Request[models.NewSubscription]:
    """`POST …/subscribe`."""
    return post(f"{_job(job_id)}/subscribe", bodies.subscription(subscription), key)


def subscriptions(job_id: str, **params: object) -> Request[models.Subscriptions]:
    """`GET …/subscriptions`."""
    return Request[models.Subscriptions]("GET", f"{_job(job_id)}/subscriptions").with_params(**params)


def get_subscription(subscription_id: str) -> Request[models.Subscription]:
    """`GET /subscription/{id}`."""
    return Request("GET", _subscription(subscription_id))


def delete_subscription(subscription_id: str) -> Request[None]:
    """`DELETE /subscription/{id}`."""
    return Request("DELETE", _subscription(subscription_id))


def renew_subscription(subscription_id: str, seconds: int | None, key: str) -> Request[models.Subscription]:
    """`POST /subscription/{id}/renew`."""
    return post(f"{_subscription(subscription_id)}/renew", {"expiresInSeconds": seconds}, key)


def rotate_secret(subscription_id: str, key: str) -> Request[models.NewSecret]:
    """`POST /subscription/{id}/rotate-secret`."""
    return post(f"{_subscription(subscription_id)}/rotate-secret", {}, key)


def issue_ticket(subscription_id: str, key: str) -> Request[models.NewTicket]:
    """`POST /subscription/{id}/ticket`."""
    return post(f"{_subscription(subscription_id)}/ticket", {}, key)


def test_subscription(subscription_id: str, key: str) -> Request[models.QueuedMessage]:
    """`POST /subscription/{id}/test`."""
    return post(f"{_subscription(subscription_id)}/test", {}, key)


def deliveries(subscription_id: str, **params: object) -> Request[models.Deliveries]:
    """`GET /subscription/{id}/deliveries`."""
    return Request[models.Deliveries]("GET", f"{_subscription(subscription_id)}/deliveries").with_params(**params)


def retry_delivery(subscription_id: str, message_id: str, key: str) -> Request[models.QueuedMessage]:
    """`POST /subscription/{id}/deliveries/{messageId}/retry`."""
    return post(f"{_subscription(subscription_id)}/deliveries/{_segment(message_id)}/retry", {}, key)


def post(path: str, members: Mapping[str, object], key: str) -> Request[Any]:
    """Return a POST with the members that are not None."""
    return Request("POST", path, body=encoded(members), key=key)


def encoded(members: Mapping[str, object]) -> bytes:
    """Return the JSON of the members that are not None."""
    return dumps({name: plain(value) for name, value in members.items() if value is not None})


def _job(job_id: str) -> str:
    return f"/job/{guid(job_id, 'job_id')}"


def _subscription(subscription_id: str) -> str:
    return f"/subscription/{_segment(subscription_id)}"


def _segment(text: str) -> str:
    """Return a text as a path segment. Surrogates, which come from non-UTF-8 arguments, are replaced."""
    return quote(text, safe="", errors="replace")


def _text(value: object) -> Any:
    """Return a value as a query parameter. Lists are joined by commas."""
    if isinstance(value, datetime):
        return value.isoformat()
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else value
