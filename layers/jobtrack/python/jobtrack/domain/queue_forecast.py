"""The project's queue as it will go on: who waits, who runs, on what, and when each job is expected to start.

The queue is worked off by priority, then by submission. Each job takes the slot of the live workers that is free first:
one that is free now, else that of the running job that is expected to end first. A job of unknown length gives its slot
back nobody knows when, so that whoever would need it has no expected start. What a job waits for besides (its
prerequisites, its blocking conditions) is not taken into account.
"""

import heapq
from collections.abc import Iterable, Sequence
from typing import Literal, Self, get_args

from msgspec import Struct
from msgspec.structs import replace

from jobtrack import times
from jobtrack.domain.job import Priority

PRIORITIES: tuple[Priority, ...] = get_args(Priority)

Health = Literal["Good", "Degraded", "Critical"]
Availability = Literal["High", "Medium", "Low"]

_GOOD_SECONDS, _DEGRADED_SECONDS = 15 * 60, 60 * 60
_HIGH_LOAD, _MEDIUM_LOAD = 50, 85


class Worker(Struct, frozen=True):
    """A live worker: its cores, and how many jobs it takes at once."""

    node: str
    cores: float
    slots: int


class Running(Struct, frozen=True):
    """A running job: its cores and its expected end (µs), where known."""

    job: str
    cores: float | None
    end: int | None


class Waiting(Struct, frozen=True):
    """A queued job: its priority, when it was submitted (µs), and how many seconds it is expected to take."""

    job: str
    priority: Priority
    created_at: int
    seconds: int | None

    @property
    def order(self) -> tuple[int, int, str]:
        """Its place in the queue: by priority, then by submission."""
        return PRIORITIES.index(self.priority), self.created_at, self.job


class Turn(Struct, frozen=True):
    """When a queued job is expected to have its turn: its position from 1, its start and end (µs) where known."""

    position: int
    start: int | None
    end: int | None


class Queue(Struct, frozen=True):
    """A project's queue at `now`, a whole second in µs; `waiting` in the queue's order."""

    now: int
    workers: Sequence[Worker]
    running: Sequence[Running]
    waiting: Sequence[Waiting]

    @classmethod
    def of(cls, now: int, workers: Sequence[Worker], waiting: Iterable[Waiting], running: Iterable[Running]) -> Self:
        """The queue of jobs that were found waiting, and after that running: one that is among both has started."""
        started = {each.job: each for each in running}
        left = {each.job: each for each in waiting if each.job not in started}
        in_order = sorted(left.values(), key=lambda each: each.order)
        return cls(times.whole(now), workers, list(started.values()), in_order)

    def knowing(self, waiting: Iterable[Waiting], running: Iterable[Running], ended: Iterable[str]) -> Self:
        """The same, with what is known better of some jobs than the index tells, which lags."""
        moved = {each.job: each for each in waiting}
        started = {each.job: each for each in running}
        known = {*moved, *started, *ended}
        others = [each for each in self.waiting if each.job not in known]
        return replace(
            self,
            running=[*(each for each in self.running if each.job not in known), *started.values()],
            waiting=sorted([*others, *moved.values()], key=lambda each: each.order),
        )

    @property
    def slots(self) -> int:
        """How many jobs the live workers take at once."""
        return sum(worker.slots for worker in self.workers)

    @property
    def free_slots(self) -> int:
        """How many jobs could start now."""
        return max(0, self.slots - len(self.running))

    @property
    def core_load(self) -> int | None:
        """`overallLoad`: the running jobs' cores, as far as reported, in whole per cent of the live workers'."""
        used = sum(each.cores for each in self.running if each.cores is not None)
        return _percent(used, sum(worker.cores for worker in self.workers))

    @property
    def slot_load(self) -> int | None:
        """`currentLoad`: the running jobs in whole per cent of the live workers' slots."""
        return _percent(len(self.running), self.slots)

    @property
    def availability(self) -> Availability | None:
        """`resourceAvailability`: High below a load of 50, Medium below 85, else Low; None without a live worker."""
        load = self.core_load
        if load is None:
            return None
        return "High" if load < _HIGH_LOAD else "Medium" if load < _MEDIUM_LOAD else "Low"

    def turns(self) -> dict[str, Turn]:
        """Each queued job's turn, in the queue's order."""
        free = self._free_moments()
        found: dict[str, Turn] = {}
        for position, each in enumerate(self.waiting, 1):
            start = heapq.heappop(free) if free else None
            end = _after(start, each.seconds)
            if end is not None:
                heapq.heappush(free, end)
            found[each.job] = Turn(position, start, end)
        return found

    def _free_moments(self) -> list[int]:
        """When each slot is free, as a heap; while more jobs run than there are slots, one that ends frees none."""
        ends = [max(self.now, each.end) for each in self.running if each.end is not None and each.end <= times.LATEST]
        surplus = max(0, len(self.running) - self.slots)
        return [self.now] * min(self.free_slots, len(self.waiting)) + sorted(ends)[surplus:]


def waits(queue: Queue, turns: Iterable[Turn]) -> list[int]:
    """Seconds from now that each job is still expected to wait, where known."""
    return [(turn.start - queue.now) // times.SECOND for turn in turns if turn.start is not None]


def health(seconds: Sequence[int]) -> Health:
    """`queueHealth` by the longest expected wait: Good within 15 minutes, Degraded within 60, else Critical."""
    longest = max(seconds, default=0)
    if longest <= _GOOD_SECONDS:
        return "Good"
    return "Degraded" if longest <= _DEGRADED_SECONDS else "Critical"


def _percent(part: float, whole: float) -> int | None:
    return round(100 * part / whole) if whole else None


def _after(start: int | None, seconds: int | None) -> int | None:
    if start is None or seconds is None:
        return None
    end = start + seconds * times.SECOND
    return end if end <= times.LATEST else None
