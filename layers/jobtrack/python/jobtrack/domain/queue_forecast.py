"""The forecast of a project's job queue: which jobs wait, which run, and when each queued job is expected to start.

Jobs start by priority, then in the order of their submission. Each takes the slot of a live worker that becomes free
first: one that is free now, else the slot of the running job that is expected to end first. A running job of unknown
duration never frees its slot, so a job that would need the slot has no expected start. Prerequisites and blocking
conditions are not considered.
"""

import heapq
from collections.abc import Iterable, Sequence
from typing import Literal, Self

from msgspec import Struct
from msgspec.structs import replace

from jobtrack import times
from jobtrack.domain import formats
from jobtrack.domain.estimate import planned_seconds
from jobtrack.domain.job import PRIORITIES, Job, Priority
from jobtrack.times import Micros

Health = Literal["Good", "Degraded", "Critical"]
Availability = Literal["High", "Medium", "Low"]

_GOOD_SECONDS, _DEGRADED_SECONDS = 15 * 60, 60 * 60
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
        """Return a job's entry; its end is that of its first estimate."""
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


class Turn(Struct, frozen=True):
    """The forecast of a queued job: its position from 1, and its expected start and end, if known."""

    position: int
    start: Micros | None
    end: Micros | None


class JobQueue(Struct, frozen=True):
    """The job queue of a project at `now`, which is a whole second; `queued` is in the order of the queue."""

    now: Micros
    workers: Sequence[Worker]
    running: Sequence[RunningJob]
    queued: Sequence[QueuedJob]

    @classmethod
    def from_lists(
        cls, now: Micros, workers: Sequence[Worker], queued: Iterable[QueuedJob], running: Iterable[RunningJob]
    ) -> Self:
        """Return the queue of two lists, read one after the other: a job that is in both has started."""
        running_by_id = {job.job: job for job in running}
        queued_by_id = {job.job: job for job in queued if job.job not in running_by_id}
        in_order = sorted(queued_by_id.values(), key=lambda job: job.order)
        return cls(times.whole(now), workers, list(running_by_id.values()), in_order)

    def corrected(self, queued: Iterable[QueuedJob], running: Iterable[RunningJob], ended: Iterable[str]) -> Self:
        """Return the queue with the current state of some jobs; the index that it was read from lags behind."""
        queued_by_id = {job.job: job for job in queued}
        running_by_id = {job.job: job for job in running}
        corrected = {*queued_by_id, *running_by_id, *ended}
        others = [job for job in self.queued if job.job not in corrected]
        return replace(
            self,
            running=[*(job for job in self.running if job.job not in corrected), *running_by_id.values()],
            queued=sorted([*others, *queued_by_id.values()], key=lambda job: job.order),
        )

    @property
    def slots(self) -> int:
        """The number of jobs that the live workers run at once."""
        return sum(worker.slots for worker in self.workers)

    @property
    def free_slots(self) -> int:
        """The number of jobs that could start now."""
        return max(0, self.slots - len(self.running))

    @property
    def core_load(self) -> int | None:
        """`overallLoad`: the cores of running jobs, where reported, in per cent of the cores of live workers."""
        used = sum(job.cores for job in self.running if job.cores is not None)
        return _percent(used, sum(worker.cores for worker in self.workers))

    @property
    def slot_load(self) -> int | None:
        """`currentLoad`: the running jobs in per cent of the slots of live workers."""
        return _percent(len(self.running), self.slots)

    @property
    def availability(self) -> Availability | None:
        """`resourceAvailability`: High below a load of 50, Medium below 85, else Low; `None` without a live worker."""
        load = self.core_load
        if load is None:
            return None
        return "High" if load < _HIGH_LOAD else "Medium" if load < _MEDIUM_LOAD else "Low"

    def turns(self) -> dict[str, Turn]:
        """Return the forecast of each queued job by id, in the order of the queue."""
        free = self._free_times()
        turns: dict[str, Turn] = {}
        for position, job in enumerate(self.queued, 1):
            start = heapq.heappop(free) if free else None
            end = _end(start, job.seconds)
            if end is not None:
                heapq.heappush(free, end)
            turns[job.job] = Turn(position, start, end)
        return turns

    def _free_times(self) -> list[Micros]:
        """Return when each slot becomes free, as a heap."""
        ends = [max(self.now, job.end) for job in self.running if job.end is not None and job.end <= times.LATEST]
        # While more jobs run than there are slots, the first that end free none.
        surplus = max(0, len(self.running) - self.slots)
        return [self.now] * min(self.free_slots, len(self.queued)) + sorted(ends)[surplus:]


def expected_waits(queue: JobQueue, turns: Iterable[Turn]) -> list[int]:
    """Return the seconds until each of the jobs starts, where known."""
    return [(turn.start - queue.now) // times.SECOND for turn in turns if turn.start is not None]


def queue_health(seconds: Sequence[int]) -> Health:
    """Return `queueHealth` by the longest expected wait: Good up to 15 minutes, Degraded up to 60, else Critical."""
    longest = max(seconds, default=0)
    if longest <= _GOOD_SECONDS:
        return "Good"
    return "Degraded" if longest <= _DEGRADED_SECONDS else "Critical"


def _percent(part: float, whole: float) -> int | None:
    return round(100 * part / whole) if whole else None


def _first_end(job: Job) -> Micros | None:
    if job.started_at is None or job.first_estimate is None:
        return None
    return times.whole(times.add_seconds(job.started_at, job.first_estimate))


def _end(start: Micros | None, seconds: int | None) -> Micros | None:
    if start is None or seconds is None:
        return None
    end = times.add_seconds(start, seconds)
    return end if end <= times.LATEST else None
