"""Reads the project's job queue: its first jobs from the index by status, and sums over all jobs from the counters.

The index lags by about a second; the counters do not. A forecast always takes three queries: one for the counters and
workers, one for the first thousand queued jobs, and one for the first thousand running jobs.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from jobtrack import limits
from jobtrack.domain.estimate import estimate
from jobtrack.domain.job import PRIORITIES, Job, JobStatus
from jobtrack.domain.job_queue import JobQueue, QueuedJob, Rest, RunningJob
from jobtrack.domain.later_turns import Period
from jobtrack.keys import ProjectKey
from jobtrack.store import open_job_counters, status_index
from jobtrack.store.workers import live_workers
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_Entry = TypeVar("_Entry")
_FIRST, _LAST = "!", "~"
"""Bounds of all sort keys of the index: they begin with digits."""


class QueueReader(Struct, eq=False):
    """Reads queued jobs, running jobs, workers and sums from the jobs table."""

    dynamodb: "DynamoDBClient"
    table: str

    def read_next_position(self, owner: ProjectKey, job: Job) -> int:
        """Return the position that a new job takes in the project's queue, from 1."""
        queued = open_job_counters.sum_counters(self._read_load(owner)).queued
        return 1 + sum(own.jobs for own in queued[: PRIORITIES.index(job.priority) + 1])

    def read_queue(self, owner: ProjectKey, now: Micros) -> JobQueue:
        """Return the queue at `now`. Queued jobs are read first, so that a job that starts is not missed."""
        load = self._read_load(owner)
        queued = [status_index.parse_queued_job(key) for key in self._read_first(owner, JobStatus.QUEUED)]
        running = [status_index.parse_running_job(key) for key in self._read_first(owner, JobStatus.RUNNING)]
        rest = Rest.of(open_job_counters.sum_counters(load), _if_longer(queued), _if_longer(running))
        first = slice(limits.FORECAST_JOBS)
        return JobQueue.from_lists(now, live_workers(load, now), queued[first], running[first], rest)

    def read_page(
        self, owner: ProjectKey, queue: JobQueue, position: str | None, limit: int
    ) -> tuple[Sequence[QueuedJob], str | None]:
        """Return the next queued jobs after a position, and the position of the last of them if there are more."""
        beyond = [job for job in queue.queued if position is None or status_index.queue_position(job) > position]
        if len(beyond) <= limit and queue.is_longer:
            keys = self._read_keys(owner, JobStatus.QUEUED, limit + 1, low=f"{position}#~" if position else _FIRST)
            beyond = [status_index.parse_queued_job(key) for key in keys]
        page = beyond[:limit]
        return page, status_index.queue_position(page[-1]) if len(page) < len(beyond) else None

    def correct_queue(self, owner: ProjectKey, queue: JobQueue, jobs: Sequence[Job]) -> JobQueue:
        """Return the queue, corrected by the current status and estimates of jobs that were read.

        If some of these jobs are queued behind the first thousand, the result also has the periods of their priorities.
        """
        read = {job.job for job in queue.queued}  # the index entry of a queued job does not change
        queued = [QueuedJob.of(job) for job in jobs if job.status is JobStatus.QUEUED and job.job_id not in read]
        ranks = {job.rank for job in queued if queue.is_later(job)}
        corrected = queue.corrected(
            queued,
            [_running(job, queue.now) for job in jobs if job.status is JobStatus.RUNNING],
            [job.job_id for job in jobs if job.status.ended],
        )
        return corrected.with_periods({rank: self._read_period(owner, queue, rank) for rank in ranks})

    def _read_load(self, owner: ProjectKey) -> list[dict[str, Any]]:
        """Return the project's counters and workers."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": owner.load_partition}},
        )
        return [item for page in pages for item in page["Items"]]

    def _read_first(self, owner: ProjectKey, status: JobStatus) -> list[str]:
        """Return the sort keys of the first thousand jobs of a status, and of one more job if there are more."""
        return self._read_keys(owner, status, limits.FORECAST_JOBS + 1)

    def _read_period(self, owner: ProjectKey, queue: JobQueue, rank: int) -> Period:
        """Return when the later jobs of a priority were created. They follow the last job that was read, if any."""
        read = [job.created_at for job in queue.queued if job.rank == rank]
        bounds = {"low": f"{rank}#", "high": f"{rank}#~"}
        ends = [
            status_index.parse_queued_job(key).created_at
            for forward in (True, False)
            if not (forward and read)
            for key in self._read_keys(owner, JobStatus.QUEUED, 1, **bounds, forward=forward)
        ]
        return Period(min([*read[-1:], *ends], default=queue.now), max(ends, default=queue.now))

    def _read_keys(
        self,
        owner: ProjectKey,
        status: JobStatus,
        limit: int,
        *,
        low: str = _FIRST,
        high: str = _LAST,
        forward: bool = True,
    ) -> list[str]:
        """Return at most `limit` sort keys of a status within bounds."""
        return status_index.read_sort_keys(
            self.dynamodb, self.table, owner, status, (low, high), limit, forward=forward
        )


def _if_longer(jobs: Sequence[_Entry]) -> Sequence[_Entry] | None:
    """Return the jobs of a list that are read one by one, or `None` if these are all jobs."""
    return jobs[: limits.FORECAST_JOBS] if len(jobs) > limits.FORECAST_JOBS else None


def _running(job: Job, now: Micros) -> RunningJob:
    return replace(RunningJob.of(job), end=estimate(job, now).completion)
