"""Every endpoint as a method."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from jobtrack_client import models
from jobtrack_client._api import requests
from jobtrack_client._api.requests import AnswerT, Members, Request, Time


class AsyncEndpoints(ABC):
    """The calls of the API, by whatever sends them."""

    async def create_job(self, job: Members, *, idempotency_key: str | None = None) -> models.NewJob:
        """Queue a job, by the members of `POST /jobs`; a `jobId` is chosen where there is none."""
        return await self._ask(requests.create_job({"jobId": self._key(), **job}, idempotency_key or self._key()))

    async def report(
        self, job_id: str, events: Sequence[Members], *, idempotency_key: str | None = None
    ) -> models.Accepted:
        """Report events of a job, all or none: `{type, time?, data}`; answers `accepted` and `lastSequence`."""
        return await self._ask(requests.report(job_id, events, idempotency_key or self._key()))

    async def put_worker(self, worker_node: str, capacity: Members) -> None:
        """A worker's heartbeat, with its `cpuUnits`, `memoryGB` and `maxConcurrentJobs`: it lives for 120 s."""
        await self._sent(requests.put_worker(worker_node, capacity))

    async def get_job(self, job_id: str) -> models.Job:
        """The job: its status, its progress in short, when it began and ended."""
        return await self._ask(requests.get_job(job_id))

    async def jobs(
        self,
        *,
        status: str | Sequence[str] | None = None,
        job_type: str | None = None,
        submitted_by: str | None = None,
        from_time: Time | None = None,
        to_time: Time | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.Jobs:
        """A page of the project's jobs, newest first; times are those of their creation."""
        wanted = {"status": status, "jobType": job_type, "submittedBy": submitted_by}
        times = {"from": from_time, "to": to_time}
        return await self._ask(requests.jobs(**wanted, **times, limit=limit, cursor=cursor))

    async def queue(self, *, limit: int | None = None, cursor: str | None = None) -> models.Queue:
        """The jobs that wait, in the order in which they will start, and what the workers can take."""
        return await self._ask(requests.queue(limit=limit, cursor=cursor))

    async def batch(
        self,
        job_ids: Sequence[str] | None = None,
        *,
        status: str | Sequence[str] | None = None,
        submitted_by: str | None = None,
        include_metrics: bool | None = None,
        refresh_interval: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.Batch:
        """Many jobs at once: up to 100 by their ids, else a page of the project's, and how the system is."""
        shown = {"includeMetrics": include_metrics, "refreshInterval": refresh_interval}
        filters = {"status": status, "submittedBy": submitted_by, "limit": limit, "cursor": cursor}
        return await self._ask(requests.batch(job_ids, **filters, **shown))

    async def progress(self, job_id: str) -> models.Progress:
        """The job's progress, stage by stage, and what remains."""
        return await self._ask(requests.progress(job_id))

    async def logs(
        self,
        job_id: str,
        *,
        level: str | None = None,
        from_time: Time | None = None,
        to_time: Time | None = None,
        limit: int | None = None,
        direction: str | None = None,
        cursor: str | None = None,
        since_sequence: int | None = None,
    ) -> models.Logs:
        """A page of the job's log lines of at least `level`; `nextCursor` of the answer goes on as `cursor`."""
        where = {"direction": direction, "cursor": cursor, "sinceSequence": since_sequence, "limit": limit}
        return await self._ask(requests.logs(job_id, level=level, fromTime=from_time, toTime=to_time, **where))

    async def timeline(
        self,
        job_id: str,
        *,
        granularity: str | None = None,
        include_sub_events: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.Timeline:
        """A page of what happened, oldest first, and what is to come."""
        scope = {"granularity": granularity, "includeSubEvents": include_sub_events}
        return await self._ask(requests.timeline(job_id, **scope, limit=limit, cursor=cursor))

    async def metrics(
        self,
        job_id: str,
        *,
        interval: str | None = None,
        metrics: str | Sequence[str] | None = None,
        include_history: bool | None = None,
    ) -> models.Metrics:
        """What the job uses and how fast it is, against its past and others of its type."""
        scope = {"interval": interval, "includeHistory": include_history}
        return await self._ask(requests.metrics(job_id, metrics=metrics, **scope))

    async def dependencies(self, job_id: str, *, depth: int | None = None) -> models.Dependencies:
        """What the job waits for, and what waits for it."""
        return await self._ask(requests.dependencies(job_id, depth))

    async def subscribe(
        self, job_id: str, subscription: Members, *, idempotency_key: str | None = None
    ) -> models.NewSubscription:
        """Have the job's events pushed, by the members of `POST …/subscribe`; the answer has the `signingSecret`."""
        return await self._ask(requests.subscribe(job_id, subscription, idempotency_key or self._key()))

    async def subscriptions(
        self, job_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.Subscriptions:
        """A page of the job's subscriptions."""
        return await self._ask(requests.subscriptions(job_id, limit=limit, cursor=cursor))

    async def get_subscription(self, subscription_id: str) -> models.Subscription:
        """The subscription, without its secrets."""
        return await self._ask(requests.get_subscription(subscription_id))

    async def delete_subscription(self, subscription_id: str) -> None:
        """End the subscription; also when it has ended already."""
        await self._sent(requests.delete_subscription(subscription_id))

    async def renew_subscription(
        self, subscription_id: str, *, expires_in_seconds: int | None = None, idempotency_key: str | None = None
    ) -> models.Subscription:
        """Let the subscription live for so long from now on (default: 8 hours)."""
        key = idempotency_key or self._key()
        return await self._ask(requests.renew_subscription(subscription_id, expires_in_seconds, key))

    async def rotate_secret(self, subscription_id: str, *, idempotency_key: str | None = None) -> models.NewSecret:
        """A new `signingSecret`; the one before signs too for 24 hours."""
        return await self._ask(requests.rotate_secret(subscription_id, idempotency_key or self._key()))

    async def issue_ticket(self, subscription_id: str, *, idempotency_key: str | None = None) -> models.NewTicket:
        """Where to connect once more, within 60 s: the `websocketUrl`."""
        return await self._ask(requests.issue_ticket(subscription_id, idempotency_key or self._key()))

    async def test_subscription(self, subscription_id: str, *, idempotency_key: str | None = None) -> models.Owed:
        """Have a `ping` pushed."""
        return await self._ask(requests.test_subscription(subscription_id, idempotency_key or self._key()))

    async def deliveries(
        self, subscription_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> models.Deliveries:
        """A page of what became of each message, newest first."""
        return await self._ask(requests.deliveries(subscription_id, limit=limit, cursor=cursor))

    async def retry_delivery(
        self, subscription_id: str, message_id: str, *, idempotency_key: str | None = None
    ) -> models.Owed:
        """Have a message pushed again, under the same `webhook-id`."""
        key = idempotency_key or self._key()
        return await self._ask(requests.retry_delivery(subscription_id, message_id, key))

    @abstractmethod
    async def _ask(self, request: Request[AnswerT]) -> AnswerT:
        """The answer's JSON."""

    @abstractmethod
    async def _sent(self, request: Request[Any]) -> Any:
        """The answer as such."""

    @abstractmethod
    def _key(self) -> str:
        """A new Idempotency-Key."""
