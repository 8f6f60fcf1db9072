"""Places in the index by status: where a job stands among those of its status, and what its place tells of it.

    Queued    rank # created # job # expected seconds or -
    Running   created # job # cores or - # expected end in epoch seconds or -
    ended     created # job

A list, the queue and the project's load are read from these keys alone. Nothing in a key changes from batch to batch,
since each change would be two writes to the index: the expected end is the one of the job's first estimate.
"""

from typing import NamedTuple, Self

from jobtrack import times
from jobtrack.domain import formats
from jobtrack.domain.estimate import planned_seconds
from jobtrack.domain.job import Job, JobStatus
from jobtrack.domain.queue_forecast import PRIORITIES, QueuedJob, RunningJob
from jobtrack.keys import JobKey, ProjectKey
from jobtrack.times import Micros

INDEX = "by_status"

_UNKNOWN = "-"


class Place(NamedTuple):
    """Where a job stands in the project's history: its creation (µs), and its id among those made at once."""

    created_at: int
    job: str

    @property
    def text(self) -> str:
        """As it is written in a sort key."""
        return f"{self.created_at:018d}#{self.job}"

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return the place of a job."""
        return cls(job.created_at, job.job_id)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what was written so."""
        created, job = text.split("#")[-2:]
        return cls(int(created), job)


def partition(owner: ProjectKey, status: JobStatus) -> str:
    """The index's partition of the project's jobs of a status."""
    return f"{owner.partition}#{status}"


def listing(key: JobKey, job: Job) -> tuple[str, str]:
    """Partition and sort key of the job as it stands."""
    return partition(key.owner, job.status), _sort_key(job)


def waiting(job: Job) -> QueuedJob:
    """A queued job, as its place tells it."""
    return QueuedJob(job.job_id, job.priority, job.created_at, planned_seconds(job))


def running(job: Job) -> RunningJob:
    """A running job, as its place tells it."""
    cores = (job.allocated or {}).get("cpuUnits")
    return RunningJob(job.job_id, None if cores is None else formats.number(cores, 3), _expected_end(job))


def waiting_at(sort_key: str) -> QueuedJob:
    """What the place of a queued job tells."""
    rank, created, job, seconds = sort_key.split("#")
    return QueuedJob(job, PRIORITIES[int(rank)], Micros(int(created)), None if seconds == _UNKNOWN else int(seconds))


def queue_place(waiting: QueuedJob) -> str:
    """Where a queued job stands in the queue's own order, as its place begins."""
    return f"{PRIORITIES.index(waiting.priority)}#{Place(waiting.created_at, waiting.job).text}"


def running_at(sort_key: str) -> RunningJob:
    """What the place of a running job tells."""
    _, job, cores, end = sort_key.split("#")
    known_end = None if end == _UNKNOWN else Micros(int(end) * times.SECOND)
    return RunningJob(job, None if cores == _UNKNOWN else float(cores), known_end)


def place_at(sort_key: str, status: JobStatus) -> Place:
    """The place in history in the sort key of a job of that status."""
    parts = sort_key.split("#")
    created, job = parts[1:3] if status is JobStatus.QUEUED else parts[:2]
    return Place(int(created), job)


def ranks(status: JobStatus) -> tuple[str, ...]:
    """What the sort keys of a status begin with: the queue is as many lists by time as there are priorities."""
    return tuple(f"{rank}#" for rank in range(len(PRIORITIES))) if status is JobStatus.QUEUED else ("",)


def _sort_key(job: Job) -> str:
    if job.status is JobStatus.QUEUED:
        queued = waiting(job)
        return f"{queue_place(queued)}#{_or_unknown(queued.seconds)}"
    place = Place(job.created_at, job.job_id).text
    if job.status is JobStatus.RUNNING:
        found = running(job)
        end = None if found.end is None else found.end // times.SECOND
        return f"{place}#{_or_unknown(found.cores)}#{_or_unknown(end)}"
    return place


def _expected_end(job: Job) -> Micros | None:
    if job.started_at is None or job.first_estimate is None:
        return None
    return times.whole(job.started_at + round(job.first_estimate * times.SECOND))


def _or_unknown(value: float | None) -> str:
    return _UNKNOWN if value is None else str(value)
