"""Iterators over all pages of a list."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from jobtrack_client import models
from jobtrack_client._api import requests
from jobtrack_client._api._async.endpoints import AsyncEndpoints
from jobtrack_client._api.requests import Request
from jobtrack_client.types import Granularity, JobStatus, LogLevel, Time


class AsyncWalks(AsyncEndpoints):
    """Iterators over lists. They request page by page."""

    async def iter_jobs(
        self,
        *,
        status: JobStatus | Sequence[JobStatus] | None = None,
        job_type: str | None = None,
        submitted_by: str | None = None,
        from_time: Time | None = None,
        to_time: Time | None = None,
    ) -> AsyncIterator[models.Job]:
        """Iterate over all jobs of the project, newest first."""
        filters = {"status": status, "job_type": job_type, "submitted_by": submitted_by}
        async for job in self._items(requests.jobs(from_time=from_time, to_time=to_time, **filters), "jobs"):
            yield job

    async def iter_logs(
        self,
        job_id: str,
        *,
        level: LogLevel | None = None,
        from_time: Time | None = None,
        to_time: Time | None = None,
    ) -> AsyncIterator[models.LogEntry]:
        """Iterate over all log lines of at least `level`, oldest first."""
        request = requests.logs(job_id, level=level, from_time=from_time, to_time=to_time, direction="forward")
        async for entry in self._items(request, "logs"):
            yield entry

    async def iter_timeline(
        self, job_id: str, *, granularity: Granularity | None = None, include_sub_events: bool | None = None
    ) -> AsyncIterator[models.TimelineEvent]:
        """Iterate over all events of a job, oldest first."""
        request = requests.timeline(job_id, granularity=granularity, include_sub_events=include_sub_events)
        async for event in self._items(request, "timeline"):
            yield event

    async def iter_subscriptions(self, job_id: str) -> AsyncIterator[models.Subscription]:
        """Iterate over all subscriptions of a job."""
        async for subscription in self._items(requests.subscriptions(job_id), "subscriptions"):
            yield subscription

    async def iter_deliveries(self, subscription_id: str) -> AsyncIterator[models.Delivery]:
        """Iterate over the messages of a subscription with their delivery attempts, newest first."""
        async for delivery in self._items(requests.deliveries(subscription_id), "deliveries"):
            yield delivery

    async def _items(self, request: Request[Any], name: str) -> AsyncIterator[Any]:
        """Iterate over the items of this page and all later pages."""
        cursor: str | None = ""
        while cursor is not None:
            page = await self._fetch(request.with_params(cursor=cursor or None))
            for item in page[name]:
                yield item
            cursor = page["nextCursor"]
