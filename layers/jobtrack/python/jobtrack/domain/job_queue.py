"""A project's job queue: its queued jobs in order, its running jobs, and the workers that run them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Self

from msgspec import Struct, field
from msgspec.structs import replace

from jobtrack import times
from jobtrack.domain import formats
from jobtrack.domain.estimate import planned_seconds
from jobtrack.domain.job import PRIORITIES, Job, Priority
from jobtrack.domain.later_turns import Period
from jobtrack.domain.open_jobs import OpenJobs, QueuedSum
from jobtrack.times import Micros

Availability = Literal["High", "Medium", "Low"]

_HIGH_LOAD, _MEDIUM_LOAD = 50, 85


class Worker(Struct, frozen=True):
    """A live worker: its cores, and how many jobs it runs at once."""

    node: str
    cores: float
    slots: int


class RunningJob(Struct, frozen=True):
    """A running job: its cores and its expected end, if known."""

    job: str
    cores: float | None
    end: Micros | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return the entry of a running job. Its end comes from the job's first estimate."""
        cores = (job.allocated or {}).get("cpuUnits")
        return cls(job.job_id, None if cores is None else formats.number(cores, 3), _first_end(job))


class QueuedJob(Struct, frozen=True):
    """A queued job: its priority, when it was submitted, and its expected duration in seconds."""

    job: str
    priority: Priority
    created_at: Micros
    seconds: int | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return a job's entry."""
        return cls(job.job_id, job.priority, job.created_at, planned_seconds(job))

    @property
    def rank(self) -> int:
        """The rank of its priority: jobs of rank 0 start first."""
        return PRIORITIES.index(self.priority)

    @property
    def order(self) -> tuple[int, int, str]:
        """The sort key of the queue: by priority, then by submission."""
        return self.rank, self.created_at, self.job


class Rest(Struct, frozen=True):
    """The open jobs that were not read one by one.

    Args:
        queued: the queued jobs by priority; they come after all jobs that were read.
        running: the number of running jobs.
        cores: the cores of the running jobs.
        periods: when the queued jobs of a priority were created, by its rank; only if a response needs it.
    """

    queued: Sequence[QueuedSum] = OpenJobs().queued
    running: int = 0
    cores: float = 0
    periods: Mapping[int, Period] = field(default_factory=dict)

    @classmethod
    def of(cls, all_jobs: OpenJobs, queued: Iterable[QueuedJob] | None, running: Iterable[RunningJob] | None) -> Self:
        """Return the sums over the jobs that were not read. `None` means that all jobs of a status were read."""
        rest = cls()
        if queued is not None:
            sums = [_subtract(own, queued, rank) for rank, own in enumerate(all_jobs.queued)]
            rest = replace(rest, queued=sums)
        if running is not None:
            read = list(running)
            cores = all_jobs.cores - sum(job.cores or 0 for job in read)
            rest = replace(rest, running=max(0, all_jobs.running - len(read)), cores=max(0, cores))
        return rest


NO_REST = Rest()


class JobQueue(Struct, frozen=True):
    """The job queue of a project at `now`, which is a whole second; `queued` is in the order of the queue."""

    now: Micros
    workers: Sequence[Worker]
    running: Sequence[RunningJob]
    queued: Sequence[QueuedJob]
    rest: Rest = NO_REST

    @classmethod
    def from_lists(
        cls,
        now: Micros,
        workers: Sequence[Worker],
        queued: Iterable[QueuedJob],
        running: Iterable[RunningJob],
        rest: Rest = NO_REST,
    ) -> Self:
        """Return the queue from two lists. A job that is in both has started between the two reads."""
        running_by_id = {job.job: job for job in running}
        queued_by_id = {job.job: job for job in queued if job.job not in running_by_id}
        in_order = sorted(queued_by_id.values(), key=lambda job: job.order)
        return cls(times.whole(now), workers, list(running_by_id.values()), in_order, rest)

    def corrected(self, queued: Iterable[QueuedJob], running: Iterable[RunningJob], ended: Iterable[str]) -> Self:
        """Return the queue with the current state of some jobs, because the index by status lags behind.

        Jobs that were not read one by one are in the sums, which do not lag.
        """
        queued_by_id = {job.job: job for job in queued}
        running_by_id = {job.job: job for job in running}
        corrected = {*queued_by_id, *running_by_id, *ended}
        others = [job for job in self.queued if job.job not in corrected]
        listed = {job.job for job in self.running}
        return replace(
            self,
            running=[
                *(job for job in self.running if job.job not in corrected),
                *(job for job in running_by_id.values() if not self.rest.running or job.job in listed),
            ],
            queued=sorted(
                [*others, *(job for job in queued_by_id.values() if not self.is_later(job))], key=lambda job: job.order
            ),
        )

    def is_later(self, job: QueuedJob) -> bool:
        """Return whether a queued job comes after all that were read one by one."""
        return self.is_longer and (not self.queued or job.order > self.queued[-1].order)

    def with_periods(self, periods: Mapping[int, Period]) -> Self:
        """Return the queue with the times of creation of its later jobs, by rank of the priority."""
        return replace(self, rest=replace(self.rest, periods=periods))

    @property
    def is_longer(self) -> bool:
        """Whether there are queued jobs that were not read one by one."""
        return any(own.jobs for own in self.rest.queued)

    @property
    def queued_jobs(self) -> Sequence[int]:
        """The number of queued jobs of each priority."""
        counts = [own.jobs for own in self.rest.queued]
        for job in self.queued:
            counts[job.rank] += 1
        return counts

    @property
    def running_jobs(self) -> int:
        """The number of running jobs."""
        return len(self.running) + self.rest.running

    @property
    def slots(self) -> int:
        """The number of jobs that the live workers run at once."""
        return sum(worker.slots for worker in self.workers)

    @property
    def free_slots(self) -> int:
        """The number of jobs that could start now."""
        return max(0, self.slots - self.running_jobs)

    @property
    def core_load(self) -> int | None:
        """`overallLoad`: the cores of running jobs, where reported, in per cent of the cores of live workers."""
        used = sum(job.cores for job in self.running if job.cores is not None) + self.rest.cores
        return _percent(used, sum(worker.cores for worker in self.workers))

    @property
    def slot_load(self) -> int | None:
        """`currentLoad`: the running jobs in per cent of the slots of live workers."""
        return _percent(self.running_jobs, self.slots)

    @property
    def availability(self) -> Availability | None:
        """`resourceAvailability`: High below a load of 50, Medium below 85, else Low; `None` without a live worker."""
        load = self.core_load
        if load is None:
            return None
        return "High" if load < _HIGH_LOAD else "Medium" if load < _MEDIUM_LOAD else "Low"


def _subtract(own: QueuedSum, queued: Iterable[QueuedJob], rank: int) -> QueuedSum:
    """Subtract the listed jobs from a priority's sums. The list may lag behind, so the results are at least 0."""
    seconds = [job.seconds for job in queued if job.rank == rank]
    known = [each for each in seconds if each is not None]
    return QueuedSum(
        max(0, own.jobs - len(seconds)),
        max(0, own.seconds - sum(known)),
        max(0, own.unknown - (len(seconds) - len(known))),
    )


def _percent(part: float, whole: float) -> int | None:
    return round(100 * part / whole) if whole else None


def _first_end(job: Job) -> Micros | None:
    if job.started_at is None or job.first_estimate is None:
        return None
    return times.whole(times.add_seconds(job.started_at, job.first_estimate))
