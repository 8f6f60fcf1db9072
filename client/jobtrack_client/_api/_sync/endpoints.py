# Generated from ../_async/endpoints.py by `make client`; do not edit.
"""One method for each endpoint of the API."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Unpack

from jobtrack_client import models
from jobtrack_client._api import requests
from jobtrack_client._api.requests import Request, ResponseT
from jobtrack_client.types import (
    Event,
    Granularity,
    Interval,
    JobDescription,
    JobStatus,
    LogLevel,
    MetricGroup,
    PageDirection,
    Subscription,
    Time,
)


class Endpoints(ABC):
    """The endpoints of the API. Subclasses send the requests."""

    def create_job(
        self,
        name: str,
        *,
        job_type: str,
        job_id: str | None = None,
        heartbeat_seconds: int | None = None,
        idempotency_key: str | None = None,
        **description: Unpack[JobDescription],
    ) -> models.NewJob:
        """Queue a job. The default `job_id` is a new GUID.

        Raises:
            ConfigurationError: an id is not a GUID.
            TypeError: an argument is unknown or has a type that it cannot have.
            ValueError: an argument has a value that it cannot have.
            JobTrackError: the service cannot be reached, or refuses the job.
        """
        identity = {"name": name, "job_type": job_type, "job_id": job_id or self._key()}
        job = {**identity, "heartbeat_seconds": heartbeat_seconds, **description}
        return self._fetch(requests.create_job(job, idempotency_key or self._key()))

    def report_events(
        self, job_id: str, events: Sequence[Event], *, idempotency_key: str | None = None
    ) -> models.Accepted:
        """Report events of a job. Either all of them are stored, or none."""
        return self._fetch(requests.report_events(job_id, events, idempotency_key or self._key()))

    def put_worker(
        self,
        worker_node: str,
        *,
        cpu_units: float,
        memory_gb: float,
        max_concurrent_jobs: int,
        cpu_usage: float | None = None,
        memory_bytes: int | None = None,
    ) -> None:
        """Send the heartbeat of a worker, with its capacity. The worker counts as alive for 120 seconds."""
        capacity = {"cpu_units": cpu_units, "memory_gb": memory_gb, "max_concurrent_jobs": max_concurrent_jobs}
        usage = {"cpu_usage": cpu_usage, "memory_bytes": memory_bytes}
        self._send(requests.put_worker(worker_node, **capacity, **usage))

    def get_job(self, job_id: str) -> models.Job:
        """Return a job: its description, status, progress and times."""
        return self._fetch(requests.get_job(job_id))

    def jobs(
        self,
        *,
        status: JobStatus | Sequence[JobStatus] | None = None,
        job_type: str | None = None,
        submitted_by: str | None = None,
        from_time: Time | None = None,
        to_time: Time | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.Jobs:
        """Return a page of the project's jobs, newest first. `from_time` and `to_time` limit the time of creation."""
        filters = {"status": status, "job_type": job_type, "submitted_by": submitted_by}
        times = {"from_time": from_time, "to_time": to_time}
        return self._fetch(requests.jobs(**times, **filters, limit=limit, cursor=cursor))

    def queue(self, *, limit: int | None = None, cursor: str | None = None) -> models.Queue:
        """Return a page of the queued jobs in the order in which they will start, and the capacity of the workers."""
        return self._fetch(requests.queue(limit=limit, cursor=cursor))

    def batch(
        self,
        job_ids: Sequence[str] | None = None,
        *,
        status: JobStatus | Sequence[JobStatus] | None = None,
        submitted_by: str | None = None,
        include_metrics: bool | None = None,
        refresh_interval: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.Batch:
        """Return up to 100 jobs by their ids, or a page of the project's jobs, and the health of the system."""
        filters = {"status": status, "submitted_by": submitted_by, "limit": limit, "cursor": cursor}
        content = {"include_metrics": include_metrics, "refresh_interval": refresh_interval}
        return self._fetch(requests.batch(job_ids, **filters, **content))

    def progress(self, job_id: str) -> models.Progress:
        """Return the progress of a job and of its stages, and the estimated remaining time."""
        return self._fetch(requests.progress(job_id))

    def logs(
        self,
        job_id: str,
        *,
        level: LogLevel | None = None,
        from_time: Time | None = None,
        to_time: Time | None = None,
        limit: int | None = None,
        direction: PageDirection | None = None,
        cursor: str | None = None,
        since_sequence: int | None = None,
    ) -> models.Logs:
        """Return a page of the log lines of at least `level`. Pass its `nextCursor` as `cursor` for the next page."""
        page = {"direction": direction, "cursor": cursor, "since_sequence": since_sequence, "limit": limit}
        return self._fetch(requests.logs(job_id, level=level, from_time=from_time, to_time=to_time, **page))

    def timeline(
        self,
        job_id: str,
        *,
        granularity: Granularity | None = None,
        include_sub_events: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.Timeline:
        """Return a page of the events of a job, oldest first, and the expected events."""
        content = {"granularity": granularity, "include_sub_events": include_sub_events}
        return self._fetch(requests.timeline(job_id, **content, limit=limit, cursor=cursor))

    def metrics(
        self,
        job_id: str,
        *,
        interval: Interval | None = None,
        metrics: MetricGroup | Sequence[MetricGroup] | None = None,
        include_history: bool | None = None,
    ) -> models.Metrics:
        """Return resource use and throughput, compared with earlier values and with other jobs of the type."""
        content = {"metrics": metrics, "interval": interval, "include_history": include_history}
        return self._fetch(requests.metrics(job_id, **content))

    def dependencies(self, job_id: str, *, depth: int | None = None) -> models.Dependencies:
        """Return a job's dependencies, and the jobs that wait for it, up to `depth` steps away."""
        return self._fetch(requests.dependencies(job_id, depth))

    def subscribe(
        self, job_id: str, *, idempotency_key: str | None = None, **subscription: Unpack[Subscription]
    ) -> models.NewSubscription:
        """Subscribe to the events of a job. The response holds the `signingSecret` of the messages.

        Raises:
            TypeError: an argument is unknown or has a type that it cannot have.
            ValueError: an argument has a value that it cannot have.
            JobTrackError: the service cannot be reached, or refuses the subscription.
        """
        return self._fetch(requests.subscribe(job_id, subscription, idempotency_key or self._key()))

    def subscriptions(
        self, job_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.Subscriptions:
        """Return a page of the subscriptions of a job."""
        return self._fetch(requests.subscriptions(job_id, limit=limit, cursor=cursor))

    def get_subscription(self, subscription_id: str) -> models.Subscription:
        """Return a subscription, without its secrets."""
        return self._fetch(requests.get_subscription(subscription_id))

    def delete_subscription(self, subscription_id: str) -> None:
        """End a subscription. If it has ended already, do nothing."""
        self._send(requests.delete_subscription(subscription_id))

    def renew_subscription(
        self, subscription_id: str, *, expires_in_seconds: int | None = None, idempotency_key: str | None = None
    ) -> models.Subscription:
        """Make a subscription expire in `expires_in_seconds` (default: 8 hours)."""
        key = idempotency_key or self._key()
        return self._fetch(requests.renew_subscription(subscription_id, expires_in_seconds, key))

    def rotate_secret(self, subscription_id: str, *, idempotency_key: str | None = None) -> models.NewSecret:
        """Return a new `signingSecret`. Messages are also signed with the old one for 24 hours."""
        return self._fetch(requests.rotate_secret(subscription_id, idempotency_key or self._key()))

    def issue_ticket(self, subscription_id: str, *, idempotency_key: str | None = None) -> models.NewTicket:
        """Return a new `websocketUrl`. It must be opened within 60 seconds."""
        return self._fetch(requests.issue_ticket(subscription_id, idempotency_key or self._key()))

    def test_subscription(self, subscription_id: str, *, idempotency_key: str | None = None) -> models.QueuedMessage:
        """Push a `ping` to a subscription."""
        return self._fetch(requests.test_subscription(subscription_id, idempotency_key or self._key()))

    def deliveries(
        self, subscription_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.Deliveries:
        """Return a page of the messages of a subscription with their delivery attempts, newest first."""
        return self._fetch(requests.deliveries(subscription_id, limit=limit, cursor=cursor))

    def retry_delivery(
        self, subscription_id: str, message_id: str, *, idempotency_key: str | None = None
    ) -> models.QueuedMessage:
        """Push a message again, with the same `webhook-id`."""
        key = idempotency_key or self._key()
        return self._fetch(requests.retry_delivery(subscription_id, message_id, key))

    @abstractmethod
    def _fetch(self, request: Request[ResponseT]) -> ResponseT:
        """Send a request and return the JSON of the response."""

    @abstractmethod
    def _send(self, request: Request[Any]) -> Any:
        """Send a request and return the response."""

    @abstractmethod
    def _key(self) -> str:
        """Return a new Idempotency-Key."""
