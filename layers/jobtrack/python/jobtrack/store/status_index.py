"""The index by status: its sort keys contain the data that lists, the queue and the project's load need of a job.

    Queued    rank # created # job # expected seconds or -
    Running   created # job # cores or - # expected end in epoch seconds or -
    ended     created # job

A batch of events changes a key only if it changes the status, because each change takes two writes to the index. So the
expected end comes from the job's first estimate.

Readers ignore further fields of a sort key, so that a later release can append one while this one still runs.
"""

from typing import TYPE_CHECKING, NamedTuple, Self

from jobtrack import times
from jobtrack.domain.job import PRIORITIES, Job, JobStatus
from jobtrack.domain.job_queue import JobQueue, QueuedJob, RunningJob
from jobtrack.keys import JobKey, ProjectKey
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

INDEX = "by_status"

_UNKNOWN = "-"


class Place(NamedTuple):
    """The place of a job in the project's history: when it was created, and its id."""

    created_at: Micros
    job: str

    @property
    def text(self) -> str:
        """The place as it is written in a sort key."""
        return f"{self.created_at:018d}#{self.job}"

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return the place of a job."""
        return cls(job.created_at, job.job_id)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the place at the end of a text."""
        created, job = text.split("#")[-2:]
        return cls(Micros(int(created)), job)


def read_sort_keys(
    dynamodb: "DynamoDBClient",
    table: str,
    owner: ProjectKey,
    status: JobStatus,
    bounds: tuple[str, str],
    limit: int,
    *,
    forward: bool,
) -> list[str]:
    """Return at most `limit` sort keys of a project's jobs with a status, within both bounds, by one request."""
    low, high = bounds
    items = dynamodb.query(
        TableName=table,
        IndexName=INDEX,
        KeyConditionExpression="gpk = :partition AND gsk BETWEEN :low AND :high",
        ExpressionAttributeValues={
            ":partition": {"S": index_partition(owner, status)},
            ":low": {"S": low},
            ":high": {"S": high},
        },
        ScanIndexForward=forward,
        Limit=limit,
    )["Items"]
    return [item["gsk"]["S"] for item in items]


def index_partition(owner: ProjectKey, status: JobStatus) -> str:
    """Return the partition key of the project's jobs with a status.

    It ends with the number of a shard. There is one shard so far.
    """
    return f"{owner.partition}#{status}#0"


def index_key(key: JobKey, job: Job) -> tuple[str, str]:
    """Return the partition and sort key of a job in its current state."""
    return index_partition(key.owner, job.status), _sort_key(job)


def parse_queued_job(sort_key: str) -> QueuedJob:
    """Return the queued job in a sort key."""
    rank, created, job, seconds, *_ = sort_key.split("#")
    return QueuedJob(job, PRIORITIES[int(rank)], Micros(int(created)), None if seconds == _UNKNOWN else int(seconds))


def parse_running_job(sort_key: str) -> RunningJob:
    """Return the running job in a sort key."""
    _, job, cores, end, *_ = sort_key.split("#")
    expected_end = None if end == _UNKNOWN else Micros(int(end) * times.SECOND)
    return RunningJob(job, None if cores == _UNKNOWN else float(cores), expected_end)


def queue_position(job: QueuedJob) -> str:
    """Return the beginning of a queued job's sort key, which decides about its position in the queue."""
    return f"{job.rank}#{Place(job.created_at, job.job).text}"


def queued_places(queue: JobQueue) -> list[Place] | None:
    """Return the places of all queued jobs, or `None` if not all were read."""
    return None if queue.is_longer else [Place(job.created_at, job.job) for job in queue.queued]


def parse_place(sort_key: str, status: JobStatus) -> Place:
    """Return the place in the sort key of a job with that status."""
    parts = sort_key.split("#")
    created, job = parts[1:3] if status is JobStatus.QUEUED else parts[:2]
    return Place(Micros(int(created)), job)


def rank_prefixes(status: JobStatus) -> tuple[str, ...]:
    """Return the prefixes of the sort keys of a status; under each prefix, the keys are ordered by time."""
    return tuple(f"{rank}#" for rank in range(len(PRIORITIES))) if status is JobStatus.QUEUED else ("",)


def _sort_key(job: Job) -> str:
    if job.status is JobStatus.QUEUED:
        queued = QueuedJob.of(job)
        return f"{queue_position(queued)}#{_or_unknown(queued.seconds)}"
    place = Place(job.created_at, job.job_id).text
    if job.status is JobStatus.RUNNING:
        running = RunningJob.of(job)
        end = None if running.end is None else times.epoch_seconds(running.end)
        return f"{place}#{_or_unknown(running.cores)}#{_or_unknown(end)}"
    return place


def _or_unknown(value: float | None) -> str:
    return _UNKNOWN if value is None else str(value)
