"""Reads the project's job queue, from the index by status (which lags by about a second) and the workers."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from jobtrack.domain.estimate import estimate
from jobtrack.domain.job import Job, JobStatus
from jobtrack.domain.queue_forecast import JobQueue, QueuedJob, RunningJob
from jobtrack.keys import JobKey, ProjectKey
from jobtrack.store import status_index
from jobtrack.store.status_index import INDEX
from jobtrack.store.workers import WorkerStore
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class QueueReader(Struct, eq=False):
    """Reads the queued jobs, the running jobs and the workers: three queries, two of which read keys only."""

    dynamodb: "DynamoDBClient"
    table: str

    def read_position(self, key: JobKey, job: Job) -> int:
        """Return a queued job's position in the project's queue, from 1."""
        partition, sort_key = status_index.index_key(key, job)
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=INDEX,
            Select="COUNT",
            KeyConditionExpression="gpk = :partition AND gsk < :sort_key",
            ExpressionAttributeValues={":partition": {"S": partition}, ":sort_key": {"S": sort_key}},
        )
        return 1 + sum(page["Count"] for page in pages)

    def read_queue(self, owner: ProjectKey, now: Micros) -> JobQueue:
        """Return the queue at `now`. Queued jobs are read first, so that one that starts is not missed."""
        queued = [status_index.parse_queued_job(key) for key in self._read_sort_keys(owner, JobStatus.QUEUED)]
        running = [status_index.parse_running_job(key) for key in self._read_sort_keys(owner, JobStatus.RUNNING)]
        workers = WorkerStore(self.dynamodb, self.table).read_live_workers(owner, now)
        return JobQueue.from_lists(now, workers, queued, running)

    def _read_sort_keys(self, owner: ProjectKey, status: JobStatus) -> Iterator[str]:
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=INDEX,
            KeyConditionExpression="gpk = :partition",
            ExpressionAttributeValues={":partition": {"S": status_index.index_partition(owner, status)}},
        )
        return (item["gsk"]["S"] for page in pages for item in page["Items"])


def page_after(queue: JobQueue, position: str | None, limit: int) -> tuple[list[QueuedJob], str | None]:
    """Return the next queued jobs after a position of the queue, and the last one's position if there are more."""
    beyond = [job for job in queue.queued if position is None or status_index.queue_position(job) > position]
    page = beyond[:limit]
    return page, status_index.queue_position(page[-1]) if len(page) < len(beyond) else None


def correct_queue(queue: JobQueue, jobs: Sequence[Job]) -> JobQueue:
    """Return the queue, corrected by jobs that were read themselves: their status, and their present estimates."""
    return queue.corrected(
        [QueuedJob.of(job) for job in jobs if job.status is JobStatus.QUEUED],
        [_running(job, queue.now) for job in jobs if job.status is JobStatus.RUNNING],
        [job.job_id for job in jobs if job.status.ended],
    )


def _running(job: Job, now: Micros) -> RunningJob:
    return replace(RunningJob.of(job), end=estimate(job, now).completion)
