# Generated from ../_async/endpoints.py by `make client`; do not edit.
"""Every endpoint as a method."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Unpack

from jobtrack_client import models
from jobtrack_client._api import requests
from jobtrack_client._api.requests import AnswerT, Request
from jobtrack_client.events import Event
from jobtrack_client.types import (
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
    """The calls of the API, by whatever sends them."""

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
        """Queue a job. Without a `job_id` it gets a new one.

        Raises:
            ConfigurationError: an id is not a GUID.
            TypeError: an argument is unknown or has a type that it cannot have.
            ValueError: an argument has a value that it cannot have.
            JobTrackError: the service cannot be reached, or refuses the job.
        """
        identity = {"name": name, "job_type": job_type, "job_id": job_id or self._key()}
        job = {**identity, "heartbeat_seconds": heartbeat_seconds, **description}
        return self._ask(requests.create_job(job, idempotency_key or self._key()))

    def report_events(
        self, job_id: str, events: Sequence[Event], *, idempotency_key: str | None = None
    ) -> models.Accepted:
        """Report events of a job: all of them are stored, or none."""
        return self._ask(requests.report_events(job_id, events, idempotency_key or self._key()))

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
        self._sent(requests.put_worker(worker_node, **capacity, **usage))

    def get_job(self, job_id: str) -> models.Job:
        """The job: its status, its progress in short, when it began and ended."""
        return self._ask(requests.get_job(job_id))

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
        """A page of the project's jobs, newest first; times are those of their creation."""
        filters = {"status": status, "job_type": job_type, "submitted_by": submitted_by}
        times = {"from_time": from_time, "to_time": to_time}
        return self._ask(requests.jobs(**times, **filters, limit=limit, cursor=cursor))

    def queue(self, *, limit: int | None = None, cursor: str | None = None) -> models.Queue:
        """The jobs that wait, in the order in which they will start, and what the workers can take."""
        return self._ask(requests.queue(limit=limit, cursor=cursor))

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
        """Many jobs at once: up to 100 by their ids, else a page of the project's, and how the system is."""
        filters = {"status": status, "submitted_by": submitted_by, "limit": limit, "cursor": cursor}
        content = {"include_metrics": include_metrics, "refresh_interval": refresh_interval}
        return self._ask(requests.batch(job_ids, **filters, **content))

    def progress(self, job_id: str) -> models.Progress:
        """The job's progress, stage by stage, and what remains."""
        return self._ask(requests.progress(job_id))

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
        """A page of the job's log lines of at least `level`; `nextCursor` of the answer goes on as `cursor`."""
        page = {"direction": direction, "cursor": cursor, "since_sequence": since_sequence, "limit": limit}
        return self._ask(requests.logs(job_id, level=level, from_time=from_time, to_time=to_time, **page))

    def timeline(
        self,
        job_id: str,
        *,
        granularity: Granularity | None = None,
        include_sub_events: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.Timeline:
        """A page of what happened, oldest first, and what is to come."""
        content = {"granularity": granularity, "include_sub_events": include_sub_events}
        return self._ask(requests.timeline(job_id, **content, limit=limit, cursor=cursor))

    def metrics(
        self,
        job_id: str,
        *,
        interval: Interval | None = None,
        metrics: MetricGroup | Sequence[MetricGroup] | None = None,
        include_history: bool | None = None,
    ) -> models.Metrics:
        """What the job uses and how fast it is, against its past and others of its type."""
        content = {"metrics": metrics, "interval": interval, "include_history": include_history}
        return self._ask(requests.metrics(job_id, **content))

    def dependencies(self, job_id: str, *, depth: int | None = None) -> models.Dependencies:
        """What the job waits for, and what waits for it."""
        return self._ask(requests.dependencies(job_id, depth))

    def subscribe(
        self, job_id: str, *, idempotency_key: str | None = None, **subscription: Unpack[Subscription]
    ) -> models.NewSubscription:
        """Subscribe to the job's events. The answer has the `signingSecret` of the messages.

        Raises:
            TypeError: an argument is unknown or has a type that it cannot have.
            ValueError: an argument has a value that it cannot have.
            JobTrackError: the service cannot be reached, or refuses the subscription.
        """
        return self._ask(requests.subscribe(job_id, subscription, idempotency_key or self._key()))

    def subscriptions(
        self, job_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.Subscriptions:
        """A page of the job's subscriptions."""
        return self._ask(requests.subscriptions(job_id, limit=limit, cursor=cursor))

    def get_subscription(self, subscription_id: str) -> models.Subscription:
        """The subscription, without its secrets."""
        return self._ask(requests.get_subscription(subscription_id))

    def delete_subscription(self, subscription_id: str) -> None:
        """End the subscription; also when it has ended already."""
        self._sent(requests.delete_subscription(subscription_id))

    def renew_subscription(
        self, subscription_id: str, *, expires_in_seconds: int | None = None, idempotency_key: str | None = None
    ) -> models.Subscription:
        """Let the subscription live for so long from now on (default: 8 hours)."""
        key = idempotency_key or self._key()
        return self._ask(requests.renew_subscription(subscription_id, expires_in_seconds, key))

    def rotate_secret(self, subscription_id: str, *, idempotency_key: str | None = None) -> models.NewSecret:
        """A new `signingSecret`; the one before signs too for 24 hours."""
        return self._ask(requests.rotate_secret(subscription_id, idempotency_key or self._key()))

    def issue_ticket(self, subscription_id: str, *, idempotency_key: str | None = None) -> models.NewTicket:
        """Where to connect once more, within 60 s: the `websocketUrl`."""
        return self._ask(requests.issue_ticket(subscription_id, idempotency_key or self._key()))

    def test_subscription(self, subscription_id: str, *, idempotency_key: str | None = None) -> models.QueuedMessage:
        """Have a `ping` pushed."""
        return self._ask(requests.test_subscription(subscription_id, idempotency_key or self._key()))

    def deliveries(
        self, subscription_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.Deliveries:
        """A page of what became of each message, newest first."""
        return self._ask(requests.deliveries(subscription_id, limit=limit, cursor=cursor))

    def retry_delivery(
        self, subscription_id: str, message_id: str, *, idempotency_key: str | None = None
    ) -> models.QueuedMessage:
        """Have a message pushed again, under the same `webhook-id`."""
        key = idempotency_key or self._key()
        return self._ask(requests.retry_delivery(subscription_id, message_id, key))

    @abstractmethod
    def _ask(self, request: Request[AnswerT]) -> AnswerT:
        """The answer's JSON."""

    @abstractmethod
    def _sent(self, request: Request[Any]) -> Any:
        """The answer as such."""

    @abstractmethod
    def _key(self) -> str:
        """A new Idempotency-Key."""
