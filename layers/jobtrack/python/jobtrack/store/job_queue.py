"""The project's queue, as the index by status (which may lag by a second or so) and the workers' heartbeats tell it."""

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
    """Reads who waits, who runs, and on what: three queries, each of keys alone."""

    dynamodb: "DynamoDBClient"
    table: str

    def read_position(self, key: JobKey, job: Job) -> int:
        """The queued job's place in its project's queue, from 1."""
        partition, place = status_index.listing(key, job)
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=INDEX,
            Select="COUNT",
            KeyConditionExpression="gpk = :partition AND gsk < :place",
            ExpressionAttributeValues={":partition": {"S": partition}, ":place": {"S": place}},
        )
        return 1 + sum(page["Count"] for page in pages)

    def read_queue(self, owner: ProjectKey, now: Micros) -> JobQueue:
        """The queue at `now` (µs): who waits is read before who runs, so that nobody who starts meanwhile is missed."""
        waiting = [status_index.waiting_at(place) for place in self._read_places(owner, JobStatus.QUEUED)]
        running = [status_index.running_at(place) for place in self._read_places(owner, JobStatus.RUNNING)]
        return JobQueue.from_lists(
            now, WorkerStore(self.dynamodb, self.table).read_live_workers(owner, now), waiting, running
        )

    def _read_places(self, owner: ProjectKey, status: JobStatus) -> Iterator[str]:
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=INDEX,
            KeyConditionExpression="gpk = :partition",
            ExpressionAttributeValues={":partition": {"S": status_index.partition(owner, status)}},
        )
        return (item["gsk"]["S"] for page in pages for item in page["Items"])


def page_after(queue: JobQueue, position: str | None, limit: int) -> tuple[list[QueuedJob], str | None]:
    """Return the next queued jobs after a position of the queue, and the last one's position if there are more."""
    beyond = [job for job in queue.queued if position is None or status_index.queue_place(job) > position]
    page = beyond[:limit]
    return page, status_index.queue_place(page[-1]) if len(page) < len(beyond) else None


def correct_queue(queue: JobQueue, jobs: Sequence[Job]) -> JobQueue:
    """The queue, corrected by jobs that were read themselves: their status, and what is estimated of them now."""
    return queue.corrected(
        [status_index.waiting(job) for job in jobs if job.status is JobStatus.QUEUED],
        [_running(job, queue.now) for job in jobs if job.status is JobStatus.RUNNING],
        [job.job_id for job in jobs if job.status.ended],
    )


def _running(job: Job, now: Micros) -> RunningJob:
    return replace(status_index.running(job), end=estimate(job, now).completion)
